/* SPDX-License-Identifier: MIT
 *
 * Mutexes of every type and reader-writer locks of every kind, as their owner and as another thread.
 */
#include "show.h"

/* Mutexes of every type, as their owner and as another. */
static void *mutex_of_another(void *mutex) {
  struct timespec end = soon(CLOCK_REALTIME), end_monotonic = soon(CLOCK_MONOTONIC);
  SHOW(pthread_mutex_trylock(mutex));
  SHOW(pthread_mutex_timedlock(mutex, &end));
  SHOW(pthread_mutex_clocklock(mutex, CLOCK_MONOTONIC, &end_monotonic));
  SHOW(pthread_mutex_clocklock(mutex, 99, &end));
  SHOW(pthread_mutex_timedlock(mutex, &past));
  SHOW(pthread_mutex_timedlock(mutex, &bad));
  SHOW(pthread_mutex_timedlock(mutex, &negative));
  return NULL;
}

static void mutex_uses(pthread_mutex_t *mutex, int may_relock) {
  SHOW(pthread_mutex_timedlock(mutex, &past));
  SHOW(pthread_mutex_unlock(mutex));
  SHOW(pthread_mutex_clocklock(mutex, 99, &past));
  if (pthread_mutex_trylock(mutex) == 0 || may_relock)
    SHOW(pthread_mutex_unlock(mutex));
  SHOW(pthread_mutex_timedlock(mutex, &bad));
  if (may_relock)
    SHOW(pthread_mutex_unlock(mutex));
  SHOW(pthread_mutex_trylock(mutex));
  SHOW(pthread_mutex_trylock(mutex));
  SHOW(pthread_mutex_destroy(mutex));
  if (may_relock) {
    SHOW(pthread_mutex_lock(mutex));
    SHOW(pthread_mutex_timedlock(mutex, &past));
    SHOW(pthread_mutex_unlock(mutex));
  }
  in_thread(mutex_of_another, mutex);
  while (pthread_mutex_trylock(mutex) == EBUSY && pthread_mutex_unlock(mutex) == 0)
    ;
}

static void *end_holding(void *mutex) {
  SHOW(pthread_mutex_lock(mutex));
  return NULL;
}

static void robust_uses(pthread_mutexattr_t *attr) {
  pthread_mutex_t mutex;
  pthread_mutexattr_setrobust(attr, PTHREAD_MUTEX_ROBUST);
  SHOW(pthread_mutex_init(&mutex, attr));
  in_thread(end_holding, &mutex);
  SHOW(pthread_mutex_lock(&mutex));
  SHOW(pthread_mutex_consistent(&mutex));
  SHOW(pthread_mutex_consistent(&mutex));
  SHOW(pthread_mutex_unlock(&mutex));
  in_thread(end_holding, &mutex);
  SHOW(pthread_mutex_trylock(&mutex));
  SHOW(pthread_mutex_unlock(&mutex)); /* not made consistent: lost for ever */
  SHOW(pthread_mutex_timedlock(&mutex, &past));
  SHOW(pthread_mutex_lock(&mutex));
  SHOW(pthread_mutex_lock(&mutex));
  SHOW(pthread_mutex_trylock(&mutex));
  SHOW(pthread_mutex_timedlock(&mutex, &past));
  SHOW(pthread_mutex_destroy(&mutex));
}

static void mutexes(void) {
  static const struct {
    const char *name;
    int type, protocol;
  } kinds[] = {{"normal", PTHREAD_MUTEX_NORMAL, PTHREAD_PRIO_NONE},
               {"recursive", PTHREAD_MUTEX_RECURSIVE, PTHREAD_PRIO_NONE},
               {"errorcheck", PTHREAD_MUTEX_ERRORCHECK, PTHREAD_PRIO_NONE},
               {"adaptive", PTHREAD_MUTEX_ADAPTIVE_NP, PTHREAD_PRIO_NONE},
               {"inherit errorcheck", PTHREAD_MUTEX_ERRORCHECK, PTHREAD_PRIO_INHERIT},
               {"inherit recursive", PTHREAD_MUTEX_RECURSIVE, PTHREAD_PRIO_INHERIT},
               {"protect", PTHREAD_MUTEX_NORMAL, PTHREAD_PRIO_PROTECT}};
  for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
    pthread_mutexattr_t attr;
    pthread_mutex_t mutex;
    context = kinds[i].name;
    pthread_mutexattr_init(&attr);
    pthread_mutexattr_settype(&attr, kinds[i].type);
    pthread_mutexattr_setprotocol(&attr, kinds[i].protocol);
    SHOW(pthread_mutex_init(&mutex, &attr));
    mutex_uses(&mutex, kinds[i].type == PTHREAD_MUTEX_RECURSIVE || kinds[i].type == PTHREAD_MUTEX_ERRORCHECK);
    context = "robust";
    if (kinds[i].protocol != PTHREAD_PRIO_PROTECT)
      robust_uses(&attr);
  }
}

static void *rwlock_of_another(void *rwlock) {
  struct timespec end = soon(CLOCK_REALTIME), end_monotonic = soon(CLOCK_MONOTONIC);
  SHOW(pthread_rwlock_tryrdlock(rwlock));
  SHOW(pthread_rwlock_trywrlock(rwlock));
  SHOW(pthread_rwlock_timedwrlock(rwlock, &end));
  SHOW(pthread_rwlock_clockwrlock(rwlock, CLOCK_MONOTONIC, &end_monotonic));
  SHOW(pthread_rwlock_timedrdlock(rwlock, &bad));
  SHOW(pthread_rwlock_timedwrlock(rwlock, &bad));
  SHOW(pthread_rwlock_clockwrlock(rwlock, 99, &past));
  return NULL;
}

static void rwlocks(void) {
  static const int kinds[] = {PTHREAD_RWLOCK_PREFER_READER_NP, PTHREAD_RWLOCK_PREFER_WRITER_NP,
                              PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP};
  static const char *const names[] = {"readers", "writers", "writers, not recursive"};
  for (size_t i = 0; i < 3; i++) {
    pthread_rwlockattr_t attr;
    pthread_rwlock_t rwlock;
    context = names[i];
    pthread_rwlockattr_init(&attr);
    pthread_rwlockattr_setkind_np(&attr, kinds[i]);
    SHOW(pthread_rwlock_init(&rwlock, &attr));
    SHOW(pthread_rwlock_timedrdlock(&rwlock, &bad));
    SHOW(pthread_rwlock_clockrdlock(&rwlock, 99, &past));
    SHOW(pthread_rwlock_timedrdlock(&rwlock, &past));
    SHOW(pthread_rwlock_rdlock(&rwlock));
    SHOW(pthread_rwlock_tryrdlock(&rwlock));
    SHOW(pthread_rwlock_clockrdlock(&rwlock, CLOCK_MONOTONIC, &past));
    SHOW(pthread_rwlock_trywrlock(&rwlock));
    in_thread(rwlock_of_another, &rwlock);
    for (int held = 0; held < 5; held++) /* ours, and the one that the other thread kept */
      SHOW(pthread_rwlock_unlock(&rwlock));
    SHOW(pthread_rwlock_timedwrlock(&rwlock, &past));
    SHOW(pthread_rwlock_wrlock(&rwlock));
    SHOW(pthread_rwlock_rdlock(&rwlock));
    SHOW(pthread_rwlock_tryrdlock(&rwlock));
    in_thread(rwlock_of_another, &rwlock);
    SHOW(pthread_rwlock_unlock(&rwlock));
    SHOW(pthread_rwlock_wrlock(&rwlock));
    SHOW(pthread_rwlock_unlock(&rwlock));
    SHOW(pthread_rwlock_clockwrlock(&rwlock, CLOCK_REALTIME, &past));
    SHOW(pthread_rwlock_unlock(&rwlock));
    SHOW(pthread_rwlock_destroy(&rwlock));
  }
}

int main(void) {
  mutexes();
  rwlocks();
  return 0;
}
