/* SPDX-License-Identifier: MIT
 *
 * Marks: at which addresses of this process synchronization objects lie, so that memory which goes and never held one
 * costs its program a few loads. A bit per 8 bytes, in regions that come with their first mark and never go away, and a
 * bit per page above them. Lock-free, any context; a forked child inherits the marks with the memory.
 *
 * Of the calling thread's own stack the lowest mark is kept: once a record is made from a frame above it, the frame
 * that the object lay in has returned.
 */
#include "recorder_state.h"
#include "sys.h"

enum { PAGE_SHIFT = 12, WORDS_OF_PAGE = PAGE / 8 / 64 };

struct mark_region *_Atomic recorder_marks[MARK_REGIONS];

/* Where the calling thread's stack lies, as far as that is certain; 0, 0: unknown. Kept across a fork. */
static RECORDER_TLS uint64_t stack_lo, stack_hi;

static struct mark_region *region_make(uint64_t number) {
  struct mark_region *found = NULL, *made = memory_new(sizeof *made, false);
  if (!made)
    return NULL;
  /* Release pairs with the acquire in mark_region_of: the region is zeroed. */
  if (atomic_compare_exchange_strong_explicit(&recorder_marks[number], &found, made, memory_order_acq_rel,
                                              memory_order_acquire))
    return made;
  sys_munmap(made, sizeof *made);
  return found;
}

static void note_own_stack(uint64_t address) {
  struct recorder_thread *thread = recorder_self;
  uint64_t here = (uint64_t)(uintptr_t)__builtin_frame_address(0);
  bool is_on_stack = here >= stack_lo && here < stack_hi && address > here && address < stack_hi;
  if (thread && is_on_stack && ~address > thread->mark_depth)
    thread->mark_depth = ~address;
}

void mark_set(uint64_t address) {
  uint64_t number = address >> MARK_REGION_SHIFT;
  if (number >= MARK_REGIONS)
    return;
  struct mark_region *region = mark_region_of(address);
  if (!region && !(region = region_make(number)))
    return;
  struct mark_place at = mark_place_of(address);
  atomic_fetch_or_explicit(&region->words[at.word], at.bit, memory_order_relaxed);
  uint64_t page = at.word / WORDS_OF_PAGE;
  if (!(atomic_load_explicit(&region->pages[page / 64], memory_order_relaxed) >> page % 64 & 1))
    atomic_fetch_or_explicit(&region->pages[page / 64], 1ull << page % 64, memory_order_relaxed);
  note_own_stack(address);
}

void mark_clear(uint64_t address) {
  struct mark_region *region = mark_region_of(address);
  struct mark_place at = mark_place_of(address);
  if (region)
    atomic_fetch_and_explicit(&region->words[at.word], ~at.bit, memory_order_relaxed);
}

/* Marked addresses, [lo, hi); hi 0: none. */
struct extent {
  uint64_t lo, hi;
};

/* Takes the marks off a word of which `mask` goes. */
static void take_word(struct mark_region *region, uint64_t base, uint64_t word, uint64_t mask, struct extent *extent) {
  uint64_t bits = atomic_load_explicit(&region->words[word], memory_order_relaxed) & mask;
  if (!bits)
    return;
  atomic_fetch_and_explicit(&region->words[word], ~bits, memory_order_relaxed);
  uint64_t at = base + word * 512;
  if (!extent->hi)
    extent->lo = at + (uint64_t)__builtin_ctzll(bits) * 8;
  extent->hi = at + (64 - (uint64_t)__builtin_clzll(bits)) * 8;
}

/* [lo, hi) lies in one page of the region. */
static void take_page(struct mark_region *region, uint64_t base, uint64_t lo, uint64_t hi, struct extent *extent) {
  uint64_t page = (lo - base) >> PAGE_SHIFT;
  if (!(atomic_load_explicit(&region->pages[page / 64], memory_order_relaxed) >> page % 64 & 1))
    return;
  uint64_t first = (lo - base) / 8, last = (hi - 1 - base) / 8;
  for (uint64_t word = first / 64; word <= last / 64; word++) {
    uint64_t mask = ~0ull;
    if (word == first / 64)
      mask &= ~0ull << first % 64;
    if (word == last / 64)
      mask &= ~0ull >> (63 - last % 64);
    take_word(region, base, word, mask, extent);
  }
}

/* The next page at or after `at` in whose 64 pages there may be a mark; else `hi` or more. */
static uint64_t skip_clean(struct mark_region *region, uint64_t base, uint64_t at, uint64_t hi) {
  while (at < hi && !atomic_load_explicit(&region->pages[(at - base) >> PAGE_SHIFT >> 6], memory_order_relaxed))
    at = ((at >> PAGE_SHIFT >> 6) + 1) << PAGE_SHIFT << 6;
  return at;
}

static struct extent take_marks(struct mark_region *region, uint64_t lo, uint64_t hi) {
  struct extent extent = {0, 0};
  uint64_t base = lo >> MARK_REGION_SHIFT << MARK_REGION_SHIFT;
  for (uint64_t at = lo; (at = skip_clean(region, base, at, hi)) < hi;) {
    uint64_t next = ((at >> PAGE_SHIFT) + 1) << PAGE_SHIFT;
    next = next < hi ? next : hi;
    take_page(region, base, at, next, &extent);
    at = next;
  }
  return extent;
}

void marks_memory_goes(uint64_t lo, uint64_t hi) {
  const uint64_t end = (uint64_t)MARK_REGIONS << MARK_REGION_SHIFT;
  hi = hi < lo || hi > end ? end : hi;
  while (lo < hi) {
    struct mark_region *region = mark_region_of(lo);
    uint64_t next = ((lo >> MARK_REGION_SHIFT) + 1) << MARK_REGION_SHIFT;
    next = next < hi ? next : hi;
    struct extent extent = region ? take_marks(region, lo, next) : (struct extent){0, 0};
    if (extent.hi)
      snarli_record_aux(SNARLI_R_MEMORY_FREED, 0, extent.lo, (uint32_t)(extent.hi - extent.lo));
    lo = next;
  }
}

/* For the small blocks that most are: no mark on any of its granules, which lie in one word or two. */
static inline bool is_clean(struct mark_region *region, uint64_t lo, uint64_t size) {
  if (size - 1 >= 512)
    return false;
  struct mark_place first = mark_place_of(lo), last = mark_place_of(lo + size - 1);
  uint64_t from = ~(first.bit - 1), to = last.bit | (last.bit - 1);
  uint64_t one = atomic_load_explicit(&region->words[first.word], memory_order_relaxed) & from;
  if (first.word == last.word)
    return !(one & to);
  return last.word > first.word && !one &&
         !(atomic_load_explicit(&region->words[last.word], memory_order_relaxed) & to);
}

void snarli_block_freed(void *block, size_t (*size_of)(void *)) {
  uint64_t lo = (uint64_t)(uintptr_t)block;
  struct mark_region *region = mark_region_of(lo);
  if (!region)
    return;
  size_t size = size_of ? size_of(block) : 1;
  if (!is_clean(region, lo, size))
    snarli_memory_freed(block, size);
}

void snarli_memory_freed(const void *at, size_t size) {
  if (size && snarli_is_recording())
    marks_memory_goes((uint64_t)(uintptr_t)at, (uint64_t)(uintptr_t)at + size);
}

void marks_pop_frames(struct recorder_thread *thread, const void *frame) {
  uint64_t cfa = (uint64_t)(uintptr_t)frame;
  if (cfa < stack_lo || cfa >= stack_hi) /* runs on another stack: its own is as it was */
    return;
  uint64_t lo = ~thread->mark_depth;
  thread->mark_depth = ~cfa; /* whether there are marks above is found out when those frames have returned, too */
  marks_memory_goes(lo, cfa);
}

uint64_t marks_stack_end(uint64_t address) { return address >= stack_lo && address < stack_hi ? stack_hi : 0; }

void marks_thread_end(void) { marks_memory_goes(stack_lo, stack_hi); }

void snarli_thread_stack(const void *lo, const void *hi) {
  stack_lo = (uint64_t)(uintptr_t)lo;
  stack_hi = (uint64_t)(uintptr_t)hi;
}
