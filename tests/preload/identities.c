/* SPDX-License-Identifier: MIT
 *
 * Does a lock's record name the file that is locked, when its descriptor's number stood for another one before?
 * `identities LIBRARY` runs itself under the shim (`identities drive`): for every way to close a descriptor it locks
 * one file, closes it, opens another with the same number inside libc, where nobody sees it, and locks that. After each
 * lock it tells the trace which file it was, by statx; then the trace is read. So are ends of files without a name.
 */
#include "wrapped_headers.h"
#include <errno.h>
#include <ftw.h>
#include <snarl/trace/reader.h>
#include <snarl/trace/recorder.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

static void must(int is_right, int line) {
  if (is_right)
    return;
  fprintf(stderr, "identities: line %d: %s\n", line, strerror(errno));
  exit(2);
}
#define MUST(condition) must(condition, __LINE__)

static long (*unseen)(long, ...); /* libc's own syscall */
static char directory_path[] = "/tmp/snarl-identities-XXXXXX";
static char first_path[64], second_path[64];

static void tell(int fd) {
  struct statx status;
  char text[128];
  MUST(statx(fd, "", AT_EMPTY_PATH, STATX_INO | STATX_BTIME, &status) == 0);
  uint64_t birth = (uint64_t)status.stx_btime.tv_sec * 1000000000u + status.stx_btime.tv_nsec;
  int size = snprintf(text, sizeof text, " %u:%u:%llu:%llu ", status.stx_dev_major, status.stx_dev_minor,
                      (unsigned long long)status.stx_ino, (unsigned long long)birth);
  snarli_record_aux(SNARLI_R_OBJECT_NAMED, 0, 1, snarli_blob_string(text, (size_t)size));
}

/* By all three kinds of locks, twice, so that what is remembered is used. */
static void lock(int fd) {
  for (int i = 0; i < 2; i++) {
    struct flock bytes = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 1};
    MUST(flock(fd, LOCK_EX) == 0);
    tell(fd);
    MUST(fcntl(fd, F_OFD_SETLK, &bytes) == 0);
    tell(fd);
    bytes.l_start = 10;
    MUST(fcntl(fd, F_SETLK, &bytes) == 0);
    tell(fd);
  }
}

static void close_by_close(int fd) { MUST(close(fd) == 0); }
static void close_by_fclose(int fd) { MUST(fclose(fdopen(fd, "r+")) == 0); }
static void close_by_range(int fd) { MUST(close_range((unsigned)fd, (unsigned)fd, 0) == 0); }
static void close_unshared(int fd) { MUST(close_range((unsigned)fd, (unsigned)fd, CLOSE_RANGE_UNSHARE) == 0); }
static void close_from(int fd) { closefrom(fd); }
static void close_by_syscall(int fd) { MUST(syscall(SYS_close, fd) == 0); }
static void close_by_range_syscall(int fd) { MUST(syscall(SYS_close_range, fd, fd, 0) == 0); }
static void (*const closers[])(int fd) = {
    close_by_close, close_by_fclose,  close_by_range,         close_unshared,
    close_from,     close_by_syscall, close_by_range_syscall,
};

static int open_first(void) {
  int fd = open(first_path, O_RDWR);
  MUST(fd >= 0);
  lock(fd);
  return fd;
}

static void lock_second_as(int fd) {
  FILE *stream = fopen(second_path, "r+");
  MUST(stream && fileno(stream) == fd);
  lock(fd);
  MUST(fclose(stream) == 0);
}

static void replace_closed(void) {
  for (size_t i = 0; i < sizeof closers / sizeof *closers; i++) {
    int fd = open_first();
    closers[i](fd);
    lock_second_as(fd);
  }
}

static void replace_by_copies(void) {
  int second = open(second_path, O_RDWR), fd = open_first();
  MUST(dup2(second, fd) == fd);
  lock(fd);
  MUST(close(fd) == 0 && open_first() == fd && dup3(second, fd, O_CLOEXEC) == fd);
  lock(fd);
  MUST(close(fd) == 0 && open_first() == fd && syscall(SYS_dup3, second, fd, O_CLOEXEC) == fd);
  lock(fd);
  MUST(close(fd) == 0 && open_first() == fd && close(fd) == 0 && fcntl(second, F_DUPFD, fd) == fd);
  lock(fd);
  MUST(close(fd) == 0 && close(second) == 0);
}

static void replace_in_libc(void) {
  FILE *stream = fopen(first_path, "r+");
  MUST(stream != NULL);
  int fd = fileno(stream);
  lock(fd);
  MUST(freopen(second_path, "r+", stream) == stream && fileno(stream) == fd);
  lock(fd);
  MUST(fclose(stream) == 0);
  DIR *directory = opendir(directory_path);
  MUST(directory && (fd = dirfd(directory)) >= 0 && flock(fd, LOCK_EX) == 0);
  tell(fd);
  MUST(closedir(directory) == 0);
  lock_second_as(fd);
}

/* A close that nobody sees: the open is seen. And a file that takes the place of another under its name. */
static void replace_unseen(void) {
  int fd = open_first();
  MUST(unseen(SYS_close, fd) == 0 && open(second_path, O_RDWR) == fd);
  lock(fd);
  MUST(unlink(second_path) == 0 && unseen(SYS_close, fd) == 0 && open(second_path, O_RDWR | O_CREAT, 0600) == fd);
  lock(fd);
  MUST(close(fd) == 0);
}

/* A child has its parent's descriptors until it closes them. */
static void replace_in_child(void) {
  int fd = open_first(), status;
  struct flock bytes = {.l_type = F_UNLCK, .l_whence = SEEK_SET};
  MUST(fcntl(fd, F_SETLK, &bytes) == 0);
  pid_t pid = fork();
  if (pid == 0) {
    lock(fd);
    MUST(close(fd) == 0);
    lock_second_as(fd);
    _exit(0);
  }
  MUST(waitpid(pid, &status, 0) == pid && status == 0);
  lock(fd);
  MUST(close(fd) == 0);
}

/* A file that lost its name ends when it is closed, though it was not locked any more. */
static void close_without_name(void) {
  int fd = open_first(), other = open(second_path, O_RDWR);
  struct flock bytes = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
  MUST(unlink(first_path) == 0 && flock(fd, LOCK_UN) == 0);
  MUST(unlink(second_path) == 0 && fcntl(other, F_SETLK, &bytes) == 0);
  bytes.l_type = F_UNLCK;
  MUST(fcntl(other, F_SETLK, &bytes) == 0 && close(fd) == 0 && close(other) == 0);
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *walk) {
  (void)status, (void)type, (void)walk;
  return remove(path);
}

static int drive(void) {
  void *libc = dlopen("libc.so.6", RTLD_LAZY | RTLD_NOLOAD);
  MUST(libc && mkdtemp(directory_path));
  unseen = (long (*)(long, ...))dlsym(libc, "syscall");
  snprintf(first_path, sizeof first_path, "%s/first", directory_path);
  snprintf(second_path, sizeof second_path, "%s/second", directory_path);
  MUST(close(creat(first_path, 0600)) == 0 && close(creat(second_path, 0600)) == 0);
  replace_closed();
  replace_by_copies();
  replace_in_libc();
  replace_unseen();
  replace_in_child();
  close_without_name();
  return nftw(directory_path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* That a kind of lock on a file is over for good. */
static bool is_end(const struct trace_record *record) {
  return (record->type == SNARLI_R_FILE_LOCK_RELEASED || record->type == SNARLI_R_FILE_LOCK_LEFT) &&
         record->arg & SNARLI_F_ENDED;
}

/* How many locks were told, all of them rightly; 0: one was not. */
static int check_records(struct trace *trace, int *ends) {
  struct trace_record record;
  const char *locked[2] = {NULL, NULL}; /* by process: a parent and a child */
  int told = 0;
  while (trace_next(trace, &record)) {
    *ends += is_end(&record);
    const char **of = &locked[record.process != 0];
    if (record.type == SNARLI_R_FILE_WRITE_ACQUIRED)
      *of = trace_string(trace, record.process, (uint32_t)record.object);
    if (record.type != SNARLI_R_OBJECT_NAMED)
      continue;
    const char *is = trace_string(trace, record.process, record.aux);
    if (!*of || !is || !strstr(*of, is)) {
      printf("locked was%s, the trace says \"%s\"\n", is ? is : "?", *of ? *of : "nothing");
      return 0;
    }
    *of = NULL;
    told++;
  }
  return told;
}

static int check(const char *path) {
  struct trace_problem problem;
  struct trace *trace = trace_open(path, &problem);
  if (!trace) {
    printf("%s\n", problem.text);
    return 1;
  }
  int ends = 0, told = check_records(trace, &ends);
  printf("%d locks were told rightly, %d ends\n", told, ends);
  trace_close(trace);
  /* six for each lock(), and the directory; all three kinds on one file, one kind on the other */
  return told != 6 * 33 + 1 || ends != 4;
}

static int run(const char *self, const char *library) {
  char path[] = "/tmp/snarl-identities-trace-XXXXXX";
  MUST(mkdtemp(path) != NULL);
  pid_t child = fork();
  if (child == 0) {
    setenv("LD_PRELOAD", library, 1);
    setenv("SNARL_TRACE", path, 1);
    execl(self, self, "drive", (char *)NULL);
    _exit(127);
  }
  int status = -1;
  MUST(waitpid(child, &status, 0) == child);
  int result = status != 0 || check(path);
  nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
  return result;
}

int main(int argc, char **argv) {
  if (argc == 2 && strcmp(argv[1], "drive") == 0)
    return drive();
  return argc == 2 ? run(argv[0], argv[1]) : 2;
}
