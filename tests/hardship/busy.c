/* SPDX-License-Identifier: MIT
 *
 * A program that meets a hardship in the middle of its work, and goes on: `busy HARDSHIP [ARGUMENT]`. It prints what it
 * has computed, which must be the same whatever becomes of the recording. Threads: main and two workers at a time.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ROUNDS = 30000 };
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static long sum;
static int turn;

static void lock_often(void) {
  for (int i = 0; i < ROUNDS; i++) {
    pthread_mutex_lock(&mutex);
    sum++;
    pthread_mutex_unlock(&mutex);
  }
}

static void *work(void *number) {
  lock_often();
  for (int i = 0; i < 50; i++) {
    pthread_mutex_lock(&mutex);
    while (turn != (int)(size_t)number)
      pthread_cond_wait(&cond, &mutex);
    turn = !turn;
    pthread_cond_broadcast(&cond);
    pthread_mutex_unlock(&mutex);
  }
  return NULL;
}

static void two_workers(void) {
  pthread_t threads[2];
  for (size_t i = 0; i < 2; i++)
    if (pthread_create(&threads[i], NULL, work, (void *)i))
      exit(3);
  for (size_t i = 0; i < 2; i++)
    if (pthread_join(threads[i], NULL))
      exit(4);
}

static int in_child(void (*routine)(void)) {
  int status = 0;
  fflush(stdout);
  pid_t pid = fork();
  if (pid == 0) {
    routine();
    _exit(0);
  }
  if (pid < 0 || waitpid(pid, &status, 0) != pid)
    return -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

static void must(int is_so, const char *what) {
  if (is_so)
    return;
  fprintf(stderr, "busy: %s: %s\n", what, strerror(errno));
  exit(77);
}

static void limit(int resource, rlim_t value) {
  struct rlimit limit = {value, value};
  must(setrlimit(resource, &limit) == 0, "setrlimit");
}

static void no_trace(const char *unused) {
  char command[5000];
  (void)unused;
  const char *directory = getenv("SNARL_TRACE");
  snprintf(command, sizeof command, "rm -rf '%s'", directory ? directory : "/nowhere");
  must(system(command) == 0, "rm");
}
static void small_files(const char *size) { limit(RLIMIT_FSIZE, (rlim_t)atol(size)); }
static void no_descriptors(const char *unused) {
  (void)unused;
  limit(RLIMIT_NOFILE, 3);
}
/* What is there now and a little more. */
static void little_memory(const char *more) {
  unsigned long pages = 0;
  FILE *file = fopen("/proc/self/statm", "r");
  must(file && fscanf(file, "%lu", &pages) == 1, "/proc/self/statm");
  fclose(file);
  limit(RLIMIT_AS, pages * 4096 + (rlim_t)atol(more));
}
static void no_proc(const char *unused) {
  (void)unused;
  must(unshare(CLONE_NEWNS) == 0 && mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0, "unshare");
  must(mount("none", "/proc", "tmpfs", 0, NULL) == 0, "mount");
}

static void filter(const struct sock_filter *rules, unsigned short count) {
  struct sock_fprog program = {count, (struct sock_filter *)(size_t)rules};
  must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0, "no_new_privs");
  must(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0, "seccomp");
}

/* One system call fails: NUMBER:ERROR. */
static void failing_call(const char *what) {
  unsigned number = (unsigned)atoi(what), error = (unsigned)atoi(strchr(what, ':') + 1);
  const struct sock_filter rules[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  filter(rules, sizeof rules / sizeof *rules);
}

/* Any other call kills: "N,N,N". */
static void forbidden_calls(const char *allowed) {
  struct sock_filter rules[128] = {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr))};
  unsigned short count = 1;
  for (const char *at = allowed; at && count < 120; at = strchr(at, ',') ? strchr(at, ',') + 1 : NULL) {
    rules[count++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)atoi(at), 0, 1);
    rules[count++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
  }
  rules[count++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);
  filter(rules, count);
}

/* Children that are killed wherever they are. */
static void killed_children(const char *unused) {
  (void)unused;
  for (int i = 0; i < 40; i++) {
    int ends[2];
    char byte = 0;
    must(pipe(ends) == 0, "pipe");
    pid_t pid = fork();
    if (pid == 0) {
      must(write(ends[1], &byte, 1) == 1, "write");
      for (;;)
        lock_often();
    }
    must(pid > 0 && read(ends[0], &byte, 1) == 1, "fork");
    for (volatile int spin = 0; spin < i * 20000; spin++)
      ;
    kill(pid, SIGKILL);
    must(waitpid(pid, NULL, 0) == pid, "waitpid");
    close(ends[0]);
    close(ends[1]);
  }
}

static void nothing(const char *unused) { (void)unused; }

static const struct {
  const char *name;
  void (*begin)(const char *);
} hardships[] = {{"nothing", nothing},
                 {"no-trace", no_trace},
                 {"small-files", small_files},
                 {"no-descriptors", no_descriptors},
                 {"little-memory", little_memory},
                 {"no-proc", no_proc},
                 {"failing-call", failing_call},
                 {"forbidden-calls", forbidden_calls},
                 {"killed-children", killed_children}};

int main(int argc, char **argv) {
  const char *name = argc > 1 ? argv[1] : "nothing", *argument = argc > 2 ? argv[2] : "";
  two_workers();
  for (size_t i = 0; i < sizeof hardships / sizeof *hardships; i++)
    if (strcmp(hardships[i].name, name) == 0)
      hardships[i].begin(argument);
  int is_alone = argc > 3; /* without threads and children of its own from here on */
  is_alone ? lock_often() : two_workers();
  int status = is_alone ? 0 : in_child(lock_often);
  printf("%ld %d\n", sum, status);
  fflush(stdout);
  return 7;
}
