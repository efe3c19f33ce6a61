/* SPDX-License-Identifier: MIT
 *
 * Messages between processes; see message_ring.h. A put or get that need not wait takes the lock of its end, copies the
 * message, adds one to its count, gives the lock back and looks whether somebody sleeps at the other end. Who may have
 * died between any two of these steps is nobody's concern but the kernel's, which frees the lock; a sleeper that was
 * not woken for that reason looks again after a tenth of a second. Entered by any thread.
 */
#include "message_ring.h"
#include "core/runtime.h"
#include "message_memory.h"
#include "multiprocessing/sync/robust.h"
#include <string.h>
#include <unistd.h>

#define MAGIC 0x31676e6972534e53u
#ifndef SNARLI_RING_FIRST                 /* tests have smaller ones */
#define SNARLI_RING_MOST (1ull << 36)     /* bytes: addresses, not memory */
#define SNARLI_RING_FIRST (1ull << 17)    /* bytes at first */
#define SNARLI_RING_IN_CACHE (1ull << 19) /* bytes up to which it grows at once */
#define SNARLI_RING_KEPT (1ull << 24)     /* bytes that are not given back as soon as all is got */
#endif
#define PATIENCE SNARL_MS(100) /* with another process that is in the midst of a call */
_Static_assert(SNARLI_RING_FIRST <= SNARLI_RING_IN_CACHE && SNARLI_RING_IN_CACHE <= SNARLI_RING_KEPT &&
                   SNARLI_RING_KEPT <= SNARLI_RING_MOST,
               "sizes of a ring");

/* ---------------------------------------------------------------- Bytes */
static inline char *data_of(struct snarli_message_ring *ring) { return (char *)ring + ring->data; }

/* From position `at` to the end of the ring, at most `size`. */
static inline uint64_t until_end(const struct snarli_message_ring *ring, uint64_t at, uint64_t size) {
  uint64_t left = ring->capacity - (at & (ring->capacity - 1));
  return left < size ? left : size;
}

static inline uint64_t copy_in(struct snarli_message_ring *ring, uint64_t at, const struct iovec *part) {
  uint64_t first = until_end(ring, at, part->iov_len);
  if (part->iov_len)
    memcpy(data_of(ring) + (at & (ring->capacity - 1)), part->iov_base, first);
  if (__builtin_expect(first < part->iov_len, 0))
    memcpy(data_of(ring), (const char *)part->iov_base + first, part->iov_len - first);
  return at + part->iov_len;
}

static inline void copy_out(struct snarli_message_ring *ring, uint64_t at, void *to, uint64_t size) {
  uint64_t first = until_end(ring, at, size);
  if (size)
    memcpy(to, data_of(ring) + (at & (ring->capacity - 1)), first);
  if (__builtin_expect(first < size, 0))
    memcpy((char *)to + first, data_of(ring), size - first);
}

/* A message lies behind its size, which never goes over the end of the ring. */
static inline uint64_t *size_at(struct snarli_message_ring *ring, uint64_t at) {
  return (uint64_t *)(void *)(data_of(ring) + (at & (ring->capacity - 1)));
}
static inline uint64_t room_for(uint64_t size) { return sizeof size + ((size + 7) & ~(uint64_t)7); }

/* ----------------------------------------------------------------- Ends */
/* SNARL_OK, or BUSY: the time is over, and somebody was in the midst of a call all that time. */
enum { BUSY = SNARL_IN_USE };
static inline int enter(struct snarli_message_end *end, snarl_time timeout) {
  if (__builtin_expect(!snarli_robust_ready(), 0))
    return SNARL_INVALID;
  int status = snarli_robust_take(&end->lock, timeout > PATIENCE ? timeout : PATIENCE);
  return status == SNARL_RECOVERED ? SNARL_OK : status == SNARL_TIMEOUT ? BUSY : status;
}
static inline void leave(struct snarli_message_end *end) { snarli_robust_give(&end->lock); }

/* How far the end itself has come; its lock is held. */
static inline uint64_t behind(const struct snarli_message_end *end) { return end->behind[end->count & 1]; }

/* One more message went through, up to `at`. */
static inline void publish(struct snarli_message_end *end, uint64_t at) {
  snarli_store64(&end->behind[(end->count + 1) & 1], at);
  uint32_t processor = snarli_processor();
  if (__builtin_expect(end->processor != processor, 0))
    snarli_store(&end->processor, processor);
  (void)snarli_add64(&end->count, 1);
}

/* How far the other end has come. What belongs to an older count may be overwritten. */
static inline void look_at(struct snarli_message_end *end, const struct snarli_message_end *other) {
  uint64_t count, at;
  do {
    count = snarli_load64(&other->count);
    at = snarli_load64(&other->behind[count & 1]);
  } while (__builtin_expect(snarli_load64(&other->count) != count, 0));
  end->seen = count, end->seen_behind = at;
}

/* ----------------------------------------------------- Growing, shrinking */
/* What lies from `from` to `to` and in the other half of a ring of twice the size. */
static void copy_up(struct snarli_message_ring *ring, uint64_t from, uint64_t to) {
  for (uint64_t next; from < to; from = next) {
    uint64_t size = until_end(ring, from, to - from), in_ring = from & (2 * ring->capacity - 1);
    next = from + size;
    if (in_ring >= ring->capacity)
      memcpy(data_of(ring) + in_ring, data_of(ring) + in_ring - ring->capacity, size);
  }
}

/* Both locks are held. Nobody looks above the capacity before it is stored; if we are killed before, the memory there
 * is used by the next one who comes here, or given back with all else. */
static bool double_up(struct snarli_message_ring *ring) {
  uint64_t capacity = ring->capacity, doubled = 2 * capacity;
  char *above = data_of(ring) + capacity;
  if (doubled > ring->most)
    return false;
  if (ring->backed < doubled)
    snarli_store64(&ring->backed, doubled);
  if (!snarli_message_memory_back(above, above + capacity)) {
    snarli_message_memory_give_back(above, above + capacity);
    return false;
  }
  copy_up(ring, behind(&ring->gets), behind(&ring->puts));
  snarli_store64(&ring->capacity, doubled);
  return true;
}

/* As far as the puts' end knows; its lock is held. */
static inline bool fits_in(const struct snarli_message_ring *ring, uint64_t need) {
  return behind(&ring->puts) - ring->puts.seen_behind + need <= ring->capacity;
}

/* Without a sleep. */
static void wait_a_little(const struct snarli_message_end *other, uint64_t seen) {
  const uint32_t *count = snarli_lower_half(&other->count);
  if (snarli_load(&other->processor) != snarli_processor())
    snarli_spin_apart(count, (uint32_t)seen);
  else
    snarli_spin_together(count, (uint32_t)seen);
}

/* A large ring is slow: its bytes have left the caches when they are got, and its memory is new. So a getter that is at
 * it has a moment to make room first, a good deal of it. The lock of the puts is held. */
static SNARLI_COLD bool hold_back(struct snarli_message_ring *ring, uint64_t need) {
  if (ring->capacity < SNARLI_RING_IN_CACHE)
    return false;
  uint64_t got = snarli_load64(&ring->gets.count);
  wait_a_little(&ring->gets, got);
  if (snarli_load64(&ring->gets.count) == got)
    (void)sched_yield();
  look_at(&ring->puts, &ring->gets);
  return fits_in(ring, need);
}

/* Until `need` bytes fit. The lock of the puts is held. */
static SNARLI_COLD int grow(struct snarli_message_ring *ring, uint64_t need, snarl_time timeout) {
  if (hold_back(ring, need))
    return SNARL_OK;
  int status = enter(&ring->gets, timeout);
  if (status)
    return status;
  look_at(&ring->puts, &ring->gets);
  bool fits = true;
  while (fits && !fits_in(ring, need))
    fits = double_up(ring);
  leave(&ring->gets);
  return fits ? SNARL_OK : SNARL_NO_MEMORY;
}

/* All is got: gives back what is beyond `kept`. The lock of the gets is held; whoever has the other one is about to
 * put. */
static SNARLI_COLD void shrink(struct snarli_message_ring *ring, uint64_t kept) {
  int status = snarli_robust_take(&ring->puts.lock, SNARL_NOW);
  if (status == SNARL_TIMEOUT)
    return;
  if (ring->puts.count == ring->gets.count) {
    uint64_t backed = ring->backed;
    if (ring->capacity > kept)
      snarli_store64(&ring->capacity, kept);
    snarli_message_memory_give_back(data_of(ring) + kept, data_of(ring) + backed);
    snarli_store64(&ring->backed, kept);
  }
  leave(&ring->puts);
}

/* A thread that has only got for a while, or only put, lets the other side get ahead: two processors that wait for each
 * other's every message are slower than one. Gets count up, puts down. */
enum { STREAM = 16, LINGER = 64 };
static __thread int32_t in_a_row __attribute__((tls_model("initial-exec")));
static inline void count_get(void) { in_a_row = in_a_row < 0 ? 1 : in_a_row + (in_a_row < STREAM); }
static inline void count_put(void) { in_a_row = in_a_row > 0 ? -1 : in_a_row - (in_a_row > -STREAM); }

static void linger(const struct snarli_message_ring *ring) {
  uint64_t times = in_a_row != STREAM && in_a_row != -STREAM ? 0 : ring->limit < LINGER ? ring->limit : LINGER;
  while (times--)
    snarli_relax();
}

/* -------------------------------------------------------------- Attempts */
struct put {
  const struct iovec *parts;
  int count;
  snarli_message_noted *noted;
  void *context;
};

static uint64_t size_of(const struct put *put) {
  uint64_t size = 0;
  for (int i = 0; i < put->count; i++)
    size += put->parts[i].iov_len;
  return size;
}

static inline bool has_place(struct snarli_message_ring *ring) {
  struct snarli_message_end *end = &ring->puts;
  if (__builtin_expect(end->count - end->seen < ring->limit, 1))
    return true;
  look_at(end, &ring->gets);
  return end->count - end->seen < ring->limit;
}

static inline bool has_room(struct snarli_message_ring *ring, uint64_t need) {
  if (__builtin_expect(fits_in(ring, need), 1))
    return true;
  look_at(&ring->puts, &ring->gets);
  return fits_in(ring, need);
}

static inline int put_locked(struct snarli_message_ring *ring, const struct put *put, snarl_time timeout) {
  struct snarli_message_end *end = &ring->puts;
  uint64_t size = size_of(put), need = room_for(size), at = behind(end);
  if (__builtin_expect(snarli_load(&ring->closed), 0))
    return SNARL_CLOSED;
  if (!has_place(ring))
    return SNARL_TIMEOUT;
  int status = size > ring->most ? SNARL_NO_MEMORY : has_room(ring, need) ? SNARL_OK : grow(ring, need, timeout);
  if (__builtin_expect(status, 0))
    return status;
  *size_at(ring, at) = size;
  uint64_t to = at + sizeof size;
  for (int i = 0; i < put->count; i++)
    to = copy_in(ring, to, &put->parts[i]);
  if (put->noted)
    put->noted(put->context, end->count);
  publish(end, at + need);
  return SNARL_OK;
}

static inline int try_put(struct snarli_message_ring *ring, const struct put *put, snarl_time timeout) {
  int status = enter(&ring->puts, timeout);
  if (__builtin_expect(status, 0))
    return status;
  status = put_locked(ring, put, timeout);
  leave(&ring->puts);
  count_put();
  if (__builtin_expect(status == SNARL_OK && snarli_eventcount_has_sleepers(&ring->messages), 0))
    (void)snarli_eventcount_wake_shared(&ring->messages, false);
  return status;
}

struct get {
  snarli_message_place *place;
  void *context;
};

static inline bool has_message(struct snarli_message_ring *ring) {
  struct snarli_message_end *end = &ring->gets;
  if (__builtin_expect(end->seen != end->count, 1))
    return true;
  snarli_store64(&end->seen, snarli_load64(&ring->puts.count));
  return end->seen != end->count;
}

static inline int64_t get_locked(struct snarli_message_ring *ring, const struct get *get) {
  struct snarli_message_end *end = &ring->gets;
  if (!has_message(ring)) {
    if (!snarli_load(&ring->closed))
      return SNARL_TIMEOUT;
    if (!has_message(ring)) /* after the close nothing is put */
      return SNARL_CLOSED;
  }
  uint64_t at = behind(end), size = *size_at(ring, at);
  void *to = NULL;
  int status = get->place(get->context, end->count, size, &to);
  if (__builtin_expect(status, 0))
    return status;
  copy_out(ring, at + sizeof size, to, size);
  publish(end, at + room_for(size));
  if (__builtin_expect(ring->backed > SNARLI_RING_KEPT, 0) && !has_message(ring))
    shrink(ring, SNARLI_RING_KEPT);
  return (int64_t)size;
}

static inline int64_t try_get(struct snarli_message_ring *ring, const struct get *get, snarl_time timeout) {
  int status = enter(&ring->gets, timeout);
  if (__builtin_expect(status, 0))
    return status;
  int64_t size = get_locked(ring, get);
  leave(&ring->gets);
  count_get();
  if (__builtin_expect(size >= 0 && snarli_eventcount_has_sleepers(&ring->places), 0))
    (void)snarli_eventcount_wake_shared(&ring->places, false);
  return size;
}

/* --------------------------------------------------------------- Waiting */
/* Until the other end's count is not `seen` any more, or the ring is closed, perhaps. False: the time was over. */
static bool await(struct snarli_message_ring *ring, struct snarli_message_end *other, uint64_t seen,
                  struct snarli_eventcount *sleepers, int64_t deadline) {
  wait_a_little(other, seen);
  if (snarli_load64(&other->count) != seen) {
    linger(ring);
    return true;
  }
  uint32_t key = snarli_eventcount_announce(sleepers);
  bool in_time = true;
  if (snarli_load64(&other->count) == seen && !snarli_load(&ring->closed))
    in_time = snarli_park_shared(snarli_eventcount_word(sleepers), key, deadline);
  snarli_eventcount_leave(sleepers, key);
  return in_time;
}

/* Nothing has come for a while. */
static SNARLI_COLD void idle(struct snarli_message_ring *ring) {
  if (enter(&ring->gets, SNARL_NOW))
    return;
  shrink(ring, SNARLI_RING_FIRST);
  leave(&ring->gets);
}

static int put_until(struct snarli_message_ring *ring, const struct put *put, int64_t deadline) {
  snarl_time left;
  int status;
  do {
    uint64_t got = snarli_load64(&ring->gets.count);
    bool is_full = snarli_load64(&ring->puts.count) - got >= ring->limit;
    bool in_time = !is_full || await(ring, &ring->gets, got, &ring->places, deadline);
    left = in_time ? snarl_time_left(deadline) : SNARL_NOW;
    status = try_put(ring, put, left);
  } while (status == SNARL_TIMEOUT && left);
  if (status) /* a place that we were woken for is another's */
    (void)snarli_eventcount_wake_shared(&ring->places, false);
  return status;
}

static int64_t get_until(struct snarli_message_ring *ring, const struct get *get, int64_t deadline) {
  int64_t size;
  snarl_time left;
  do {
    uint64_t got = snarli_load64(&ring->gets.count);
    bool is_empty = snarli_load64(&ring->puts.count) == got;
    bool in_time = !is_empty || await(ring, &ring->puts, got, &ring->messages, deadline);
    if (ring->backed > SNARLI_RING_FIRST && snarli_load64(&ring->puts.count) == got)
      idle(ring);
    left = in_time ? snarl_time_left(deadline) : SNARL_NOW;
    size = try_get(ring, get, left);
  } while (size == SNARL_TIMEOUT && left);
  if (size < 0)
    (void)snarli_eventcount_wake_shared(&ring->messages, false);
  return size;
}

static SNARLI_COLD int put_slowly(struct snarli_message_ring *ring, const struct put *put, snarl_time timeout) {
  (void)snarli_add(&ring->waiting, 1);
  int status = put_until(ring, put, snarli_deadline(timeout));
  (void)snarli_add(&ring->waiting, UINT32_MAX);
  return status;
}

static SNARLI_COLD int64_t get_slowly(struct snarli_message_ring *ring, const struct get *get, snarl_time timeout) {
  (void)snarli_add(&ring->waiting, 1);
  int64_t size = get_until(ring, get, snarli_deadline(timeout));
  (void)snarli_add(&ring->waiting, UINT32_MAX);
  return size;
}

int snarli_message_ring_put(struct snarli_message_ring *ring, const struct iovec *parts, int count,
                            snarli_message_noted *noted, void *context, snarl_time timeout) {
  struct put put = {parts, count, noted, context};
  int status = try_put(ring, &put, timeout);
  if (__builtin_expect(status == SNARL_TIMEOUT && timeout > 0, 0))
    status = put_slowly(ring, &put, timeout);
  return status == BUSY ? SNARL_TIMEOUT : status;
}

int64_t snarli_message_ring_get(struct snarli_message_ring *ring, snarli_message_place *place, void *context,
                                snarl_time timeout) {
  struct get get = {place, context};
  int64_t size = try_get(ring, &get, timeout);
  if (__builtin_expect(size == SNARL_TIMEOUT && timeout > 0, 0))
    size = get_slowly(ring, &get, timeout);
  return size == BUSY ? SNARL_TIMEOUT : size;
}

/* Under the lock of the puts: whoever is at it is told that the ring is closed, or has put before. */
int snarli_message_ring_close(struct snarli_message_ring *ring) {
  int status = enter(&ring->puts, SNARL_FOREVER);
  if (status)
    return status;
  bool was_closed = snarli_swap(&ring->closed, 1);
  leave(&ring->puts);
  (void)snarli_eventcount_wake_shared(&ring->messages, true);
  (void)snarli_eventcount_wake_shared(&ring->places, true);
  return was_closed ? SNARL_CLOSED : SNARL_OK;
}

static bool wake_sleepers(struct snarli_message_ring *ring, struct snarli_eventcount *too) {
  bool messages = snarli_eventcount_wake_shared(&ring->messages, true);
  bool places = snarli_eventcount_wake_shared(&ring->places, true);
  return (too && snarli_eventcount_wake_shared(too, true)) || messages || places;
}

/* Who was killed is still counted; the kernel knows who sleeps when it wakes them. One that looks again just now sleeps
 * soon. */
bool snarli_message_ring_is_awaited(struct snarli_message_ring *ring, struct snarli_eventcount *too) {
  for (int tries = 0; tries < 20 && snarli_load(&ring->waiting); tries++) {
    if (wake_sleepers(ring, too))
      return true;
    snarl_sleep(SNARL_US(100));
  }
  return false;
}

/* ------------------------------------------------------ Beginning, ending */
int snarli_message_ring_new(struct snarli_message_ring **ring, uint64_t limit, size_t room, int *fd) {
  size_t page = (size_t)sysconf(_SC_PAGESIZE), data = (sizeof **ring + room + page - 1) / page * page;
  uint64_t most = SNARLI_RING_MOST;
  void *memory;
  int status = snarli_message_memory_new(&memory, data, &most, fd);
  if (status)
    return status;
  if (!snarli_message_memory_back((char *)memory + data, (char *)memory + data + SNARLI_RING_FIRST)) {
    snarli_message_memory_unmap(memory, data + most);
    (void)close(*fd);
    return SNARL_NO_MEMORY;
  }
  *ring = memory;
  **ring = (struct snarli_message_ring){.size = data + most, .data = data, .limit = limit ? limit : UINT64_MAX};
  (*ring)->most = most;
  (*ring)->capacity = (*ring)->backed = SNARLI_RING_FIRST;
  snarli_store64(&(*ring)->magic, MAGIC);
  return SNARL_OK;
}

int snarli_message_ring_attach(struct snarli_message_ring **ring, int fd) {
  void *memory;
  uint64_t size;
  int status = snarli_message_memory_attach(&memory, &size, fd);
  if (status)
    return status;
  *ring = memory;
  if (size >= sizeof **ring && snarli_load64(&(*ring)->magic) == MAGIC && (*ring)->size == size)
    return SNARL_OK;
  snarli_message_memory_unmap(memory, size);
  return SNARL_INVALID;
}

void snarli_message_ring_unmap(struct snarli_message_ring *ring) { snarli_message_memory_unmap(ring, ring->size); }
