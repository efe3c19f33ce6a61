/* SPDX-License-Identifier: MIT
 *
 * A signal handler between any two instructions of the hot path: the processor's single-step trap stops after each
 * instruction of a recorded lock and unlock, a send, a receive and a poll, and at one of them, another in each child
 * process, the handler records enough to fill the window and the next. Whatever was interrupted where, no record is
 * lost and none is stored into memory that is gone. Both on the thread's own stack and on an alternate one above it,
 * which looks like a handler that was left by longjmp.
 *
 * Stepping ends at the first system call: the slow way blocks signals, and a trap that is blocked kills.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <pthread.h>
#include <signal.h>
#include <snarl/trace/reader.h>
#include <snarl/trace/recorder.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#if defined(__x86_64__)

enum { BURST = 900, STACK = 256 * 1024, TRAP_FLAG = 0x100, LOCK = 0x1230 };

static volatile unsigned traps, chosen; /* instructions stepped through; at which one the handler records */

static __attribute__((noinline)) void step_on(void) {
  __asm__ volatile("pushfq; orq $0x100, (%%rsp); popfq" ::: "memory", "cc");
}

static __attribute__((noinline)) void step_off(void) {
  __asm__ volatile("pushfq; andq $~0x100, (%%rsp); popfq" ::: "memory", "cc");
}

/* Requests that become their own outcome in place, and one that is taken back. */
static void transfers(uint32_t stack) {
  struct snarli_pending pending;
  uint64_t one = snarli_transfer_object(3, 1);
  uint64_t request = snarli_record_head(SNARLI_R_CHANNEL_SEND_REQUESTED, 0, one);
  snarli_pending_begin(&pending, &request, 1, stack);
  snarli_pending_sent(&pending, snarli_record_head(SNARLI_R_CHANNEL_SENT, 0, one),
                      snarli_record_head(SNARLI_R_CHANNEL_SEND_RETURNED, 0, one));
  request = snarli_record_head(SNARLI_R_CHANNEL_RECEIVE_REQUESTED, 0, one);
  snarli_pending_begin(&pending, &request, 1, stack);
  snarli_pending_end(&pending, snarli_record_head(SNARLI_R_CHANNEL_RECEIVED, 0, one));
  uint64_t set[] = {snarli_record_head(SNARLI_R_CHANNEL_POLLED, 1, 3),
                    snarli_record_head(SNARLI_R_CHANNEL_POLLED, 1, 4),
                    snarli_record_head(SNARLI_R_CHANNEL_POLL_REQUESTED, 0, 2)};
  snarli_pending_begin(&pending, set, 3, stack);
  snarli_pending_drop(&pending, snarli_record_head(SNARLI_R_CHANNEL_POLL_RETURNED, 0, 1));
}

static __attribute__((noinline)) void section(void) {
  struct snarli_call call = snarli_call(SNARLI_HERE);
  transfers(call.stack);
  snarli_record_aux(SNARLI_R_MUTEX_ACQUIRED, 0, LOCK, call.stack);
  (void)snarli_call_releasing(SNARLI_R_MUTEX_RELEASED, LOCK, SNARLI_HERE);
}

static void on_trap(int number, siginfo_t *info, void *context) {
  (void)number;
  (void)info;
  greg_t *registers = ((ucontext_t *)context)->uc_mcontext.gregs;
  const uint8_t *next = (const uint8_t *)registers[REG_RIP];
  if (next[0] == 0x0f && next[1] == 0x05) /* syscall */
    registers[REG_EFL] &= ~TRAP_FLAG;
  if (++traps != chosen)
    return;
  for (uint32_t i = 0; i < BURST; i++) {
    snarli_record_aux(SNARLI_R_BARRIER_COUNT, 0, LOCK, i);
    if (i % 100 == 0)
      section();
  }
}

/* Twice to have the stack and the way there known, then step by step. */
static __attribute__((noinline)) void sections(void) {
  for (volatile int i = 0; i < 3; i++) {
    if (i == 2)
      step_on();
    section();
    step_off();
  }
}

/* In a new process, where the windows are small: a handler at this instruction. True if there was one. */
static bool interrupt_at(unsigned instruction) {
  pid_t child = fork();
  if (child == 0) {
    traps = 0;
    chosen = instruction;
    sections();
    _exit(traps < chosen ? 1 : 0);
  }
  int status = -1;
  waitpid(child, &status, 0);
  if (!WIFEXITED(status))
    abort();
  return WEXITSTATUS(status) == 0;
}

static void *interrupt_everywhere(void *alternate) {
  stack_t stack = {.ss_sp = alternate, .ss_size = STACK};
  if (alternate && sigaltstack(&stack, NULL))
    abort();
  struct sigaction action = {.sa_sigaction = on_trap, .sa_flags = SA_SIGINFO | (alternate ? SA_ONSTACK : 0)};
  sigaction(SIGTRAP, &action, NULL);
  unsigned instruction = 1;
  while (interrupt_at(instruction))
    instruction++;
  printf("%u\n", instruction - 1);
  return NULL;
}

static int run_workload(const char *name) {
  char *memory = aligned_alloc(STACK, 2 * STACK);
  pthread_attr_t attributes;
  pthread_t thread;
  bool is_alternate = strcmp(name, "alternate") == 0;
  if (!memory || pthread_attr_init(&attributes) || pthread_attr_setstack(&attributes, memory, STACK) ||
      pthread_create(&thread, &attributes, interrupt_everywhere, is_alternate ? memory + STACK : NULL))
    return 1;
  pthread_join(thread, NULL);
  pthread_attr_destroy(&attributes);
  free(memory);
  return 0;
}

/* --- the tests
 * ------------------------------------------------------------------------------------------------------------- */

/* Runs a workload; the number of instructions that it stepped through. */
static unsigned run(const char *directory, const char *workload) {
  int ends[2], status = -1;
  assert_int_equal(pipe(ends), 0);
  pid_t child = fork();
  if (child == 0) {
    dup2(ends[1], STDOUT_FILENO);
    setenv("SNARL_TRACE", directory, 1);
    execl("/proc/self/exe", "stress-interrupted", workload, (char *)NULL);
    _exit(127);
  }
  close(ends[1]);
  char text[32] = "";
  assert_true(read(ends[0], text, sizeof text - 1) > 0);
  close(ends[0]);
  waitpid(child, &status, 0);
  assert_int_equal(status, 0);
  return (unsigned)strtoul(text, NULL, 10);
}

struct seen {
  unsigned acquired, released, counted;
  unsigned sent, received, polled, poll_requested, poll_returned;
};

/* The handler's sections may lie between the halves of the interrupted one, so only numbers are compared. */
static void check_process(const struct seen *seen, bool was_interrupted) {
  unsigned sections = 3 + (was_interrupted ? BURST / 100 : 0);
  assert_int_equal(seen->acquired, sections);
  assert_int_equal(seen->released, sections);
  assert_int_equal(seen->counted, was_interrupted ? BURST : 0);
  assert_int_equal(seen->sent, sections);
  assert_int_equal(seen->received, sections);
  assert_int_equal(seen->poll_requested, seen->poll_returned); /* together, or taken back */
  assert_int_equal(seen->polled, 2 * seen->poll_requested);
  assert_true(seen->poll_requested <= sections);
}

static void check_trace(const char *directory, unsigned instructions) {
  struct trace_problem problem;
  struct trace *trace = trace_open(directory, &problem);
  assert_non_null(trace);
  uint32_t processes = trace_process_count(trace);
  assert_int_equal(processes, instructions + 2); /* the workload, and the child in which nothing happened */
  struct seen *seen = calloc(processes, sizeof *seen);
  assert_non_null(seen);
  for (struct trace_record record; trace_next(trace, &record);) {
    struct seen *of = &seen[record.process];
    of->acquired += record.type == SNARLI_R_MUTEX_ACQUIRED;
    of->released += record.type == SNARLI_R_MUTEX_RELEASED;
    of->sent += record.type == SNARLI_R_CHANNEL_SENT || record.type == SNARLI_R_CHANNEL_SEND_RETURNED;
    of->received += record.type == SNARLI_R_CHANNEL_RECEIVED;
    of->polled += record.type == SNARLI_R_CHANNEL_POLLED;
    of->poll_requested += record.type == SNARLI_R_CHANNEL_POLL_REQUESTED;
    of->poll_returned += record.type == SNARLI_R_CHANNEL_POLL_RETURNED;
    if (record.type == SNARLI_R_BARRIER_COUNT)
      assert_int_equal(record.aux, of->counted++);
  }
  unsigned uninterrupted = 0, taken_back = 0;
  for (uint32_t i = 0; i < processes; i++) {
    if (trace_process_at(trace, i)->parent < 0)
      continue;
    check_process(&seen[i], seen[i].counted != 0);
    uninterrupted += seen[i].counted == 0;
    taken_back += seen[i].poll_requested == 0;
  }
  assert_int_equal(uninterrupted, 1);
  assert_int_not_equal(taken_back, 0); /* a request is kept where the process did not run for a while */
  free(seen);
  trace_close(trace);
}

static void remove_directory(const char *directory) {
  DIR *listing = opendir(directory);
  for (struct dirent *entry; (entry = readdir(listing));)
    (void)unlinkat(dirfd(listing), entry->d_name, 0);
  closedir(listing);
  rmdir(directory);
}

static void interrupt(const char *workload) {
  char directory[] = "/tmp/snarl-stress-XXXXXX";
  assert_non_null(mkdtemp(directory));
  unsigned instructions = run(directory, workload);
  assert_true(instructions > 100);
  check_trace(directory, instructions);
  remove_directory(directory);
}

static void on_its_own_stack(void **state) {
  (void)state;
  interrupt("own");
}

static void on_an_alternate_stack(void **state) {
  (void)state;
  interrupt("alternate");
}

int main(int argc, char **argv) {
  if (argc > 1)
    return run_workload(argv[1]);
  const struct CMUnitTest tests[] = {cmocka_unit_test(on_its_own_stack), cmocka_unit_test(on_an_alternate_stack)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}

#else
int main(void) { return 77; } /* skipped */
#endif
