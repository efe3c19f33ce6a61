/* SPDX-License-Identifier: MIT
 *
 * What locks on files return, in all states that a second description or a second process can bring about, and what is
 * locked afterwards. Prints it; compare.sh runs this with and without the shim.
 */
#include "wrapped_headers.h"
#include <errno.h>
#include <string.h>

#define SHOW(call)                                                                                                     \
  do {                                                                                                                 \
    errno = 77;                                                                                                        \
    long value = (long)(call);                                                                                         \
    int after = errno;                                                                                                 \
    printf("%d %s -> %ld, errno %d\n", __LINE__, #call, value, after);                                                 \
    fflush(stdout);                                                                                                    \
  } while (0)

#pragma GCC diagnostic ignored "-Wnonnull"

static char path[] = "/tmp/snarl-files-XXXXXX";

static struct flock bytes(int type, int whence, off_t first, off_t size) {
  return (struct flock){.l_type = (short)type, .l_whence = (short)whence, .l_start = first, .l_len = size};
}
static int lock(int fd, int command, int type, int whence, off_t first, off_t size) {
  struct flock wanted = bytes(type, whence, first, size);
  return fcntl(fd, command, &wanted);
}
/* Whether a process of its own finds these bytes locked, and by which kind of lock. */
static int is_locked(off_t first, off_t size) {
  struct flock wanted = bytes(F_WRLCK, SEEK_SET, first, size);
  int status = 0;
  pid_t pid = fork();
  if (pid == 0) {
    int fd = open(path, O_RDWR);
    _exit(fcntl(fd, F_GETLK, &wanted) ? 99 : wanted.l_type == F_UNLCK ? 0 : wanted.l_type == F_WRLCK ? 2 : 1);
  }
  return waitpid(pid, &status, 0) == pid ? WEXITSTATUS(status) : -1;
}

static void flocks(int first, int second) {
  SHOW(flock(first, 0));
  SHOW(flock(first, LOCK_SH | LOCK_EX));
  SHOW(flock(-1, LOCK_EX));
  SHOW(flock(999, LOCK_UN));
  SHOW(flock(first, LOCK_UN));
  SHOW(flock(first, LOCK_SH));
  SHOW(flock(second, LOCK_SH | LOCK_NB));
  SHOW(flock(first, LOCK_EX | LOCK_NB)); /* fails, and gives the shared one up */
  SHOW(flock(second, LOCK_EX | LOCK_NB));
  SHOW(flock(second, LOCK_EX));
  SHOW(flock(first, LOCK_SH | LOCK_NB));
  SHOW(flock(second, LOCK_SH));
  SHOW(flock(first, LOCK_SH | LOCK_NB));
  SHOW(flock(second, LOCK_UN | LOCK_NB));
  int twin = dup(first);
  SHOW(flock(twin, LOCK_EX));
  SHOW(flock(first, LOCK_EX));
  SHOW(close(first));
  SHOW(flock(second, LOCK_EX | LOCK_NB));
  SHOW(dup2(second, twin) == twin);
  SHOW(flock(second, LOCK_EX | LOCK_NB));
  SHOW(close(twin));
  SHOW(close(twin));
  SHOW(close(second));
}

static void records(int first, int second) {
  SHOW(lock(first, F_SETLK, 77, SEEK_SET, 0, 0));
  SHOW(lock(first, F_SETLK, F_WRLCK, 9, 0, 0));
  SHOW(lock(first, F_SETLK, F_WRLCK, SEEK_SET, -1, 0));
  SHOW(lock(first, F_SETLK, F_WRLCK, SEEK_SET, 5, -6));
  SHOW(lock(-1, F_SETLKW, F_WRLCK, SEEK_SET, 0, 0));
  SHOW(fcntl(first, F_SETLK, NULL));
  SHOW(ftruncate(first, 1000));
  SHOW(lseek(first, 100, SEEK_SET));
  SHOW(lock(first, F_SETLK, F_WRLCK, SEEK_CUR, 10, 10));
  SHOW(is_locked(109, 1));
  SHOW(is_locked(110, 1));
  SHOW(lock(first, F_SETLK, F_RDLCK, SEEK_END, -10, -10));
  SHOW(is_locked(979, 1));
  SHOW(is_locked(980, 10));
  SHOW(lock(first, F_SETLK, F_UNLCK, SEEK_SET, 112, 2));
  SHOW(is_locked(112, 2));
  SHOW(is_locked(114, 1));
  SHOW(lock(second, F_OFD_SETLK, F_WRLCK, SEEK_SET, 118, 10));
  SHOW(lock(second, F_OFD_SETLK, F_RDLCK, SEEK_SET, 985, 1));
  SHOW(lock(second, F_OFD_SETLK, F_WRLCK, SEEK_SET, 300, 10));
  SHOW(lock(first, F_SETLKW, F_RDLCK, SEEK_SET, 110, 10));
  SHOW(lock(first, F_SETLK, F_RDLCK, SEEK_SET, 300, 0));
  SHOW(close(first));
  SHOW(close(second));
}

static void ranges_of_lockf(int first, int second) {
  SHOW(lseek(first, 50, SEEK_SET));
  SHOW(lockf(first, F_LOCK, 5));
  SHOW(lockf(first, F_TLOCK, -5));
  SHOW(is_locked(44, 1));
  SHOW(is_locked(45, 1));
  SHOW(is_locked(55, 1));
  SHOW(lockf(first, F_TEST, 5));
  SHOW(lockf(first, 99, 5));
  SHOW(lockf(-1, F_LOCK, 5));
  SHOW(lockf(first, F_ULOCK, -60));
  SHOW(lockf64(first, F_ULOCK, 2));
  SHOW(is_locked(51, 1));
  SHOW(is_locked(52, 1));
  SHOW(lockf64(first, F_TLOCK, 0));
  SHOW(is_locked(1000000, 1));
  SHOW(close(second)); /* loses them all */
  SHOW(is_locked(0, 0));
}

/* A lock that is awaited and comes; one whose circle the kernel finds; one whose wait is interrupted. */
static void noticed(int signal) { (void)signal; }
static void waits(void) {
  int ends[2], back[2], fd = open(path, O_RDWR);
  char byte;
  SHOW(pipe(ends) || pipe(back));
  SHOW(lock(fd, F_SETLK, F_WRLCK, SEEK_SET, 0, 1));
  pid_t pid = fork();
  if (pid == 0) {
    fd = open(path, O_RDWR);
    if (lock(fd, F_SETLK, F_WRLCK, SEEK_SET, 1, 1) || write(ends[1], "x", 1) != 1)
      _exit(1);
    /* Either this or the parent's is refused; the parent's, if this waits already. */
    int result = lock(fd, F_SETLKW, F_WRLCK, SEEK_SET, 0, 1);
    lock(fd, F_SETLK, F_UNLCK, SEEK_SET, 0, 0);
    _exit(result && errno != EDEADLK);
  }
  SHOW(read(ends[0], &byte, 1));
  if (lock(fd, F_SETLKW, F_WRLCK, SEEK_SET, 1, 1) && errno != EDEADLK)
    printf("%s\n", strerror(errno));
  SHOW(lock(fd, F_SETLK, F_UNLCK, SEEK_SET, 0, 0));
  int status = -1;
  SHOW(waitpid(pid, &status, 0) == pid && status == 0);
  int other = open(path, O_RDWR);
  struct sigaction action = {.sa_handler = noticed};
  struct itimerval again = {{0, 1000}, {0, 1000}}, never = {{0, 0}, {0, 0}};
  sigaction(SIGALRM, &action, NULL);
  SHOW(flock(fd, LOCK_EX) || lock(fd, F_OFD_SETLK, F_WRLCK, SEEK_SET, 0, 0));
  setitimer(ITIMER_REAL, &again, NULL);
  SHOW(flock(other, LOCK_EX));
  SHOW(lock(other, F_OFD_SETLKW, F_WRLCK, SEEK_SET, 0, 0));
  SHOW(lock(other, F_SETLKW, F_RDLCK, SEEK_SET, 0, 0));
  SHOW(lockf(other, F_LOCK, 1));
  setitimer(ITIMER_REAL, &never, NULL);
}

static void descriptors(void) {
  int fd = open(path, O_RDWR);
  SHOW(fcntl(fd, F_DUPFD, 300));
  SHOW(fcntl(fd, F_DUPFD_CLOEXEC, 301));
  SHOW(fcntl(301, F_GETFD));
  SHOW(fcntl(fd, F_SETFL, O_APPEND));
  SHOW(fcntl64(fd, F_GETFL) & O_APPEND ? 1 : 0);
  SHOW(fcntl(fd, 9999, 0));
  SHOW(dup(-1));
  SHOW(dup2(fd, 302));
  SHOW(dup2(999, 302));
  SHOW(dup2(fd, fd) == fd);
  SHOW(dup3(fd, fd, 0));
  SHOW(dup3(fd, 303, O_CLOEXEC));
  SHOW(dup3(fd, 303, 12345));
  SHOW(close(-1));
  SHOW(close_range(300, 301, 0));
  SHOW(fcntl(300, F_GETFD));
  SHOW(close_range(302, 303, 0x40000000));
  SHOW(close_range(303, 302, 0));
  SHOW(fcntl(303, F_GETFD));
  closefrom(303);
  SHOW(fcntl(303, F_GETFD));
  FILE *file = fdopen(fd, "r");
  SHOW(fclose(file));
  SHOW(fcntl(fd, F_GETFD));
}

/* What libc closes inside. */
static void closed_inside(void) {
  FILE *file = fopen(path, "r+");
  SHOW(lock(fileno(file), F_SETLK, F_WRLCK, SEEK_SET, 0, 0));
  SHOW(is_locked(0, 0));
  SHOW(freopen("/dev/null", "r+", file) == file);
  SHOW(is_locked(0, 0));
  SHOW(freopen64(path, "r+", file) == file);
  SHOW(lock(fileno(file), F_OFD_SETLK, F_WRLCK, SEEK_SET, 0, 0));
  SHOW(freopen64("/nowhere/at/all", "r", file) == NULL);
  SHOW(is_locked(0, 0));
  DIR *directory = opendir("/tmp");
  SHOW(flock(dirfd(directory), LOCK_SH));
  SHOW(closedir(directory));
  SHOW(closedir(NULL)); /* NOLINT(clang-analyzer-core.NonNullParamChecker): it must be refused as natively */
}

int main(void) {
  close(mkstemp(path));
  flocks(open(path, O_RDWR), open(path, O_RDWR));
  records(open(path, O_RDWR), open(path, O_RDWR));
  ranges_of_lockf(open(path, O_RDWR), open(path, O_RDWR));
  waits();
  descriptors();
  closed_inside();
  return unlink(path);
}
