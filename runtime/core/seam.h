/* SPDX-License-Identifier: MIT
 *
 * The seam under the blocking algorithms: every access to memory that threads share without a lock, parking, and who
 * the calling thread is. The tests compile the same sources with SNARLI_SEAM naming a header of theirs that puts a
 * scheduler here and tries all interleavings (tests/unit/runtime/model). Entered by any thread.
 *
 * Read-modify-writes are sequentially consistent, loads acquire, stores release. So "announce yourself, then look
 * again" works between two parties who both use a read-modify-write for the first step.
 */
#ifndef SNARLI_SEAM_H
#define SNARLI_SEAM_H

#include <sched.h>
#include <snarl/base.h>

/* A deadline on the monotonic clock; never and already. */
#define SNARLI_NEVER INT64_MAX
#define SNARLI_PAST INT64_MIN

#ifdef SNARLI_SEAM
#include SNARLI_SEAM
#else

static inline uint32_t snarli_load(const uint32_t *word) { return __atomic_load_n(word, __ATOMIC_ACQUIRE); }
static inline void snarli_store(uint32_t *word, uint32_t value) { __atomic_store_n(word, value, __ATOMIC_RELEASE); }
static inline uint32_t snarli_swap(uint32_t *word, uint32_t value) {
  return __atomic_exchange_n(word, value, __ATOMIC_SEQ_CST);
}
static inline bool snarli_cas(uint32_t *word, uint32_t *expected, uint32_t value) {
  return __atomic_compare_exchange_n(word, expected, value, false, __ATOMIC_SEQ_CST, __ATOMIC_ACQUIRE);
}
static inline uint32_t snarli_add(uint32_t *word, uint32_t value) {
  return __atomic_fetch_add(word, value, __ATOMIC_SEQ_CST);
}
static inline uint64_t snarli_load64(const uint64_t *word) { return __atomic_load_n(word, __ATOMIC_ACQUIRE); }
/* The half of it that a thread can park on. */
static inline uint32_t *snarli_lower_half(const uint64_t *word) {
  return (uint32_t *)(uintptr_t)word + (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__);
}
static inline void snarli_store64(uint64_t *word, uint64_t value) { __atomic_store_n(word, value, __ATOMIC_RELEASE); }
static inline void *snarli_load_pointer(void *const *pointer) { return __atomic_load_n(pointer, __ATOMIC_ACQUIRE); }
static inline void *snarli_swap_pointer(void **pointer, void *value) {
  return __atomic_exchange_n(pointer, value, __ATOMIC_SEQ_CST);
}
static inline bool snarli_cas_pointer(void **pointer, void **expected, void *value) {
  return __atomic_compare_exchange_n(pointer, expected, value, false, __ATOMIC_SEQ_CST, __ATOMIC_ACQUIRE);
}
static inline bool snarli_cas64(uint64_t *word, uint64_t *expected, uint64_t value) {
  return __atomic_compare_exchange_n(word, expected, value, false, __ATOMIC_SEQ_CST, __ATOMIC_ACQUIRE);
}
static inline uint64_t snarli_add64(uint64_t *word, uint64_t value) {
  return __atomic_fetch_add(word, value, __ATOMIC_SEQ_CST);
}

/* Sleeps while *word is `expected`, until woken, at most until `deadline`. False: the deadline passed. It may come back
 * for no reason; the caller looks again. */
bool snarli_park(uint32_t *word, uint32_t expected, int64_t deadline);
/* Wakes at most `count` that sleep on `word`, which need not be memory any more. */
void snarli_unpark(uint32_t *word, int count);
/* The same for a word in memory that processes share; how many were woken. A process that is killed can take a waking
 * along into its end, so nobody sleeps for long without looking again. */
bool snarli_park_shared(uint32_t *word, uint32_t expected, int64_t deadline);
int snarli_unpark_shared(uint32_t *word, int count);
/* Waits a little for *word to leave `expected` without sleeping, if that has paid lately. */
void snarli_spin(const uint32_t *word, uint32_t expected);
/* The same where more may follow: `counter` counts what comes. */
void snarli_spin_for_several(const uint32_t *word, uint32_t expected, const uint32_t *counter);
/* The same if it is known that the other side runs on another processor, or waits for this one. */
void snarli_spin_apart(const uint32_t *word, uint32_t expected);
void snarli_spin_together(const uint32_t *word, uint32_t expected);
/* The processor that the calling thread runs on, or did. */
static inline uint32_t snarli_processor(void) { return (uint32_t)sched_getcpu(); }

/* The compiler keeps the order in which the kernel would see the caller's stores if it were killed here. */
static inline void snarli_keep_order(void) { __atomic_signal_fence(__ATOMIC_SEQ_CST); }

/* Tells the processor that this is a spin. */
static inline void snarli_relax(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("isb" ::: "memory");
#endif
}

/* The deadline of a timeout that begins now. */
int64_t snarli_deadline(snarl_time timeout);

struct robust_list_head;

/* The calling thread: its number, never 0 and none other's while it lives; how many locks it holds; and what shared
 * locks know it by: the kernel's number, 0 at first, and the kernel's list of what it holds. */
struct snarli_own {
  uint32_t ident, held, tid;
  struct robust_list_head *robust;
};
extern __thread struct snarli_own snarli_own __attribute__((tls_model("initial-exec"), visibility("hidden")));
uint32_t snarli_ident_new(void);
/* 0: it has none yet. */
static inline uint32_t snarli_ident_known(void) { return snarli_own.ident; }
/* 0: there is no room for another thread. */
static inline uint32_t snarli_ident(void) {
  uint32_t ident = snarli_own.ident;
  return __builtin_expect(ident != 0, 1) ? ident : snarli_ident_new();
}
static inline void snarli_holds(int more) { snarli_own.held += (uint32_t)more; }
/* The thread with this number lives, in this process. */
bool snarli_is_alive(uint32_t ident);
/* Between the two no thread begins or ends, and none else is here. */
void snarli_registry_enter(void);
void snarli_registry_leave(void);
/* Between _begin and _end the calling thread sleeps on `word` for a lock: should a thread end that holds locks, it is
 * woken to see whether it was that one. */
void snarli_owner_wait_begin(uint32_t *word);
void snarli_owner_wait_end(void);

#endif

/* A guard: a lock of few instructions for the state of one object. 0 free, 1 held, 2 held and wanted. */
static inline void snarli_guard(uint32_t *guard) {
  uint32_t old = 0;
  if (__builtin_expect(snarli_cas(guard, &old, 1), 1))
    return;
  snarli_spin(guard, old);
  while (snarli_swap(guard, 2))
    (void)snarli_park(guard, 2, SNARLI_NEVER);
}
static inline void snarli_unguard(uint32_t *guard) {
  if (__builtin_expect(snarli_swap(guard, 0) == 2, 0))
    snarli_unpark(guard, 1);
}

#endif
