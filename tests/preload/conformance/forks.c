/* SPDX-License-Identifier: MIT
 *
 * fork: the order of its handlers, locks that other threads hold, children of threads, programs that close all
 * descriptors, execute themselves, become daemons, change user, root and namespaces.
 */
#include "show.h"
#include <grp.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

static const char *self;
static char order[64];
static void note(char what) {
  size_t size = strlen(order);
  if (size + 1 < sizeof order)
    order[size] = what;
}
static void prepare_1(void) { note('a'); }
static void parent_1(void) { note('b'); }
static void child_1(void) { note('c'); }
static pthread_mutex_t guard = PTHREAD_MUTEX_INITIALIZER;
static void prepare_2(void) {
  note('A');
  pthread_mutex_lock(&guard);
}
static void parent_2(void) {
  note('B');
  pthread_mutex_unlock(&guard);
}
static void child_2(void) {
  note('C');
  pthread_mutex_unlock(&guard);
}

static int show_order(void) {
  dprintf(1, "child's order %s\n", order);
  return pthread_mutex_lock(&guard) + pthread_mutex_unlock(&guard) + 2;
}

static void handlers(void) {
  context = "handlers";
  SHOW(pthread_atfork(prepare_1, parent_1, child_1));
  SHOW(pthread_atfork(prepare_2, parent_2, child_2));
  SHOW(in_child(show_order));
  dprintf(1, "parent's order %s\n", order);
  memset(order, 0, sizeof order);
  pid_t pid = _Fork(); /* no handlers */
  if (pid == 0)
    _exit(order[0] != 0);
  SHOW(ended(pid));
}

/* Other threads hold locks and work while this one forks; children use locks of their own and start threads. */
static pthread_mutex_t contended = PTHREAD_MUTEX_INITIALIZER;
static _Atomic int over;
static void *work(void *unused) {
  while (!over) {
    pthread_mutex_lock(&contended);
    pthread_mutex_unlock(&contended);
  }
  return unused;
}
static void *same(void *argument) { return argument; }
static int start_threads(void) {
  pthread_t threads[4];
  pthread_mutex_t own = PTHREAD_MUTEX_INITIALIZER;
  int bad_ones = pthread_mutex_lock(&own);
  for (int i = 0; i < 4; i++)
    bad_ones += pthread_create(&threads[i], NULL, same, NULL);
  for (int i = 0; i < 4; i++)
    bad_ones += pthread_join(threads[i], NULL);
  return bad_ones + pthread_mutex_unlock(&own);
}
static int fork_again(void) { return in_child(start_threads) + in_child(start_threads); }

static void among_threads(void) {
  pthread_t threads[3];
  context = "among threads";
  for (int i = 0; i < 3; i++)
    pthread_create(&threads[i], NULL, work, NULL);
  for (int i = 0; i < 10; i++)
    SHOW(in_child(i % 2 ? fork_again : start_threads));
  over = 1;
  for (int i = 0; i < 3; i++)
    pthread_join(threads[i], NULL);
}

/* Everything closed, the recorder's descriptor among it; then files take the numbers. */
static int close_all(void) {
  if (close_range(3, ~0u, 0))
    return 1;
  int fd = open("/dev/null", O_WRONLY);
  for (int i = 0; i < 1020; i++)
    (void)dup(fd);
  int bad_ones = start_threads() + in_child(start_threads);
  for (int i = 0; i < 20000; i++)
    bad_ones += pthread_mutex_lock(&contended) + pthread_mutex_unlock(&contended);
  return bad_ones + fd - 3;
}
static int close_from(void) {
  closefrom(3);
  int ends[2];
  if (pipe(ends) || ends[0] != 3 || ends[1] != 4)
    return 1;
  return start_threads();
}

static int executes_itself(void) {
  execl(self, "forks", "show", (char *)NULL);
  return 99;
}
static void *execute(void *unused) {
  execl(self, "forks", "show", (char *)NULL);
  return unused;
}
static int executes_in_thread(void) {
  pthread_t thread;
  return pthread_create(&thread, NULL, execute, NULL) || pthread_join(thread, NULL) ? 98 : 97;
}

/* The daemon tells through a pipe that it lives. */
static void daemons(void) {
  int ends[2];
  char byte = 0;
  context = "daemons";
  if (pipe(ends))
    exit(2);
  pid_t pid = fork();
  if (pid == 0) {
    if (daemon(0, 0))
      _exit(9);
    byte = (char)('0' + start_threads());
    _exit(write(ends[1], &byte, 1) != 1);
  }
  SHOW(ended(pid));
  close(ends[1]);
  SHOW(read(ends[0], &byte, 1));
  SHOW(byte);
  SHOW(read(ends[0], &byte, 1)); /* gone */
  close(ends[0]);
}

static int changes_user(void) {
  if (geteuid() != 0)
    return 0;
  int bad_ones = seteuid(65534) + start_threads() + in_child(start_threads);
  bad_ones += seteuid(0) + setgroups(0, NULL) + setresgid(65534, 65534, 65534) + setresuid(65534, 65534, 65534);
  return bad_ones + start_threads() + in_child(start_threads) + (setuid(0) == 0);
}
static int changes_root(void) {
  if (geteuid() != 0)
    return 0;
  char empty[] = "/tmp/snarl-root-XXXXXX";
  int directory = open("/tmp", O_RDONLY | O_DIRECTORY);
  if (!mkdtemp(empty))
    return 20;
  int bad_ones = chroot(empty) + chdir("/") + unlinkat(directory, empty + 5, AT_REMOVEDIR) + start_threads();
  for (int i = 0; i < 20000; i++)
    bad_ones += pthread_mutex_lock(&contended) + pthread_mutex_unlock(&contended);
  return bad_ones + in_child(start_threads);
}
static int leaves_namespaces(void) {
  if (unshare(CLONE_NEWUSER | CLONE_NEWNS) && errno != EPERM && errno != ENOSPC && errno != EUSERS)
    return 10;
  return start_threads() + in_child(start_threads);
}
static int hides_itself(void) { /* /proc/self is root's then */
  return prctl(PR_SET_DUMPABLE, 0) + start_threads() + in_child(start_threads);
}

/* A child by the bare system call: no handler of libc runs. */
static int cloned(void) {
  int pid = (int)syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL);
  if (pid == 0)
    _exit(pthread_mutex_lock(&guard) + pthread_mutex_unlock(&guard) + 8);
  return ended(pid);
}

int main(int argc, char **argv) {
  self = argv[0];
  if (argc > 1)
    return start_threads() + 40;
  handlers();
  among_threads();
  context = "outcomes";
  SHOW(in_child(close_all));
  SHOW(in_child(close_from));
  SHOW(in_child(executes_itself));
  SHOW(in_child(executes_in_thread));
  SHOW(in_child(changes_user));
  SHOW(in_child(changes_root));
  SHOW(in_child(leaves_namespaces));
  SHOW(in_child(hides_itself));
  SHOW(cloned());
  daemons();
  return 0;
}
