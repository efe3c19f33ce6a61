/* SPDX-License-Identifier: MIT
 *
 * The table of open file descriptions (see descriptions.h): one word per descriptor, its name above and its uses in the
 * lowest byte, in chunks that are mapped when first needed and never go away. Entered by any thread.
 */
#include "descriptions.h"
#include "wrapper.h"
#include <stdatomic.h>
#include <time.h>

enum { CHUNK = 512, CHUNKS = DESCRIPTIONS_MOST / CHUNK };

typedef _Atomic uint64_t slot; /* 0: no name */
static slot *_Atomic chunks[CHUNKS];
static _Atomic int highest = -1; /* descriptor that ever had a name */

static slot *slot_if_any(int fd) {
  if (fd < 0 || fd >= DESCRIPTIONS_MOST)
    return NULL;
  slot *chunk = atomic_load_explicit(&chunks[fd / CHUNK], memory_order_acquire);
  return chunk ? &chunk[fd % CHUNK] : NULL;
}

static slot *chunk_make(int number) {
  slot *made = NULL, *found = NULL;
  made = snarli_real()->mmap(NULL, CHUNK * sizeof *made, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (made == MAP_FAILED)
    return NULL;
  /* Release pairs with the acquire in slot_if_any. */
  if (atomic_compare_exchange_strong_explicit(&chunks[number], &found, made, memory_order_release,
                                              memory_order_acquire))
    return made;
  (void)snarli_real()->munmap(made, CHUNK * sizeof *made);
  return found;
}

static slot *slot_of(int fd) {
  slot *at = slot_if_any(fd);
  if (at || fd < 0 || fd >= DESCRIPTIONS_MOST)
    return at;
  int saved = errno;
  slot *chunk = chunk_make(fd / CHUNK);
  errno = saved;
  return chunk ? &chunk[fd % CHUNK] : NULL;
}

static uint64_t name_of(uint64_t word) { return word & ~(uint64_t)DESCRIPTION_USES; }

/* Unlike any other in the trace: when and by whom it was given, and which of those it was. */
static uint64_t name_new(void) {
  static _Atomic uint32_t count;
  struct timespec now;
  (void)clock_gettime(CLOCK_MONOTONIC, &now);
  uint64_t name = ((uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec) * 0x9e3779b97f4a7c15ull;
  name ^= (uint64_t)getpid() << 32 ^ (uint64_t)atomic_fetch_add_explicit(&count, 1, memory_order_relaxed) << 8;
  name = name_of(name);
  return name ? name : DESCRIPTION_USES + 1;
}

static void raise_highest(int fd) {
  int seen = atomic_load_explicit(&highest, memory_order_relaxed);
  while (seen < fd &&
         !atomic_compare_exchange_weak_explicit(&highest, &seen, fd, memory_order_relaxed, memory_order_relaxed))
    ;
}

uint64_t snarli_description_of(int fd) {
  slot *at = slot_of(fd);
  uint64_t word = at ? atomic_load_explicit(at, memory_order_relaxed) : 0;
  if (!at || word)
    return name_of(word);
  uint64_t made = name_new();
  raise_highest(fd);
  if (atomic_compare_exchange_strong_explicit(at, &word, made, memory_order_relaxed, memory_order_relaxed))
    return made;
  return name_of(word);
}

static uint64_t word_of(int fd) {
  slot *at = slot_if_any(fd);
  return at ? atomic_load_explicit(at, memory_order_relaxed) : 0;
}

bool snarli_description_has_name(int fd) { return word_of(fd) != 0; }

unsigned snarli_description_uses(int fd) { return word_of(fd) & DESCRIPTION_USES; }

void snarli_description_mark(int fd, unsigned set, unsigned clear) {
  slot *at = slot_if_any(fd);
  uint64_t word = at ? atomic_load_explicit(at, memory_order_relaxed) : 0;
  if (!at)
    return;
  if (word & clear)
    atomic_fetch_and_explicit(at, ~(uint64_t)clear, memory_order_relaxed);
  if (set & ~word)
    atomic_fetch_or_explicit(at, set, memory_order_relaxed);
}

void snarli_description_copy(int from, int to) {
  if (from == to || !snarli_description_of(from))
    return;
  slot *at = slot_of(to);
  if (!at)
    return;
  raise_highest(to);
  atomic_store_explicit(at, word_of(from), memory_order_relaxed);
}

/* Another descriptor of the same description, NULL: none. */
static slot *find_twin(uint64_t name) {
  for (int fd = 0, last = atomic_load_explicit(&highest, memory_order_relaxed); fd <= last; fd++) {
    slot *at = slot_if_any(fd);
    if (!at)
      fd |= CHUNK - 1;
    else if (name_of(atomic_load_explicit(at, memory_order_relaxed)) == name)
      return at;
  }
  return NULL;
}

bool snarli_description_drop(int fd, uint64_t *name, unsigned *uses) {
  slot *at = slot_if_any(fd);
  uint64_t word = at ? atomic_exchange_explicit(at, 0, memory_order_relaxed) : 0;
  if (!word)
    return false;
  slot *twin = find_twin(name_of(word));
  *name = name_of(word);
  *uses = word & DESCRIPTION_USES;
  if (twin) /* what was done through this one is remembered there */
    atomic_fetch_or_explicit(twin, *uses, memory_order_relaxed);
  return !twin;
}

void snarli_descriptions_visit(unsigned first, unsigned last, void (*visit)(int fd, uint32_t stack), uint32_t stack) {
  int end = atomic_load_explicit(&highest, memory_order_relaxed);
  for (unsigned fd = first; end >= 0 && fd <= (unsigned)end && fd <= last; fd++) {
    slot *at = slot_if_any((int)fd);
    if (!at)
      fd |= CHUNK - 1;
    else if (atomic_load_explicit(at, memory_order_relaxed))
      visit((int)fd, stack);
  }
}
