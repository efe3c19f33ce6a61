/* SPDX-License-Identifier: MIT
 *
 * A fiber is left while it holds a mutex; its thread runs another, which waits for that for ever.
 */
#include "nest.h"
#include <snarl/annotate.h>
#include <ucontext.h>

static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER;
static struct fiber {
  ucontext_t context;
  void *known_as;
  char stack[64 * 1024];
} scheduler, first, second;

static void go(struct fiber *from, struct fiber *to) {
  snarl_fiber_switch(to->known_as, 0);
  MUST(swapcontext(&from->context, &to->context) == 0);
}

static void run_first(void) {
  pthread_mutex_lock(&a);
  go(&first, &scheduler);
  pthread_mutex_unlock(&a);
  go(&first, &scheduler);
}

static void run_second(void) {
  pthread_mutex_lock(&a);
  pthread_mutex_unlock(&a);
  go(&second, &scheduler);
}

static void prepare(struct fiber *fiber, const char *name, void (*routine)(void)) {
  fiber->known_as = snarl_fiber_created(name);
  MUST(getcontext(&fiber->context) == 0);
  fiber->context.uc_stack.ss_sp = fiber->stack;
  fiber->context.uc_stack.ss_size = sizeof fiber->stack;
  makecontext(&fiber->context, routine, 0);
}

int main(void) {
  scheduler.known_as = snarl_fiber_current();
  prepare(&first, "first", run_first);
  prepare(&second, "second", run_second);
  go(&scheduler, &first);
  go(&scheduler, &second);
  snarl_fiber_destroyed(first.known_as);
  snarl_fiber_destroyed(second.known_as);
  return 0;
}
