/* SPDX-License-Identifier: MIT
 *
 * What wrapped functions return, and what they leave in errno, in all the cases in which a wrapper could differ from
 * the real function. Prints it; compare.sh runs this with and without the shim. Helper threads are joined at once, so
 * the output does not depend on timing.
 */
#include "wrapped_headers.h"
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
#pragma GCC diagnostic ignored "-Wnonnull"

/* The value of a call, and errno after it: a wrapper must leave alone what the function leaves alone. */
#define SHOW(call)                                                                                                     \
  do {                                                                                                                 \
    errno = 77;                                                                                                        \
    long value = (long)(call);                                                                                         \
    int after = errno;                                                                                                 \
    printf("%s:%d %s -> %ld, errno %d\n", context, __LINE__, #call, value, after);                                     \
  } while (0)

static const char *context = "";
static const struct timespec past = {1, 0}, bad = {1, 1000000000}, negative = {-1, -1};

static struct timespec soon(clockid_t clock) {
  struct timespec now;
  clock_gettime(clock, &now);
  now.tv_nsec += 2000000;
  now.tv_sec += now.tv_nsec / 1000000000;
  now.tv_nsec %= 1000000000;
  return now;
}

static void in_thread(void *(*routine)(void *), void *argument) {
  pthread_t thread;
  if (pthread_create(&thread, NULL, routine, argument) || pthread_join(thread, NULL))
    exit(2);
}

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

static void condition_waits(pthread_cond_t *cond, pthread_mutex_t *mutex) {
  struct timespec end = soon(CLOCK_REALTIME), end_monotonic = soon(CLOCK_MONOTONIC);
  SHOW(pthread_cond_timedwait(cond, mutex, &end));
  SHOW(pthread_cond_clockwait(cond, mutex, CLOCK_MONOTONIC, &end_monotonic));
  SHOW(pthread_cond_timedwait(cond, mutex, &past));
  SHOW(pthread_cond_timedwait(cond, mutex, &bad));
  SHOW(pthread_cond_clockwait(cond, mutex, 99, &past));
  SHOW(pthread_cond_clockwait(cond, mutex, CLOCK_REALTIME, &bad));
}

static void conditions(void) {
  pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
  pthread_mutex_t checked = PTHREAD_ERRORCHECK_MUTEX_INITIALIZER_NP;
  context = "condition";
  SHOW(pthread_cond_timedwait(&cond, &checked, &past)); /* not held */
  SHOW(pthread_cond_wait(&cond, &checked));
  SHOW(pthread_mutex_lock(&checked));
  condition_waits(&cond, &checked);
  SHOW(pthread_mutex_unlock(&checked)); /* still held after all that */
  SHOW(pthread_mutex_unlock(&checked));
  SHOW(pthread_cond_signal(&cond));
  SHOW(pthread_cond_broadcast(&cond));
  SHOW(pthread_cond_destroy(&cond));
  SHOW(pthread_cond_init(&cond, NULL));
  SHOW(pthread_cond_destroy(&cond));
}

static void semaphores(void) {
  sem_t sem;
  struct timespec end = soon(CLOCK_REALTIME), end_monotonic = soon(CLOCK_MONOTONIC);
  context = "semaphore";
  SHOW(sem_init(&sem, 0, ~0u));
  SHOW(sem_init(&sem, 0, SEM_VALUE_MAX));
  SHOW(sem_post(&sem));
  SHOW(sem_wait(&sem));
  SHOW(sem_init(&sem, 0, 3));
  SHOW(sem_timedwait(&sem, &bad));
  SHOW(sem_clockwait(&sem, 99, &past));
  SHOW(sem_timedwait(&sem, &past));
  SHOW(sem_clockwait(&sem, CLOCK_MONOTONIC, &past));
  SHOW(sem_trywait(&sem));
  SHOW(sem_trywait(&sem));
  SHOW(sem_timedwait(&sem, &past));
  SHOW(sem_timedwait(&sem, &end));
  SHOW(sem_clockwait(&sem, CLOCK_MONOTONIC, &end_monotonic));
  SHOW(sem_timedwait(&sem, &bad));
  SHOW(sem_post(&sem));
  SHOW(sem_wait(&sem));
  SHOW(sem_destroy(&sem));
  char name[64];
  snprintf(name, sizeof name, "/snarl-semantics-%d", (int)getpid());
  sem_t *named = sem_open(name, O_CREAT | O_EXCL, 0600, 1), *again = sem_open(name, 0);
  SHOW(named == again);
  SHOW(sem_open(name, O_CREAT | O_EXCL, 0600, 1) == SEM_FAILED);
  SHOW(sem_open("/snarl/none", 0) == SEM_FAILED);
  SHOW(sem_wait(named));
  SHOW(sem_trywait(again));
  SHOW(sem_close(named));
  SHOW(sem_post(again));
  SHOW(sem_close(again));
  SHOW(sem_close(&sem));
  SHOW(sem_unlink(name));
  SHOW(sem_unlink(name));
}

struct waiter {
  pthread_t thread;
  sem_t over;
};
static void noticed(int signal) { (void)signal; }
/* Again and again: a signal that comes before the wait does not end it. */
static void *interrupt(void *argument) {
  struct waiter *waiter = argument;
  while (sem_trywait(&waiter->over) != 0) {
    pthread_kill(waiter->thread, SIGUSR1);
    sched_yield();
  }
  return NULL;
}

static void interrupted(void) {
  sem_t never;
  pthread_t helper;
  struct waiter waiter = {.thread = pthread_self()};
  struct sigaction action = {.sa_handler = noticed};
  context = "interrupted";
  sem_init(&never, 0, 0);
  sem_init(&waiter.over, 0, 0);
  SHOW(sigaction(SIGUSR1, &action, NULL));
  SHOW(pthread_create(&helper, NULL, interrupt, &waiter));
  SHOW(sem_wait(&never));
  sem_post(&waiter.over);
  pthread_join(helper, NULL);
  SHOW(sigaction(999, &action, NULL));
  SHOW(sigaction(SIGUSR1, NULL, &action));
  SHOW(action.sa_handler == noticed);
  SHOW(signal(SIGUSR1, SIG_IGN) == noticed);
  SHOW(signal(999, SIG_IGN) == SIG_ERR);
}

static int routine_runs;
static void routine(void) { routine_runs++; }
static void nested_routine(void) {
  static pthread_once_t inner = PTHREAD_ONCE_INIT;
  SHOW(pthread_once(&inner, routine));
  routine();
}

static void the_small_ones(void) {
  pthread_spinlock_t spin;
  pthread_barrier_t barrier;
  pthread_once_t once = PTHREAD_ONCE_INIT;
  once_flag flag = ONCE_FLAG_INIT;
  context = "small";
  SHOW(pthread_spin_init(&spin, 0));
  SHOW(pthread_spin_lock(&spin));
  SHOW(pthread_spin_trylock(&spin));
  SHOW(pthread_spin_unlock(&spin));
  SHOW(pthread_spin_trylock(&spin));
  SHOW(pthread_spin_unlock(&spin));
  SHOW(pthread_spin_destroy(&spin));
  SHOW(pthread_barrier_init(&barrier, NULL, 0));
  SHOW(pthread_barrier_init(&barrier, NULL, 1));
  SHOW(pthread_barrier_wait(&barrier));
  SHOW(pthread_barrier_destroy(&barrier));
  SHOW(pthread_once(&once, nested_routine));
  SHOW(pthread_once(&once, nested_routine));
  call_once(&flag, routine);
  call_once(&flag, routine);
  SHOW(routine_runs);
}

static int c11_result(void *argument) { return *(int *)argument; }
static int c11_exit(void *argument) { thrd_exit(*(int *)argument + 1); }
static int c11_other(void *mutex) {
  struct timespec end = soon(CLOCK_REALTIME);
  SHOW(mtx_trylock(mutex));
  SHOW(mtx_timedlock(mutex, &end));
  SHOW(mtx_timedlock(mutex, &bad));
  return 0;
}

static void c11(void) {
  mtx_t mutex;
  cnd_t cond;
  thrd_t thread;
  int number = 41, result = 0;
  struct timespec end = soon(CLOCK_REALTIME);
  context = "c11";
  SHOW(mtx_init(&mutex, 99));
  SHOW(mtx_init(&mutex, mtx_timed | mtx_recursive));
  SHOW(mtx_lock(&mutex));
  SHOW(mtx_lock(&mutex));
  SHOW(mtx_trylock(&mutex));
  SHOW(thrd_create(&thread, c11_other, &mutex) || thrd_join(thread, NULL)); /* it prints, too */
  SHOW(mtx_unlock(&mutex));
  SHOW(mtx_unlock(&mutex));
  SHOW(cnd_init(&cond));
  SHOW(cnd_timedwait(&cond, &mutex, &end));
  SHOW(cnd_timedwait(&cond, &mutex, &bad));
  SHOW(cnd_signal(&cond));
  SHOW(cnd_broadcast(&cond));
  SHOW(mtx_unlock(&mutex));
  cnd_destroy(&cond);
  mtx_destroy(&mutex);
  SHOW(thrd_create(&thread, c11_result, &number));
  SHOW(thrd_join(thread, &result));
  SHOW(result);
  SHOW(thrd_create(&thread, c11_exit, &number));
  SHOW(thrd_join(thread, &result));
  SHOW(result);
}

static void *same(void *argument) { return argument; }
static void *by_exit(void *argument) { pthread_exit(argument); }

static void threads(void) {
  pthread_t thread;
  pthread_attr_t attr;
  void *result = NULL;
  struct timespec end = soon(CLOCK_REALTIME);
  context = "thread";
  SHOW(pthread_create(&thread, NULL, same, (void *)5) || pthread_join(thread, &result));
  SHOW(result);
  SHOW(pthread_create(&thread, NULL, by_exit, (void *)6) || pthread_join(thread, &result));
  SHOW(result);
  SHOW(pthread_join(pthread_self(), NULL));
  SHOW(pthread_tryjoin_np(pthread_self(), NULL));
  SHOW(pthread_timedjoin_np(pthread_self(), NULL, &end));
  pthread_create(&thread, NULL, same, NULL);
  SHOW(pthread_timedjoin_np(thread, NULL, &bad));
  SHOW(pthread_clockjoin_np(thread, NULL, 99, &end));
  SHOW(pthread_join(thread, NULL));
  pthread_attr_init(&attr);
  pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
  SHOW(pthread_create(&thread, &attr, same, NULL));
  pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_JOINABLE);
  pthread_attr_setstacksize(&attr, (size_t)1 << 46); /* more than there is */
  SHOW(pthread_create(&thread, &attr, same, NULL));
  pthread_attr_setstacksize(&attr, PTHREAD_STACK_MIN);
  SHOW(pthread_create(&thread, &attr, same, NULL) || pthread_join(thread, NULL));
  SHOW(pthread_setname_np(pthread_self(), "much too long a name"));
  SHOW(pthread_setname_np(pthread_self(), "fifteen letters"));
}

static void memory(void) {
  char *at = mmap(NULL, 3 * 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  context = "memory";
  SHOW(at != MAP_FAILED);
  SHOW(mmap(at, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == at);
  SHOW(munmap(at + 4096, 4096));
  SHOW(munmap(at + 1, 4096));
  SHOW(munmap(at, 3 * 4096));
  SHOW(munmap(at, 0));
  SHOW(mmap64(NULL, 0, PROT_READ, MAP_SHARED, -1, 0) == MAP_FAILED);
  SHOW(shmat(-1, NULL, 0) == (void *)-1);
  SHOW(shmdt(at));
}

/* Blocks with and without an object in them. */
static void blocks(void) {
  pthread_mutex_t *in_block = malloc(100);
  context = "blocks";
  *in_block = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
  SHOW(pthread_mutex_lock(in_block) || pthread_mutex_unlock(in_block));
  memcpy((char *)in_block + 90, "kept", 5);
  in_block = realloc(in_block, 100000);
  SHOW(strcmp((char *)in_block + 90, "kept"));
  SHOW(pthread_mutex_lock(in_block) || pthread_mutex_unlock(in_block));
  SHOW((free(in_block), 0));
  SHOW((free(NULL), 0));
  SHOW((free(realloc(NULL, 10)), 0));
  SHOW(realloc(NULL, (size_t)-1 / 2) == NULL);
  char *at = mmap(NULL, 2 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  strcpy(at, "kept");
  SHOW(mremap(at, 2 * 4096, 4096, 0) == at);
  SHOW(mremap(at, 4096, 4096, MREMAP_FIXED, at) == MAP_FAILED);
  at = mremap(at, 4096, 64 * 4096, MREMAP_MAYMOVE);
  SHOW(strcmp(at, "kept"));
  SHOW(munmap(at, 64 * 4096));
}

/* Calls with every number of arguments, that fail, wait, and return twice. */
static void system_calls(void) {
  static int futex = 1;
  struct timespec brief = {0, 1000};
  context = "syscall";
  SHOW(syscall(SYS_getpid) == getpid());
  SHOW(syscall(-1L));
  SHOW(syscall(SYS_close, -1));
  SHOW(syscall(SYS_write, -1, "", 1));
  char *at = (char *)syscall(SYS_mmap, NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  SHOW(at != MAP_FAILED && at[4095] == 0);
  SHOW(syscall(SYS_munmap, at, 4096));
  SHOW(syscall(SYS_mmap, NULL, 4096, PROT_READ, MAP_PRIVATE, -1, 1));
  SHOW(syscall(SYS_futex, &futex, 0, 0, NULL, NULL, 0));
  SHOW(syscall(SYS_futex, &futex, 0, 1, &brief, NULL, 0));
  SHOW(syscall(SYS_futex, &futex, 9, 0, NULL, NULL, -1));
  SHOW(syscall(SYS_futex, &futex, 9, 1, NULL, NULL, 0));
  SHOW(syscall(SYS_futex, NULL, 0, 0, NULL, NULL, 0));
  SHOW(syscall(SYS_futex, &futex, 1, 1, NULL, NULL, 0));
  SHOW(syscall(SYS_futex, &futex, 0x7f, 1, NULL, NULL, 0));
  SHOW(syscall(449, NULL, 0, 0, NULL, 0));
  fflush(stdout);
  int status = 0;
  long pid = syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
  if (pid == 0)
    _exit(5);
  SHOW(waitpid((pid_t)pid, &status, 0) == pid && WEXITSTATUS(status) == 5);
}

int main(void) {
  system_calls();
  blocks();
  mutexes();
  rwlocks();
  conditions();
  semaphores();
  interrupted();
  the_small_ones();
  c11();
  threads();
  memory();
  return 0;
}
