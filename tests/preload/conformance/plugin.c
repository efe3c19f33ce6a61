/* SPDX-License-Identifier: MIT
 *
 * A library that programs load at run time, also into namespaces of their own: it locks in its constructor and
 * destructor and on demand.
 */
#include <pthread.h>

static pthread_mutex_t own = PTHREAD_MUTEX_INITIALIZER;
int plugin_lock(pthread_mutex_t *mutex);
int plugin_unlock(pthread_mutex_t *mutex);
int plugin_signal(pthread_cond_t *cond);
int plugin_thread(void);

int plugin_lock(pthread_mutex_t *mutex) { return pthread_mutex_lock(mutex ? mutex : &own); }
int plugin_unlock(pthread_mutex_t *mutex) { return pthread_mutex_unlock(mutex ? mutex : &own); }
int plugin_signal(pthread_cond_t *cond) { return pthread_cond_signal(cond); }

static void *use(void *unused) {
  pthread_mutex_lock(&own);
  pthread_mutex_unlock(&own);
  return unused;
}
int plugin_thread(void) {
  pthread_t thread;
  return pthread_create(&thread, NULL, use, NULL) + pthread_join(thread, NULL);
}

static __attribute__((constructor)) void begin(void) { use(NULL); }
static __attribute__((destructor)) void end(void) { use(NULL); }
