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

/* Each thread looks at the clock for itself: who waits for them may sleep longer than they need. */
struct worker {
  pthread_t thread;
  int number;
  double begin, end;
};

static void *work(void *argument) {
  struct worker *self = argument;
  place_thread(self->number);
  pthread_barrier_wait(&gate);
  self->begin = now();
  peer->run(self->number, operations);
  self->end = now();
  return NULL;
}

static double measure(void) {
  struct worker workers[MOST_THREADS];
  peer->make();
  pthread_barrier_init(&gate, NULL, (unsigned)peer->threads);
  for (int i = 0; i < peer->threads; i++) {
    workers[i].number = i;
    must(pthread_create(&workers[i].thread, NULL, work, &workers[i]) == 0, "pthread_create");
  }
  double begin = now(), end = 0;
  for (int i = 0; i < peer->threads; i++) {
    pthread_join(workers[i].thread, NULL);
    begin = i && begin < workers[i].begin ? begin : workers[i].begin;
    end = end > workers[i].end ? end : workers[i].end;
  }
  peer->end();
  return (end - begin) / (double)operations;
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
