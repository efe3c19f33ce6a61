/* SPDX-License-Identifier: MIT
 *
 * Runs one subject with one peer, and prints nanoseconds per operation.
 *
 *   peers SUBJECT NAME free|apart|together OPERATIONS
 *   peers                                     lists what there is: SUBJECT NAME
 */
#include "peers.h"
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const struct peer *const lists[] = {lock_peers, wait_peers, queue_peers, pool_peers};
enum { LISTS = sizeof lists / sizeof *lists, MOST_THREADS = 8 };

static enum placement placement;
static const struct peer *peer;
static long operations;
static pthread_barrier_t gate;

void give_up(const char *what) {
  fprintf(stderr, "peers: %s failed\n", what);
  exit(1);
}

void place_thread(int thread) {
  if (placement == FREE)
    return;
  cpu_set_t all, one;
  must(sched_getaffinity(0, sizeof all, &all) == 0, "sched_getaffinity");
  int wanted = placement == TOGETHER ? 0 : thread % CPU_COUNT(&all), cpu = 0;
  while (!CPU_ISSET(cpu, &all) || wanted--)
    cpu++;
  CPU_ZERO(&one);
  CPU_SET(cpu, &one);
  must(sched_setaffinity(0, sizeof one, &one) == 0, "sched_setaffinity");
}

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

static void *work(void *thread) {
  place_thread((int)(size_t)thread);
  pthread_barrier_wait(&gate);
  peer->run((int)(size_t)thread, operations);
  return NULL;
}

static double measure(void) {
  pthread_t threads[MOST_THREADS];
  peer->make();
  pthread_barrier_init(&gate, NULL, (unsigned)peer->threads + 1);
  for (size_t i = 0; i < (size_t)peer->threads; i++)
    must(pthread_create(&threads[i], NULL, work, (void *)i) == 0, "pthread_create");
  pthread_barrier_wait(&gate);
  double begin = now();
  for (int i = 0; i < peer->threads; i++)
    pthread_join(threads[i], NULL);
  double took = now() - begin;
  peer->end();
  return took / (double)operations;
}

static const struct peer *find(const char *subject, const char *name) {
  for (int i = 0; i < LISTS; i++)
    for (const struct peer *each = lists[i]; each->subject; each++)
      if (!strcmp(each->subject, subject) && !strcmp(each->name, name))
        return each;
  return NULL;
}

int main(int argc, char **argv) {
  static const char *const placements[] = {"free", "apart", "together"};
  for (int i = 0; argc == 1 && i < LISTS; i++)
    for (const struct peer *each = lists[i]; each->subject; each++)
      printf("%s %s\n", each->subject, each->name);
  if (argc != 5)
    return argc == 1 ? 0 : 2;
  peer = find(argv[1], argv[2]);
  operations = atol(argv[4]);
  while (placement < 3 && strcmp(placements[placement], argv[3]) != 0)
    placement++;
  if (!peer || placement == 3 || operations <= 0)
    return 2;
  printf("%.2f\n", measure());
  return 0;
}
