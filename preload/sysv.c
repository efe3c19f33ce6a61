/* SPDX-License-Identifier: MIT
 *
 * System V semaphores. A call that must take something is tried first, with IPC_NOWAIT on all of its steps: the kernel
 * looks at the steps before it lets anybody wait, so where that succeeds the call itself would have succeeded at once.
 * Calls with a timeout are not tried: whether it is a good one is looked at first. Entered by any thread and, as far as
 * the program dares, by signal handlers.
 */
#include "wrapper.h"
#include <stdarg.h>
#include <stdatomic.h>
#include <string.h>

enum {
  STEPS_MOST = 500, /* SEMOPM */
  TRIED_MOST = 32,  /* steps of a call that is tried first */
  KNOWN_MOST =
      256, /* semaphores of a set whose values are looked at; those of others are unknown, and nothing is said */
};
enum { FOUND = 0, SET = 1, NEW = 2 };

union argument {
  int value;
  void *pointer;
  unsigned short *values;
};

static uint64_t object_of(int id, unsigned number) { return (uint64_t)(uint32_t)id << 16 | (number & 0xffff); }

/* Ids of sets mean something within a namespace. Told once; a forked child has its parent's. */
static void tell_namespace(void) {
  static _Atomic bool is_told;
  if (atomic_exchange_explicit(&is_told, true, memory_order_relaxed))
    return;
  char name[64] = "";
  int saved = errno;
  ssize_t size = readlink("/proc/self/ns/ipc", name, sizeof name - 1);
  errno = saved;
  uint64_t number = 0;
  for (const char *at = size > 0 ? strchr(name, '[') : NULL; at && at[1] >= '0' && at[1] <= '9'; at++)
    number = number * 10 + (uint64_t)(at[1] - '0');
  snarli_record_aux(SNARLI_R_SYSV_NAMESPACE, 0, number, 0);
}

static void record_values(int id, unsigned how) {
  struct semid_ds status;
  unsigned short values[KNOWN_MOST];
  int saved = errno;
  if (snarli_real()->semctl(id, 0, IPC_STAT, &status) == 0 && status.sem_nsems <= KNOWN_MOST &&
      snarli_real()->semctl(id, 0, GETALL, values) == 0)
    for (unsigned i = 0; i < status.sem_nsems; i++)
      snarli_record_aux(SNARLI_R_SYSV_VALUE, how, object_of(id, i), values[i]);
  errno = saved;
}

SNARLI_EXPORT int semget(key_t key, int count, int flags) {
  int id = snarli_real()->semget(key, count, flags);
  if (id < 0 || !snarli_is_recording())
    return id;
  tell_namespace();
  record_values(id, key == IPC_PRIVATE ? NEW : FOUND);
  return id;
}

SNARLI_EXPORT int semctl(int id, int number, int command, ...) {
  va_list rest;
  va_start(rest, command);
  union argument argument = va_arg(rest, union argument);
  va_end(rest);
  uint32_t stack = SNARLI_STACK_IF_RECORDING;
  int result = snarli_real()->semctl(id, number, command, argument);
  if (result == -1 || !snarli_is_recording())
    return result;
  if (command == SETVAL)
    snarli_record_aux(SNARLI_R_SYSV_VALUE, SET, object_of(id, (unsigned)number), (uint32_t)argument.value);
  else if (command == SETALL)
    record_values(id, SET);
  else if (command == IPC_RMID)
    snarli_record_aux(SNARLI_R_SYSV_REMOVED, 0, object_of(id, 0), stack);
  return result;
}

struct call {
  int id;
  struct sembuf *steps;
  size_t count;
  const struct timespec *end;
  uint32_t stack;
};

static unsigned units_of(const struct sembuf *step) {
  int units = step->sem_op < 0 ? -step->sem_op : step->sem_op;
  return (unsigned)(units < SNARLI_U_MANY ? units : SNARLI_U_MANY) << SNARLI_U_SHIFT |
         (step->sem_flg & SEM_UNDO ? SNARLI_U_UNDO : 0);
}

/* A record for each step: `taken` for those that take or wait for zero, `given` for the others; 0: none. */
static void record_steps(const struct call *call, unsigned taken, unsigned given, unsigned flags) {
  bool is_first = true;
  for (size_t i = 0; i < call->count; i++) {
    const struct sembuf *step = &call->steps[i];
    unsigned type = step->sem_op > 0 ? given : taken;
    if (!type)
      continue;
    snarli_record_aux((enum snarli_record_type)type, units_of(step) | flags | (is_first ? 0 : SNARLI_U_TOGETHER),
                      object_of(call->id, step->sem_num), call->stack);
    is_first = false;
  }
}

static void record_failure(const struct call *call, enum snarli_record_type type) {
  for (size_t i = 0; i < (type == SNARLI_R_SYSV_FAILED ? 1 : call->count); i++)
    snarli_record_aux(type, (unsigned)errno, object_of(call->id, call->steps[i].sem_num), call->stack);
}

static int perform(const struct call *call, struct sembuf *steps) {
  return call->end ? snarli_real()->semtimedop(call->id, steps, call->count, call->end)
                   : snarli_real()->semop(call->id, steps, call->count);
}

/* Nothing but giving: it cannot wait. */
static int give(const struct call *call) {
  record_steps(call, 0, SNARLI_R_SYSV_POSTED, 0);
  int result = perform(call, call->steps);
  if (result)
    record_failure(call, SNARLI_R_SYSV_POST_FAILED);
  return result;
}

/* -1 with EAGAIN: it would wait, or was not tried. */
static int try_first(const struct call *call) {
  struct sembuf steps[TRIED_MOST];
  errno = EAGAIN;
  if (call->end || call->count > TRIED_MOST)
    return -1;
  for (size_t i = 0; i < call->count; i++) {
    steps[i] = call->steps[i];
    steps[i].sem_flg |= IPC_NOWAIT;
  }
  return perform(call, steps);
}

/* Every step that could make it wait says that it must not. */
static bool is_try(const struct call *call) {
  for (size_t i = 0; i < call->count; i++)
    if (call->steps[i].sem_op <= 0 && !(call->steps[i].sem_flg & IPC_NOWAIT))
      return false;
  return true;
}

static void record_outcome(const struct call *call, int result, unsigned flags) {
  const struct sembuf *first = call->steps;
  if (!result)
    record_steps(call, SNARLI_R_SYSV_ACQUIRED, SNARLI_R_SYSV_POSTED, flags);
  else if (flags & SNARLI_F_TRY)
    snarli_record_try(SNARLI_R_SYSV_ACQUIRED, SNARLI_R_SYSV_FAILED, 0, errno, object_of(call->id, first->sem_num),
                      call->stack);
  else
    record_failure(call, SNARLI_R_SYSV_FAILED);
}

static int take(const struct call *call) {
  int saved = errno, result;
  if (is_try(call)) {
    result = perform(call, call->steps);
    record_outcome(call, result, SNARLI_F_TRY);
    return result;
  }
  unsigned flags = call->end ? SNARLI_F_TIMED : 0;
  result = try_first(call);
  bool must_wait = result && errno == EAGAIN;
  if (!result || must_wait)
    errno = saved;
  if (must_wait) {
    record_steps(call, SNARLI_R_SYSV_REQUESTED, 0, flags);
    result = perform(call, call->steps);
  }
  record_outcome(call, result, flags);
  return result;
}

static int operate(const struct call *call) {
  tell_namespace();
  for (size_t i = 0; i < call->count; i++)
    if (call->steps[i].sem_op <= 0)
      return take(call);
  return give(call);
}

/* More steps than a call may have are not even looked at by the kernel, nor are none. */
static bool is_recorded(const struct sembuf *steps, size_t count) { return steps && count && count <= STEPS_MOST; }

SNARLI_EXPORT int semop(int id, struct sembuf *steps, size_t count) {
  if (!snarli_is_recording() || !is_recorded(steps, count))
    return snarli_real()->semop(id, steps, count);
  struct call call = {id, steps, count, NULL, SNARLI_STACK};
  return operate(&call);
}

SNARLI_EXPORT int semtimedop(int id, struct sembuf *steps, size_t count, const struct timespec *end) {
  if (!snarli_is_recording() || !is_recorded(steps, count))
    return snarli_real()->semtimedop(id, steps, count, end);
  struct call call = {id, steps, count, end, SNARLI_STACK};
  return operate(&call);
}
