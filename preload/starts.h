/* SPDX-License-Identifier: MIT
 *
 * What a creating thread hands to the thread it creates. Lives in memory of its own: neither malloc nor the creator's
 * stack will do. What stands for a fiber lies here, too. Lock-free; entered by any thread and its signal handlers.
 */
#ifndef SNARLI_STARTS_H
#define SNARLI_STARTS_H

#include <snarl/trace/recorder.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

struct snarli_start {
  union {
    void *(*posix)(void *);
    int (*c11)(void *);
    const void *address;
  } routine;
  void *argument;
  size_t stack_size;
  unsigned hidden;           /* of a fiber: see snarli_hidden_exchange */
  struct snarli_fiber fiber; /* if it stands for one: then `argument` is what ThreadSanitizer's runtime calls it */
  uint32_t index;            /* of the new thread */
  uint32_t number;           /* of this start, fixed */
  _Atomic uint32_t next;     /* in the list of free ones: a number, 0 ends it */
  _Atomic uint32_t users;    /* creator and created: the one that leaves last frees it */
  _Atomic uintptr_t handle;  /* of the new thread, once it runs; 0 before */
};

/* NULL: out of memory. */
struct snarli_start *snarli_start_new(void);
/* One of `users` leaves. */
void snarli_start_leave(struct snarli_start *start);

#endif
