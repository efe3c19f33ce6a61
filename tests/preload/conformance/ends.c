/* SPDX-License-Identifier: MIT
 *
 * Beginnings and ends: locks in constructors, destructors, exit handlers, thread-specific destructors and cleanup
 * handlers; one-time initialization that is left by cancellation and begun again; asynchronous cancellation.
 */
#include "show.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER, checked = PTHREAD_ERRORCHECK_MUTEX_INITIALIZER_NP;
static pthread_key_t key, late_key;
static _Atomic int destroyed, step;

static int lock_and_unlock(void) { return pthread_mutex_lock(&mutex) + pthread_mutex_unlock(&mutex); }

static __attribute__((constructor(200))) void begin(void) {
  context = "constructor";
  SHOW(lock_and_unlock());
}
static __attribute__((destructor)) void end(void) {
  context = "destructor";
  SHOW(lock_and_unlock());
}
static void at_exit(void) {
  context = "exit handler";
  SHOW(lock_and_unlock());
}
static void at_quick_exit_handler(void) {
  context = "quick exit handler";
  SHOW(lock_and_unlock());
}

static void destroy(void *round) {
  SHOW(lock_and_unlock());
  SHOW(pthread_getspecific(key) == NULL);
  if ((size_t)round < 6) /* more often than libc repeats it */
    SHOW(pthread_setspecific(key, (void *)((size_t)round + 1)));
  destroyed++;
}
static void destroy_late(void *value) {
  (void)value;
  SHOW(lock_and_unlock());
}
static void *with_keys(void *value) {
  pthread_setspecific(key, value);
  pthread_setspecific(late_key, value);
  return value;
}
static void *with_keys_by_exit(void *value) {
  with_keys(value);
  pthread_exit(value);
}

static void keys(void) {
  context = "keys";
  SHOW(pthread_key_create(&key, destroy));
  for (int i = 0; i < 40; i++) /* beyond those that each thread has room for from the beginning */
    pthread_key_create(&late_key, destroy_late);
  in_thread(with_keys, (void *)1);
  SHOW(destroyed);
  in_thread(with_keys_by_exit, (void *)1);
  SHOW(destroyed);
}

/* As many as there are, the one that Snarl uses among them; threads go on without it. */
static void all_keys(void) {
  static pthread_key_t all[PTHREAD_KEYS_MAX + 1];
  int count = 0;
  context = "all keys";
  while (count <= PTHREAD_KEYS_MAX && pthread_key_create(&all[count], NULL) == 0)
    count++;
  SHOW(count);
  in_thread(with_keys, (void *)1);
  while (count > 0)
    pthread_key_delete(all[--count]);
  tss_t key;
  SHOW(tss_create(&key, NULL));
  tss_delete(key);
}

static pthread_once_t once = PTHREAD_ONCE_INIT;
static _Atomic int runs;
static void routine(void) {
  if (++runs > 2)
    return;
  step = runs;
  pthread_cleanup_push(destroy_late, NULL);
  if (runs == 1)
    for (;;)
      pause();
  pthread_exit((void *)7);
  pthread_cleanup_pop(0);
}
static void *run_once(void *unused) {
  (void)unused;
  return (void *)(size_t)(pthread_once(&once, routine) + 3);
}

static void onces(void) {
  pthread_t first, second, third;
  void *result = NULL;
  context = "onces";
  pthread_create(&first, NULL, run_once, NULL);
  while (step != 1)
    sched_yield();
  SHOW(pthread_cancel(first) || pthread_join(first, &result));
  SHOW(result == PTHREAD_CANCELED);
  pthread_create(&second, NULL, run_once, NULL);
  SHOW(pthread_join(second, &result));
  SHOW(result);
  pthread_create(&third, NULL, run_once, NULL);
  SHOW(pthread_join(third, &result));
  SHOW(result);
  SHOW(pthread_once(&once, routine));
  SHOW(runs);
}

static void unlock(void *which) { SHOW(pthread_mutex_unlock(which)); }

/* Cancelled anywhere, also in the middle of our wrappers: locks are left alone then, as POSIX demands. */
static void *spin(void *unused) {
  int old;
  pthread_mutex_lock(&checked);
  pthread_cleanup_push(unlock, &checked);
  pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, &old);
  step = 10;
  for (;;)
    ;
  pthread_cleanup_pop(0);
  return unused;
}
static void *disabled(void *unused) {
  int old;
  pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &old);
  step = 20;
  while (step == 20)
    sched_yield();
  SHOW(lock_and_unlock());
  sem_t sem;
  sem_init(&sem, 0, 1);
  SHOW(sem_wait(&sem));
  SHOW(sem_timedwait(&sem, &past));
  SHOW(pthread_cond_timedwait(&(pthread_cond_t)PTHREAD_COND_INITIALIZER, &checked, &past));
  pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, &old);
  step = 30 + lock_and_unlock(); /* no cancellation points, as printing is */
  step += pthread_mutex_trylock(&mutex) || pthread_mutex_unlock(&mutex);
  pthread_testcancel();
  return unused;
}

static void cancellation(void) {
  pthread_t thread;
  void *result = NULL;
  context = "cancellation";
  pthread_create(&thread, NULL, spin, NULL);
  while (step != 10)
    sched_yield();
  SHOW(pthread_cancel(thread) || pthread_join(thread, &result) || result != PTHREAD_CANCELED);
  SHOW(pthread_mutex_lock(&checked));
  SHOW(pthread_mutex_unlock(&checked));
  pthread_create(&thread, NULL, disabled, NULL);
  while (step != 20)
    sched_yield();
  SHOW(pthread_cancel(thread));
  step = 21;
  SHOW(pthread_join(thread, &result) || result != PTHREAD_CANCELED);
  SHOW(step);
}

static int by_quick_exit(void) {
  at_quick_exit(at_quick_exit_handler);
  quick_exit(12);
}
static int by_all_keys(void) {
  all_keys();
  return 13;
}
static int by_last_thread(void) { pthread_exit(NULL); }

int main(void) {
  atexit(at_exit);
  keys();
  onces();
  cancellation();
  context = "children";
  SHOW(in_child(by_quick_exit));
  SHOW(in_child(by_all_keys));
  SHOW(in_child(by_last_thread)); /* exit handlers run, status 0 */
  return 0;
}
