/* SPDX-License-Identifier: MIT
 *
 * Tasks for two worker processes, as one writes it by hand: they take messages of one or several tasks from a socket
 * and send the results to another. As many are on the way as fit into the sockets. Worker 0 submits, the others work.
 */
#include "pools.h"
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { LARGEST = 8192, ON_THE_WAY = 64, BYTES_ON_THE_WAY = 128 * 1024 };

struct batch {
  uint64_t count; /* 0: no more tasks */
  int64_t numbers[LARGEST];
};
static struct batch batch;
static int tasks[2], results[2];

static size_t size_of(uint64_t count) { return offsetof(struct batch, numbers) + count * sizeof batch.numbers[0]; }

static void make(void) {
  must(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, tasks) == 0, "socketpair");
  must(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, results) == 0, "socketpair");
}

static void put(int fd, uint64_t count) {
  batch.count = count;
  must(send(fd, &batch, size_of(count), 0) == (ssize_t)size_of(count), "send");
}
static uint64_t get(int fd) {
  ssize_t got = recv(fd, &batch, sizeof batch, 0);
  must(got >= (ssize_t)size_of(0) && (size_t)got == size_of(batch.count), "recv");
  return batch.count;
}

static void serve(int64_t (*task)(int64_t)) {
  for (uint64_t count; (count = get(tasks[1])) != 0;) {
    for (uint64_t i = 0; i < count; i++)
      batch.numbers[i] = task(batch.numbers[i]);
    put(results[1], count);
  }
}

static long submit(long from, long operations, long chunk) {
  long count = chunk < operations - from ? chunk : operations - from;
  for (long i = 0; i < count; i++)
    batch.numbers[i] = from + i;
  put(tasks[0], (uint64_t)count);
  return from + count;
}

static void map(long operations, long chunk) {
  long on_the_way = 0, most = BYTES_ON_THE_WAY / (long)size_of((uint64_t)chunk);
  uint64_t done = 0, sum = 0;
  most = most > ON_THE_WAY ? ON_THE_WAY : most < POOL_WORKERS ? POOL_WORKERS : most;
  double begin = now();
  for (long sent = 0; done < (uint64_t)operations; on_the_way--) {
    for (; sent < operations && on_the_way < most; on_the_way++)
      sent = submit(sent, operations, chunk);
    uint64_t count = get(results[0]);
    for (uint64_t i = 0; i < count; i++)
      sum += (uint64_t)batch.numbers[i];
    done += count;
  }
  tell(0, begin, done, sum);
  for (int i = 0; i < POOL_WORKERS; i++)
    put(tasks[0], 0);
}

static void run(int worker, long operations, int64_t (*task)(int64_t), long chunk) {
  double begin = now();
  if (worker == 0) {
    map(operations, chunk < LARGEST ? chunk : LARGEST);
    return;
  }
  serve(task);
  tell(worker, begin, 0, 0);
  shared->accounts[worker].end = begin;
}

static void empty(int worker, long operations) { run(worker, operations, empty_task, 1); }
static void empty_chunks(int worker, long operations) { run(worker, operations, empty_task, chunk_of(operations)); }
static void millisecond(int worker, long operations) { run(worker, operations, long_task, 1); }
static void millisecond_chunks(int worker, long operations) {
  run(worker, operations, long_task, chunk_of(operations));
}

#define PEER(subject_name, function)                                                                                   \
  {                                                                                                                    \
    .subject = subject_name, .name = "prefork", .workers = 1 + POOL_WORKERS, .make = make, .run = function,            \
    .expected = every_number                                                                                           \
  }
const struct process_peer pool_peers[] = {PEER("pool-empty-chunk-1", empty),
                                          PEER("pool-empty-chunks", empty_chunks),
                                          PEER("pool-1ms-chunk-1", millisecond),
                                          PEER("pool-1ms-chunks", millisecond_chunks),
                                          {.subject = NULL}};
