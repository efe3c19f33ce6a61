/* SPDX-License-Identifier: MIT
 *
 * tableless SHIM: the stacks of locks that are taken by code without unwind tables: compiled with frame pointers, or
 * written into memory at run time as a just-in-time compiler does. All frames are there, whatever kinds of code follow
 * one another, and the rest of the stack is that of a lock which the same function takes itself. Of code that has no
 * frame pointers either, the innermost frame at least. In the first thread and in another; walked and remembered.
 */
#include "tableless.h"
#include <ftw.h>
#include <snarl/trace/reader.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ROUNDS = 3, THREADS = 2, FRAMES = 64 };

/* kind of code, frames below the function that calls it, 0: not known */
#define KINDS                                                                                                          \
  KIND(direct, 0, lock(&mutex))                                                                                        \
  KIND(pointers, 2, pointers_descend(&mutex, 1))                                                                       \
  KIND(deep_pointers, 11, pointers_descend(&mutex, 10))                                                                \
  KIND(generated, 1, generated_code(&mutex, lock))                                                                     \
  KIND(generated_below, 3, generated_code(&mutex, lock_below))                                                         \
  KIND(tables_below, 2, generated_code(&mutex, lock_here))                                                             \
  KIND(pointerless, 0, pointerless_descend(&mutex, 5))                                                                 \
  KIND(after, 0, lock(&mutex))

enum kind {
#define KIND(name, frames, call) name,
  KINDS
#undef KIND
      KIND_COUNT
};
static const char *const names[] = {
#define KIND(name, frames, call) #name,
    KINDS
#undef KIND
};
static const size_t frames_of[] = {
#define KIND(name, frames, call) frames,
    KINDS
#undef KIND
};

/* --- in the process that is recorded
 * ---------------------------------------------------------------------------------------------- */

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static int (*volatile lock)(pthread_mutex_t *) = pthread_mutex_lock;
static int (*generated_code)(pthread_mutex_t *, int (*)(pthread_mutex_t *));

static int lock_here(pthread_mutex_t *at) {
  int result = lock(at);
  __asm__ volatile("" ::: "memory");
  return result;
}

static int lock_below(pthread_mutex_t *at) {
  int result = generated_code(at, lock);
  __asm__ volatile("" ::: "memory");
  return result;
}

/* push %rbp; mov %rsp, %rbp; call *%rsi; pop %rbp; ret */
static bool generate(void) {
  static const unsigned char code[] = {0x55, 0x48, 0x89, 0xe5, 0xff, 0xd6, 0x5d, 0xc3};
  void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (page == MAP_FAILED)
    return false;
  memcpy(page, code, sizeof code);
  memcpy(&generated_code, &page, sizeof page);
  return mprotect(page, 4096, PROT_READ | PROT_EXEC) == 0;
}

static __attribute__((noinline)) void take(enum kind kind) {
  switch (kind) {
#define KIND(name, frames, call)                                                                                       \
  case name:                                                                                                           \
    call;                                                                                                              \
    break;
    KINDS
#undef KIND
  case KIND_COUNT:
    abort();
  }
}

static void *work(void *unused) {
  for (int round = 0; round < ROUNDS; round++)
    for (int kind = 0; kind < KIND_COUNT; kind++) {
      take((enum kind)kind);
      if (kind != pointers && kind != deep_pointers && kind != pointerless) /* these unlock */
        pthread_mutex_unlock(&mutex);
    }
  return unused;
}

static int drive(void) {
  pthread_t thread;
  if (!generate())
    return 1;
  work(NULL);
  return pthread_create(&thread, NULL, work, NULL) || pthread_join(thread, NULL);
}

/* --- in the process that looks
 * ---------------------------------------------------------------------------------------------------- */

struct stack {
  uint32_t id;
  size_t count;
  uint64_t pcs[FRAMES];
};
static struct stack stacks[THREADS][ROUNDS][KIND_COUNT];

static bool collect(struct trace *trace) {
  struct trace_record record;
  unsigned seen[THREADS] = {0};
  while (trace_next(trace, &record)) {
    if (record.type != SNARLI_R_MUTEX_ACQUIRED)
      continue;
    if (record.thread >= THREADS || seen[record.thread] == ROUNDS * KIND_COUNT)
      return false;
    unsigned number = seen[record.thread]++;
    struct stack *stack = &stacks[record.thread][number / KIND_COUNT][number % KIND_COUNT];
    stack->id = record.aux;
    stack->count = trace_stack(trace, record.process, record.aux, stack->pcs, FRAMES);
  }
  return seen[0] == ROUNDS * KIND_COUNT && seen[1] == ROUNDS * KIND_COUNT;
}

/* The frames that are further out than those of work, which calls take, are the same. */
static bool is_whole(const struct stack *stack, const struct stack *direct, size_t inner) {
  return direct->count > 2 && stack->count == direct->count + inner &&
         memcmp(stack->pcs + inner + 1, direct->pcs + 1, (direct->count - 1) * sizeof *stack->pcs) == 0;
}

static int check_one(unsigned thread, unsigned round, enum kind kind) {
  const struct stack *stack = &stacks[thread][round][kind];
  bool is_good = kind == pointerless ? stack->count > 0 : is_whole(stack, &stacks[thread][0][direct], frames_of[kind]);
  if (is_good && (round == 0 || stack->id == stacks[thread][0][kind].id))
    return 0;
  printf("%s in thread %u, round %u: stack %u of %zu frames", names[kind], thread, round, stack->id, stack->count);
  for (size_t i = 0; i < stack->count && i < FRAMES; i++)
    printf(" %#llx", (unsigned long long)stack->pcs[i]);
  printf("\n");
  return 1;
}

static int check(const char *directory) {
  struct trace_problem problem;
  struct trace *trace = trace_open(directory, &problem);
  if (!trace || !collect(trace)) {
    printf("%s\n", trace ? "not all was recorded" : problem.text);
    return 1;
  }
  trace_close(trace);
  int wrong = 0;
  for (unsigned thread = 0; thread < THREADS; thread++)
    for (unsigned round = 0; round < ROUNDS; round++)
      for (int kind = 0; kind < KIND_COUNT; kind++)
        wrong += check_one(thread, round, (enum kind)kind);
  return wrong != 0;
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *walk) {
  (void)status, (void)type, (void)walk;
  return remove(path);
}

static int run(const char *self, const char *library) {
  char directory[] = "/tmp/snarl-tableless-XXXXXX";
  if (!mkdtemp(directory))
    return 1;
  pid_t child = fork();
  if (child == 0) {
    setenv("LD_PRELOAD", library, 1);
    setenv("SNARL_TRACE", directory, 1);
    execl(self, self, "drive", (char *)NULL);
    _exit(127);
  }
  int status = -1;
  waitpid(child, &status, 0);
  if (status)
    printf("the program ended with status %d\n", status);
  int result = status != 0 || check(directory);
  nftw(directory, remove_one, 16, FTW_DEPTH | FTW_PHYS);
  return result;
}

int main(int argc, char **argv) {
  if (argc == 2 && strcmp(argv[1], "drive") == 0)
    return drive();
  return argc == 2 ? run(argv[0], argv[1]) : 2;
}
