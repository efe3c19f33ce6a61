/* SPDX-License-Identifier: MIT
 *
 * Spin locks, barriers, one-time initialization, C11, threads and shared memory: results and errno.
 */
#include "show.h"

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
  SHOW(pthread_once(&once, nested_routine)); /* NOLINT(clang-analyzer-unix.API): no other thread is about */
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
  void *none = realloc(NULL, (size_t)-1 / 2);
  SHOW(none == NULL);
  free(none);
  char *at = mmap(NULL, 2 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  strcpy(at, "kept");
  char *end = sbrk(0);
  SHOW(sbrk(4096) == end && sbrk(0) == end + 4096);
  SHOW(sbrk(-4096) == end + 4096 && sbrk(0) == end);
  SHOW(brk(end + 10000) || brk(end));
  SHOW(brk((void *)-1L));
  SHOW(sbrk((intptr_t)1 << 60) == (void *)-1);
  SHOW(mremap(at, 2 * 4096, 4096, 0) == at);
  SHOW(mremap(at, 4096, 4096, MREMAP_FIXED, at) == MAP_FAILED);
  at = mremap(at, 4096, 64 * 4096, MREMAP_MAYMOVE);
  SHOW(strcmp(at, "kept"));
  SHOW(munmap(at, 64 * 4096));
}

int main(void) {
  the_small_ones();
  c11();
  threads();
  memory();
  blocks();
  return 0;
}
