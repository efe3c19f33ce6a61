/* SPDX-License-Identifier: MIT
 *
 * Two processes each hold one of two mutexes, in System V shared memory and in a memfd, and want the other.
 */
#include "run.h"
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/shm.h>
#include <sys/wait.h>
#include <unistd.h>

static _Atomic int *step;
static int id, fd;

/* Each process looks at both memories anew, so they lie at addresses of their own. */
static pthread_mutex_t *attach(void) {
  void *at = shmat(id, NULL, 0);
  if (at == (void *)-1)
    abort();
  return at;
}
static pthread_mutex_t *map(void) {
  void *at = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (at == MAP_FAILED)
    abort();
  return at;
}

static void forward(void) {
  pthread_mutex_t *a = attach(), *b = map();
  pthread_mutex_lock(a);
  order_meet(step, 2);
  pthread_mutex_lock(b);
  pthread_mutex_unlock(b);
  pthread_mutex_unlock(a);
}

static void backward(void) {
  pthread_mutex_t *b = map(), *a = attach();
  pthread_mutex_lock(b);
  order_meet(step, 2);
  pthread_mutex_lock(a);
  pthread_mutex_unlock(a);
  pthread_mutex_unlock(b);
}

int main(void) {
  step = run_shared(sizeof *step);
  (void)unshare(CLONE_NEWIPC); /* if it may, so that nothing is left behind */
  id = shmget(IPC_PRIVATE, 4096, 0600);
  fd = memfd_create("shared", MFD_CLOEXEC);
  if (id < 0 || fd < 0 || ftruncate(fd, 4096))
    return 1;
  run_shared_mutex(attach());
  run_shared_mutex(map());
  pid_t child = fork();
  if (child == 0) {
    backward();
    _exit(0);
  }
  forward();
  int status = -1;
  return child < 0 || waitpid(child, &status, 0) != child || status != 0 || shmctl(id, IPC_RMID, NULL);
}
