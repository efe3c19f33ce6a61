/* SPDX-License-Identifier: MIT
 *
 * Locks on all kinds of stacks: the smallest that a thread may have, of coroutines, signal handlers, given by the
 * program; very deep ones; and thousands at once.
 */
#include "show.h"
#include <setjmp.h>
#include <sys/resource.h>
#include <ucontext.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static sem_t sem;
static _Atomic long sum;

static int use_locks(void) {
  int bad_ones = pthread_mutex_lock(&mutex);
  bad_ones += pthread_cond_timedwait(&cond, &mutex, &past) != ETIMEDOUT;
  bad_ones += pthread_mutex_unlock(&mutex);
  bad_ones += sem_post(&sem) + sem_wait(&sem);
  sum++;
  return bad_ones;
}
static void *in_small_stack(void *unused) {
  (void)unused;
  return (void *)(size_t)use_locks();
}

static void small_ones(void) {
  pthread_attr_t attr;
  pthread_t thread;
  void *result;
  context = "small";
  pthread_attr_init(&attr);
  SHOW(pthread_attr_setstacksize(&attr, PTHREAD_STACK_MIN - 1));
  SHOW(pthread_attr_setstacksize(&attr, PTHREAD_STACK_MIN));
  for (int i = 0; i < 3; i++) {
    SHOW(pthread_create(&thread, &attr, in_small_stack, NULL));
    SHOW(pthread_join(thread, &result));
    SHOW(result);
  }
}

/* With a page that must not be touched on either side. */
static void given_ones(void) {
  enum { SIZE = 64 * 1024, GUARD = 4096 };
  pthread_attr_t attr;
  pthread_t thread;
  void *result;
  context = "given";
  char *memory = mmap(NULL, SIZE + 2 * GUARD, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  SHOW(mprotect(memory + GUARD, SIZE, PROT_READ | PROT_WRITE));
  pthread_attr_init(&attr);
  SHOW(pthread_attr_setstack(&attr, memory + GUARD, SIZE));
  for (int i = 0; i < 3; i++) {
    SHOW(pthread_create(&thread, &attr, in_small_stack, NULL));
    SHOW(pthread_join(thread, &result));
    SHOW(result);
  }
  SHOW(munmap(memory, SIZE + 2 * GUARD));
}

enum { COROUTINES = 3 };
static ucontext_t main_context, contexts[COROUTINES];
static _Atomic int bad_in_coroutines;
static void coroutine(int number) {
  for (int i = 0; i < 100; i++) {
    bad_in_coroutines += use_locks();
    swapcontext(&contexts[number], &main_context);
  }
}

/* The stacks go away at the end, and new ones take their place. */
static void coroutines(void) {
  enum { SIZE = 64 * 1024 };
  context = "coroutines";
  for (volatile int round = 0; round < 3; round++) {
    char *stacks = mmap(NULL, COROUTINES * SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    for (int i = 0; i < COROUTINES; i++) {
      getcontext(&contexts[i]);
      contexts[i].uc_stack.ss_sp = stacks + i * SIZE;
      contexts[i].uc_stack.ss_size = SIZE;
      contexts[i].uc_link = &main_context;
      makecontext(&contexts[i], (void (*)(void))coroutine, 1, i);
    }
    for (int i = 0; i < 100 * COROUTINES; i++)
      swapcontext(&main_context, &contexts[i % COROUTINES]);
    munmap(stacks, COROUTINES * SIZE);
  }
  SHOW(bad_in_coroutines);
}

#pragma GCC diagnostic ignored "-Winfinite-recursion"

static jmp_buf back;
static __attribute__((noinline)) void leave(int depth) {
  volatile char filler[64] = {0};
  if (depth)
    leave(depth - 1);
  pthread_mutex_lock(&mutex);
  longjmp(back, filler[0] + 1);
}
static void jumps(void) {
  context = "jumps";
  for (volatile int i = 0; i < 20; i++) {
    if (setjmp(back) == 0)
      leave(i);
    if (pthread_mutex_trylock(&mutex) != EBUSY || pthread_mutex_unlock(&mutex))
      SHOW(i);
  }
  SHOW(use_locks());
}

static __attribute__((noinline)) int deep(int depth) {
  volatile char filler[16] = {0};
  int bad_ones = depth ? deep(depth - 1) : use_locks();
  return bad_ones + filler[0];
}
static void deep_ones(void) {
  context = "deep";
  SHOW(deep(10));
  SHOW(deep(600));
  SHOW(deep(20000));
}

static char alternative[16 * 1024];
static int bad_in_handler;
static void handler(int signal) {
  (void)signal;
  bad_in_handler += use_locks();
}
static void alternatives(void) {
  stack_t stack = {.ss_sp = alternative, .ss_size = sizeof alternative};
  struct sigaction action = {.sa_handler = handler, .sa_flags = SA_ONSTACK};
  context = "alternatives";
  SHOW(sigaltstack(&stack, NULL));
  SHOW(sigaction(SIGUSR1, &action, NULL));
  for (int i = 0; i < 3; i++)
    raise(SIGUSR1);
  SHOW(bad_in_handler);
}

/* All alive at one time. Where fewer are allowed, both runs have fewer: only what goes wrong is shown. */
enum { MANY = 4000 };
static pthread_t many[MANY];
static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
static void *live(void *unused) {
  (void)unused;
  size_t bad_ones = (size_t)use_locks();
  pthread_mutex_lock(&gate);
  pthread_mutex_unlock(&gate);
  return (void *)bad_ones;
}
static void many_ones(void) {
  pthread_attr_t attr;
  int count = 0;
  size_t bad_ones = 0;
  context = "many";
  pthread_attr_init(&attr);
  pthread_attr_setstacksize(&attr, 64 * 1024);
  pthread_mutex_lock(&gate);
  while (count < MANY && pthread_create(&many[count], &attr, live, NULL) == 0)
    count++;
  pthread_mutex_unlock(&gate);
  for (int i = 0; i < count; i++) {
    void *result;
    bad_ones += pthread_join(many[i], &result) || result;
  }
  SHOW(count < 100);
  SHOW(bad_ones);
}

int main(void) {
  sem_init(&sem, 0, 0);
  small_ones();
  given_ones();
  coroutines();
  jumps();
  deep_ones();
  alternatives();
  many_ones();
  return 0;
}
