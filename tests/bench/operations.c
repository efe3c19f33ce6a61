/* SPDX-License-Identifier: MIT
 *
 * The operations that bench.py times: one case per run, nanoseconds per operation on standard output.
 *
 *   operations CASE THREADS OPERATIONS
 *
 * CASE: uncontended (a mutex per thread), contended (one for all), nested (two, one inside the other), pingpong (a
 * condition between two threads), create (a thread made and joined). Times are wall time per operation of one thread,
 * or of a pair.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MOST_THREADS = 64 };

static struct { _Alignas(128) pthread_mutex_t outer, inner; } mutexes[MOST_THREADS];
static pthread_barrier_t gate;
static long operations;
static unsigned threads;
static int is_contended, is_nested;
static unsigned long sink[MOST_THREADS][16];

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

/* A few frames between the thread's start and the lock, as real programs have. */
static __attribute__((noinline)) void lock_loop(unsigned self, int depth) {
  if (depth > 0) {
    lock_loop(self, depth - 1);
    __asm__ volatile("" ::: "memory");
    return;
  }
  unsigned own = is_contended ? 0 : self;
  for (long i = 0; i < operations; i++) {
    pthread_mutex_lock(&mutexes[own].outer);
    if (is_nested) {
      pthread_mutex_lock(&mutexes[own].inner);
      pthread_mutex_unlock(&mutexes[own].inner);
    }
    sink[own][0]++;
    pthread_mutex_unlock(&mutexes[own].outer);
  }
}

static void *locker(void *self) {
  pthread_barrier_wait(&gate);
  lock_loop((unsigned)(size_t)self, 8);
  return NULL;
}

static double run_locks(void) {
  pthread_t ids[MOST_THREADS];
  pthread_barrier_init(&gate, NULL, threads + 1);
  for (size_t i = 0; i < threads; i++) {
    pthread_mutex_init(&mutexes[i].outer, NULL);
    pthread_mutex_init(&mutexes[i].inner, NULL);
    pthread_create(&ids[i], NULL, locker, (void *)i);
  }
  pthread_barrier_wait(&gate);
  double begin = now();
  for (size_t i = 0; i < threads; i++)
    pthread_join(ids[i], NULL);
  return (now() - begin) / (double)operations;
}

static pthread_mutex_t ball_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t ball_moved = PTHREAD_COND_INITIALIZER;
static int side;

static void *player(void *self) {
  int own = (int)(size_t)self;
  for (long i = 0; i < operations; i++) {
    pthread_mutex_lock(&ball_lock);
    while (side != own)
      pthread_cond_wait(&ball_moved, &ball_lock);
    side = !own;
    pthread_cond_signal(&ball_moved);
    pthread_mutex_unlock(&ball_lock);
  }
  return NULL;
}

static double run_pingpong(void) {
  pthread_t ids[2];
  double begin = now();
  for (size_t i = 0; i < 2; i++)
    pthread_create(&ids[i], NULL, player, (void *)i);
  for (size_t i = 0; i < 2; i++)
    pthread_join(ids[i], NULL);
  return (now() - begin) / (double)operations;
}

static void *nothing(void *unused) { return unused; }

static double run_create(void) {
  double begin = now();
  for (long i = 0; i < operations; i++) {
    pthread_t id;
    pthread_create(&id, NULL, nothing, NULL);
    pthread_join(id, NULL);
  }
  return (now() - begin) / (double)operations;
}

int main(int argc, char **argv) {
  if (argc != 4)
    return 2;
  threads = (unsigned)atoi(argv[2]);
  operations = atol(argv[3]);
  if (threads == 0 || threads > MOST_THREADS || operations <= 0)
    return 2;
  is_contended = strcmp(argv[1], "contended") == 0;
  is_nested = strcmp(argv[1], "nested") == 0;
  double ns = strcmp(argv[1], "pingpong") == 0 ? run_pingpong()
              : strcmp(argv[1], "create") == 0 ? run_create()
                                               : run_locks();
  printf("%.2f\n", ns);
  return 0;
}
