/* SPDX-License-Identifier: MIT
 *
 * RWLock. One word counts the readers and tells of a writer and of a queue; while there is no queue, an acquire and a
 * release are one atomic instruction each. The queue, its guard and `writers` (how many of it want to write) are for
 * the slow way: whoever waits stays in the queue until it has the lock, so that the word tells the truth, and a release
 * wakes the first writer or else all readers, who then compete with whoever comes by. Entered by any thread.
 */
#include "core/runtime.h"
#include "core/waiter.h"
#include <snarl/rwlock.h>

#define READERS 0x3fffffffu
#define WRITER 0x40000000u
#define QUEUED 0x80000000u

enum { WAITING, WOKEN };                         /* a waiter's word */
enum { WANTS_READ = false, WANTS_WRITE = true }; /* a waiter's kind */

/* The guard is held. */
static void wake(struct snarli_waiter *waiter) {
  snarli_store(&waiter->word, WOKEN);
  snarli_unpark(&waiter->word, 1); /* it leaves only with the guard */
}

/* The guard is held and something has become free: the first writer, else all readers. */
static void wake_next(snarl_rwlock *lock) {
  for (struct snarli_waiter *waiter = lock->waiters; waiter; waiter = waiter->next) {
    if (lock->writers && waiter->kind == WANTS_READ)
      continue;
    wake(waiter);
    if (lock->writers)
      return;
  }
}

static bool may_take(const snarl_rwlock *lock, uint32_t word, bool is_write) {
  if (is_write)
    return !(word & (WRITER | READERS));
  return !(word & WRITER) && (word & READERS) < READERS && !lock->writers;
}

/* The guard is held. Takes the lock if it may be had, else says in the word that there is a queue. */
static bool take_or_queue(snarl_rwlock *lock, struct snarli_waiter *waiter) {
  bool is_write = waiter->kind == WANTS_WRITE;
  uint32_t word = snarli_load(&lock->word), to;
  bool is_taken, is_last = waiter->list && lock->waiters == waiter && !waiter->next;
  do {
    is_taken = may_take(lock, word, is_write);
    to = is_taken ? word + (is_write ? WRITER : 1) : word | QUEUED;
    if (is_taken && is_last)
      to &= ~QUEUED;
  } while (!snarli_cas(&lock->word, &word, to));
  return is_taken;
}

static void enqueue(snarl_rwlock *lock, struct snarli_waiter *waiter) {
  snarli_waiter_append(&lock->waiters, waiter);
  lock->writers += waiter->kind;
}

static void dequeue(snarl_rwlock *lock, struct snarli_waiter *waiter) {
  if (!waiter->list)
    return;
  snarli_waiter_remove(waiter);
  lock->writers -= waiter->kind;
}

/* The guard is held: a waiter leaves without the lock. What held others back may be gone with it. */
static void leave(snarl_rwlock *lock, struct snarli_waiter *waiter) {
  dequeue(lock, waiter);
  uint32_t word = snarli_load(&lock->word);
  while (!lock->waiters && word & QUEUED)
    if (snarli_cas(&lock->word, &word, word & ~QUEUED))
      return;
  if (!(word & WRITER) && (!(word & READERS) || !lock->writers))
    wake_next(lock);
}

/* Sleeps until woken. The guard is not held. */
static int sleep_once(snarl_rwlock *lock, struct snarli_waiter *waiter, int64_t deadline) {
  int status = SNARL_OK;
  snarli_owner_wait_begin(&waiter->word);
  uint32_t writer = snarli_load(&lock->writer);
  /* One that ended without releasing is the writer still. */
  if (writer && !snarli_is_alive(writer) && snarli_load(&lock->writer) == writer)
    status = SNARL_OWNER_ENDED;
  else if (!snarli_load(&waiter->word) && !snarli_park(&waiter->word, WAITING, deadline))
    status = SNARL_TIMEOUT;
  snarli_owner_wait_end();
  return status;
}

static SNARLI_COLD int take_slowly(snarl_rwlock *lock, bool is_write, snarl_time timeout) {
  struct snarli_waiter waiter = {.kind = is_write};
  int64_t deadline = snarli_deadline(timeout);
  uint32_t seen = snarli_load(&lock->word);
  if (deadline > 0 && seen & (is_write ? ~QUEUED : WRITER))
    snarli_spin(&lock->word, seen);
  int status = deadline > 0 ? SNARL_OK : SNARL_TIMEOUT;
  for (;;) {
    snarli_guard(&lock->guard);
    if (take_or_queue(lock, &waiter)) {
      dequeue(lock, &waiter);
      snarli_unguard(&lock->guard);
      return SNARL_OK;
    }
    if (status)
      break;
    if (!waiter.list)
      enqueue(lock, &waiter);
    snarli_store(&waiter.word, WAITING);
    snarli_unguard(&lock->guard);
    status = sleep_once(lock, &waiter, deadline);
  }
  leave(lock, &waiter);
  snarli_unguard(&lock->guard);
  return status;
}

static inline int take_read(snarl_rwlock *lock, snarl_time timeout) {
  uint32_t word = snarli_load(&lock->word);
  while (__builtin_expect(word < READERS, 1))
    if (snarli_cas(&lock->word, &word, word + 1))
      return SNARL_OK;
  return take_slowly(lock, WANTS_READ, timeout);
}

static inline int take_write(snarl_rwlock *lock, uint32_t me, snarl_time timeout) {
  uint32_t word = 0;
  int status =
      __builtin_expect(snarli_cas(&lock->word, &word, WRITER), 1) ? SNARL_OK : take_slowly(lock, WANTS_WRITE, timeout);
  if (__builtin_expect(status == SNARL_OK, 1)) {
    snarli_store(&lock->writer, me);
    snarli_holds(1);
  }
  return status;
}

/* Gives up `share` of the word, a reader or the writer. The last to go hands on to the queue; it does so with the
 * guard, without which nobody of the queue can go on and end the lock. */
static SNARLI_COLD void give_slowly(snarl_rwlock *lock, uint32_t share) {
  snarli_guard(&lock->guard);
  uint32_t word = snarli_load(&lock->word);
  while (!snarli_cas(&lock->word, &word, word - share))
    ;
  if (!((word - share) & (READERS | WRITER)))
    wake_next(lock);
  snarli_unguard(&lock->guard);
}

static inline void give(snarl_rwlock *lock, uint32_t word, uint32_t share) {
  while (__builtin_expect(!(word & QUEUED) || (word & READERS) > 1, 1))
    if (snarli_cas(&lock->word, &word, word - share))
      return;
  give_slowly(lock, share);
}

static SNARLI_COLD int take_recorded(snarl_rwlock *lock, bool is_write, uint32_t me, snarl_time timeout,
                                     struct snarl_site *site) {
  unsigned flags = snarli_flags(timeout);
  snarli_prepare(&lock->object, site);
  int status = is_write ? take_write(lock, me, SNARL_NOW) : take_read(lock, SNARL_NOW);
  if (status == SNARL_TIMEOUT && timeout > 0) {
    snarli_note(is_write ? SNARLI_R_RWLOCK_WRITE_REQUESTED : SNARLI_R_RWLOCK_READ_REQUESTED, flags, &lock->object,
                site);
    status = is_write ? take_write(lock, me, timeout) : take_read(lock, timeout);
  }
  if (status)
    snarli_note_failed(SNARLI_R_RWLOCK_FAILED, status, timeout, &lock->object, site);
  else
    snarli_note(is_write ? SNARLI_R_RWLOCK_WRITE_ACQUIRED : SNARLI_R_RWLOCK_READ_ACQUIRED, flags, &lock->object, site);
  return status;
}

static inline int check(const snarl_rwlock *lock, struct snarl_site *site) {
  return snarli_check((const struct snarl_object *)lock, SNARLI_ALIVE(RWLOCK), site);
}

static SNARLI_COLD int acquire_slowly(snarl_rwlock *lock, bool is_write, snarl_time timeout, struct snarl_site *site) {
  int status = check(lock, site);
  if (status)
    return status;
  uint32_t me = snarli_ident();
  if (!me)
    return SNARL_NO_MEMORY;
  if (snarli_records())
    return take_recorded(lock, is_write, me, timeout, site);
  return is_write ? take_write(lock, me, timeout) : take_read(lock, timeout);
}

/* Nothing is wrong, nothing is recorded: the usual case, which calls nobody and so needs no frame. */
static inline bool is_plain(const snarl_rwlock *lock) {
  return __builtin_expect(lock && lock->object.kind == SNARLI_ALIVE(RWLOCK) && !snarli_may_record, 1);
}

int snarl_rwlock_acquire_read_at(snarl_rwlock *lock, snarl_time timeout, struct snarl_site *site) {
  if (is_plain(lock)) {
    uint32_t word = snarli_load(&lock->word);
    if (__builtin_expect(word < READERS && snarli_cas(&lock->word, &word, word + 1), 1))
      return SNARL_OK;
  }
  return acquire_slowly(lock, WANTS_READ, timeout, site);
}

int snarl_rwlock_acquire_write_at(snarl_rwlock *lock, snarl_time timeout, struct snarl_site *site) {
  uint32_t me = snarli_ident_known(), nobody = 0;
  if (!is_plain(lock) || !me || __builtin_expect(!snarli_cas(&lock->word, &nobody, WRITER), 0))
    return acquire_slowly(lock, WANTS_WRITE, timeout, site);
  snarli_store(&lock->writer, me);
  snarli_holds(1);
  return SNARL_OK;
}

static SNARLI_COLD int release_read_slowly(snarl_rwlock *lock, struct snarl_site *site) {
  int status = check(lock, site);
  if (status)
    return status;
  uint32_t word = snarli_load(&lock->word);
  if (!(word & READERS))
    return snarli_refuse(SNARL_NOT_HELD, lock, site);
  if (snarli_records())
    snarli_note(SNARLI_R_RWLOCK_RELEASED, 0, &lock->object, site);
  give(lock, word, 1);
  return SNARL_OK;
}

int snarl_rwlock_release_read_at(snarl_rwlock *lock, struct snarl_site *site) {
  if (is_plain(lock)) {
    uint32_t word = snarli_load(&lock->word);
    if (__builtin_expect(word && word <= READERS && snarli_cas(&lock->word, &word, word - 1), 1))
      return SNARL_OK;
  }
  return release_read_slowly(lock, site);
}

int snarl_rwlock_release_write_at(snarl_rwlock *lock, struct snarl_site *site) {
  int status = check(lock, site);
  if (__builtin_expect(status, 0))
    return status;
  uint32_t word = snarli_load(&lock->word), writer = snarli_load(&lock->writer);
  if (__builtin_expect(!(word & WRITER) || writer != snarli_ident_known(), 0))
    return snarli_refuse(word & WRITER ? SNARL_NOT_OWNER : SNARL_NOT_HELD, lock, site);
  if (snarli_records())
    snarli_note(SNARLI_R_RWLOCK_RELEASED, 0, &lock->object, site);
  snarli_store(&lock->writer, 0);
  snarli_holds(-1);
  give(lock, word, WRITER);
  return SNARL_OK;
}

int snarl_rwlock_init_at(snarl_rwlock *lock, const char *name, struct snarl_site *site) {
  if (lock)
    *lock = (snarl_rwlock){.word = 0};
  return snarli_object_begin((struct snarl_object *)lock, SNARLI_ALIVE(RWLOCK), name, site);
}

int snarl_rwlock_destroy_at(snarl_rwlock *lock, struct snarl_site *site) {
  int status = check(lock, site);
  if (!status && snarli_load(&lock->word))
    status = snarli_refuse(SNARL_IN_USE, lock, site);
  if (status)
    return status;
  if (snarli_records())
    snarli_note(SNARLI_R_RWLOCK_DESTROYED, 0, &lock->object, site);
  snarli_object_end(&lock->object);
  return SNARL_OK;
}
