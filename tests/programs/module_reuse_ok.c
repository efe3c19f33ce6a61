/* SPDX-License-Identifier: MIT
 *
 * A module with two mutexes is unloaded and loaded again: others at the same addresses are taken in the other order.
 */
#include "nest.h"
#include <dlfcn.h>

static pthread_mutex_t *mutexes;
static _Atomic int step;

static void *load(void) {
  void *module = dlopen(PLUGIN, RTLD_NOW);
  MUST(module != NULL);
  pthread_mutex_t *found = dlsym(module, "plugin_mutexes");
  MUST(!mutexes || mutexes == found);
  mutexes = found;
  return module;
}

static void *left(void *unused) {
  /* The recorder maps memory of its own when it meets a place for the first time: after that the loader finds the
   * module's old place free. */
  for (int i = 0; i < 3; i++) {
    mutexes = NULL;
    void *other = load();
    nest(&mutexes[0], &mutexes[1]);
    MUST(dlclose(other) == 0);
  }
  void *module = load();
  nest(&mutexes[0], &mutexes[1]);
  MUST(dlclose(module) == 0);
  (void)load();
  order_reach(&step, 1);
  return unused;
}

static void *right(void *unused) {
  order_await(&step, 1);
  nest(&mutexes[1], &mutexes[0]);
  return unused;
}

int main(void) {
  RUN(left, right);
  return 0;
}
