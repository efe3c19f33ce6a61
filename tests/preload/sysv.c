/* SPDX-License-Identifier: MIT
 *
 * What System V semaphores return and what values they have afterwards, also when a call fails, waits, is interrupted,
 * or its process ends. Prints it; compare.sh runs this with and without the shim.
 */
#include "wrapped_headers.h"
#include <errno.h>
#include <string.h>

#pragma GCC diagnostic ignored "-Wnonnull"

static int id;

/* The value of a call, errno after it, and the now of the set. */
#define SHOW(call)                                                                                                     \
  do {                                                                                                                 \
    unsigned short now[3] = {0};                                                                                       \
    errno = 77;                                                                                                        \
    long value = (long)(call);                                                                                         \
    int after = errno;                                                                                                 \
    semctl(id, 0, GETALL, now);                                                                                        \
    printf("%d %s -> %ld, errno %d: %u %u %u\n", __LINE__, #call, value, after, now[0], now[1], now[2]);               \
    fflush(stdout);                                                                                                    \
  } while (0)

static int change(int number, int by, int flags) {
  struct sembuf step = {(unsigned short)number, (short)by, (short)flags};
  return semop(id, &step, 1);
}
static int change_both(int first, int second, int flags) {
  struct sembuf steps[] = {{0, (short)first, 0}, {1, (short)second, (short)flags}};
  return semop(id, steps, 2);
}
static int change_soon(int number, int by, long ns) {
  struct sembuf step = {(unsigned short)number, (short)by, 0};
  struct timespec end = {0, ns};
  return semtimedop(id, &step, 1, &end);
}

static void alone(void) {
  struct sembuf none = {0, 0, 0}, many[600] = {{0, 1, 0}};
  SHOW(semctl(id, 0, SETVAL, 1));
  SHOW(change(0, -1, 0));
  SHOW(change(0, -1, IPC_NOWAIT));
  SHOW(change(0, 0, 0));
  SHOW(change(0, 3, SEM_UNDO));
  SHOW(change(0, 0, IPC_NOWAIT));
  SHOW(change(0, -2, SEM_UNDO));
  SHOW(change_both(-1, -1, IPC_NOWAIT));
  SHOW(change_both(-1, 1, 0));
  SHOW(change_both(2, -1, 0));
  SHOW(change_soon(1, -1, 1000000));
  SHOW(change_soon(1, -1, 1000000000));
  SHOW(change_soon(0, -1, -1));
  SHOW(change_soon(0, -1, 0));
  SHOW(change(0, 32767, 0));
  SHOW(change(3, 1, 0));
  SHOW(semop(id, NULL, 1));
  SHOW(semop(id, &none, 0));
  SHOW(semop(id, many, 600));
  SHOW(semop(-1, &none, 1));
  none.sem_num = 1;
  SHOW(semtimedop(id, &none, 1, NULL));
}

static void control(void) {
  unsigned short values[3] = {5, 6, 7};
  struct semid_ds status;
  SHOW(semctl(id, 0, SETALL, values));
  SHOW(semctl(id, 1, GETVAL));
  SHOW(semctl(id, 1, GETNCNT));
  SHOW(semctl(id, 0, IPC_STAT, &status));
  SHOW(status.sem_nsems);
  SHOW(semctl(id, 1, SETVAL, 40000));
  SHOW(semctl(id, 9, SETVAL, 1));
  SHOW(semctl(id, 0, 12345));
  SHOW(semget(0x5e2f, 3, 0));
  SHOW(semget(0x5e2f, 3, IPC_CREAT | 0600) >= 0);
  SHOW(semget(0x5e2f, 3, IPC_CREAT | IPC_EXCL | 0600));
  SHOW(semget(0x5e2f, 4, 0));
  SHOW(semctl(semget(0x5e2f, 0, 0), 0, IPC_RMID));
}

/* A child takes and ends: what it asked to be undone is. Another waits until the parent gives, or removes the set. */
static void others(void) {
  int status = -1;
  SHOW(semctl(id, 0, SETVAL, 2));
  pid_t pid = fork();
  if (pid == 0)
    _exit(change(0, -1, SEM_UNDO) || change(0, -1, 0));
  SHOW(waitpid(pid, &status, 0) == pid && status == 0);
  SHOW(semctl(id, 1, SETVAL, 0));
  pid = fork();
  if (pid == 0)
    _exit(change(1, -1, 0));
  int given = change(1, 1, 0);
  SHOW(waitpid(pid, &status, 0) == pid && status == given);
  pid = fork();
  if (pid == 0)
    _exit(change(1, -1, 0) && errno == EIDRM ? 3 : 4);
  while (semctl(id, 1, GETNCNT) != 1)
    sched_yield();
  SHOW(semctl(id, 0, IPC_RMID));
  SHOW(waitpid(pid, &status, 0) == pid ? WEXITSTATUS(status) : -1);
}

static void noticed(int signal) { (void)signal; }
static void interrupted(void) {
  struct sigaction action = {.sa_handler = noticed, .sa_flags = SA_RESTART};
  struct itimerval again = {{0, 1000}, {0, 1000}}, never = {{0, 0}, {0, 0}};
  sigaction(SIGALRM, &action, NULL);
  SHOW(semctl(id, 2, SETVAL, 0));
  setitimer(ITIMER_REAL, &again, NULL);
  SHOW(change(2, -1, 0));
  SHOW(change_soon(2, -1, 900000000));
  setitimer(ITIMER_REAL, &never, NULL);
}

int main(void) {
  id = semget(IPC_PRIVATE, 3, 0600);
  alone();
  control();
  interrupted();
  others();
  return 0;
}
