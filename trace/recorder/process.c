/* SPDX-License-Identifier: MIT
 *
 * A process image begins (constructor, first record, or fork), ends (exit, exec), or cannot be recorded any more.
 * process_ensure may be entered anywhere, even in a signal handler of a child made by a raw clone; it makes system
 * calls only.
 */
#include "clock.h"
#include "python/python.h"
#include "recorder_state.h"
#include "sys.h"
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern char **environ;

/* Whether this image has begun. On a page that a fork wipes, so that a child, however it was made, sees LIFE_NONE. */
enum { LIFE_NONE, LIFE_BEGUN, LIFE_BEGINNING };
static _Alignas(PAGE) union {
  _Atomic uint32_t state;
  char page[PAGE];
} life;

static const char *environment_value(char **environment, const char *name) {
  size_t size = strlen(name);
  for (char **at = environment; at && *at; at++)
    if (strncmp(*at, name, size) == 0 && (*at)[size] == '=')
      return *at + size + 1;
  return NULL;
}

static uint64_t mix(uint64_t a, uint64_t b) {
  uint64_t x = a * 0x9e3779b97f4a7c15ull ^ b;
  x ^= x >> 32;
  x *= 0xd6e8feb86659fd93ull;
  return x ^ x >> 32;
}

static void header_fill(bool is_forked, uint64_t parent_image) {
  struct snarli_header *header = recorder.header;
  header->version = SNARLI_VERSION;
  header->byte_order = SNARLI_BYTE_ORDER;
  header->clock = recorder.clock;
  header->pid = (uint32_t)recorder.pid;
  header->parent = (uint32_t)sys_getppid();
  header->forked = is_forked;
  header->begin_ns = header->sync_ns = clock_monotonic_ns();
  header->begin_ticks = header->sync_ticks = clock_now(recorder.clock);
  header->begin_realtime_ns = clock_realtime_ns();
  header->image = recorder.image = mix((uint64_t)recorder.pid, header->begin_ticks);
  header->parent_image = parent_image;
  header->next = SNARLI_HEADER_SIZE;
  header->threads = 1; /* index 0 is the thread that begins the image */
  /* Pairs with the reader: a file with its magic has a whole header. */
  __atomic_store_n(&header->magic, SNARLI_MAGIC, __ATOMIC_RELEASE);
}

static bool has_directory(void) {
  if (recorder.directory[0])
    return true;
  const char *directory = environment_value(environ, "SNARL_TRACE");
  if (!directory || !*directory || strlen(directory) >= sizeof recorder.directory)
    return false;
  memcpy(recorder.directory, directory, strlen(directory) + 1);
  return true;
}

/* The signals that the image begins with blocked. With 32 among them, which libc never lets a program block, it was the
 * recorder that blocked them all: then the program's are not known. */
static void record_mask(uint64_t blocked) {
  const uint64_t of_libc = 1ull << 31, recorded = (1ull << 48) - 1;
  if (blocked & recorded && !(blocked & of_libc))
    snarli_record_aux(SNARLI_R_SIGNAL_MASK, 0, blocked & recorded, 0);
}

/* That its parent left it children that the system takes away by itself. */
static void record_ignored_children(void) {
  struct {
    uint64_t handler, flags, restorer, mask;
  } now = {0};
  long failed = sys_call(SYS_rt_sigaction, SIGCHLD, 0, (long)&now, 8, 0, 0);
  if (!failed && now.handler == (uint64_t)(uintptr_t)SIG_IGN)
    snarli_record_aux(SNARLI_R_SIGNAL_HANDLER, SIGCHLD, now.handler, 0);
}

/* What the image runs, and its first record. */
static void record_image(bool is_forked, uint64_t blocked) {
  char *buffer = memory_new(16 * PAGE, false);
  struct recorder_thread *thread = thread_attach();
  if (buffer && thread) {
    uint64_t now = recorder.header->begin_ticks;
    long size = sys_readlink("/proc/self/exe", buffer, 16 * PAGE);
    if (size > 0)
      blob_append(thread, SNARLI_B_EXE, now, buffer, (size_t)size, NULL, 0);
    int fd = sys_open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC, 0);
    size = fd >= 0 ? sys_read(fd, buffer, 16 * PAGE) : 0;
    if (fd >= 0)
      sys_close(fd);
    if (size > 0)
      blob_append(thread, SNARLI_B_COMMAND, now, buffer, (size_t)size, NULL, 0);
  }
  if (buffer)
    sys_munmap(buffer, 16 * PAGE);
  snarli_record_aux(SNARLI_R_PROCESS_BEGIN, 0, recorder.header->parent, 0);
  /* Nobody created this thread, but it can be named and joined by its handle. */
  snarli_record_aux(SNARLI_R_THREAD_BEGIN, 0, (uint64_t)pthread_self(), 0);
  record_mask(blocked);
  if (!is_forked)
    record_ignored_children();
  if (is_forked && thread)
    mappings_after_fork(thread);
}

/* Only the winner of `life` comes here, with signals blocked. */
static bool image_begin(bool is_forked) {
  uint64_t parent_image = is_forked ? recorder.image : 0;
  if (is_forked) {
    file_leave();
    thread_forget_all();
    stack_nodes_forget();
    modules_forget();
    python_forget();
  }
  thread_become_first();
  recorder.images++;
  recorder.pid = sys_getpid();
  (void)sys_madvise(&life, sizeof life, MADV_WIPEONFORK);
  if (!has_directory() || !file_create())
    return false;
  recorder.clock = clock_choose();
  header_fill(is_forked, parent_image);
  return true;
}

static void image_start(uint64_t blocked) {
  bool is_forked = recorder.image != 0;
  bool begun = image_begin(is_forked);
  atomic_store_explicit(&recorder.phase, begun ? RECORDER_ACTIVE : RECORDER_OFF, memory_order_relaxed);
  /* Release pairs with the acquire in process_ensure: publishes the header and the paths. */
  atomic_store_explicit(&life.state, LIFE_BEGUN, memory_order_release);
  if (begun)
    record_image(is_forked, blocked);
}

bool process_ensure(void) {
  uint32_t state = atomic_load_explicit(&life.state, memory_order_acquire);
  if (__builtin_expect(state == LIFE_BEGUN, 1))
    return atomic_load_explicit(&recorder.phase, memory_order_relaxed) == RECORDER_ACTIVE;
  if (atomic_load_explicit(&recorder.phase, memory_order_relaxed) == RECORDER_OFF)
    return false;
  uint64_t saved = 0;
  sys_block_signals(&saved); /* a handler on this thread would wait for itself */
  state = LIFE_NONE;
  if (atomic_compare_exchange_strong_explicit(&life.state, &state, LIFE_BEGINNING, memory_order_acquire,
                                              memory_order_acquire))
    image_start(saved);
  sys_restore_signals(&saved);
  while (atomic_load_explicit(&life.state, memory_order_acquire) == LIFE_BEGINNING)
    sys_yield(); /* another thread is at it: a few system calls, once in an image */
  return atomic_load_explicit(&recorder.phase, memory_order_relaxed) == RECORDER_ACTIVE;
}

static bool has_header(void) {
  return atomic_load_explicit(&life.state, memory_order_acquire) == LIFE_BEGUN && recorder.header;
}

void process_stop(enum snarli_stop why, int error) {
  recorder.header->stop_errno = (uint32_t)error;
  recorder.header->stop = why;
  atomic_store_explicit(&recorder.phase, RECORDER_STOPPED, memory_order_relaxed);
}

void process_drop(uint64_t records) {
  if (!has_header())
    return;
  if (__atomic_fetch_add(&recorder.header->dropped, records, __ATOMIC_RELAXED) == 0)
    recorder.header->dropped_ticks = clock_now(recorder.clock);
}

void snarli_process_end(int status) {
  if (recorder_suspended || !has_header())
    return;
  file_sync_clock();
  recorder.header->exit_status = (uint32_t)status;
  __atomic_store_n(&recorder.header->ended, status >= 0, __ATOMIC_RELEASE);
}

void snarli_after_fork_in_child(void) {
  if (snarli_is_recording())
    process_ensure();
}

void snarli_image_made_for(uint32_t parent) {
  if (!snarli_is_recording() || !process_ensure())
    return;
  recorder.header->parent = parent;
  recorder.header->parent_image = 0;
  recorder.header->forked = 0;
}

const char *snarli_trace_directory(void) { return snarli_is_recording() ? recorder.directory : NULL; }

static void child_begins(void) {
  unwind_after_fork();
  snarli_after_fork_in_child();
}

/* exit() and the return from main come here after the program's own handlers, since this one was registered first. */
static void exit_reached(int status, void *unused) {
  (void)unused;
  if (!snarli_is_recording())
    return;
  snarli_record_aux(SNARLI_R_PROCESS_EXIT, 0, (uint32_t)status, 0);
  snarli_process_end(status & 0xff);
}

extern void *__libc_stack_end __attribute__((weak)); /* of the program loader: where the first thread's stack begins */

/* The kernel keeps other memory further away than this. */
static void first_stack_found(void) {
  struct rlimit limit = {0};
  if (sys_gettid() != sys_getpid() || !&__libc_stack_end || sys_getrlimit(RLIMIT_STACK, &limit))
    return;
  const char *top = __libc_stack_end;
  size_t most = 8 << 20;
  snarli_thread_stack(top - (limit.rlim_cur < most ? (size_t)limit.rlim_cur : most), top);
}

static __attribute__((constructor)) void library_loaded(void) {
  if (!process_ensure())
    return;
  first_stack_found();
  thread_keys_create();
  (void)pthread_atfork(unwind_before_fork, unwind_after_fork, child_begins);
  (void)on_exit(exit_reached, NULL);
  unwind_open();
  python_find();
  struct recorder_thread *thread = thread_attach();
  if (thread)
    modules_update(thread);
}
