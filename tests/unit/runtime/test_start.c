/* SPDX-License-Identifier: MIT
 *
 * The start methods: what a fresh image and a server's child are told and given, what they have of their parent and
 * what they have not, and that all is asked of them as of a fork. Most tests run for each method.
 */
#include "test_runtime.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);
int __real_posix_spawn(pid_t *pid, const char *path, const posix_spawn_file_actions_t *actions,
                       const posix_spawnattr_t *attr, char *const argv[], char *const envp[]);
int __wrap_posix_spawn(pid_t *pid, const char *path, const posix_spawn_file_actions_t *actions,
                       const posix_spawnattr_t *attr, char *const argv[], char *const envp[]);

static int callocs_left = -1; /* the one after these fails; -1: none does */
static int spawn_error;       /* 0: it works */
static bool has_bystander;    /* a fork in the midst of a start, as another thread's may come */
static int bystander;

void *__wrap_calloc(size_t count, size_t size) {
  if (callocs_left >= 0 && !callocs_left--)
    return NULL;
  return __real_calloc(count, size);
}

int __wrap_posix_spawn(pid_t *pid, const char *path, const posix_spawn_file_actions_t *actions,
                       const posix_spawnattr_t *attr, char *const argv[], char *const envp[]) {
  if (has_bystander && !(bystander = fork()))
    for (prctl(PR_SET_PDEATHSIG, SIGKILL);;)
      (void)pause();
  return spawn_error ? spawn_error : __real_posix_spawn(pid, path, actions, attr, argv, envp);
}

static const enum snarl_start_method methods[] = {SNARL_START_FORK, SNARL_START_SPAWN, SNARL_START_FORKSERVER};
static const enum snarl_start_method *const fresh = methods + 1;

#define FOR_EACH_METHOD(method) for (const enum snarl_start_method *method = methods; method < methods + 3; method++)
#define FOR_EACH_FRESH(method) for (const enum snarl_start_method *method = fresh; method < methods + 3; method++)

static int descriptors(void) {
  int count = 0;
  for (int fd = 0; fd < 256; fd++)
    count += fcntl(fd, F_GETFD) != -1;
  return count;
}

static void start(snarl_process *process, enum snarl_start_method method, const void *argument, size_t size) {
  assert_int_equal(snarl_process_set_start(process, method), SNARL_OK);
  assert_int_equal(snarl_process_set_argument(process, argument, size), SNARL_OK);
  assert_int_equal(snarl_process_start(process), SNARL_OK);
}

/* The exit code. */
static int run(int (*function)(void *), enum snarl_start_method method, const void *argument, size_t size) {
  snarl_process process = SNARL_PROCESS_INIT("process", function, NULL);
  start(&process, method, argument, size);
  int status = snarl_process_join(&process, SNARL_S(20));
  assert_int_equal(status, snarl_process_exit_code(&process) ? SNARL_FAILED : SNARL_OK);
  return snarl_process_exit_code(&process);
}

static int give(void *code) { return *(int *)code; }
SNARL_ENTRY(give);

static void test_exit_codes(void **state) {
  (void)state;
  FOR_EACH_METHOD(method) {
    int first = 3;
    assert_int_equal(run(give, *method, &first, sizeof first), 3); /* there is a server now */
    int before = descriptors();
    for (int code = 0; code < 256; code += 51)
      assert_int_equal(run(give, *method, &code, sizeof code), code);
    assert_int_equal(descriptors(), before);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), *method == SNARL_START_FORKSERVER ? 0 : -1); /* the server alone */
  }
}

/* A pattern over many pages, aligned for any type and the child's to change. */
static int check_bytes(void *argument) {
  unsigned char *bytes = argument;
  size_t size;
  memcpy(&size, bytes, sizeof size);
  if ((uintptr_t)bytes % _Alignof(max_align_t))
    return 1;
  for (size_t i = sizeof size; i < size; i++)
    if (bytes[i]++ != (unsigned char)(i * 7))
      return 2;
  return 0;
}
SNARL_ENTRY(check_bytes);

static void test_the_argument_is_a_copy(void **state) {
  (void)state;
  const size_t sizes[] = {sizeof(size_t), 4097, 3000001};
  FOR_EACH_METHOD(method) {
    for (int i = 0; i < 3; i++) {
      _Alignas(max_align_t) static unsigned char bytes[3000001];
      for (size_t at = 0; at < sizes[i]; at++)
        bytes[at] = (unsigned char)(at * 7);
      memcpy(bytes, &sizes[i], sizeof sizes[i]);
      assert_int_equal(run(check_bytes, *method, bytes, sizes[i]), 0);
      assert_int_equal(bytes[sizes[i] - 1], sizes[i] > sizeof(size_t) ? (unsigned char)((sizes[i] - 1) * 7) : 0);
    }
  }
}

static int changed_in_parent;

struct looks {
  int main_pid;
  enum snarl_start_method method;
  ino_t directory;
};

static int name_is(const char *wanted) {
  char name[32] = "";
  FILE *comm = fopen("/proc/self/comm", "r");
  return comm && fgets(name, sizeof name, comm) && !fclose(comm) && !strcmp(name, wanted);
}

/* The lines that fail are the exit code. */
static int look_around(void *argument) {
  const struct looks *looks = argument;
  snarl_process *self = snarl_current_process(), *parent = snarl_parent_process();
  struct stat here;
  sigset_t blocked;
  if (strcmp(snarl_process_name(self), "curious") != 0 || !name_is("curious\n") ||
      snarl_process_pid(self) != getpid() || !snarl_process_is_alive(self) || snarl_process_is_daemon(self))
    return 1;
  if (strcmp(snarl_process_name(parent), "MainProcess") != 0 || snarl_process_pid(parent) != looks->main_pid ||
      !snarl_process_is_alive(parent) || snarl_process_join(parent, SNARL_NOW) != SNARL_FORKED)
    return 2;
  if (snarl_process_join(self, SNARL_NOW) != SNARL_DEADLOCK || snarl_active_children(NULL, 0) ||
      snarl_active_count() != 1)
    return 3;
  if ((looks->method == SNARL_START_FORK) != (changed_in_parent == 42))
    return 4;                                   /* memory is inherited by forks alone */
  const char *word = getenv("SNARL_TEST_WORD"); // NOLINT(concurrency-mt-unsafe)
  if (!word || strcmp(word, "now") != 0 || stat(".", &here) || here.st_ino != looks->directory)
    return 5;
  if (pthread_sigmask(SIG_BLOCK, NULL, &blocked) || !sigismember(&blocked, SIGUSR2) || sigismember(&blocked, SIGUSR1) ||
      sigismember(&blocked, SIGCHLD))
    return 6;
  for (int fd = 3; looks->method == SNARL_START_SPAWN && fd < 256; fd++)
    if (fcntl(fd, F_GETFD) != -1)
      return 7;
  return 0;
}
SNARL_ENTRY(look_around);

/* Where the parent is at the time of the start, though the server was made before. */
static void test_the_child_is_by_itself(void **state) {
  (void)state;
  char directory[] = "/tmp/snarl-start-XXXXXX", *before = getcwd(NULL, 0);
  sigset_t two, saved;
  struct stat there;
  assert_true(mkdtemp(directory) && before);
  assert_int_equal(stat(directory, &there), 0);
  sigemptyset(&two);
  sigaddset(&two, SIGUSR2);
  changed_in_parent = 42;
  assert_true(!setenv("SNARL_TEST_WORD", "now", 1) && !chdir(directory) && !pthread_sigmask(SIG_BLOCK, &two, &saved));
  int open_here = open("/", O_RDONLY); /* not closed by an exec */
  FOR_EACH_METHOD(method) {
    snarl_process process = SNARL_PROCESS_INIT("curious", look_around, NULL);
    struct looks looks = {getpid(), *method, there.st_ino};
    start(&process, *method, &looks, sizeof looks);
    (void)snarl_process_join(&process, SNARL_FOREVER);
    assert_int_equal(snarl_process_exit_code(&process), 0);
  }
  assert_true(!pthread_sigmask(SIG_SETMASK, &saved, NULL) && !chdir(before) && !rmdir(directory) && !close(open_here));
  free(before);
}

static int sleep_on(void *unused) {
  (void)unused;
  snarl_sleep(SNARL_S(60));
  return 1;
}
SNARL_ENTRY(sleep_on);

static void end_one(enum snarl_start_method method, int signal) {
  snarl_process process = SNARL_PROCESS_INIT(NULL, sleep_on, NULL);
  start(&process, method, NULL, 0);
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
  assert_int_equal(signal == SIGKILL ? snarl_process_kill(&process) : snarl_process_terminate(&process), SNARL_OK);
  assert_int_equal(poll(&polled, 1, 10000), 1);
  assert_int_equal(snarl_process_exit_code(&process), -signal);
  assert_false(snarl_process_is_alive(&process));
  assert_int_equal(snarl_active_children(NULL, 0), 0);
  assert_int_equal(snarl_process_kill(&process), SNARL_OK);
  assert_int_equal(snarl_process_join(&process, SNARL_NOW), SNARL_FAILED);
  assert_int_equal(snarl_process_join(&process, SNARL_NOW), SNARL_FAILED);
  assert_int_equal(snarl_process_exit_code(&process), -signal);
  assert_int_equal(snarl_process_sentinel(&process), SNARL_CLOSED);
  assert_int_equal(snarl_process_terminate(&process), SNARL_OK);
  assert_int_equal(snarl_process_start(&process), SNARL_STARTED);
}

static void test_signals_end_it(void **state) {
  (void)state;
  FOR_EACH_METHOD(method) {
    end_one(*method, SIGTERM);
    end_one(*method, SIGKILL);
  }
}

struct shared {
  snarl_lock lock;
  int total;
};

static int add(void *method) {
  snarl_connection orders;
  snarl_shared_memory memory, again;
  int number;
  if (snarl_given_memory("orders", &memory) != SNARL_INVALID || snarl_given_memory("none", &memory) != SNARL_NOT_FOUND)
    return 1;
  if (snarl_given_connection("orders", &orders) || snarl_given_memory("scores", &memory) ||
      snarl_given_memory("scores", &again) != SNARL_NOT_FOUND || memory.size != sizeof(struct shared))
    return 2;
  struct shared *shared = memory.data;
  if (snarl_connection_recv_into(&orders, &number, sizeof number, SNARL_FOREVER) != sizeof number)
    return 3;
  snarl_with(&shared->lock) shared->total += number;
  if (snarl_connection_send(&orders, &number, sizeof number, SNARL_FOREVER))
    return 4;
  if (*(enum snarl_start_method *)method != SNARL_START_FORK && /* those have copies of the parent's other ends */
      snarl_connection_recv_into(&orders, &number, sizeof number, SNARL_FOREVER) != SNARL_CLOSED)
    return 5;
  return snarl_connection_close(&orders) || snarl_shared_memory_close(&memory) ? 6 : 0;
}
SNARL_ENTRY(add);

/* Has its children add to what is shared, memory with or without a name of its own. */
static void add_by(enum snarl_start_method method, const char *name) {
  enum { CHILDREN = 3 };
  snarl_shared_memory memory;
  snarl_process processes[CHILDREN];
  snarl_connection here[CHILDREN], there[CHILDREN];
  struct snarl_given given[CHILDREN][2];
  assert_int_equal(snarl_shared_memory_create(&memory, name, sizeof(struct shared)), SNARL_OK);
  struct shared *shared = memory.data;
  assert_int_equal(snarl_lock_init_shared(&shared->lock, "lock"), SNARL_OK);
  for (int i = 0; i < CHILDREN; i++) {
    assert_int_equal(snarl_pipe(&here[i], &there[i], "pipe", SNARL_DUPLEX), SNARL_OK);
    assert_int_equal(snarl_process_init(&processes[i], "adder", add, NULL), SNARL_OK);
    given[i][0] = (struct snarl_given)SNARL_GIVEN("orders", &there[i]);
    given[i][1] = (struct snarl_given)SNARL_GIVEN("scores", &memory);
    assert_int_equal(snarl_process_give(&processes[i], given[i], 2), SNARL_OK);
    start(&processes[i], method, &method, sizeof method);
  }
  if (name)
    assert_int_equal(snarl_shared_memory_unlink(&memory), SNARL_OK); /* it is given all the same */
  for (int i = 0; i < CHILDREN; i++) {
    int number = i + 1, back = 0;
    assert_int_equal(snarl_connection_send(&here[i], &number, sizeof number, SNARL_FOREVER), SNARL_OK);
    assert_int_equal(snarl_connection_recv_into(&here[i], &back, sizeof back, SNARL_S(10)), sizeof back);
    assert_int_equal(back, number);
    assert_true(!snarl_connection_close(&here[i]) && !snarl_connection_close(&there[i]));
    (void)snarl_process_join(&processes[i], SNARL_S(10));
    assert_int_equal(snarl_process_exit_code(&processes[i]), 0);
  }
  assert_int_equal(shared->total, 6);
  assert_true(!snarl_lock_destroy(&shared->lock) && !snarl_shared_memory_close(&memory));
}

static void test_things_are_given(void **state) {
  (void)state;
  char name[64];
  (void)snprintf(name, sizeof name, "snarl-start-%d", getpid());
  FOR_EACH_METHOD(method) {
    add_by(*method, NULL);
    add_by(*method, name);
  }
}

static int square(void *unused) {
  snarl_process_queue questions, answers;
  int number;
  (void)unused;
  if (snarl_given_queue("questions", &questions) || snarl_given_queue("answers", &answers))
    return 1;
  while (snarl_process_queue_get_into(&questions, &number, sizeof number, SNARL_FOREVER) == sizeof number) {
    number *= number;
    if (snarl_process_queue_put(&answers, &number, sizeof number, SNARL_FOREVER))
      return 2;
  }
  return snarl_process_queue_detach(&questions) || snarl_process_queue_detach(&answers) ? 3 : 0;
}
SNARL_ENTRY(square);

static void test_queues_are_given(void **state) {
  (void)state;
  FOR_EACH_METHOD(method) {
    snarl_process_queue questions, answers;
    assert_true(!snarl_process_queue_init(&questions, "q", 0) && !snarl_process_queue_init(&answers, "a", 0));
    struct snarl_given given[] = {SNARL_GIVEN("questions", &questions), SNARL_GIVEN("answers", &answers)};
    snarl_process process = SNARL_PROCESS_INIT("square", square, NULL);
    assert_int_equal(snarl_process_give(&process, given, 2), SNARL_OK);
    start(&process, *method, NULL, 0);
    for (int i = 1; i <= 10; i++)
      assert_int_equal(snarl_process_queue_put(&questions, &i, sizeof i, SNARL_FOREVER), SNARL_OK);
    assert_int_equal(snarl_process_queue_close(&questions), SNARL_OK);
    int sum = 0, number;
    for (int i = 0; i < 10; i++, sum += number)
      assert_int_equal(snarl_process_queue_get_into(&answers, &number, sizeof number, SNARL_S(10)), sizeof number);
    assert_int_equal(sum, 385);
    assert_int_equal(snarl_process_join(&process, SNARL_S(10)), SNARL_OK);
    assert_true(!snarl_process_queue_destroy(&questions) && !snarl_process_queue_destroy(&answers));
  }
}

/* Of text that waited in the buffer, and what the child left there, each comes once: through a pipe, which is not
 * flushed at the end of a line. */
static int print_child(void *unused) {
  (void)unused;
  printf("child ");
  return 0;
}
SNARL_ENTRY(print_child);

static void test_text_is_printed_once(void **state) {
  (void)state;
  FOR_EACH_METHOD(method) {
    int ends[2], saved = dup(STDOUT_FILENO);
    char text[64] = "";
    assert_true(saved >= 0 && !pipe(ends) && !fflush(stdout) && dup2(ends[1], STDOUT_FILENO) == STDOUT_FILENO);
    assert_int_equal(close(ends[1]), 0);
    printf("before ");
    int code = run(print_child, *method, NULL, 0);
    printf("after");
    assert_true(!fflush(stdout) && dup2(saved, STDOUT_FILENO) == STDOUT_FILENO && !close(saved));
    assert_int_equal(code, 0);
    size_t got = 0; /* up to the end: nobody else holds the pipe, not even a server */
    for (ssize_t more; (more = read(ends[0], text + got, sizeof text - 1 - got)) > 0;)
      got += (size_t)more;
    assert_string_equal(text, "before child after");
    assert_int_equal(close(ends[0]), 0);
  }
}

static int be_started_alike(void *method) {
  int code = 0;
  snarl_process child = SNARL_PROCESS_INIT("grandchild", give, NULL);
  if (snarl_get_start_method() != *(enum snarl_start_method *)method)
    return 1;
  code = 7;
  if (snarl_process_set_argument(&child, &code, sizeof code) || snarl_process_start(&child))
    return 2;
  return snarl_process_join(&child, SNARL_FOREVER) == SNARL_FAILED && snarl_process_exit_code(&child) == 7 ? 0 : 3;
}
SNARL_ENTRY(be_started_alike);

static int run_self(snarl_process *self) { return snarl_process_is_alive(self) ? 0 : 1; }

static void test_children_have_children(void **state) {
  (void)state;
  FOR_EACH_METHOD(method) {
    assert_int_equal(snarl_set_start_method(*method), SNARL_OK);
    assert_int_equal(run(be_started_alike, SNARL_START_DEFAULT, method, sizeof *method), 0);
  }
  snarl_process subclass = SNARL_PROCESS_INIT_RUN("subclass", run_self);
  assert_int_equal(snarl_process_start(&subclass), SNARL_OK); /* a fork */
  assert_int_equal(snarl_process_join(&subclass, SNARL_FOREVER), SNARL_OK);
  assert_int_equal(snarl_set_start_method(SNARL_START_DEFAULT), SNARL_OK);
  assert_int_equal(snarl_get_start_method(), SNARL_START_FORK);
}

static int no_entry(void *unused) { return unused != NULL; }

static void test_misuse_is_told(void **state) {
  (void)state;
  int code = 0;
  snarl_connection here, there;
  assert_int_equal(snarl_pipe(&here, &there, "pipe", SNARL_DUPLEX), SNARL_OK);
  FOR_EACH_FRESH(method) {
    snarl_process stranger = SNARL_PROCESS_INIT("stranger", no_entry, NULL), subclass, pointer;
    assert_int_equal(snarl_process_set_start(&stranger, *method), SNARL_OK);
    assert_int_equal(snarl_process_start(&stranger), SNARL_NOT_ENTRY);
    assert_int_equal(snarl_process_join(&stranger, SNARL_NOW), SNARL_NOT_STARTED);
    assert_true(!snarl_process_init_run(&subclass, "subclass", run_self) &&
                !snarl_process_set_start(&subclass, *method));
    assert_int_equal(snarl_process_start(&subclass), SNARL_NOT_ENTRY);
    assert_true(!snarl_process_init(&pointer, "pointer", give, &code) && !snarl_process_set_start(&pointer, *method));
    assert_int_equal(snarl_process_start(&pointer), SNARL_NOT_COPIED);
    assert_int_equal(snarl_process_set_argument(&pointer, &code, sizeof code), SNARL_OK);
    struct snarl_given given[] = {SNARL_GIVEN("pipe", &there)};
    assert_int_equal(snarl_process_give(&pointer, given, 1), SNARL_OK);
    assert_int_equal(snarl_process_start(&pointer), SNARL_OK);
    assert_int_equal(snarl_process_set_start(&pointer, *method), SNARL_STARTED);
    assert_int_equal(snarl_process_set_argument(&pointer, &code, sizeof code), SNARL_STARTED);
    assert_int_equal(snarl_process_give(&pointer, given, 1), SNARL_STARTED);
    assert_int_equal(snarl_process_join(&pointer, SNARL_FOREVER), SNARL_OK);
    assert_int_equal(snarl_process_give(&stranger, given, 1), SNARL_OK);
    assert_int_equal(snarl_process_start(&stranger), SNARL_INVALID); /* that end is the other's by now */
    assert_true(!snarl_connection_close(&here) && !snarl_connection_close(&there));
    assert_int_equal(snarl_process_start(&stranger), SNARL_INVALID);
    assert_int_equal(snarl_pipe(&here, &there, "pipe", SNARL_DUPLEX), SNARL_OK);
  }
  snarl_process process = SNARL_PROCESS_INIT("process", give, NULL);
  struct snarl_given twice[] = {SNARL_GIVEN("pipe", &there), SNARL_GIVEN("pipe", &here)};
  struct snarl_given odd[] = {SNARL_GIVEN("process", &process)}, unnamed[] = {SNARL_GIVEN(NULL, &here)};
  assert_int_equal(snarl_process_give(&process, twice, 2), SNARL_INVALID);
  assert_int_equal(snarl_process_give(&process, odd, 1), SNARL_INVALID);
  assert_int_equal(snarl_process_give(&process, unnamed, 1), SNARL_INVALID);
  assert_int_equal(snarl_process_give(&process, twice, SNARL_GIVEN_MOST + 1), SNARL_TOO_MANY);
  assert_int_equal(snarl_process_set_start(&process, (enum snarl_start_method)9), SNARL_INVALID);
  assert_int_equal(snarl_set_start_method((enum snarl_start_method) - 1), SNARL_INVALID);
  assert_int_equal(snarl_process_set_argument(&process, NULL, 3), SNARL_INVALID);
  assert_int_equal(snarl_process_set_argument(NULL, NULL, 0), SNARL_INVALID);
  assert_int_equal(snarl_given_connection("pipe", &here), SNARL_NOT_FOUND); /* nobody has started this one */
  assert_int_equal(snarl_given_connection("pipe", NULL), SNARL_INVALID);
  assert_true(!snarl_connection_close(&here) && !snarl_connection_close(&there));
}

/* Runs `body` in a process of its own, which has no server yet; the line that fails is its exit code. */
static int in_process(int (*body)(void *), void *argument) {
  snarl_process process = SNARL_PROCESS_INIT("apart", body, argument);
  assert_int_equal(snarl_process_start(&process), SNARL_OK);
  (void)snarl_process_join(&process, SNARL_S(60));
  return snarl_process_exit_code(&process);
}

static int start_once(enum snarl_start_method method) {
  int code = 0;
  snarl_process process = SNARL_PROCESS_INIT("process", give, NULL);
  (void)snarl_process_set_start(&process, method);
  (void)snarl_process_set_argument(&process, &code, sizeof code);
  int status = snarl_process_start(&process);
  return status ? status : snarl_process_join(&process, SNARL_FOREVER);
}

static int starve(void *method) {
  int before = descriptors(), failures = 0, status;
  for (int left = 0;; left++) {
    callocs_left = left;
    status = start_once(*(enum snarl_start_method *)method);
    if (status != SNARL_NO_MEMORY)
      break;
    if (descriptors() != before || waitpid(-1, NULL, WNOHANG) != -1)
      return 1;
    failures++;
  }
  bool is_served = *(enum snarl_start_method *)method == SNARL_START_FORKSERVER;
  return failures && !status && descriptors() == before + 2 * is_served ? 0 : 2; /* a server has two */
}

static int find_no_image(void *method) {
  const struct {
    int error, status;
  } errors[] = {{ENOENT, SNARL_NO_IMAGE},
                {EACCES, SNARL_NO_IMAGE},
                {ENOMEM, SNARL_NO_MEMORY},
                {EAGAIN, SNARL_NO_PROCESS},
                {EMFILE, SNARL_NO_DESCRIPTOR}};
  int before = descriptors();
  for (int i = 0; i < 5; i++) {
    spawn_error = errors[i].error;
    if (start_once(*(enum snarl_start_method *)method) != errors[i].status || descriptors() != before)
      return i + 1;
  }
  spawn_error = 0;
  return start_once(*(enum snarl_start_method *)method) ? 6 : 0;
}

/* From none at all to as many as it takes. */
static int run_out_of_descriptors(void *method) {
  struct rlimit limit, few;
  int lowest = dup(STDIN_FILENO), before, failures = 0, status = SNARL_NO_DESCRIPTOR;
  if (lowest < 0 || close(lowest) || getrlimit(RLIMIT_NOFILE, &limit))
    return 1;
  before = descriptors();
  for (int room = 0; status == SNARL_NO_DESCRIPTOR; room++) {
    few = (struct rlimit){(rlim_t)(lowest + room), limit.rlim_max};
    if (setrlimit(RLIMIT_NOFILE, &few))
      return 2;
    status = start_once(*(enum snarl_start_method *)method);
    if (setrlimit(RLIMIT_NOFILE, &limit))
      return 3;
    if (status == SNARL_NO_DESCRIPTOR && (descriptors() != before || waitpid(-1, NULL, WNOHANG) != -1)) {
      bool has_server = descriptors() == before + 2 && *(enum snarl_start_method *)method == SNARL_START_FORKSERVER;
      if (!has_server)
        return 4;
    }
    failures += status != SNARL_OK;
  }
  return failures && !status ? 0 : 5;
}

/* The limit does not bind root, and counts all that a user runs: so nobody else is to be this one, not even this test
 * beside itself. */
static bool become_a_user_of_its_own(void) {
  const uid_t user = 20000 + (uid_t)getpid() % 40000;
  return !setresuid(user, user, user);
}

/* The process itself is the first, the server the second. */
static int run_out_of_processes(void *method) {
  const struct rlimit one = {1, 1}, two = {2, 2};
  bool is_served = *(enum snarl_start_method *)method == SNARL_START_FORKSERVER;
  if (!become_a_user_of_its_own() || setrlimit(RLIMIT_NPROC, is_served ? &two : &one))
    return 1;
  int before = descriptors();
  if (start_once(*(enum snarl_start_method *)method) != SNARL_NO_PROCESS)
    return 2;
  return descriptors() == before + 2 * is_served ? 0 : 3;
}

static int run_out_for_server(void *unused) {
  const struct rlimit one = {1, 1};
  (void)unused;
  if (!become_a_user_of_its_own() || setrlimit(RLIMIT_NPROC, &one))
    return 1;
  int before = descriptors();
  return start_once(SNARL_START_FORKSERVER) == SNARL_NO_PROCESS && descriptors() == before ? 0 : 2;
}

static void test_what_is_missing_is_told(void **state) {
  (void)state;
  FOR_EACH_METHOD(method) {
    enum snarl_start_method by = *method;
    assert_int_equal(in_process(starve, &by), 0);
    assert_int_equal(in_process(run_out_of_descriptors, &by), 0);
    if (by != SNARL_START_FORK)
      assert_int_equal(in_process(find_no_image, &by), 0);
    if (!geteuid())
      assert_int_equal(in_process(run_out_of_processes, &by), 0);
  }
  if (!geteuid())
    assert_int_equal(in_process(run_out_for_server, NULL), 0);
}

static int server_pid(int seen) {
  char path[32], text[128];
  for (int pid = seen + 1; pid < seen + 4000; pid++) {
    (void)snprintf(path, sizeof path, "/proc/%d/stat", pid);
    FILE *file = fopen(path, "r");
    bool is_it = file && fgets(text, sizeof text, file) && strstr(text, "(forkserver)") &&
                 (int)strtol(strrchr(text, ')') + 4, NULL, 10) == getpid();
    if (file)
      (void)fclose(file);
    if (is_it)
      return pid;
  }
  return 0;
}

/* The child lives on, and can be ended and waited for; how it ended nobody knows, whoever else was forked meanwhile.
 * Another start makes another server. */
static int lose_server(void *unused) {
  snarl_process lasting = SNARL_PROCESS_INIT("lasting", sleep_on, NULL);
  (void)unused;
  has_bystander = true;
  if (snarl_process_set_start(&lasting, SNARL_START_FORKSERVER) || snarl_process_start(&lasting))
    return 1;
  has_bystander = false;
  int pid = server_pid(getpid());
  if (!pid || kill(pid, SIGKILL) || waitid(P_PID, (id_t)pid, NULL, WEXITED | WNOWAIT))
    return 2;
  if (!snarl_process_is_alive(&lasting) || snarl_process_join(&lasting, SNARL_MS(20)) != SNARL_TIMEOUT)
    return 3;
  if (start_once(SNARL_START_FORKSERVER) || server_pid(pid) <= pid)
    return 4;
  if (snarl_process_kill(&lasting) || snarl_process_join(&lasting, SNARL_S(10)) != SNARL_SERVER_ENDED)
    return 5;
  if (snarl_process_exit_code(&lasting) != SNARL_EXIT_NONE || snarl_process_is_alive(&lasting) ||
      snarl_process_join(&lasting, SNARL_NOW) != SNARL_SERVER_ENDED)
    return 6;
  return kill(bystander, SIGKILL) || waitpid(bystander, NULL, 0) != bystander ? 7 : 0;
}

static void test_a_server_is_killed(void **state) {
  (void)state;
  assert_int_equal(in_process(lose_server, NULL), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_exit_codes),
      cmocka_unit_test(test_the_argument_is_a_copy),
      cmocka_unit_test(test_the_child_is_by_itself),
      cmocka_unit_test(test_signals_end_it),
      cmocka_unit_test(test_things_are_given),
      cmocka_unit_test(test_queues_are_given),
      cmocka_unit_test(test_text_is_printed_once),
      cmocka_unit_test(test_children_have_children),
      cmocka_unit_test(test_misuse_is_told),
      cmocka_unit_test(test_what_is_missing_is_told),
      cmocka_unit_test(test_a_server_is_killed),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
