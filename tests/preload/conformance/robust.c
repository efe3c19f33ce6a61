/* SPDX-License-Identifier: MIT
 *
 * Locks of processes: robust mutexes whose owner ends by return, exit, a signal, exec; semaphores, conditions, barriers
 * and reader-writer locks in shared memory, and what a count that is full says.
 */
#include "show.h"

struct shared {
  pthread_mutex_t robust, checked, plain;
  pthread_rwlock_t rwlock;
  pthread_cond_t cond;
  pthread_barrier_t barrier;
  pthread_spinlock_t spin;
  sem_t sem;
  int count;
};
static struct shared *shared;

static void init_mutex(pthread_mutex_t *mutex, int type, int robustness, int protocol) {
  pthread_mutexattr_t attr;
  pthread_mutexattr_init(&attr);
  pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
  pthread_mutexattr_settype(&attr, type);
  pthread_mutexattr_setrobust(&attr, robustness);
  pthread_mutexattr_setprotocol(&attr, protocol);
  SHOW(pthread_mutex_init(mutex, &attr));
  pthread_mutexattr_destroy(&attr);
}

static void init(void) {
  pthread_condattr_t cond_attr;
  pthread_rwlockattr_t rwlock_attr;
  pthread_barrierattr_t barrier_attr;
  context = "init";
  shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  init_mutex(&shared->robust, PTHREAD_MUTEX_NORMAL, PTHREAD_MUTEX_ROBUST, PTHREAD_PRIO_NONE);
  init_mutex(&shared->checked, PTHREAD_MUTEX_ERRORCHECK, PTHREAD_MUTEX_ROBUST, PTHREAD_PRIO_INHERIT);
  init_mutex(&shared->plain, PTHREAD_MUTEX_NORMAL, PTHREAD_MUTEX_STALLED, PTHREAD_PRIO_NONE);
  pthread_condattr_init(&cond_attr);
  pthread_condattr_setpshared(&cond_attr, PTHREAD_PROCESS_SHARED);
  pthread_condattr_setclock(&cond_attr, CLOCK_MONOTONIC);
  SHOW(pthread_cond_init(&shared->cond, &cond_attr));
  pthread_rwlockattr_init(&rwlock_attr);
  pthread_rwlockattr_setpshared(&rwlock_attr, PTHREAD_PROCESS_SHARED);
  SHOW(pthread_rwlock_init(&shared->rwlock, &rwlock_attr));
  pthread_barrierattr_init(&barrier_attr);
  pthread_barrierattr_setpshared(&barrier_attr, PTHREAD_PROCESS_SHARED);
  SHOW(pthread_barrier_init(&shared->barrier, &barrier_attr, 2));
  SHOW(pthread_spin_init(&shared->spin, PTHREAD_PROCESS_SHARED));
  SHOW(sem_init(&shared->sem, 1, 0));
}

static int by_exit(void) { return pthread_mutex_lock(&shared->robust) + 3; }
static int by_signal(void) {
  pthread_mutex_lock(&shared->robust);
  kill(getpid(), SIGKILL);
  return 0;
}
static int by_exec(void) {
  pthread_mutex_lock(&shared->robust);
  execl("/bin/true", "true", (char *)NULL);
  return 9;
}
static int checked_by_exit(void) { return pthread_mutex_trylock(&shared->checked) + 4; }
static int of_inherited(void) { /* the parent holds it, and lives */
  return pthread_mutex_trylock(&shared->robust);
}

static void owners(void) {
  context = "owners";
  SHOW(in_child(by_exit));
  SHOW(pthread_mutex_lock(&shared->robust));
  SHOW(in_child(of_inherited) == EBUSY);
  SHOW(pthread_mutex_consistent(&shared->robust));
  SHOW(pthread_mutex_unlock(&shared->robust));
  SHOW(in_child(by_signal));
  SHOW(pthread_mutex_timedlock(&shared->robust, &far));
  SHOW(pthread_mutex_consistent(&shared->robust));
  SHOW(pthread_mutex_unlock(&shared->robust));
  SHOW(in_child(by_exec));
  SHOW(pthread_mutex_trylock(&shared->robust));
  SHOW(pthread_mutex_unlock(&shared->robust)); /* not made consistent: lost for ever */
  SHOW(pthread_mutex_lock(&shared->robust));
  SHOW(pthread_mutex_consistent(&shared->robust));
  SHOW(pthread_mutex_consistent(&shared->plain));
  SHOW(in_child(checked_by_exit));
  SHOW(pthread_mutex_lock(&shared->checked));
  SHOW(pthread_mutex_lock(&shared->checked));
  SHOW(pthread_mutex_consistent(&shared->checked));
  SHOW(pthread_mutex_unlock(&shared->checked));
  SHOW(pthread_mutex_unlock(&shared->checked));
}

/* A condition wait that comes back to a robust mutex whose owner died meanwhile. */
static int die_in_turn(void) {
  pthread_mutex_lock(&shared->checked);
  shared->count = 1;
  pthread_cond_signal(&shared->cond);
  return 5;
}

static void in_wait(void) {
  context = "in a wait";
  SHOW(pthread_mutex_lock(&shared->checked));
  pid_t child = fork();
  if (child == 0)
    _exit(die_in_turn());
  int error = 0;
  while (!shared->count && !error)
    error = pthread_cond_wait(&shared->cond, &shared->checked);
  SHOW(error);
  SHOW(pthread_mutex_consistent(&shared->checked));
  SHOW(pthread_mutex_unlock(&shared->checked));
  SHOW(ended(child));
}

static int serve(void) {
  int error = pthread_rwlock_rdlock(&shared->rwlock) || pthread_spin_lock(&shared->spin);
  shared->count++;
  pthread_spin_unlock(&shared->spin);
  pthread_rwlock_unlock(&shared->rwlock);
  sem_post(&shared->sem);
  int serial = pthread_barrier_wait(&shared->barrier);
  return error ? 1 : serial == PTHREAD_BARRIER_SERIAL_THREAD || serial == 0 ? 6 : 7;
}

static void together(void) {
  context = "together";
  shared->count = 0;
  SHOW(pthread_rwlock_wrlock(&shared->rwlock));
  pid_t child = fork();
  if (child == 0)
    _exit(serve());
  SHOW(pthread_rwlock_unlock(&shared->rwlock));
  SHOW(sem_wait(&shared->sem));
  SHOW(shared->count);
  int serial = pthread_barrier_wait(&shared->barrier);
  SHOW(serial == 0 || serial == PTHREAD_BARRIER_SERIAL_THREAD);
  SHOW(ended(child));
  struct timespec end = soon(CLOCK_MONOTONIC);
  SHOW(pthread_mutex_lock(&shared->plain));
  SHOW(pthread_cond_timedwait(&shared->cond, &shared->plain, &end));
  SHOW(pthread_cond_clockwait(&shared->cond, &shared->plain, CLOCK_REALTIME, &past));
  SHOW(pthread_mutex_unlock(&shared->plain));
}

/* The counts that can be full: set by hand where counting would take too long. */
static void overflows(void) {
  pthread_mutex_t recursive = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
  sem_t sem;
  context = "overflows";
  SHOW(pthread_mutex_lock(&recursive));
  recursive.__data.__count = UINT_MAX;
  SHOW(pthread_mutex_lock(&recursive));
  SHOW(pthread_mutex_trylock(&recursive));
  SHOW(pthread_mutex_timedlock(&recursive, &past));
  recursive.__data.__count = 1;
  SHOW(pthread_mutex_unlock(&recursive));
  SHOW(sem_init(&sem, 0, SEM_VALUE_MAX));
  SHOW(sem_post(&sem));
}

int main(void) {
  init();
  owners();
  in_wait();
  together();
  overflows();
  return 0;
}
