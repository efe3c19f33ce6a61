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
 * Code without unwind tables is walked by its frame pointers, here: libunwind would look for a table in every module,
 * and ask the kernel whether memory is there, at each frame. What lies between the site and the end of its stack is
 * there; libunwind is told so, too.
 *
 * libunwind has locks of its own. A fork while another thread holds one would leave it locked in the child, so a fork
 * waits until no walk is under way, and walks that begin meanwhile give one frame.
 */
#define UNW_LOCAL_ONLY
#include "recorder_state.h"
#include "sys.h"
#include "unwind_tables.h"
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
  int (*access_memory)(unw_addr_space_t, unw_word_t, unw_word_t *, int, void *); /* its own, which asks the kernel */
  bool is_open;
} unwinder;

static _Atomic uint32_t walking;
static RECORDER_TLS struct walk *current_walk;
static _Atomic bool is_forking;

enum { SCRATCH = 64 * 1024 };

#if defined(__x86_64__)
enum { FRAME_POINTER = UNW_X86_64_RBP };
#elif defined(__aarch64__)
enum { FRAME_POINTER = UNW_AARCH64_X29 };
#endif

/* Where a walk is: in the frame of a function that goes on at pc. */
struct place {
  uint64_t pc, sp, fp;
};

struct walk {
  unw_context_t context;
  unw_cursor_t cursor;
  struct place at;
  bool is_beside;                   /* the cursor is at an inner frame */
  uintptr_t stack_begin, stack_end; /* memory that is there; both 0: not known */
  struct snarli_site site;
  const struct unwound_stack *last;
  uint32_t met; /* which of the last walk's frames may come next */
  struct unwound_stack *stack;
};

/* In place of libunwind's: it validates each page that it did not see lately, by system calls. */
static int access_memory(unw_addr_space_t space, unw_word_t address, unw_word_t *value, int is_write, void *argument) {
  const struct walk *walk = current_walk;
  bool is_there = walk && (address - walk->stack_begin < walk->stack_end - walk->stack_begin ||
                           address - (uintptr_t)walk < sizeof *walk);
  if (is_write || !is_there || address % sizeof *value)
    return unwinder.access_memory(space, address, value, is_write, argument);
  *value = *(const unw_word_t *)(uintptr_t)address;
  return 0;
}

/* The library may be the program's, too: its own walks are left to libunwind's function. */
static void replace_access(void *library) {
  unw_accessors_t *(*get)(unw_addr_space_t) =
      (unw_accessors_t * (*)(unw_addr_space_t)) dlsym(library, SYMBOL_OF(unw_get_accessors));
  unw_addr_space_t *space = dlsym(library, SYMBOL_OF(unw_local_addr_space));
  unw_accessors_t *accessors = get && space ? get(*space) : NULL;
  if (!accessors)
    return;
  unwinder.access_memory = accessors->access_mem;
  accessors->access_mem = access_memory;
}

/* libunwind begins with it, which takes locks and opens descriptors: as in a walk. */
static void open_in_walk(void *library) {
  struct walk nowhere = {.stack_begin = 0};
  uint64_t saved;
  sys_block_signals(&saved);
  snarli_suspend();
  current_walk = &nowhere;
  replace_access(library);
  current_walk = NULL;
  snarli_resume();
  sys_restore_signals(&saved);
}

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
  open_in_walk(library);
  unwind_tables_open();
}

static uint64_t register_of(struct walk *walk, int number) {
  unw_word_t value = 0;
  return unwinder.get_reg(&walk->cursor, number, &value) == 0 ? value : 0;
}

/* Where the current frame's pc was read from; NULL if that is not certain (then the stack is not cached). libunwind
 * names no place for x86's RIP. A call pushes it just below the stack pointer that the caller has after the return. */
static const uint64_t *pc_slot(struct walk *walk) {
#if defined(__x86_64__)
  const uint64_t *slot = (const uint64_t *)(uintptr_t)(walk->at.sp - sizeof walk->at.pc);
#else
  unw_save_loc_t where;
  bool is_known = unwinder.get_save_loc(&walk->cursor, UNW_REG_IP, &where) == 0 && where.type == UNW_SLT_MEMORY;
  const uint64_t *slot = (const uint64_t *)(uintptr_t)(is_known ? where.u.addr : 0);
#endif
  return slot && *slot == walk->at.pc ? slot : NULL;
}

extern void *__libc_stack_end __attribute__((weak)); /* of ld.so: where the first thread's stack begins */

/* The end of the stack that the site is on, 0: not known, as of a signal's or a coroutine's. Below the first thread's
 * the kernel leaves a gap of this size at least. */
static uintptr_t stack_end(uintptr_t site) {
  enum { GAP = 8 << 20 };
  uintptr_t of_first = &__libc_stack_end ? (uintptr_t)__libc_stack_end : 0;
  return site < of_first && of_first - site < GAP ? of_first : marks_stack_end(site);
}

/* The place of the caller, by the tables of the code. */
static bool step_by_table(struct walk *walk) {
  if (unwinder.step(&walk->cursor) <= 0)
    return false;
  walk->at =
      (struct place){register_of(walk, UNW_REG_IP), register_of(walk, UNW_REG_SP), register_of(walk, FRAME_POINTER)};
  return walk->at.pc;
}

/* Our own frames are skipped: the site's frame is the one whose stack begins at the site's canonical frame address. */
static bool find_site_by_table(struct walk *walk) {
  if (unwinder.init_local(&walk->cursor, &walk->context))
    return false;
  for (int i = 0; i < 32 && step_by_table(walk); i++)
    if (walk->at.sp == (uint64_t)(uintptr_t)walk->site.cfa)
      return walk->at.pc == (uint64_t)(uintptr_t)walk->site.pc;
  return false;
}

#if defined(__x86_64__)
/* After frames that libunwind did not walk. The other registers are not known; hardly any code says by them where its
 * frame is. */
static bool cursor_restart(struct walk *walk) {
  memset(&walk->context, 0, sizeof walk->context);
  walk->context.uc_mcontext.gregs[REG_RIP] = (long long)walk->at.pc;
  walk->context.uc_mcontext.gregs[REG_RSP] = (long long)walk->at.sp;
  walk->context.uc_mcontext.gregs[REG_RBP] = (long long)walk->at.fp;
  walk->is_beside = false;
  return unwinder.init_local(&walk->cursor, &walk->context) == 0;
}

static bool is_on_stack(const struct walk *walk, uint64_t fp, uint64_t sp) {
  enum { LARGEST = 1 << 20 };
  return fp % sizeof fp == 0 && fp >= sp && fp - sp < LARGEST && walk->stack_end > fp &&
         walk->stack_end - fp >= 2 * sizeof fp;
}

/* What generated code calls finds the frame pointer of that code; an address that is only taken for code mostly has
 * something else beside it. No system call that would tell for certain: a sandbox may kill for it. */
static bool returns_to_code(const struct walk *walk, const uint64_t *frame) {
  enum code_kind kind = code_kind_of(frame[1] - 1);
  return kind == CODE_GENERATED ? is_on_stack(walk, frame[0], (uint64_t)(uintptr_t)(frame + 2)) : kind != CODE_NONE;
}

/* The place of the caller, by the frame pointer: it points to the caller's, which lies below the return address. Code
 * that has none may leave any number there: what does not look like a frame ends the walk. */
static bool step_by_frame_pointer(struct walk *walk) {
  uint64_t fp = walk->at.fp;
  const uint64_t *frame = (const uint64_t *)(uintptr_t)fp;
  walk->stack->is_cut = fp && !(is_on_stack(walk, fp, walk->at.sp) && returns_to_code(walk, frame));
  if (!fp || walk->stack->is_cut)
    return false;
  walk->at = (struct place){frame[1], fp + 2 * sizeof fp, frame[0]};
  walk->is_beside = true;
  return true;
}

static bool has_no_table(uint64_t pc) {
  enum code_kind kind = code_kind_of(pc - 1);
  return kind == CODE_WITHOUT_TABLES || kind == CODE_GENERATED;
}

/* If the site's code has no tables: by our own frames' pointers, too, beginning with this one. */
static bool find_site_by_frame_pointer(struct walk *walk, const uint64_t *frame) {
  const uint64_t *site = (const uint64_t *)walk->site.cfa - 2;
  if (!walk->stack_end || !has_no_table((uint64_t)(uintptr_t)walk->site.pc))
    return false;
  for (int i = 0; i < 32 && frame < site; i++) {
    const uint64_t *outer = (const uint64_t *)(uintptr_t)frame[0];
    if (outer <= frame)
      return false;
    frame = outer;
  }
  if (frame != site)
    return false;
  walk->at = (struct place){(uint64_t)(uintptr_t)walk->site.pc, (uint64_t)(uintptr_t)walk->site.cfa, frame[0]};
  return true;
}

static bool step(struct walk *walk) {
  if (walk->stack_end && has_no_table(walk->at.pc))
    return step_by_frame_pointer(walk);
  return (!walk->is_beside || cursor_restart(walk)) && step_by_table(walk);
}
#else
static bool find_site_by_frame_pointer(struct walk *walk, const uint64_t *frame) { return walk && !frame; }

static bool step(struct walk *walk) { return step_by_table(walk); }
#endif

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
static void add_interrupted(struct unwound_stack *stack, uint64_t pc) {
  struct unwound_frame *last = &stack->frames[stack->count - 1], mark = {SNARLI_PC_SIGNAL, NULL};
  bool is_after = stack->count > 1 && is_restorer(last->pc);
  if (is_after)
    *last = mark;
  stack->frames[stack->count++] = is_after ? (struct unwound_frame){pc, NULL} : mark;
}

/* Whether the newest frame and all further out are those of the last walk, which are then taken over. Why that can be
 * known by the return addresses: stack_cache.h. Outer frames lie at higher addresses. */
static bool joins_last(struct walk *walk) {
  const struct unwound_stack *last = walk->last;
  struct unwound_stack *stack = walk->stack;
  struct unwound_frame newest = stack->frames[stack->count - 1];
  while (walk->met < last->count && last->frames[walk->met].slot < newest.slot)
    walk->met++;
  if (!newest.slot || walk->met == last->count || last->frames[walk->met].slot != newest.slot)
    return false;
  for (uint32_t i = walk->met; i < last->count; i++)
    if (!last->frames[i].slot || *last->frames[i].slot != last->frames[i].pc)
      return false;
  uint32_t count = last->count - walk->met;
  if (stack->count - 1 + count > STACK_FRAMES)
    return false;
  stack->shared = stack->count - 1;
  memcpy(stack->frames + stack->shared, last->frames + walk->met, count * sizeof *last->frames);
  memcpy(stack->ids + stack->shared, last->ids + walk->met, count * sizeof *last->ids);
  stack->count = stack->shared + count;
  stack->is_cut = last->is_cut;
  return true;
}

static void walk_frames(struct walk *walk) {
  struct unwound_stack *stack = walk->stack;
  if (!walk->is_beside && !find_site_by_table(walk))
    return;
  while (step(walk)) {
    if (stack->count == STACK_FRAMES) {
      stack->is_cut = true;
      return;
    }
    if (!walk->is_beside && unwinder.is_signal_frame(&walk->cursor) > 0)
      add_interrupted(stack, walk->at.pc);
    else
      stack->frames[stack->count++] = (struct unwound_frame){walk->at.pc, pc_slot(walk)};
    if (joins_last(walk))
      return;
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

static void walk_prepared(struct walk *walk, char *top, const uint64_t *frame) {
  walk->is_beside = find_site_by_frame_pointer(walk, frame);
  int saved_errno = errno, cancel_state; /* libunwind probes memory with read and write: cancellation points */
  (void)pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel_state);
  if (!walk->is_beside)
    (void)unwinder.getcontext(&walk->context);
  current_walk = walk;
  run_on_stack(top, walk_frames, walk);
  current_walk = NULL;
  (void)pthread_setcancelstate(cancel_state, NULL);
  errno = saved_errno;
}

void unwind_walk(struct recorder_thread *thread, struct snarli_site site, const struct unwound_stack *last,
                 struct unwound_stack *stack) {
  stack->frames[0] = (struct unwound_frame){(uint64_t)(uintptr_t)site.pc, NULL};
  stack->count = 1;
  stack->is_cut = false;
  stack->shared = UINT32_MAX;
  if (!thread->scratch)
    thread->scratch = memory_new(SCRATCH, false);
  if (unwinder.is_open && thread->scratch && walk_begin()) {
    struct walk *walk = (struct walk *)thread->scratch;
    uint64_t *frame = __builtin_frame_address(0);
    walk->site = site;
    walk->last = last;
    walk->met = 0;
    walk->stack = stack;
    walk->stack_end = stack_end((uintptr_t)site.cfa);
    walk->stack_begin = walk->stack_end ? (uintptr_t)frame - PAGE : 0; /* calls from here */
    walk_prepared(walk, (char *)thread->scratch + SCRATCH - 64, frame);
    atomic_fetch_sub_explicit(&walking, 1, memory_order_release);
  }
  stack->shared = stack->shared < stack->count ? stack->shared : stack->count;
}

bool snarli_is_walking(void) { return current_walk; }

void unwind_before_fork(void) {
  atomic_store_explicit(&is_forking, true, memory_order_seq_cst);
  while (atomic_load_explicit(&walking, memory_order_seq_cst))
    sys_yield();
}

void unwind_after_fork(void) { atomic_store_explicit(&is_forking, false, memory_order_seq_cst); }
