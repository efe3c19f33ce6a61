/* SPDX-License-Identifier: MIT
 *
 * mmap, munmap, mremap, brk, sbrk, shmat and shmdt, and the list of shared ranges that makes an munmap of anything else
 * cheap. Ranges lie in blocks that are mapped when the last one is full and never go away, so the list is walked
 * without a lock. Entered by any thread; a forked child inherits the list with the mappings.
 */
#include "memory.h"
#include "wrapper.h"
#include <stdarg.h>
#include <stdatomic.h>
#include <sys/shm.h>

struct range {
  _Atomic uintptr_t lo; /* 0: free; RESERVED: being filled; stored last (release) */
  _Atomic uintptr_t hi;
  _Atomic unsigned users;
  struct block *home;
};
enum { RESERVED = 1, RANGES = 340 };
struct block {
  struct block *_Atomic next;
  _Atomic unsigned used; /* a hint: full blocks are passed over */
  struct range ranges[RANGES];
};

static struct block first_block;
static _Atomic size_t range_count; /* 0: there is nothing to look for */

/* The block after `block`, made if there is none; NULL: no memory. */
static struct block *block_after(struct block *block) {
  struct block *next = atomic_load_explicit(&block->next, memory_order_acquire);
  if (next)
    return next;
  struct block *made =
      snarli_real()->mmap(NULL, sizeof *made, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (made == MAP_FAILED)
    return NULL;
  /* Release pairs with the acquire above and in range_next. */
  if (atomic_compare_exchange_strong_explicit(&block->next, &next, made, memory_order_release, memory_order_acquire))
    return made;
  (void)snarli_real()->munmap(made, sizeof *made);
  return next;
}

struct cursor {
  struct block *block;
  size_t i;
};

/* The next range in use, NULL at the end. */
static struct range *range_next(struct cursor *cursor) {
  while (cursor->block) {
    while (cursor->i < RANGES) {
      struct range *range = &cursor->block->ranges[cursor->i++];
      if (atomic_load_explicit(&range->lo, memory_order_acquire) > RESERVED)
        return range;
    }
    cursor->block = atomic_load_explicit(&cursor->block->next, memory_order_acquire);
    cursor->i = 0;
  }
  return NULL;
}

static bool range_claim(struct block *home, struct range *range, uintptr_t lo, uintptr_t hi) {
  uintptr_t expected = 0;
  if (!atomic_compare_exchange_strong_explicit(&range->lo, &expected, RESERVED, memory_order_acquire,
                                               memory_order_relaxed))
    return false;
  range->hi = hi;
  range->users = 1;
  range->home = home;
  home->used++;
  atomic_store_explicit(&range->lo, lo, memory_order_release);
  range_count++;
  return true;
}

static void range_add(uintptr_t lo, uintptr_t hi) {
  for (struct block *block = &first_block; block; block = block_after(block))
    for (size_t i = 0; i < RANGES && block->used < RANGES; i++)
      if (range_claim(block, &block->ranges[i], lo, hi))
        return;
}

static void range_free(struct range *range, uintptr_t lo) {
  struct block *home = range->home;
  if (!atomic_compare_exchange_strong_explicit(&range->lo, &lo, 0, memory_order_release, memory_order_relaxed))
    return;
  home->used--;
  range_count--;
}

static struct range *range_find(uintptr_t lo, uintptr_t hi) {
  struct cursor cursor = {&first_block, 0};
  for (struct range *range; range_count && (range = range_next(&cursor));)
    if (range->lo == lo && range->hi == hi)
      return range;
  return NULL;
}

/* At a place where nothing was. */
static void shared_came(const void *at, size_t size) {
  range_add((uintptr_t)at, (uintptr_t)at + size);
  snarli_mapped(at, size);
}

void snarli_shared_mapped(const void *at, size_t size) {
  uintptr_t lo = (uintptr_t)at;
  struct range *range = range_find(lo, lo + size);
  if (range)
    range->users++;
  else
    range_add(lo, lo + size);
  snarli_mapped(at, size); /* again for a known range: it may be another object at the same place */
}

void snarli_shared_unmapped(const void *at, size_t size) {
  uintptr_t lo = (uintptr_t)at;
  struct range *range = range_find(lo, lo + size);
  if (!range || --range->users > 0)
    return;
  range_free(range, lo);
  snarli_unmapped(at, size);
}

/* What of a range is left after [lo, hi) went away. A hole in its middle leaves it whole: it is told of twice then. */
static void range_cut(struct range *range, uintptr_t range_lo, uintptr_t range_hi, uintptr_t lo, uintptr_t hi) {
  if (lo <= range_lo && hi >= range_hi)
    range_free(range, range_lo);
  else if (lo <= range_lo)
    range->lo = hi;
  else if (hi >= range_hi)
    range->hi = lo;
}

/* [at, at + size) is about to be unmapped, or mapped over. */
static void memory_goes(const void *at, size_t size) {
  snarli_memory_freed(at, size);
  if (!range_count || !snarli_is_recording())
    return;
  uintptr_t lo = (uintptr_t)at, hi = lo + size;
  struct cursor cursor = {&first_block, 0};
  for (struct range *range; (range = range_next(&cursor));) {
    uintptr_t range_lo = range->lo, range_hi = range->hi;
    if (range_lo <= RESERVED || range_lo >= hi || lo >= range_hi)
      continue;
    uintptr_t from = lo > range_lo ? lo : range_lo, to = hi < range_hi ? hi : range_hi;
    snarli_unmapped((const void *)from, to - from);
    range_cut(range, range_lo, range_hi, lo, hi);
  }
}

static bool is_shared_and_writable(int protection, int flags) {
  int type = flags & MAP_TYPE;
  return (type == MAP_SHARED || type == MAP_SHARED_VALIDATE) && protection & PROT_WRITE;
}

static void *memory_came(void *at, size_t size, int protection, int flags) {
  if (at != MAP_FAILED && is_shared_and_writable(protection, flags) && snarli_is_recording())
    shared_came(at, size);
  return at;
}

static size_t whole_pages(size_t size) {
  static size_t page;
  if (!page)
    page = (size_t)sysconf(_SC_PAGESIZE);
  return (size + page - 1) / page * page;
}

SNARLI_EXPORT void *mmap(void *address, size_t size, int protection, int flags, int fd, off_t offset) {
  if (flags & MAP_FIXED)
    memory_goes(address, whole_pages(size));
  void *at = snarli_real()->mmap(address, size, protection, flags, fd, offset);
  return memory_came(at, size, protection, flags);
}

SNARLI_EXPORT void *mmap64(void *address, size_t size, int protection, int flags, int fd, off64_t offset) {
  if (flags & MAP_FIXED)
    memory_goes(address, whole_pages(size));
  void *at = snarli_real()->mmap64(address, size, protection, flags, fd, offset);
  return memory_came(at, size, protection, flags);
}

/* Before the call: after it another thread may be given the same addresses. */
SNARLI_EXPORT int munmap(void *address, size_t size) {
  memory_goes(address, whole_pages(size));
  return snarli_real()->munmap(address, size);
}

static bool is_known(uintptr_t at) {
  struct cursor cursor = {&first_block, 0};
  for (struct range *range; range_count && (range = range_next(&cursor));)
    if (range->lo <= at && at < range->hi)
      return true;
  return false;
}

/* What is about to leave its place; whether a range that grows will have to move is not known before, and afterwards
 * its place may be another's. */
static void memory_moves(void *address, size_t old_size, size_t size, int flags, void *wanted) {
  if (flags & MREMAP_FIXED)
    memory_goes(wanted, size);
  if (flags & MREMAP_FIXED || (flags & MREMAP_MAYMOVE && size > old_size))
    memory_goes(address, old_size);
  else if (size < old_size)
    memory_goes((char *)address + size, old_size - size);
}

SNARLI_EXPORT void *mremap(void *address, size_t old_size, size_t size, int flags, ...) {
  void *wanted = NULL;
  if (flags & MREMAP_FIXED) {
    va_list rest;
    va_start(rest, flags);
    wanted = va_arg(rest, void *);
    va_end(rest);
  }
  bool is_shared = is_known((uintptr_t)address);
  memory_moves(address, whole_pages(old_size), whole_pages(size), flags, wanted);
  void *at = snarli_real()->mremap(address, old_size, size, flags, wanted);
  if (is_shared && snarli_is_recording())
    snarli_shared_mapped(at == MAP_FAILED ? address : at, whole_pages(at == MAP_FAILED ? old_size : size));
  return at;
}

/* Allocators of the program's own; the C library's does not come here. */
SNARLI_EXPORT int brk(void *end) {
  const char *old = snarli_real()->sbrk(0), *next = end;
  if (next < old)
    memory_goes(next, (size_t)(old - next));
  return snarli_real()->brk(end);
}

SNARLI_EXPORT void *sbrk(intptr_t increment) {
  if (increment < 0)
    memory_goes((char *)snarli_real()->sbrk(0) + increment, (size_t)-increment);
  return snarli_real()->sbrk(increment);
}

SNARLI_EXPORT void *shmat(int id, const void *address, int flags) {
  void *at = snarli_real()->shmat(id, address, flags);
  if (at == (void *)-1 || flags & SHM_RDONLY || !snarli_is_recording())
    return at;
  int saved = errno;
  struct shmid_ds status;
  if (shmctl(id, IPC_STAT, &status) == 0)
    shared_came(at, status.shm_segsz);
  errno = saved;
  return at;
}

SNARLI_EXPORT int shmdt(const void *address) {
  struct cursor cursor = {&first_block, 0};
  for (struct range *range; range_count && (range = range_next(&cursor));)
    if (range->lo == (uintptr_t)address)
      memory_goes(address, range->hi - range->lo);
  return snarli_real()->shmdt(address);
}
