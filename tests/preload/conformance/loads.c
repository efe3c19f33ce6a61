/* SPDX-License-Identifier: MIT
 *
 * Libraries loaded at run time: normally, with RTLD_DEEPBIND and with dlmopen, where the shim is passed by; locks that
 * are taken there and released or awaited here; and functions bound to old symbol versions. PLUGIN is the library's
 * path.
 */
#include "show.h"
#include <dlfcn.h>

typedef int (*lock_function)(pthread_mutex_t *);
typedef int (*signal_function)(pthread_cond_t *);
typedef int (*thread_function)(void);

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER, checked = PTHREAD_ERRORCHECK_MUTEX_INITIALIZER_NP;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static lock_function lock, unlock;
static signal_function wake;
static _Atomic int is_woken;

static void *signal_there(void *unused) {
  pthread_mutex_lock(&mutex);
  is_woken = 1;
  wake(&cond);
  pthread_mutex_unlock(&mutex);
  return unused;
}

static void use(void *plugin) {
  SHOW(plugin != NULL);
  if (!plugin)
    return;
  lock = (lock_function)dlsym(plugin, "plugin_lock");
  unlock = (lock_function)dlsym(plugin, "plugin_unlock");
  wake = (signal_function)dlsym(plugin, "plugin_signal");
  SHOW(lock(NULL));
  SHOW(unlock(NULL));
  SHOW(lock(&mutex)); /* here and there */
  SHOW(pthread_mutex_trylock(&mutex));
  SHOW(pthread_mutex_unlock(&mutex));
  SHOW(pthread_mutex_lock(&mutex));
  SHOW(unlock(&mutex));
  SHOW(lock(&checked));
  SHOW(pthread_mutex_lock(&checked));
  SHOW(unlock(&checked));
  SHOW(unlock(&checked));
}

static void wake_from(void) {
  pthread_t thread;
  is_woken = 0;
  SHOW(lock(&mutex));
  pthread_create(&thread, NULL, signal_there, NULL);
  int error = 0;
  while (!is_woken && !error)
    error = pthread_cond_wait(&cond, &mutex);
  SHOW(error);
  SHOW(unlock(&mutex));
  SHOW(pthread_join(thread, NULL));
}

static void old_versions(void) {
#ifdef __x86_64__
  typedef int (*cond_function)(void *);
  typedef int (*wait_function)(void *, pthread_mutex_t *);
  void *old_cond[2] = {NULL, NULL}; /* a pointer, in that version */
  cond_function init = (cond_function)dlvsym(RTLD_DEFAULT, "pthread_cond_broadcast", "GLIBC_2.2.5");
  cond_function destroy = (cond_function)dlvsym(RTLD_DEFAULT, "pthread_cond_destroy", "GLIBC_2.2.5");
  wait_function wait_old = (wait_function)dlvsym(RTLD_DEFAULT, "pthread_cond_wait", "GLIBC_2.2.5");
  context = "old versions";
  SHOW(init && destroy && wait_old);
  SHOW(init(old_cond));
  SHOW(wait_old(old_cond, &checked)); /* not held */
  SHOW(destroy(old_cond));
#endif
}

int main(void) {
  void *plugin = NULL;
  for (int i = 0; i < 3; i++) {
    context = "dlopen";
    use(plugin = dlopen(PLUGIN, RTLD_NOW | RTLD_LOCAL));
    SHOW(((thread_function)dlsym(plugin, "plugin_thread"))());
    wake_from();
    SHOW(dlclose(plugin));
  }
  context = "dlopen deeply";
  use(plugin = dlopen(PLUGIN, RTLD_NOW | RTLD_DEEPBIND));
  SHOW(((thread_function)dlsym(plugin, "plugin_thread"))());
  wake_from();
  SHOW(dlclose(plugin));
  context = "dlmopen";
  use(plugin = dlmopen(LM_ID_NEWLM, PLUGIN, RTLD_NOW | RTLD_LOCAL));
  SHOW(plugin ? dlclose(plugin) : -1);
  SHOW(dlopen("/nowhere.so", RTLD_NOW) != NULL);
  old_versions();
  return 0;
}
