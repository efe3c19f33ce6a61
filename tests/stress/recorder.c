/* SPDX-License-Identifier: MIT
 *
 * The recorder's promises under load, each proved by reading the trace back: the order of an object's records is their
 * true order, nothing that was completed is lost by kill -9, signal handlers and forks keep every record, thousands of
 * threads fit, and a full file stops the recording but not the program.
 *
 * The recorder reads its environment when it is loaded, so each workload runs in a new process: this program again,
 * with the workload's name.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <snarl/trace/reader.h>
#include <snarl/trace/recorder.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef __SANITIZE_THREAD__ /* slower, and it keeps signals back until the thread calls into libc */
enum { ORDER_ROUNDS = 2000, MANY_THREADS = 200, SIGNALS = 200 };
#else
enum { ORDER_ROUNDS = 20000, MANY_THREADS = 2000, SIGNALS = 5000 };
#endif
enum { ORDER_THREADS = 8, SECTIONS_PER_SIGNAL = 100, FORKS = 200 };

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static uint32_t counter;

#define OBJECT ((uint64_t)(uintptr_t)&mutex)

/* One critical section that writes the shared counter down. */
static __attribute__((noinline)) void section(void) {
  struct snarli_call call = snarli_call(SNARLI_HERE);
  pthread_mutex_lock(&mutex);
  snarli_record_aux(SNARLI_R_MUTEX_ACQUIRED, 0, OBJECT, call.stack);
  snarli_record_aux(SNARLI_R_SEM_VALUE, 0, OBJECT, counter++);
  (void)snarli_call_releasing(SNARLI_R_MUTEX_RELEASED, OBJECT, SNARLI_HERE);
  pthread_mutex_unlock(&mutex);
}

static void *many_sections(void *rounds) {
  for (uintptr_t i = 0; i < (uintptr_t)rounds; i++)
    section();
  return NULL;
}

static void run_threads(unsigned count, uintptr_t rounds) {
  pthread_t *threads = calloc(count, sizeof *threads);
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, 256 * 1024);
  for (unsigned i = 0; i < count; i++)
    if (pthread_create(&threads[i], &attributes, many_sections, (void *)rounds))
      abort();
  for (unsigned i = 0; i < count; i++)
    pthread_join(threads[i], NULL);
  pthread_attr_destroy(&attributes);
  free(threads);
}

static _Atomic int handled; /* lock-free, hence fit for handlers */

static __attribute__((noinline)) void on_signal(int number) {
  snarli_record_aux(SNARLI_R_BARRIER_COUNT, 0, (uint64_t)number, (uint32_t)handled++);
}

/* A thread that is signalled all the time while it records; it waits for a late signal, so that the trace stays small.
 */
static void *signalled(void *unused) {
  (void)unused;
  for (long sections = 0; handled < SIGNALS; sections++) {
    while (sections >= (handled + 1L) * SECTIONS_PER_SIGNAL && handled < SIGNALS)
      (void)poll(NULL, 0, 0); /* yields, and lets ThreadSanitizer deliver the signal */
    section();
  }
  return NULL;
}

static void work_signals(void) {
  struct sigaction action = {.sa_handler = on_signal};
  sigaction(SIGUSR1, &action, NULL);
  pthread_t thread;
  if (pthread_create(&thread, NULL, signalled, NULL))
    abort();
  for (int sent = 0; handled < SIGNALS; sent++) {
    int before = handled;
    if (pthread_kill(thread, SIGUSR1))
      break;
    while (handled == before)
      sched_yield();
  }
  pthread_join(thread, NULL);
}

static void work_fork(void) {
  for (int i = 0; i < FORKS; i++) {
    section();
    pid_t child = fork();
    if (child == 0) {
      section();
      _exit(0);
    }
    waitpid(child, NULL, 0);
  }
}

/* Tells the parent after each completed section, for ever. */
static void work_forever(int out) {
  for (;;) {
    section();
    if (write(out, &counter, sizeof counter) != sizeof counter)
      _exit(1);
  }
}

static void work_full(void) {
  struct rlimit limit = {64 * 1024, 64 * 1024};
  setrlimit(RLIMIT_FSIZE, &limit);
  run_threads(2, 20000);
  if (counter != 40000)
    _exit(1);
}

/* Every walk of the stack asks for the loaded modules: the number of walks. */
static _Atomic unsigned walks;

__attribute__((no_sanitize_thread)) int dl_iterate_phdr(int (*visit)(struct dl_phdr_info *, size_t, void *),
                                                        void *context) {
  static int (*real)(int (*)(struct dl_phdr_info *, size_t, void *), void *);
  if (!real)
    real = (int (*)(int (*)(struct dl_phdr_info *, size_t, void *), void *))dlsym(RTLD_NEXT, "dl_iterate_phdr");
  walks++;
  return real(visit, context);
}

/* Three ways to one call, with frames of one size: the site and its frame address are the same. */
#define WAY(name)                                                                                                      \
  static __attribute__((noinline)) void name(void) {                                                                   \
    section();                                                                                                         \
    __asm__ volatile("" ::: "memory");                                                                                 \
  }
WAY(first_way)
WAY(second_way)
WAY(third_way)

static void work_ways(void) {
  unsigned warm = 0;
  for (volatile int i = 0; i < 1000; i++) { /* volatile: no copy of the loop's body is made */
    first_way();
    second_way();
    third_way();
    if (i == 0)
      warm = walks;
  }
  if (warm == 0 || walks != warm)
    _exit(1);
}

static int run_workload(const char *name) {
  if (strcmp(name, "order") == 0)
    run_threads(ORDER_THREADS, ORDER_ROUNDS);
  else if (strcmp(name, "many") == 0)
    run_threads(MANY_THREADS, 3);
  else if (strcmp(name, "signals") == 0)
    work_signals();
  else if (strcmp(name, "fork") == 0)
    work_fork();
  else if (strcmp(name, "forever") == 0)
    work_forever(STDOUT_FILENO);
  else if (strcmp(name, "full") == 0)
    work_full();
  else if (strcmp(name, "ways") == 0)
    work_ways();
  else
    return 2;
  return 0;
}

/* --- the tests
 * ------------------------------------------------------------------------------------------------------------- */

static char directory[64];

static pid_t start(const char *workload, int out) {
  snprintf(directory, sizeof directory, "/tmp/snarl-stress-XXXXXX");
  assert_non_null(mkdtemp(directory));
  pid_t child = fork();
  if (child == 0) {
    if (out >= 0)
      dup2(out, STDOUT_FILENO);
    setenv("SNARL_TRACE", directory, 1);
    execl("/proc/self/exe", "stress-recorder", workload, (char *)NULL);
    _exit(127);
  }
  assert_true(child > 0);
  return child;
}

static void run(const char *workload) {
  int status = 0;
  pid_t child = start(workload, -1);
  assert_int_equal(waitpid(child, &status, 0), child);
  assert_int_equal(status, 0);
}

static struct trace *open_trace(void) {
  struct trace_problem problem;
  struct trace *trace = trace_open(directory, &problem);
  if (!trace)
    fail_msg("%s", problem.text);
  return trace;
}

static void close_trace(struct trace *trace) {
  trace_close(trace);
  DIR *listing = opendir(directory);
  for (struct dirent *entry; (entry = readdir(listing));)
    (void)unlinkat(dirfd(listing), entry->d_name, 0);
  closedir(listing);
  rmdir(directory);
}

/* Reads the whole trace: the sections of process 0 must come in the order of the counter, each acquire before its
 * release. */
static uint32_t check_order(struct trace *trace) {
  struct trace_record record;
  uint32_t expected = 0;
  bool is_held = false;
  while (trace_next(trace, &record)) {
    if (record.process != 0 || record.type == SNARLI_R_BARRIER_COUNT)
      continue;
    if (record.type == SNARLI_R_MUTEX_ACQUIRED) {
      assert_false(is_held);
      is_held = true;
    } else if (record.type == SNARLI_R_SEM_VALUE) {
      assert_int_equal(record.aux, expected);
      expected++;
    } else if (record.type == SNARLI_R_MUTEX_RELEASED) {
      assert_true(is_held);
      is_held = false;
    }
  }
  return expected;
}

/* section, called by many_sections, called by the thread library. */
static void check_stacks(struct trace *trace) {
  struct trace_record record;
  while (trace_next(trace, &record))
    if (record.type == SNARLI_R_MUTEX_ACQUIRED)
      assert_true(trace_stack(trace, record.process, record.aux, NULL, 0) >= 2);
  trace_rewind(trace);
}

static void the_order_of_an_object_is_its_true_order(void **state) {
  (void)state;
  run("order");
  struct trace *trace = open_trace();
  check_stacks(trace);
  assert_int_equal(check_order(trace), ORDER_THREADS * ORDER_ROUNDS);
  assert_true(trace_is_complete(trace));
  close_trace(trace);
}

static void each_way_to_a_call_is_walked_once(void **state) {
  (void)state;
  run("ways");
  struct trace *trace = open_trace();
  struct trace_record record;
  uint32_t stacks[3] = {0};
  for (unsigned i = 0; trace_next(trace, &record);) {
    if (record.type != SNARLI_R_MUTEX_ACQUIRED)
      continue;
    if (i < 3)
      stacks[i] = record.aux;
    assert_int_equal(record.aux, stacks[i++ % 3]);
  }
  assert_true(stacks[0] != stacks[1] && stacks[1] != stacks[2] && stacks[2] != stacks[0]);
  close_trace(trace);
}

static void thousands_of_threads_fit(void **state) {
  (void)state;
  run("many");
  struct trace *trace = open_trace();
  assert_int_equal(check_order(trace), MANY_THREADS * 3);
  assert_true(trace_is_complete(trace));
  close_trace(trace);
}

static void signal_handlers_lose_nothing(void **state) {
  (void)state;
  run("signals");
  struct trace *trace = open_trace();
  struct trace_record record;
  uint32_t from_handler = 0;
  while (trace_next(trace, &record))
    from_handler += record.type == SNARLI_R_BARRIER_COUNT;
  assert_int_equal(from_handler, SIGNALS);
  trace_rewind(trace);
  assert_true(check_order(trace) > 0);
  assert_true(trace_is_complete(trace));
  close_trace(trace);
}

static void every_fork_has_its_file(void **state) {
  (void)state;
  run("fork");
  struct trace *trace = open_trace();
  assert_int_equal(trace_process_count(trace), FORKS + 1);
  unsigned forked = 0;
  for (uint32_t i = 0; i < trace_process_count(trace); i++)
    forked += trace_process_at(trace, i)->forked && trace_process_at(trace, i)->parent >= 0;
  assert_int_equal(forked, FORKS);
  struct trace_record record;
  unsigned sections = 0;
  while (trace_next(trace, &record))
    sections += record.type == SNARLI_R_SEM_VALUE;
  assert_int_equal(sections, 2 * FORKS);
  close_trace(trace);
}

static void kill_9_loses_nothing_that_was_completed(void **state) {
  (void)state;
  int ends[2];
  assert_int_equal(pipe(ends), 0);
  pid_t child = start("forever", ends[1]);
  close(ends[1]);
  uint32_t told = 0;
  while (told < 50000)
    assert_int_equal(read(ends[0], &told, sizeof told), sizeof told);
  kill(child, SIGKILL);
  for (uint32_t more; read(ends[0], &more, sizeof more) == sizeof more;)
    told = more;
  close(ends[0]);
  waitpid(child, NULL, 0);
  struct trace *trace = open_trace();
  assert_true(check_order(trace) >= told);
  assert_false(trace_process_at(trace, 0)->ended);
  close_trace(trace);
}

static void a_full_file_stops_the_recording_only(void **state) {
  (void)state;
  run("full");
  struct trace *trace = open_trace();
  assert_int_equal(trace_process_at(trace, 0)->stop, SNARLI_STOP_NO_SPACE);
  assert_int_equal(trace_process_at(trace, 0)->stop_errno, EFBIG);
  assert_true(trace_dropped(trace) > 0);
  assert_true(check_order(trace) > 0);
  assert_false(trace_is_complete(trace));
  close_trace(trace);
}

int main(int argc, char **argv) {
  if (argc > 1)
    return run_workload(argv[1]);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_order_of_an_object_is_its_true_order),
      cmocka_unit_test(each_way_to_a_call_is_walked_once),
      cmocka_unit_test(thousands_of_threads_fit),
      cmocka_unit_test(signal_handlers_lose_nothing),
      cmocka_unit_test(every_fork_has_its_file),
      cmocka_unit_test(kill_9_loses_nothing_that_was_completed),
      cmocka_unit_test(a_full_file_stops_the_recording_only),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
