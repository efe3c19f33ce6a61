/* SPDX-License-Identifier: MIT
 *
 * The drivers of locks on files and of what closing and copying descriptors means to them; a part of engage.c. A lock
 * that is awaited is held by a child, which is seen to be there before it is asked for.
 */

static int make_file(void) {
  int fd = memfd_create("engage", MFD_CLOEXEC);
  MUST(fd >= 0);
  return fd;
}

static int open_again(int fd) {
  char path[64];
  snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
  int again = open(path, O_RDWR | O_CLOEXEC);
  MUST(again >= 0);
  return again;
}

static int lock_command(int (*locker)(int, int, ...), int fd, int command, short type) {
  struct flock bytes = {.l_type = type, .l_whence = SEEK_SET};
  return locker(fd, command, &bytes);
}

static void handle_alarm(int signal) { (void)signal; }

/* Calls `wait` while a child holds the traditional lock on `fd` and releases it only after the call is interrupted. */
static void interrupted_wait(int fd, int (*wait)(int)) {
  int ends[2];
  char byte;
  MUST(pipe(ends) == 0);
  pid_t pid = fork();
  if (pid == 0) {
    close(ends[0]);
    MUST(lock_command(fcntl, fd, F_SETLK, F_WRLCK) == 0 && flock(open_again(fd), LOCK_EX) == 0);
    MUST(write(ends[1], "x", 1) == 1);
    for (;;)
      pause();
  }
  close(ends[1]);
  MUST(read(ends[0], &byte, 1) == 1);
  close(ends[0]);
  struct sigaction action = {.sa_handler = handle_alarm};
  struct itimerval again = {{0, 1000}, {0, 1000}}, never = {{0, 0}, {0, 0}};
  MUST(sigaction(SIGALRM, &action, NULL) == 0 && setitimer(ITIMER_REAL, &again, NULL) == 0);
  MUST(wait(fd) == -1 && errno == EINTR);
  MUST(setitimer(ITIMER_REAL, &never, NULL) == 0);
  MUST(kill(pid, SIGKILL) == 0 && waitpid(pid, NULL, 0) == pid);
}

/* Each of these closes the last descriptor of a file on which both kinds of locks are held: one file-lock-released, one
 * file-lock-left. */
static int make_locked_file(void) {
  int fd = make_file();
  MUST(lockf(fd, F_LOCK, 0) == 0 && flock(fd, LOCK_EX) == 0);
  return fd;
}
static void close_by_close(void) {
  int fd = make_locked_file(), other = open_again(fd);
  MUST(close(other) == 0 && close(fd) == 0); /* the first loses the process's locks already */
}
static void close_by_fclose(void) {
  FILE *stream = fdopen(make_locked_file(), "r+");
  MUST(stream && fclose(stream) == 0);
}
static void close_by_range(void) {
  unsigned fd = (unsigned)make_locked_file();
  MUST(close_range(fd, fd, 0) == 0);
}
static void close_from(void) {
  pid_t pid = fork();
  if (pid == 0) {
    closefrom(make_locked_file());
    _exit(0);
  }
  await(pid, 0);
}
static void close_by_copy(void) {
  int fd = make_locked_file(), null = open("/dev/null", O_RDONLY);
  MUST(dup2(null, fd) == fd && close(fd) == 0);
  fd = make_locked_file();
  MUST(dup3(null, fd, O_CLOEXEC) == fd && close(fd) == 0);
  close(null);
}
static void close_a_twin_first(void) {
  int fd = make_locked_file(), twin = dup(fd);
  MUST(close(fd) == 0 && flock(twin, LOCK_EX) == 0 && close(twin) == 0);
}
#define SEVEN(word) word " " word " " word " " word " " word " " word " " word " "
DRIVE(lockf64, SEVEN("file-lock-released") SEVEN("file-lock-left") "file-write-acquired") {
  close_by_close();
  close_by_fclose();
  close_by_range();
  close_from();
  close_by_copy();
  close_a_twin_first();
  int fd = make_file();
  MUST(lockf64(fd, F_TLOCK, 10) == 0 && lockf64(fd, F_ULOCK, 10) == 0);
  close(fd);
}

static int wait_flock(int fd) { return flock(fd, LOCK_SH); }
DRIVE(flock, "file-write-acquired file-lock-released file-read-acquired file-lock-failed file-read-requested "
             "file-lock-failed file-lock-released") {
  int fd = make_file(), other = open_again(fd);
  MUST(flock(fd, LOCK_EX) == 0 && flock(other, LOCK_SH | LOCK_NB) == -1);
  MUST(flock(fd, LOCK_SH) == 0 && flock(fd, LOCK_UN) == 0);
  interrupted_wait(fd, wait_flock);
  close(fd);
  close(other);
}

static int wait_lockf(int fd) { return lockf(fd, F_LOCK, 0); }
static int wait_fcntl(int fd) { return lock_command(fcntl, fd, F_SETLKW, F_RDLCK); }
DRIVE(lockf, "file-write-acquired file-lock-released file-write-requested file-lock-failed file-write-acquired "
             "file-read-acquired file-lock-released file-read-requested file-lock-failed file-lock-left "
             "file-write-acquired file-lock-released file-release-failed") {
  int fd = make_file(), twin = fcntl(fd, F_DUPFD_CLOEXEC, 0), path = open("/proc/self/exe", O_PATH);
  MUST(lockf(fd, F_LOCK, 10) == 0 && lockf(fd, F_TEST, 10) == 0 && lockf(fd, F_ULOCK, 0) == 0);
  interrupted_wait(fd, wait_lockf);
  MUST(lock_command(fcntl, fd, F_OFD_SETLKW, F_WRLCK) == 0 && lock_command(fcntl, twin, F_OFD_SETLK, F_RDLCK) == 0);
  MUST(close(fd) == 0 && lock_command(fcntl, twin, F_OFD_SETLK, F_UNLCK) == 0);
  interrupted_wait(twin, wait_fcntl);
  MUST(lock_command(fcntl64, twin, F_SETLKW, F_WRLCK) == 0 && lock_command(fcntl64, twin, F_SETLK, F_UNLCK) == 0);
  MUST(path >= 0 && lock_command(fcntl64, path, F_SETLK, F_UNLCK) == -1);
  close(path);
  close(twin);
}
