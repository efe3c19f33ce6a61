/* SPDX-License-Identifier: MIT
 *
 * What the conformance programs share. Each prints what wrapped functions do, return and leave in errno, and is run
 * natively, under the idle shim and while recording (../compare.sh). Output must not depend on timing: helper threads
 * are joined at once, or print nothing. Written at once, so that forked children and threads do not mix their lines.
 */
#ifndef SNARL_TEST_CONFORMANCE_SHOW_H
#define SNARL_TEST_CONFORMANCE_SHOW_H

#include "../wrapped_headers.h"
#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
#pragma GCC diagnostic ignored "-Wnonnull"
#pragma GCC diagnostic ignored "-Wunused-function"
#pragma GCC diagnostic ignored "-Wunused-variable"

/* The value of a call, and errno after it: a wrapper must leave alone what the function leaves alone. */
#define SHOW(call)                                                                                                     \
  do {                                                                                                                 \
    errno = 77;                                                                                                        \
    long value = (long)(call);                                                                                         \
    int after = errno;                                                                                                 \
    dprintf(1, "%s:%d %s -> %ld, errno %d\n", context, __LINE__, #call, value, after);                                 \
  } while (0)

static const char *context = "";
static const struct timespec past = {1, 0}, bad = {1, 1000000000}, negative = {-1, -1}, far = {4000000000, 0};

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

/* Runs the routine in a forked child and shows how it ended: its exit status, or 1000 + a signal. */
static int ended(pid_t pid) {
  int status = 0;
  if (waitpid(pid, &status, 0) != pid)
    return -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

static int in_child(int (*routine)(void)) {
  pid_t pid = fork();
  if (pid == 0)
    _exit(routine());
  return ended(pid);
}

/* Is the thread of this process asleep in the kernel? */
static int is_asleep(int tid) {
  char path[64], text[256];
  snprintf(path, sizeof path, "/proc/self/task/%d/stat", tid);
  FILE *file = fopen(path, "r");
  if (!file)
    return 0;
  size_t size = fread(text, 1, sizeof text - 1, file);
  fclose(file);
  text[size] = 0;
  const char *state = strrchr(text, ')');
  return state && state[2] == 'S';
}

static inline void await_sleep(const _Atomic int *tid) {
  while (!*tid || !is_asleep(*tid))
    sched_yield();
}

#endif
