/* SPDX-License-Identifier: MIT
 *
 * Two mutexes of a module that stays are taken in opposite orders.
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
  void *module = load();
  nest(&mutexes[0], &mutexes[1]);
  (void)module;
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
