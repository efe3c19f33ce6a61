/* SPDX-License-Identifier: MIT
 *
 * Walking the stack with libunwind. Entered with signals blocked and recording suspended on this thread.
 *
 * libunwind is loaded privately (dlopen, RTLD_LOCAL): as a dependency it would put its own backtrace() and _Unwind_* in
 * front of the program's. It is loaded by the constructor only, since dlopen allocates; calls recorded earlier have one
 * frame.
 *
 * The walk runs on a stack of its own: the program's may be a signal stack of a few kilobytes.
 *
 * libunwind has locks of its own. A fork while another thread holds one would leave it locked in the child, so a fork
 * waits until no walk is under way, and walks that begin meanwhile give one frame.
 */
#define UNW_LOCAL_ONLY
#include "recorder_state.h"
#include "sys.h"
#include <dlfcn.h>
#include <errno.h>
#include <libunwind.h>
#include <pthread.h>
#include <string.h>

#define TEXT_OF(x) #x
#define SYMBOL_OF(name) TEXT_OF(name)

/* What is called in libunwind, under the names that its header gives it: FUNCTION(name, symbol, parameters). */
#define FUNCTIONS                                                                                                      \
  FUNCTION(init_local, UNW_OBJ(init_local), (unw_cursor_t *, unw_context_t *))                                         \
  FUNCTION(step, UNW_OBJ(step), (unw_cursor_t *))                                                                      \
  FUNCTION(get_reg, UNW_OBJ(get_reg), (unw_cursor_t *, unw_regnum_t, unw_word_t *))                                    \
  FUNCTION(is_signal_frame, UNW_OBJ(is_signal_frame), (unw_cursor_t *))                                                \
  FUNCTION(get_save_loc, UNW_OBJ(get_save_loc), (unw_cursor_t *, int, unw_save_loc_t *))

static struct {
  int (*getcontext)(unw_tdep_context_t *); /* named by the machine, not by the address space */
#define FUNCTION(name, symbol, parameters) int(*name) parameters;
  FUNCTIONS
#undef FUNCTION
  bool is_open;
} unwinder;

static _Atomic uint32_t walking;
static RECORDER_TLS bool is_walking;
static _Atomic bool is_forking;

enum { SCRATCH = 64 * 1024 };

struct walk {
  unw_context_t context;
  unw_cursor_t cursor;
  struct snarli_site site;
  struct unwound_frame *frames;
  size_t room, count;
  bool is_cut;
};

void unwind_open(void) {
  void *library = dlopen("libunwind.so.8", RTLD_NOW | RTLD_LOCAL);
  if (!library)
    return;
  unwinder.getcontext = (int (*)(unw_tdep_context_t *))dlsym(library, "_U" SYMBOL_OF(UNW_TARGET) "_getcontext");
  unwinder.is_open = unwinder.getcontext != NULL;
#define FUNCTION(name, symbol, parameters)                                                                             \
  unwinder.name = (int(*) parameters)dlsym(library, SYMBOL_OF(symbol));                                                \
  unwinder.is_open = unwinder.is_open && unwinder.name;
  FUNCTIONS
#undef FUNCTION
}

static uint64_t register_of(struct walk *walk, int number) {
  unw_word_t value = 0;
  return unwinder.get_reg(&walk->cursor, number, &value) == 0 ? value : 0;
}

/* Where libunwind read a register of the current frame from; 0: not from memory. Not to be trusted. */
static uintptr_t place_of(struct walk *walk, int number) {
  unw_save_loc_t where;
  return unwinder.get_save_loc(&walk->cursor, number, &where) == 0 && where.type == UNW_SLT_MEMORY ? where.u.addr : 0;
}

/* Where the current frame's pc was read from; NULL if that is not certain (then the stack is not cached). */
#if defined(__x86_64__)
enum { GUESS = 1 }; /* a bit of an address that was not looked at yet */

/* libunwind names no place for RIP. A call pushes it just below the stack pointer that the caller has after the return.
 * That is not known of code without unwind information (of a just-in-time compiler), which is walked by its frame
 * pointers: the caller's lies just below the return address, if it is one. */
static const uint64_t *pc_slot(struct walk *walk, uint64_t pc) {
  const uint64_t *slot = (const uint64_t *)(uintptr_t)(register_of(walk, UNW_REG_SP) - sizeof pc);
  if (slot && *slot == pc)
    return slot;
  return (const uint64_t *)((place_of(walk, UNW_X86_64_RBP) + sizeof pc) | GUESS);
}

extern void *__libc_stack_end __attribute__((weak)); /* of ld.so: where the first thread's stack begins */

/* The end of the stack that the site is on, 0: unknown. A thread's control block lies at the end of its stack; the
 * program may be on another one, of a signal or a coroutine. */
static uintptr_t stack_end(uintptr_t site) {
  enum { LARGEST = 8 << 20 };
  uintptr_t of_first = &__libc_stack_end ? (uintptr_t)__libc_stack_end : 0, of_thread = (uintptr_t)pthread_self();
  if (site < of_first && of_first - site < LARGEST)
    return of_first;
  return site < of_thread && of_thread - site < LARGEST ? of_thread : 0;
}

/* A guess is looked at only if it is a place a little further out on the same stack. */
static void settle_guesses(struct walk *walk) {
  enum { FRAME = 64 << 10 };
  uintptr_t last = (uintptr_t)walk->site.cfa, end = stack_end(last);
  for (size_t i = 1; i < walk->count; i++) {
    uintptr_t place = (uintptr_t)walk->frames[i].slot & ~(uintptr_t)GUESS;
    bool is_guess = (uintptr_t)walk->frames[i].slot & GUESS;
    bool is_sound = place % sizeof(void *) == 0 && last < place && place < end && place - last < FRAME;
    if (is_guess && !(is_sound && *(const uint64_t *)place == walk->frames[i].pc))
      place = 0;
    walk->frames[i].slot = (const uint64_t *)place;
    last = place ? place : last;
  }
}
#else
static const uint64_t *pc_slot(struct walk *walk, uint64_t pc) {
  const uint64_t *slot = (const uint64_t *)place_of(walk, UNW_REG_IP);
  return slot && *slot == pc ? slot : NULL;
}

static void settle_guesses(struct walk *walk) { (void)walk; }
#endif

/* Our own frames are skipped: the site's frame is the one whose stack begins at the site's canonical frame address. */
static bool find_site(struct walk *walk) {
  for (int i = 0; i < 32 && unwinder.step(&walk->cursor) > 0; i++)
    if (register_of(walk, UNW_REG_SP) == (uint64_t)(uintptr_t)walk->site.cfa)
      return register_of(walk, UNW_REG_IP) == (uint64_t)(uintptr_t)walk->site.pc;
  return false;
}

/* The code to which a signal handler returns, glibc's __restore_rt: mov $SYS_rt_sigreturn, %rax; syscall. */
static bool is_restorer(uint64_t pc) {
#if defined(__x86_64__)
  static const uint8_t code[] = {0x48, 0xc7, 0xc0, 0x0f, 0, 0, 0, 0x0f, 0x05};
  return pc != SNARLI_PC_SIGNAL && memcmp((const void *)(uintptr_t)pc, code, sizeof code) == 0;
#else
  (void)pc;
  return false;
#endif
}

/* Some versions of libunwind call the restorer a signal frame, others the frame after it. A mark takes its place; it
 * has no slot, so that such stacks are not cached. */
static void add_interrupted(struct walk *walk, uint64_t pc) {
  struct unwound_frame *last = &walk->frames[walk->count - 1], mark = {SNARLI_PC_SIGNAL, NULL};
  bool is_after = walk->count > 1 && is_restorer(last->pc);
  if (is_after)
    *last = mark;
  walk->frames[walk->count++] = is_after ? (struct unwound_frame){pc, NULL} : mark;
}

static void walk_frames(struct walk *walk) {
  if (unwinder.init_local(&walk->cursor, &walk->context) || !find_site(walk))
    return;
  while (unwinder.step(&walk->cursor) > 0) {
    uint64_t pc = register_of(walk, UNW_REG_IP);
    if (!pc)
      return;
    if (walk->count == walk->room) {
      walk->is_cut = true;
      return;
    }
    if (unwinder.is_signal_frame(&walk->cursor) > 0)
      add_interrupted(walk, pc);
    else
      walk->frames[walk->count++] = (struct unwound_frame){pc, pc_slot(walk, pc)};
  }
}

#if defined(__x86_64__)
static void run_on_stack(char *top, void (*function)(struct walk *), struct walk *walk) {
  __asm__ volatile("movq %%rsp, %%rbx\n\t"
                   "movq %1, %%rsp\n\t"
                   "callq *%2\n\t"
                   "movq %%rbx, %%rsp"
                   : "+D"(walk)
                   : "r"(top), "r"(function)
                   : "rbx", "rax", "rcx", "rdx", "rsi", "r8", "r9", "r10", "r11", "memory", "cc", "xmm0", "xmm1",
                     "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13",
                     "xmm14", "xmm15");
}
#else
static void run_on_stack(char *top, void (*function)(struct walk *), struct walk *walk) {
  (void)top;
  function(walk);
}
#endif

static bool walk_begin(void) {
  atomic_fetch_add_explicit(&walking, 1, memory_order_seq_cst);
  if (!atomic_load_explicit(&is_forking, memory_order_seq_cst))
    return true;
  atomic_fetch_sub_explicit(&walking, 1, memory_order_seq_cst);
  return false;
}

size_t unwind_walk(struct recorder_thread *thread, struct snarli_site site, struct unwound_frame *frames, size_t room,
                   bool *is_cut) {
  frames[0] = (struct unwound_frame){(uint64_t)(uintptr_t)site.pc, NULL};
  if (!thread->scratch)
    thread->scratch = memory_new(SCRATCH, false);
  if (!unwinder.is_open || !thread->scratch || !walk_begin())
    return 1;
  struct walk *walk = (struct walk *)thread->scratch;
  walk->site = site;
  walk->frames = frames;
  walk->room = room;
  walk->count = 1;
  walk->is_cut = false;
  is_walking = true;
  int saved_errno = errno, cancel_state; /* libunwind probes memory with read and write: cancellation points */
  (void)pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel_state);
  (void)unwinder.getcontext(&walk->context);
  run_on_stack((char *)thread->scratch + SCRATCH - 64, walk_frames, walk);
  settle_guesses(walk);
  (void)pthread_setcancelstate(cancel_state, NULL);
  errno = saved_errno;
  is_walking = false;
  atomic_fetch_sub_explicit(&walking, 1, memory_order_release);
  *is_cut = walk->is_cut;
  return walk->count;
}

bool snarli_is_walking(void) { return is_walking; }

void unwind_before_fork(void) {
  atomic_store_explicit(&is_forking, true, memory_order_seq_cst);
  while (atomic_load_explicit(&walking, memory_order_seq_cst))
    sys_yield();
}

void unwind_after_fork(void) { atomic_store_explicit(&is_forking, false, memory_order_seq_cst); }
