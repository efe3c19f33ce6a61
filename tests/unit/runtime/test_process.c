/* SPDX-License-Identifier: MIT
 *
 * Processes: exit codes, signals, time limits, daemons, what a fork leaves behind, and failures of every call below.
 */
#include "test_runtime.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);
pid_t __real_fork(void);
pid_t __wrap_fork(void);

static bool no_memory;
static int fork_error; /* 0: it works */

void *__wrap_calloc(size_t count, size_t size) { return no_memory ? NULL : __real_calloc(count, size); }

/* RLIMIT_NPROC does not bind root. */
pid_t __wrap_fork(void) {
  errno = fork_error;
  return fork_error ? -1 : __real_fork();
}

static int give(void *code) { return (int)(intptr_t)code; }
static int sleep_on(void *unused) {
  (void)unused;
  snarl_sleep(SNARL_S(60));
  return 1;
}

static int descriptors(void) {
  int count = 0;
  for (int fd = 0; fd < 256; fd++)
    count += fcntl(fd, F_GETFD) != -1;
  return count;
}

static void test_exit_codes(void **state) {
  (void)state;
  int before = descriptors();
  for (int code = 0; code < 256; code += 51) {
    snarl_process process = SNARL_PROCESS_INIT("process", give, as_pointer(code));
    assert_int_equal(snarl_process_pid(&process), 0);
    assert_int_equal(snarl_process_exit_code(&process), SNARL_EXIT_NONE);
    assert_false(snarl_process_is_alive(&process));
    assert_int_equal(snarl_process_start(&process), SNARL_OK);
    assert_true(snarl_process_pid(&process) > 0);
    for (int i = 0; i < 3; i++)
      assert_int_equal(snarl_process_join(&process, SNARL_FOREVER), code ? SNARL_FAILED : SNARL_OK);
    assert_int_equal(snarl_process_exit_code(&process), code);
    assert_false(snarl_process_is_alive(&process));
    assert_int_equal(snarl_process_start(&process), SNARL_STARTED);
    assert_int_equal(waitpid(snarl_process_pid(&process), NULL, WNOHANG), -1);
  }
  assert_int_equal(descriptors(), before);
}

static void test_signals_end_it(void **state) {
  (void)state;
  for (int i = 0; i < 2; i++) {
    snarl_process process = SNARL_PROCESS_INIT(NULL, sleep_on, NULL);
    assert_int_equal(snarl_process_start(&process), SNARL_OK);
    assert_memory_equal(snarl_process_name(&process), "Process-", 8);
    snarl_time begin = snarl_clock();
    assert_int_equal(snarl_process_join(&process, SNARL_NOW), SNARL_TIMEOUT);
    assert_int_equal(snarl_process_join(&process, SNARL_MS(20)), SNARL_TIMEOUT);
    assert_lasted(begin, SNARL_MS(20));
    assert_true(snarl_process_is_alive(&process));
    assert_int_equal(snarl_process_exit_code(&process), SNARL_EXIT_NONE);
    snarl_process *children[2];
    assert_int_equal(snarl_active_children(children, 2), 1);
    assert_ptr_equal(children[0], &process);
    struct pollfd polled = {.fd = snarl_process_sentinel(&process), .events = POLLIN};
    assert_int_equal(poll(&polled, 1, 0), 0);
    assert_int_equal(i ? snarl_process_kill(&process) : snarl_process_terminate(&process), SNARL_OK);
    assert_int_equal(poll(&polled, 1, 10000), 1);
    assert_false(snarl_process_is_alive(&process));
    assert_int_equal(snarl_process_exit_code(&process), i ? -SIGKILL : -SIGTERM);
    assert_int_equal(snarl_active_children(NULL, 0), 0);
    assert_int_equal(snarl_process_kill(&process), SNARL_OK);
    assert_int_equal(snarl_process_join(&process, SNARL_NOW), SNARL_FAILED);
    assert_int_equal(snarl_process_exit_code(&process), i ? -SIGKILL : -SIGTERM);
    assert_int_equal(snarl_process_sentinel(&process), SNARL_CLOSED);
    assert_int_equal(snarl_process_terminate(&process), SNARL_OK);
  }
}

struct square {
  snarl_process process;
  int number;
  int *result;
};

static int run_square(snarl_process *self) {
  struct square *square = (struct square *)self;
  *square->result = square->number * square->number;
  return snarl_current_process() == self ? 0 : 1;
}

static void test_subclass(void **state) {
  (void)state;
  int *result = mmap(NULL, sizeof *result, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  struct square square = {.number = 7, .result = result};
  assert_int_equal(snarl_process_init_run(&square.process, "square", run_square), SNARL_OK);
  assert_int_equal(snarl_process_start(&square.process), SNARL_OK);
  assert_int_equal(snarl_process_join(&square.process, SNARL_FOREVER), SNARL_OK);
  assert_int_equal(*result, 49);
  (void)munmap(result, sizeof *result);
}

static snarl_process sibling = SNARL_PROCESS_INIT("sibling", sleep_on, NULL);

static void *forty_two(void *result) {
  snarl_sleep(SNARL_MS(20));
  *(int *)result = 42;
  return NULL;
}

/* The lines that fail are the exit code. */
static int look_around(void *main_pid) {
  snarl_process *self = snarl_current_process(), *parent = snarl_parent_process(), *found[2];
  static int late;
  snarl_thread thread = SNARL_THREAD_INIT("thread", forty_two, &late);
  snarl_process child = SNARL_PROCESS_INIT("child", give, as_pointer(3));
  char name[32] = "";
  FILE *comm = fopen("/proc/self/comm", "r");
  if (!comm || !fgets(name, sizeof name, comm) || fclose(comm) || strcmp(name, "curious\n") != 0)
    return 1;
  if (strcmp(snarl_process_name(self), "curious") != 0 || snarl_process_pid(self) != getpid() ||
      !snarl_process_is_alive(self))
    return 2;
  if (snarl_process_join(self, SNARL_NOW) != SNARL_DEADLOCK || snarl_process_set_daemon(self, true) != SNARL_STARTED)
    return 3;
  if (strcmp(snarl_process_name(parent), "MainProcess") != 0 || snarl_process_pid(parent) != as_status(main_pid) ||
      !snarl_process_is_alive(parent) || snarl_process_join(parent, SNARL_NOW) != SNARL_FORKED)
    return 4;
  if (snarl_active_children(found, 2) || snarl_process_join(&sibling, SNARL_NOW) != SNARL_FORKED ||
      snarl_process_terminate(&sibling) != SNARL_FORKED || snarl_process_sentinel(&sibling) != SNARL_FORKED ||
      snarl_process_is_alive(&sibling) || snarl_process_exit_code(&sibling) != SNARL_EXIT_NONE)
    return 5;
  if (snarl_active_count() != 1 || snarl_thread_start(&thread) || snarl_thread_join(&thread, SNARL_FOREVER) ||
      late != 42)
    return 6;
  if (snarl_process_start(&child) || snarl_process_join(&child, SNARL_FOREVER) != SNARL_FAILED ||
      snarl_process_exit_code(&child) != 3)
    return 7;
  return 0;
}

static void *look_around_in_thread(void *unused) {
  (void)unused;
  snarl_process process = SNARL_PROCESS_INIT("curious", look_around, as_pointer(getpid()));
  int status = snarl_process_start(&process);
  if (!status)
    status = snarl_process_join(&process, SNARL_FOREVER);
  return as_pointer(status ? snarl_process_exit_code(&process) : 0);
}

static void test_the_child_is_by_itself(void **state) {
  (void)state;
  assert_string_equal(snarl_process_name(snarl_current_process()), "MainProcess");
  assert_int_equal(snarl_process_pid(snarl_current_process()), getpid());
  assert_null(snarl_parent_process());
  assert_true(snarl_cpu_count() > 0);
  assert_int_equal(snarl_process_start(&sibling), SNARL_OK);
  assert_int_equal(as_status(look_around_in_thread(NULL)), 0);
  assert_int_equal(as_status(in_thread(look_around_in_thread, NULL)), 0);
  assert_int_equal(snarl_process_kill(&sibling), SNARL_OK);
  assert_int_equal(snarl_process_join(&sibling, SNARL_FOREVER), SNARL_FAILED);
}

/* What the body prints, as it arrives in a file; NULL: in the child, after the body. */
static char *printed_by(void (*body)(void)) {
  static char text[256];
  char path[] = "/tmp/snarl-process-XXXXXX";
  int file = mkstemp(path), saved = dup(STDOUT_FILENO);
  assert_true(file >= 0 && saved >= 0 && !fflush(stdout) && dup2(file, STDOUT_FILENO) == STDOUT_FILENO);
  body();
  (void)fflush(stdout);
  (void)dup2(saved, STDOUT_FILENO);
  ssize_t size = pread(file, text, sizeof text - 1, 0);
  text[size > 0 ? size : 0] = 0;
  (void)close(file);
  (void)close(saved);
  (void)unlink(path);
  return text;
}

static int print_child(void *unused) {
  (void)unused;
  printf("child\n");
  return 0;
}

static void print_before_and_after(void) {
  snarl_process process = SNARL_PROCESS_INIT("printer", print_child, NULL);
  printf("before\n"); /* to a file: it stays in the buffer */
  assert_int_equal(snarl_process_start(&process), SNARL_OK);
  assert_int_equal(snarl_process_join(&process, SNARL_FOREVER), SNARL_OK);
  printf("after\n");
}

static void test_nothing_is_printed_twice(void **state) {
  (void)state;
  assert_string_equal(printed_by(print_before_and_after), "before\nchild\nafter\n");
}

static void print_atexit(void) { printf("handler of the parent\n"); }

static int thread_and_child_left(void *unused) {
  static int late;
  static snarl_thread thread = SNARL_THREAD_INIT("late", forty_two, &late);
  static snarl_process child = SNARL_PROCESS_INIT("late child", print_child, NULL);
  (void)unused;
  return snarl_thread_start(&thread) || snarl_process_start(&child);
}

static void leave_much(void) {
  snarl_process process = SNARL_PROCESS_INIT("leaves", thread_and_child_left, NULL);
  assert_int_equal(snarl_process_start(&process), SNARL_OK);
  assert_int_equal(snarl_process_join(&process, SNARL_FOREVER), SNARL_OK);
}

static void test_a_child_waits_for_its_own(void **state) {
  (void)state;
  (void)atexit(print_atexit);
  assert_string_equal(printed_by(leave_much), "child\n");
}

static int steps[2]; /* a byte when the daemon is there, one when it goes */

static void on_term(int signal) {
  (void)signal;
  (void)!write(STDOUT_FILENO, "terminated\n", 11);
  (void)!write(steps[1], "", 1);
  _exit(0);
}

static int be_a_daemon(void *unused) {
  (void)signal(SIGTERM, on_term);
  (void)!write(steps[1], "", 1);
  return sleep_on(unused);
}

/* Lasts until the daemon is terminated. */
static int slow(void *unused) {
  char byte;
  (void)unused;
  (void)alarm(60); /* it may never be */
  if (read(steps[0], &byte, 1) != 1)
    return 1;
  printf("slow\n");
  return 0;
}

/* Calls exit: its own handler of atexit waits, too. */
static int leave_a_daemon(void *unused) {
  static snarl_process lasting = SNARL_PROCESS_INIT("slow", slow, NULL);
  static snarl_process daemon = SNARL_PROCESS_INIT("daemon", be_a_daemon, NULL);
  char byte;
  (void)unused;
  if (pipe(steps))
    return 1;
  if (snarl_process_set_daemon(&daemon, true) || !snarl_process_is_daemon(&daemon) || snarl_process_start(&daemon) ||
      read(steps[0], &byte, 1) != 1 || snarl_process_start(&lasting))
    return 2;
  return 0;
}

static void leave_daemons(void) {
  snarl_process process = SNARL_PROCESS_INIT("leaves daemons", leave_a_daemon, NULL);
  assert_int_equal(snarl_process_start(&process), SNARL_OK);
  assert_int_equal(snarl_process_join(&process, SNARL_FOREVER), SNARL_OK);
}

static void test_daemons_are_terminated_and_others_joined(void **state) {
  (void)state;
  assert_string_equal(printed_by(leave_daemons), "terminated\nslow\n");
}

static int have_a_child(void *unused) {
  snarl_process child = SNARL_PROCESS_INIT("grandchild", give, NULL);
  (void)unused;
  return snarl_process_start(&child) == SNARL_DAEMON && snarl_process_join(&child, SNARL_NOW) == SNARL_NOT_STARTED ? 0
                                                                                                                   : 1;
}

static void test_daemons_have_no_children(void **state) {
  (void)state;
  snarl_process daemon = SNARL_PROCESS_INIT("daemon", have_a_child, NULL);
  assert_int_equal(snarl_process_set_daemon(&daemon, true), SNARL_OK);
  assert_int_equal(snarl_process_start(&daemon), SNARL_OK);
  assert_int_equal(snarl_process_set_daemon(&daemon, false), SNARL_STARTED);
  assert_int_equal(snarl_process_join(&daemon, SNARL_FOREVER), SNARL_OK);
}

static void *join_it(void *process) { return as_pointer(snarl_process_join(process, SNARL_FOREVER)); }

static void test_many_may_join(void **state) {
  (void)state;
  enum { JOINERS = 8 };
  pthread_t joiners[JOINERS];
  snarl_process process = SNARL_PROCESS_INIT("process", sleep_on, NULL);
  assert_int_equal(snarl_process_start(&process), SNARL_OK);
  for (int i = 0; i < JOINERS; i++)
    joiners[i] = begin_thread(join_it, &process);
  assert_int_equal(snarl_process_terminate(&process), SNARL_OK);
  for (int i = 0; i < JOINERS; i++)
    assert_int_equal(as_status(end_thread(joiners[i])), SNARL_FAILED);
  assert_int_equal(snarl_process_exit_code(&process), -SIGTERM);
}

static void test_somebody_else_has_waited(void **state) {
  (void)state;
  snarl_process process = SNARL_PROCESS_INIT("process", give, as_pointer(5));
  assert_int_equal(snarl_process_start(&process), SNARL_OK);
  assert_int_equal(waitpid(snarl_process_pid(&process), NULL, 0), snarl_process_pid(&process));
  assert_int_equal(snarl_process_terminate(&process), SNARL_OK);
  assert_int_equal(snarl_process_join(&process, SNARL_FOREVER), SNARL_FAILED);
  assert_int_equal(snarl_process_exit_code(&process), SNARL_EXIT_NONE);
}

static void test_misuse_is_told(void **state) {
  (void)state;
  snarl_process none = SNARL_PROCESS_INIT("none", NULL, NULL), fresh = SNARL_PROCESS_INIT("fresh", give, NULL), zero;
  memset(&zero, 0, sizeof zero);
  assert_int_equal(snarl_process_init(NULL, "x", give, NULL), SNARL_INVALID);
  assert_int_equal(snarl_process_init(&zero, "x", NULL, NULL), SNARL_INVALID);
  assert_int_equal(snarl_process_init_run(&zero, "x", NULL), SNARL_INVALID);
  assert_int_equal(snarl_process_start(NULL), SNARL_INVALID);
  assert_int_equal(snarl_process_start(&zero), SNARL_NOT_INITIALIZED);
  assert_int_equal(snarl_process_start(&none), SNARL_INVALID);
  assert_int_equal(snarl_process_join(NULL, SNARL_NOW), SNARL_INVALID);
  assert_int_equal(snarl_process_join(&fresh, SNARL_NOW), SNARL_NOT_STARTED);
  assert_int_equal(snarl_process_kill(&fresh), SNARL_NOT_STARTED);
  assert_int_equal(snarl_process_terminate(NULL), SNARL_INVALID);
  assert_int_equal(snarl_process_sentinel(&fresh), SNARL_NOT_STARTED);
  assert_int_equal(snarl_process_set_daemon(NULL, true), SNARL_INVALID);
  assert_int_equal(snarl_process_set_daemon(snarl_current_process(), true), SNARL_STARTED);
  assert_int_equal(snarl_process_join(snarl_current_process(), SNARL_NOW), SNARL_DEADLOCK);
  assert_false(snarl_process_is_alive(NULL) || snarl_process_is_daemon(NULL));
  assert_int_equal(snarl_process_exit_code(NULL), SNARL_EXIT_NONE);
  assert_int_equal(snarl_process_pid(NULL), 0);
  assert_string_equal(snarl_process_name(NULL), "");
}

static void starts_again(snarl_process *process) {
  assert_int_equal(snarl_process_join(process, SNARL_NOW), SNARL_NOT_STARTED);
  assert_int_equal(snarl_active_children(NULL, 0), 0);
  assert_int_equal(snarl_process_start(process), SNARL_OK);
  assert_int_equal(snarl_process_join(process, SNARL_FOREVER), SNARL_OK);
}

static void test_failures_below(void **state) {
  (void)state;
  int before = descriptors();
  const struct { int error, status; } forks[] = {{EAGAIN, SNARL_NO_PROCESS}, {ENOMEM, SNARL_NO_MEMORY}};
  for (int i = 0; i < 2; i++) {
    snarl_process process = SNARL_PROCESS_INIT("process", give, NULL);
    fork_error = forks[i].error;
    assert_int_equal(snarl_process_start(&process), forks[i].status);
    fork_error = 0;
    starts_again(&process);
  }
  snarl_process starved = SNARL_PROCESS_INIT("starved", give, NULL);
  no_memory = true;
  int status = snarl_process_start(&starved);
  no_memory = false;
  assert_int_equal(status, SNARL_NO_MEMORY);
  starts_again(&starved);
  assert_int_equal(descriptors(), before);
}

/* Numbers below the limit are all in use. */
static void test_no_room_for_a_descriptor(void **state) {
  (void)state;
  struct rlimit limit, none;
  assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
  int lowest = dup(STDIN_FILENO);
  assert_true(lowest >= 0 && !close(lowest));
  none = (struct rlimit){(rlim_t)lowest, limit.rlim_max};
  snarl_process process = SNARL_PROCESS_INIT("process", give, NULL);
  assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
  int status = snarl_process_start(&process);
  assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
  assert_int_equal(status, SNARL_NO_DESCRIPTOR);
  starts_again(&process);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_exit_codes),
      cmocka_unit_test(test_signals_end_it),
      cmocka_unit_test(test_subclass),
      cmocka_unit_test(test_the_child_is_by_itself),
      cmocka_unit_test(test_nothing_is_printed_twice),
      cmocka_unit_test(test_a_child_waits_for_its_own),
      cmocka_unit_test(test_daemons_are_terminated_and_others_joined),
      cmocka_unit_test(test_daemons_have_no_children),
      cmocka_unit_test(test_many_may_join),
      cmocka_unit_test(test_somebody_else_has_waited),
      cmocka_unit_test(test_misuse_is_told),
      cmocka_unit_test(test_failures_below),
      cmocka_unit_test(test_no_room_for_a_descriptor),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
