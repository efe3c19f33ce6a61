/* SPDX-License-Identifier: MIT
 *
 * A slab of starts in segments that double in size and never go away; a start has a number, and the free ones form a
 * stack whose head carries a count against ABA. Entered by any thread and its signal handlers; consistent at every
 * step, so a fork at any point leaves a usable copy.
 */
#include "starts.h"
#include "wrapper.h"

enum { FIRST_SHIFT = 6, SEGMENTS = 26 }; /* 64 << 25 starts: more than there can be threads (32-bit kernel ids) */

static struct snarli_start *_Atomic segments[SEGMENTS];
static _Atomic uint32_t highest;   /* numbers handed out so far */
static _Atomic uint64_t free_head; /* count << 32 | number */

/* Number n > 0 lies in the segment of the highest bit of n - 1 + 64. */
static unsigned segment_of(uint32_t number, uint32_t *place) {
  uint32_t position = number - 1 + (1u << FIRST_SHIFT);
  unsigned top = 31 - (unsigned)__builtin_clz(position);
  *place = position - (1u << top);
  return top - FIRST_SHIFT;
}

static struct snarli_start *segment_make(unsigned segment) {
  struct snarli_start *made = NULL, *found = NULL;
  size_t size = sizeof *made << (segment + FIRST_SHIFT);
  made = snarli_real()->mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (made == MAP_FAILED)
    return NULL;
  /* Release pairs with the acquire in start_at. */
  if (atomic_compare_exchange_strong_explicit(&segments[segment], &found, made, memory_order_release,
                                              memory_order_acquire))
    return made;
  (void)snarli_real()->munmap(made, size);
  return found;
}

static struct snarli_start *start_at(uint32_t number) {
  uint32_t place;
  unsigned segment = segment_of(number, &place);
  if (segment >= SEGMENTS)
    return NULL;
  struct snarli_start *base = atomic_load_explicit(&segments[segment], memory_order_acquire);
  if (!base)
    base = segment_make(segment);
  return base ? base + place : NULL;
}

static struct snarli_start *free_pop(void) {
  uint64_t head = atomic_load_explicit(&free_head, memory_order_acquire);
  while ((uint32_t)head) {
    struct snarli_start *start = start_at((uint32_t)head);
    uint64_t next = ((head >> 32) + 1) << 32 | start->next;
    if (atomic_compare_exchange_weak_explicit(&free_head, &head, next, memory_order_acquire, memory_order_acquire))
      return start;
  }
  return NULL;
}

static void free_push(struct snarli_start *start) {
  uint64_t head = atomic_load_explicit(&free_head, memory_order_relaxed), next;
  do {
    start->next = (uint32_t)head;
    next = ((head >> 32) + 1) << 32 | start->number;
    /* Release pairs with the acquire in free_pop: publishes `next`. */
  } while (!atomic_compare_exchange_weak_explicit(&free_head, &head, next, memory_order_release, memory_order_relaxed));
}

struct snarli_start *snarli_start_new(void) {
  struct snarli_start *start = free_pop();
  if (!start) {
    uint32_t number = atomic_fetch_add_explicit(&highest, 1, memory_order_relaxed) + 1;
    start = start_at(number);
    if (!start)
      return NULL;
    start->number = number;
  }
  start->users = 2;
  start->handle = 0;
  return start;
}

void snarli_start_leave(struct snarli_start *start) {
  if (atomic_fetch_sub_explicit(&start->users, 1, memory_order_acq_rel) == 1)
    free_push(start);
}
