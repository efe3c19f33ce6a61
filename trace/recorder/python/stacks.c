/* SPDX-License-Identifier: MIT
 *
 * Python's frames put into a C stack, and when that may be done.
 *
 * A thread's frames may be read while its thread state cannot be freed: while it holds the interpreter's lock, and in
 * the call in which it locks the mutex in order to give that lock up. (Without the lock a daemon thread's state may go
 * away when the interpreter ends.) What comes between giving up and taking again, the waits above all, gets the frames
 * as they were when the lock was given up: the thread is in one C call all the time.
 *
 * CPython's thread state becomes "no current one" just before the mutex is locked for giving up. The first call that is
 * recorded after one that held the lock is that locking: its place and its mutex are learned. Locking the same mutex
 * once more, elsewhere, is taking: what was remembered ends.
 */
#include "../sys.h"
#include "parts.h"
#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <stdlib.h>

struct python_api python_api;

enum { PROOF_PENDING, PROOF_PASSED, PROOF_FAILED };
static _Atomic int proof;
enum { DROP_SITES = 16 };
static _Atomic uint64_t drop_sites[DROP_SITES];

static bool find_functions(void) {
  bool all = true;
#define FUNCTION(result, name, parameters)                                                                             \
  python_api.name = (result(*) parameters)dlsym(RTLD_DEFAULT, #name);                                                  \
  all = all && python_api.name;
  PYTHON_FUNCTIONS
  bool has_frames = all;
  PYTHON_NAME_FUNCTIONS
#undef FUNCTION
  python_api.has_names = all;
  return has_frames;
}

static bool find_loop(void) {
  void *function = dlsym(RTLD_DEFAULT, "_PyEval_EvalFrameDefault");
  Dl_info info;
  const ElfW(Sym) *symbol = NULL;
  if (!function || !dladdr1(function, &info, (void **)&symbol, RTLD_DL_SYMENT) || !symbol)
    return false;
  python_api.eval_lo = (uint64_t)(uintptr_t)function;
  python_api.eval_hi = python_api.eval_lo + symbol->st_size;
  return true;
}

/* The minor version of Python 3, 0: another. */
static unsigned minor_version(void) {
  const unsigned long *number = dlsym(RTLD_DEFAULT, "Py_Version");
  if (number)
    return *number >> 24 == 3 ? *number >> 16 & 0xff : 0;
  const char *text = python_api.Py_GetVersion();
  return text && text[0] == '3' && text[1] == '.' ? (unsigned)strtoul(text + 2, NULL, 10) : 0;
}

void python_find(void) {
  void *current = dlsym(RTLD_DEFAULT, "_PyThreadState_UncheckedGet");
  if (!current)
    current = dlsym(RTLD_DEFAULT, "PyThreadState_GetUnchecked");
  python_api.current = (void *(*)(void))current;
  python_api.code_type = current ? dlsym(RTLD_DEFAULT, "PyCode_Type") : NULL;
  python_api.text_type = current ? dlsym(RTLD_DEFAULT, "PyUnicode_Type") : NULL;
  recorder.has_python =
      python_api.code_type && python_api.text_type && find_functions() && find_loop() && layout_choose(minor_version());
  (void)dlerror(); /* what was not found is nobody's error */
}

bool python_runs(const struct unwound_frame *callers, size_t count) {
  for (size_t i = 0; i < count; i++)
    if (callers[i].pc > python_api.eval_lo && callers[i].pc <= python_api.eval_hi)
      return true;
  return false;
}

void python_forget(void) { symbols_forget(); }

static struct python_thread *python_of(struct recorder_thread *thread) {
  if (!thread->python)
    thread->python = memory_new((sizeof *thread->python + PAGE - 1) / PAGE * PAGE, false);
  struct python_thread *python = thread->python;
  if (python && python->index != thread->index + 1) { /* new, or left by a thread that ended */
    python->index = thread->index + 1;
    python->state = PYTHON_UNKNOWN;
    python->fingerprint = 0;
    python->named_frame = NULL;
    python->is_named = python->is_settled = false;
  }
  return python;
}

static bool is_drop_site(uint64_t pc) {
  for (unsigned i = 0; i < DROP_SITES; i++) {
    uint64_t known = atomic_load_explicit(&drop_sites[i], memory_order_relaxed);
    if (known == pc)
      return true;
    if (!known)
      return false;
  }
  return false;
}

static void drop_site_add(uint64_t pc) {
  for (unsigned i = 0; i < DROP_SITES; i++) {
    uint64_t known = 0;
    if (atomic_compare_exchange_strong_explicit(&drop_sites[i], &known, pc, memory_order_relaxed,
                                                memory_order_relaxed) ||
        known == pc)
      return;
  }
}

static bool is_proved(const char *state) {
  int known = atomic_load_explicit(&proof, memory_order_relaxed);
  if (__builtin_expect(known == PROOF_PENDING, 0)) {
    enum layout_proof made = layout_prove(state);
    if (made == LAYOUT_NO_FRAME)
      return false;
    known = made == LAYOUT_PROVED ? PROOF_PASSED : PROOF_FAILED;
    atomic_store_explicit(&proof, known, memory_order_relaxed);
    if (known == PROOF_FAILED)
      recorder.has_python = false;
  }
  return known == PROOF_PASSED;
}

static struct python_place *place_of(struct python_thread *python, const struct python_link *link) {
  uint64_t x =
      (uint64_t)(uintptr_t)link->code * 0x9e3779b97f4a7c15ull ^ (uint64_t)(uintptr_t)link->at * 0xc2b2ae3d27d4eb4full;
  return &python->places[(x >> 40) % PYTHON_PLACES];
}

static bool place_holds(const struct python_place *place, const struct python_link *link) {
  return place->pc && place->code == link->code && place->at == link->at &&
         place->name == pointer_at(link->code, python_layout.code_name) &&
         place->file == pointer_at(link->code, python_layout.code_file) &&
         place->first == int_at(link->code, python_layout.code_first);
}

static const struct python_place *place_resolve(struct recorder_thread *thread, const struct python_link *link) {
  struct python_place *place = place_of(thread->python, link);
  uint64_t saved;
  sys_block_signals(&saved);
  *place = (struct python_place){.code = link->code,
                                 .at = link->at,
                                 .name = pointer_at(link->code, python_layout.code_name),
                                 .file = pointer_at(link->code, python_layout.code_file),
                                 .first = int_at(link->code, python_layout.code_first)};
  place->pc = symbol_of(thread, link, place);
  sys_restore_signals(&saved);
  return place;
}

/* A new thread begins in a frame that knows its name; `holds`: CPython may be asked for it now. */
static void names_resolve(struct recorder_thread *thread, const struct python_link *bootstrap, bool holds) {
  struct python_thread *python = thread->python;
  if (!holds) {
    python->is_settled = false;
    return;
  }
  uint64_t saved;
  sys_block_signals(&saved);
  if (bootstrap && bootstrap->frame != python->named_frame)
    name_read(thread, bootstrap);
  name_first(thread);
  sys_restore_signals(&saved);
  python->is_settled = true;
}

static __attribute__((noinline)) void frames_resolve(struct recorder_thread *thread, bool holds) {
  struct python_thread *python = thread->python;
  const struct python_link *bootstrap = NULL;
  python->fingerprint = 0;
  for (uint32_t i = 0; i < python->walk.count; i++) {
    const struct python_link *link = &python->walk.links[i];
    const struct python_place *place = place_of(python, link);
    if (!place_holds(place, link))
      place = place_resolve(thread, link);
    python->pcs[i] = place->pc;
    if (place->is_bootstrap && !bootstrap)
      bootstrap = link;
  }
  if (!python->is_settled || (bootstrap && bootstrap->frame != python->named_frame))
    names_resolve(thread, bootstrap, holds);
  python->fingerprint = python->walk.fingerprint;
}

static struct python_combined *combined_of(struct python_thread *python, const struct c_stack *c) {
  uint64_t x = python->walk.fingerprint ^ c->id * 0x9e3779b97f4a7c15ull;
  return &python->combined[(x >> 20 ^ x) % PYTHON_COMBINED];
}

static bool combined_holds(const struct python_combined *combined, const struct python_thread *python,
                           const struct c_stack *c) {
  return combined->fingerprint == python->walk.fingerprint && combined->c == c->id;
}

/* What the frames are called is asked for when it is needed, and at the latest before the interpreter's lock is gone.
 */
static void frames_read(struct recorder_thread *thread, const struct c_stack *c, const char *state, bool holds) {
  struct python_thread *python = thread->python;
  frames_walk(&python->walk, state);
  bool is_needed = !holds || !python->is_settled || !combined_holds(combined_of(python, c), python, c);
  if (is_needed && (python->walk.fingerprint != python->fingerprint || (holds && !python->is_settled)))
    frames_resolve(thread, holds);
}

/* Whether `pcs` are the thread's Python frames now. */
static bool frames_are_known(struct recorder_thread *thread, const struct c_stack *c) {
  struct python_thread *python = thread->python;
  const char *own = python_api.PyGILState_GetThisThreadState();
  const char *current = own ? python_api.current() : NULL;
  bool holds = own && own == current;
  bool drops = own && !current && (python->state == PYTHON_HOLDS || is_drop_site(c->pc));
  if (!holds && !drops) {
    if (python->state != PYTHON_DROPPED)
      python->state = PYTHON_UNKNOWN;
    return python->state == PYTHON_DROPPED && c->runs_python;
  }
  python->state = PYTHON_UNKNOWN;
  if (!c->runs_python || (holds && !is_proved(own)) ||
      (!holds && atomic_load_explicit(&proof, memory_order_relaxed) != PROOF_PASSED))
    return false;
  frames_read(thread, c, own, holds);
  python->state = holds ? PYTHON_HOLDS : PYTHON_DROPPING;
  python->drop_site = c->pc;
  return true;
}

void python_locked(struct recorder_thread *thread, uint64_t mutex) {
  struct python_thread *python = thread->python;
  if (!python || python->state < PYTHON_DROPPING)
    return;
  if (python->state == PYTHON_DROPPING) {
    python->state = PYTHON_DROPPED;
    python->gil = mutex;
    drop_site_add(python->drop_site);
  } else if (mutex == python->gil) {
    python->state = PYTHON_UNKNOWN;
  }
}

static bool is_loop(uint64_t pc) { return pc > python_api.eval_lo && pc <= python_api.eval_hi; }

/* Python's frames take the place of the loop's C frames: of each, those up to the one that was called from C; of the
 * outermost all that are left. */
static uint32_t frames_join(const struct python_thread *python, const struct c_stack *c, uint64_t *joined) {
  uint32_t count = 0, next = 0, outermost = 0;
  for (uint32_t i = 0; i < c->count; i++)
    outermost = is_loop(c->callers[i].pc) ? i : outermost;
  joined[count++] = c->pc;
  for (uint32_t i = 0; i < c->count && !(python->walk.is_cut && next == python->walk.count); i++) {
    if (!is_loop(c->callers[i].pc) || next == python->walk.count) {
      joined[count++] = c->callers[i].pc;
      continue;
    }
    bool is_done = false;
    while (next < python->walk.count && !is_done) {
      is_done = python->walk.links[next].is_entry && i != outermost;
      if (python->pcs[next])
        joined[count++] = python->pcs[next];
      next++;
    }
  }
  return count;
}

static __attribute__((noinline)) uint32_t stack_join(struct recorder_thread *thread, const struct c_stack *c,
                                                     struct python_combined *combined) {
  struct python_thread *python = thread->python;
  uint64_t saved;
  sys_block_signals(&saved);
  uint32_t count = frames_join(python, c, python->joined);
  uint32_t stack = c->is_cut || python->walk.is_cut ? stack_node(thread, 0, SNARLI_PC_CUT) : 0;
  for (uint32_t i = count; i > 0; i--)
    stack = stack_node(thread, stack, python->joined[i - 1]);
  *combined = (struct python_combined){python->walk.fingerprint, c->id, stack};
  sys_restore_signals(&saved);
  return stack;
}

uint32_t python_stack(struct recorder_thread *thread, const struct c_stack *c) {
  struct python_thread *python = python_of(thread);
  if (!python || !frames_are_known(thread, c) || !python->walk.count)
    return c->id;
  struct python_combined *combined = combined_of(python, c);
  return combined_holds(combined, python, c) ? combined->id : stack_join(thread, c, combined);
}
