/* SPDX-License-Identifier: MIT
 *
 * The drivers of System V semaphores; a part of engage.c.
 */

static int make_set(int first, int second) {
  int id = semget(IPC_PRIVATE, 2, 0600);
  MUST(id >= 0 && semctl(id, 0, SETVAL, first) == 0 && semctl(id, 1, SETVAL, second) == 0);
  return id;
}
static struct sembuf step(int number, int change, int flags) {
  return (struct sembuf){(unsigned short)number, (short)change, (short)flags};
}
static void remove_set(int id) { MUST(semctl(id, 0, IPC_RMID) == 0); }

DRIVE(semget, "sysv-namespace sysv-value sysv-value sysv-value sysv-value") {
  int id = semget(0x5e1f, 2, IPC_CREAT | IPC_EXCL | 0600);
  MUST(id >= 0 && semget(0x5e1f, 2, 0) == id);
  remove_set(id);
}
DRIVE(semctl, "sysv-value sysv-value sysv-value sysv-value sysv-value sysv-value sysv-removed") {
  unsigned short values[2] = {3, 4};
  int id = make_set(0, 0);
  MUST(semctl(id, 0, SETALL, values) == 0 && semctl(id, 1, GETVAL) == 4);
  remove_set(id);
}

static void expire(int signal) { (void)signal; }
static int interrupted(int id, struct sembuf *steps, size_t count) {
  struct sigaction action = {.sa_handler = expire};
  struct itimerval again = {{0, 1000}, {0, 1000}}, never = {{0, 0}, {0, 0}};
  MUST(sigaction(SIGALRM, &action, NULL) == 0 && setitimer(ITIMER_REAL, &again, NULL) == 0);
  int result = semop(id, steps, count), error = errno;
  MUST(setitimer(ITIMER_REAL, &never, NULL) == 0);
  return result == -1 ? error : 0;
}
/* Taken, one and two at once, given, one and two at once, missed, awaited (two) and interrupted, refused. */
DRIVE(semop, "sysv-acquired sysv-acquired sysv-acquired sysv-posted sysv-posted sysv-posted sysv-failed sysv-requested "
             "sysv-requested sysv-failed sysv-posted sysv-post-failed") {
  int id = make_set(1, 2);
  struct sembuf down = step(1, -1, SEM_UNDO), up = step(1, 1, SEM_UNDO), miss = step(1, -2, IPC_NOWAIT);
  struct sembuf both[2] = {step(0, -1, 0), step(1, -1, 0)}, back[2] = {step(0, 1, 0), step(1, 1, 0)};
  MUST(semop(id, &down, 1) == 0 && semop(id, both, 2) == 0);
  MUST(semop(id, &miss, 1) == -1 && errno == EAGAIN && interrupted(id, both, 2) == EINTR);
  MUST(semop(id, &up, 1) == 0 && semop(id, back, 2) == 0);
  up.sem_num = 7;
  MUST(semop(id, &up, 1) == -1 && errno == EFBIG);
  remove_set(id);
}
DRIVE(semtimedop, "sysv-requested sysv-failed sysv-requested sysv-acquired") {
  int id = make_set(1, 0);
  struct timespec moment = {0, 1000000};
  struct sembuf zero = step(0, 0, 0), down = step(0, -1, 0);
  MUST(semtimedop(id, &zero, 1, &moment) == -1 && errno == EAGAIN);
  MUST(semtimedop(id, &down, 1, &moment) == 0);
  remove_set(id);
}
