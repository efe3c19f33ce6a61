/* SPDX-License-Identifier: MIT
 *
 * pthread_once and call_once. The program's routine takes no argument, so what the trampoline needs lies on the
 * caller's stack and is found through a thread-local chain: routines may run other onces. Entered by any thread.
 */
#include "wrapper.h"

struct run {
  struct run *outer; /* the run during which this one began */
  void (*routine)(void);
  uint64_t once;
  uint32_t stack;
  bool is_over;
};
static __thread struct run *innermost;

enum { ONCE_DONE = 2 }; /* the bit that glibc sets when the routine has returned; without it there is a record more */

static void run_ended(struct run **run) { snarli_record_aux(SNARLI_R_ONCE_ENDED, 0, (*run)->once, (*run)->stack); }

static void trampoline(void) {
  __attribute__((cleanup(run_ended))) struct run *run = innermost; /* ended also when cancelled or thrown out of */
  snarli_record_aux(SNARLI_R_ONCE_BEGUN, 0, run->once, run->stack);
  run->routine();
}

/* Leaves the chain; if the routine was cancelled or threw, the once is as if never begun. */
static void run_left(struct run *run) {
  innermost = run->outer;
  if (!run->is_over)
    snarli_record_aux(SNARLI_R_ONCE_PASSED, ECANCELED, run->once, run->stack);
}

static inline void run_enter(struct run *run, bool is_done) {
  run->outer = innermost;
  innermost = run;
  if (!is_done)
    snarli_record_aux(SNARLI_R_ONCE_REQUESTED, 0, run->once, run->stack);
}

static inline void run_pass(struct run *run, int error) {
  run->is_over = true;
  snarli_record_aux(SNARLI_R_ONCE_PASSED, (unsigned)error, run->once, run->stack);
}

#define RUN(once, routine)                                                                                             \
  __attribute__((cleanup(run_left))) struct run run = {NULL, routine, snarli_address(once), SNARLI_STACK, false}

SNARLI_EXPORT int pthread_once(pthread_once_t *once, void (*routine)(void)) {
  if (!snarli_is_recording())
    return snarli_real()->pthread_once(once, routine);
  RUN(once, routine);
  run_enter(&run, __atomic_load_n(once, __ATOMIC_ACQUIRE) & ONCE_DONE);
  int error = snarli_real()->pthread_once(once, trampoline);
  run_pass(&run, error);
  return error;
}

SNARLI_EXPORT void call_once(once_flag *once, void (*routine)(void)) {
  if (!snarli_is_recording()) {
    snarli_real()->call_once(once, routine);
    return;
  }
  RUN(once, routine);
  run_enter(&run, __atomic_load_n((const int *)once, __ATOMIC_ACQUIRE) & ONCE_DONE);
  snarli_real()->call_once(once, trampoline);
  run_pass(&run, 0);
}
