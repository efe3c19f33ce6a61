/* SPDX-License-Identifier: MIT
 *
 * What recording adds to one uncontended lock and unlock, measured inside one recorded process: samples through the
 * shim and samples past it, straight to libc, take turns, so that a machine that gets slower slows both.
 *
 *   pairs DEPTH SAMPLES
 *
 * Prints the fastest and the median sample of each, in nanoseconds per pair: native fastest, native median, recorded
 * fastest, recorded median, and the median of what the neighbours differ by. DEPTH is the number of frames below main.
 * A second thread exists, so libc locks as it does in programs that have threads.
 */
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { MOST_SAMPLES = 100000, PAIRS = 20000 };

struct lock_functions {
  int (*lock)(pthread_mutex_t *), (*unlock)(pthread_mutex_t *);
};

static _Alignas(128) pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static double native[MOST_SAMPLES], recorded[MOST_SAMPLES], added[MOST_SAMPLES];

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

static __attribute__((noinline)) double sample(const struct lock_functions *functions, int depth) {
  if (depth > 1) {
    double ns = sample(functions, depth - 1);
    __asm__ volatile("" ::: "memory"); /* no tail call: each level is a frame */
    return ns;
  }
  double begin = now();
  for (int i = 0; i < PAIRS; i++) {
    functions->lock(&mutex);
    functions->unlock(&mutex);
  }
  return (now() - begin) / PAIRS;
}

static int compare(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static void *wait_for_end(void *gate) {
  pthread_barrier_wait(gate);
  return NULL;
}

static void measure(int depth, int samples) {
  void *libc = dlopen("libc.so.6", RTLD_NOW);
  struct lock_functions past = {(int (*)(pthread_mutex_t *))dlsym(libc, "pthread_mutex_lock"),
                                (int (*)(pthread_mutex_t *))dlsym(libc, "pthread_mutex_unlock")};
  struct lock_functions through = {pthread_mutex_lock, pthread_mutex_unlock};
  for (int i = 0; i < samples; i++) {
    native[i] = sample(&past, depth);
    recorded[i] = sample(&through, depth);
    added[i] = recorded[i] - native[i];
  }
  qsort(native, (size_t)samples, sizeof *native, compare);
  qsort(recorded, (size_t)samples, sizeof *recorded, compare);
  qsort(added, (size_t)samples, sizeof *added, compare);
  printf("%.1f %.1f %.1f %.1f %.1f\n", native[0], native[samples / 2], recorded[0], recorded[samples / 2],
         added[samples / 2]);
}

int main(int argc, char **argv) {
  int depth = argc == 3 ? atoi(argv[1]) : 0, samples = argc == 3 ? atoi(argv[2]) : 0;
  if (depth < 1 || samples < 1 || samples > MOST_SAMPLES)
    return 2;
  pthread_barrier_t gate;
  pthread_t other;
  pthread_barrier_init(&gate, NULL, 2);
  if (pthread_create(&other, NULL, wait_for_end, &gate))
    return 1;
  measure(depth, samples);
  pthread_barrier_wait(&gate);
  pthread_join(other, NULL);
  return 0;
}
