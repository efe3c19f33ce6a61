/* SPDX-License-Identifier: MIT
 *
 * The calls beyond locks that bench.py times: one case per run, nanoseconds per operation on standard output.
 *
 *   system CASE OPERATIONS
 *
 * CASE: pipe (64-byte messages from one process to another), file-read (64 bytes of a regular file), fork (a child that
 * ends at once, awaited), malloc (blocks of mixed sizes allocated and freed), malloc-locks (the same with a mutex in
 * each block, taken once), epoll (one ready descriptor among 10,000 connections, or as many as
 * RLIMIT_NOFILE has room for: written, waited for, read).
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MESSAGE = 64, CONNECTIONS = 10000, BLOCKS = 256 };

static void must(int is_so, const char *what) {
  if (is_so)
    return;
  perror(what);
  exit(1);
}

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

static void read_whole(int fd, char *to, size_t size) {
  for (size_t done = 0; done < size;) {
    ssize_t got = read(fd, to + done, size - done);
    must(got > 0, "read");
    done += (size_t)got;
  }
}

static double run_pipe(long operations) {
  int ends[2], status;
  char message[MESSAGE] = "";
  must(pipe(ends) == 0, "pipe");
  double begin = now();
  pid_t child = fork();
  must(child >= 0, "fork");
  if (!child) {
    for (long i = 0; i < operations; i++)
      read_whole(ends[0], message, sizeof message);
    _exit(0);
  }
  for (long i = 0; i < operations; i++)
    must(write(ends[1], message, sizeof message) == sizeof message, "write");
  must(waitpid(child, &status, 0) == child && status == 0, "waitpid");
  return now() - begin;
}

static double run_file_read(long operations) {
  char block[MESSAGE];
  int fd = open("/proc/self/exe", O_RDONLY);
  must(fd >= 0, "open");
  double begin = now();
  for (long i = 0; i < operations; i++) {
    if (i % 128 == 0)
      must(lseek(fd, 0, SEEK_SET) == 0, "lseek");
    must(read(fd, block, sizeof block) == sizeof block, "read");
  }
  return now() - begin;
}

static double run_fork(long operations) {
  double begin = now();
  for (long i = 0; i < operations; i++) {
    pid_t child = fork();
    must(child >= 0, "fork");
    if (!child)
      _exit(0);
    must(waitpid(child, NULL, 0) == child, "waitpid");
  }
  return now() - begin;
}

static double run_malloc(long operations, int has_locks) {
  void *blocks[BLOCKS] = {0};
  double begin = now();
  for (long i = 0; i < operations; i++) {
    void **block = &blocks[(size_t)i * 97 % BLOCKS];
    free(*block);
    *block = malloc(sizeof(pthread_mutex_t) + (size_t)i * 31 % 512);
    must(*block != NULL, "malloc");
    if (has_locks) {
      pthread_mutex_t *mutex = *block;
      pthread_mutex_init(mutex, NULL);
      pthread_mutex_lock(mutex);
      pthread_mutex_unlock(mutex);
    }
  }
  double end = now();
  for (size_t i = 0; i < BLOCKS; i++)
    free(blocks[i]);
  return end - begin;
}

/* How many connections of two descriptors fit. */
static int connections(void) {
  enum { OTHERS = 64 };
  struct rlimit limit;
  must(getrlimit(RLIMIT_NOFILE, &limit) == 0, "getrlimit");
  limit.rlim_cur = limit.rlim_max;
  must(setrlimit(RLIMIT_NOFILE, &limit) == 0, "setrlimit");
  return limit.rlim_cur < 2 * CONNECTIONS + OTHERS ? (int)(limit.rlim_cur - OTHERS) / 2 : CONNECTIONS;
}

static double run_epoll(long operations) {
  static int peers[CONNECTIONS][2];
  int count = connections();
  int epoll = epoll_create1(0);
  must(epoll >= 0, "epoll_create1");
  for (int i = 0; i < count; i++) {
    must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, peers[i]) == 0, "socketpair");
    struct epoll_event event = {.events = EPOLLIN, .data.fd = peers[i][0]};
    must(epoll_ctl(epoll, EPOLL_CTL_ADD, peers[i][0], &event) == 0, "epoll_ctl");
  }
  char message[MESSAGE] = "";
  double begin = now();
  for (long i = 0; i < operations; i++) {
    struct epoll_event event;
    must(write(peers[(size_t)i * 7919 % (size_t)count][1], message, sizeof message) == sizeof message, "write");
    must(epoll_wait(epoll, &event, 1, -1) == 1, "epoll_wait");
    must(read(event.data.fd, message, sizeof message) == sizeof message, "read");
  }
  return now() - begin;
}

static double run(const char *name, long operations) {
  if (strcmp(name, "pipe") == 0)
    return run_pipe(operations);
  if (strcmp(name, "file-read") == 0)
    return run_file_read(operations);
  if (strcmp(name, "fork") == 0)
    return run_fork(operations);
  if (strcmp(name, "malloc") == 0)
    return run_malloc(operations, 0);
  if (strcmp(name, "malloc-locks") == 0)
    return run_malloc(operations, 1);
  if (strcmp(name, "epoll") == 0)
    return run_epoll(operations);
  exit(2);
}

int main(int argc, char **argv) {
  long operations = argc == 3 ? atol(argv[2]) : 0;
  if (operations <= 0)
    return 2;
  printf("%.2f\n", run(argv[1], operations) / (double)operations);
  return 0;
}
