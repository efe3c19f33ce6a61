/* SPDX-License-Identifier: MIT
 *
 * The drivers of what processes do; a part of engage.c. A program that is executed begins an image of its own, so the
 * environment was carried on although these drivers pass an empty one where they can.
 */

static char *const no_environment[] = {NULL};
static char *const true_argv[] = {"true", NULL};

/* Awaits the child that `pid` names in the parent; the child gets 0 and goes on. */
static void await(pid_t pid, int wanted) {
  int status = -1;
  MUST(pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == wanted);
}

DRIVE(fork, "fork-requested forked process-begin") {
  pid_t pid = fork();
  if (pid == 0)
    _exit(3);
  await(pid, 3);
}
DRIVE(_Fork, "fork-requested forked process-begin") {
  pid_t pid = _Fork();
  if (pid == 0)
    _exit(3);
  await(pid, 3);
}
DRIVE(vfork, "fork-requested forked process-begin") {
  pid_t pid = vfork();
  if (pid == 0) {
    execve("/bin/true", true_argv, no_environment);
    _exit(127);
  }
  await(pid, 0);
}
DRIVE(daemon, "fork-requested process-begin process-begin") {
  int ends[2];
  char byte;
  MUST(pipe(ends) == 0);
  pid_t pid = fork();
  if (pid == 0)
    _exit(daemon(1, 1) != 0 || write(ends[1], "x", 1) != 1);
  await(pid, 0);
  MUST(read(ends[0], &byte, 1) == 1);
  close(ends[0]);
  close(ends[1]);
}
DRIVE(posix_spawn, "fork-requested forked process-begin") {
  pid_t pid = 0;
  MUST(posix_spawn(&pid, "/bin/true", NULL, NULL, true_argv, no_environment) == 0);
  await(pid, 0);
}
DRIVE(posix_spawnp, "fork-requested forked process-begin") {
  pid_t pid = 0;
  MUST(posix_spawnp(&pid, "true", NULL, NULL, true_argv, no_environment) == 0);
  await(pid, 0);
}

#define EXEC(name, call)                                                                                               \
  DRIVE(name, "exec-requested process-begin process-begin") {                                                          \
    pid_t pid = fork();                                                                                                \
    if (pid == 0) {                                                                                                    \
      call;                                                                                                            \
      _exit(127);                                                                                                      \
    }                                                                                                                  \
    await(pid, 0);                                                                                                     \
  }
EXEC(execve, execve("/bin/true", true_argv, no_environment))
EXEC(execvpe, execvpe("true", true_argv, no_environment))
EXEC(execv, clearenv(); execv("/bin/true", true_argv))
EXEC(execvp, unsetenv("SNARL_TRACE"); execvp("true", true_argv))
EXEC(execl, clearenv(); execl("/bin/true", "true", "a", "b", (char *)NULL))
EXEC(execlp, unsetenv("LD_PRELOAD"); execlp("true", "true", "a", (char *)NULL))
EXEC(execle, execle("/bin/true", "true", "a", (char *)NULL, no_environment))
EXEC(fexecve, fexecve(open("/bin/true", O_RDONLY), true_argv, no_environment))
EXEC(execveat, execveat(AT_FDCWD, "/bin/true", true_argv, no_environment, 0))

static pid_t ending(int status) {
  pid_t pid = fork();
  if (pid == 0)
    _exit(status);
  return pid;
}
DRIVE(wait, "wait-requested wait-returned") {
  pid_t pid = ending(0);
  MUST(wait(NULL) == pid);
}
DRIVE(waitpid, "wait-requested wait-returned") { await(ending(4), 4); }
DRIVE(waitid, "wait-requested wait-returned") {
  siginfo_t info;
  MUST(waitid(P_PID, (id_t)ending(5), &info, WEXITED) == 0 && info.si_status == 5);
}
DRIVE(wait3, "wait-requested wait-returned") {
  int status;
  struct rusage usage;
  pid_t pid = ending(6);
  MUST(wait3(&status, 0, &usage) == pid && WEXITSTATUS(status) == 6);
}
DRIVE(wait4, "wait-requested wait-returned") {
  int status;
  pid_t pid = ending(6);
  MUST(wait4(pid, &status, 0, NULL) == pid && WEXITSTATUS(status) == 6);
}
DRIVE(popen, "fork-requested forked process-begin fork-requested fork-failed") {
  FILE *stream = popen("true", "r");
  MUST(stream && getc(stream) == EOF && pclose(stream) == 0 && !popen("true", "x"));
}
DRIVE(system, "fork-requested wait-requested process-begin wait-returned") { MUST(system("true") == 0); }
DRIVE(_exit, "process-exit") { await(ending(8), 8); }
DRIVE(_Exit, "process-exit") {
  pid_t pid = fork();
  if (pid == 0)
    _Exit(9);
  await(pid, 9);
}
DRIVE(quick_exit, "process-exit") {
  pid_t pid = fork();
  if (pid == 0)
    quick_exit(10);
  await(pid, 10);
}

static void handle(int signal) { (void)signal; }
DRIVE(sigaction, "signal-handler") {
  struct sigaction action = {.sa_handler = handle};
  MUST(sigaction(SIGUSR1, &action, NULL) == 0);
}
DRIVE(signal, "signal-handler") { MUST(signal(SIGUSR1, handle) != SIG_ERR); }
DRIVE(__sysv_signal, "signal-handler") { MUST(__sysv_signal(SIGUSR1, handle) != SIG_ERR); }
static sigset_t only_usr2(void) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGUSR2);
  return set;
}
DRIVE(sigprocmask, "signal-mask signal-mask") {
  sigset_t set = only_usr2(), inside, after; /* each call is walked anew, and the walk must leave the mask alone */
  MUST(sigprocmask(SIG_BLOCK, &set, NULL) == 0);
  MUST(sigprocmask(SIG_SETMASK, NULL, &inside) == 0 && sigismember(&inside, SIGUSR2) && !sigismember(&inside, SIGUSR1));
  MUST(sigprocmask(SIG_UNBLOCK, &set, NULL) == 0);
  MUST(sigprocmask(SIG_SETMASK, NULL, &after) == 0 && !sigismember(&after, SIGUSR2) && !sigismember(&after, SIGUSR1));
}
DRIVE(pthread_sigmask, "signal-mask signal-mask") {
  sigset_t set = only_usr2(), old;
  MUST(pthread_sigmask(SIG_BLOCK, &set, &old) == 0 && pthread_sigmask(SIG_SETMASK, &old, NULL) == 0);
}

/* Shared memory leaves no records of its own but makes what lies in it shared: two names of one mutex are one. */
static void share(void *at, int (*unmap)(void *)) {
  MUST(at != MAP_FAILED);
  pthread_mutex_t *shared = at;
  MUST(pthread_mutex_init(shared, NULL) == 0 && pthread_mutex_destroy(shared) == 0);
  MUST(unmap(at) == 0);
}
static int unmap_page(void *at) { return munmap(at, 4096); }
static int detach(void *at) { return shmdt(at); }
static void *attach(void) {
  int id = shmget(IPC_PRIVATE, 4096, 0600);
  void *at = shmat(id, NULL, 0);
  MUST(id >= 0 && shmctl(id, IPC_RMID, NULL) == 0);
  return at;
}
DRIVE(mmap, "mutex-init shared") {
  share(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0), unmap_page);
}
DRIVE(mmap64, "mutex-init shared") {
  share(mmap64(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0), unmap_page);
}
static void *use_mutex_in(void *memory) {
  pthread_mutex_t *inside = memory;
  *inside = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
  MUST(memory && pthread_mutex_lock(inside) == 0 && pthread_mutex_unlock(inside) == 0);
  return memory;
}
DRIVE(munmap, "mutex-init shared mutex-acquired memory-freed") {
  share(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0), unmap_page);
  void *at = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  MUST(at != MAP_FAILED && munmap(use_mutex_in(at), 4096) == 0);
}
DRIVE(shmat, "mutex-init shared") { share(attach(), detach); }
DRIVE(shmdt, "mutex-init shared") { share(attach(), detach); }

DRIVE(free, "mutex-acquired memory-freed") { free(use_mutex_in(malloc(100))); }
DRIVE(realloc, "mutex-acquired memory-freed") { free(realloc(use_mutex_in(malloc(100)), 10000)); }
DRIVE(sbrk, "mutex-acquired memory-freed") {
  use_mutex_in(sbrk(4096));
  MUST(sbrk(-4096) != (void *)-1);
}
DRIVE(brk, "mutex-acquired memory-freed") {
  void *end = sbrk(4096);
  use_mutex_in(end);
  MUST(brk(end) == 0);
}
DRIVE(mremap, "mutex-acquired memory-freed") {
  void *at = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  MUST(at != MAP_FAILED);
  at = mremap(use_mutex_in(at), 4096, 2 * 4096, MREMAP_MAYMOVE);
  MUST(at != MAP_FAILED && munmap(at, 2 * 4096) == 0);
}
DRIVE(dlclose, "mutex-acquired memory-freed") {
  void *module = dlopen(MODULE, RTLD_NOW);
  MUST(module != NULL);
  use_mutex_in(dlsym(module, "room"));
  MUST(dlclose(module) == 0);
}

DRIVE(syscall, "futex-wait-requested futex-wait-returned futex-wait-requested futex-wait-returned") {
  static int futex = 1;
  struct timespec brief = {0, 1000};
  MUST(syscall(SYS_futex, &futex, 0 /* FUTEX_WAIT */, 0, NULL, NULL, 0) == -1 && errno == EAGAIN);
  MUST(syscall(SYS_futex, &futex, 128 /* private */, 1, &brief, NULL, 0) == -1 && errno == ETIMEDOUT);
  MUST(syscall(SYS_futex, &futex, 1 /* FUTEX_WAKE */, 1, NULL, NULL, 0) == 0);
}
