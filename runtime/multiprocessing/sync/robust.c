/* SPDX-License-Identifier: MIT
 *
 * Lock and RLock between processes. The word is what the kernel expects of a robust futex: the owner's thread number,
 * the same for all processes, and whether somebody sleeps. What a thread holds is in the kernel's list of it; when it
 * ends, however that is, the kernel marks these words and wakes one sleeper of each. The C library has registered that
 * list for its own mutexes; ours join it, laid out like them. Entered by any thread of any process that has the memory.
 */
#include "robust.h"
#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Where the kernel looks for the word, from an entry of the list; the C library has said so for its mutexes. */
#define WORD_OFFSET (-32L)
_Static_assert(offsetof(snarl_lock, word) == offsetof(snarl_lock, robust[2]) + WORD_OFFSET,
               "the kernel finds the word");
_Static_assert(sizeof(snarl_rlock) == sizeof(snarl_lock), "one layout");

/* An entry is its pointer to the next one; the pointer before it leads back. The lowest bit is the C library's. */
static inline struct robust_list *entry_of(snarl_lock *lock) { return (struct robust_list *)(void *)&lock->robust[2]; }
static inline struct robust_list *entry_at(struct robust_list *link) {
  return (struct robust_list *)((uintptr_t)link & ~(uintptr_t)1);
}
static inline struct robust_list **back_of(struct robust_list *entry) { return (struct robust_list **)entry - 1; }

/* A thread that the C library knows nothing of has no list. */
static __thread struct robust_list_head own_head __attribute__((tls_model("initial-exec")));

static SNARLI_COLD bool self_known(void) {
  struct robust_list_head *head = NULL;
  size_t size;
  int saved = errno;
  long failed = syscall(SYS_get_robust_list, 0, &head, &size);
  if (!failed && !head) {
    own_head = (struct robust_list_head){.list = {&own_head.list}, .futex_offset = WORD_OFFSET};
    head = &own_head;
    failed = syscall(SYS_set_robust_list, head, sizeof *head);
  }
  bool is_usable = !failed && head->futex_offset == WORD_OFFSET;
  if (is_usable) {
    snarli_own.robust = head;
    snarli_own.tid = (uint32_t)syscall(SYS_gettid);
  }
  errno = saved;
  return is_usable;
}

/* The calling thread can own such locks. */
static inline bool knows_self(void) { return __builtin_expect(snarli_own.tid != 0, 1) || self_known(); }

bool snarli_robust_ready(void) { return knows_self(); }

/* What the thread is about to take or to give, for the kernel, which looks at it in place of the list. */
static inline void pending(struct robust_list *entry) {
  snarli_keep_order();
  snarli_own.robust->list_op_pending = entry;
  snarli_keep_order();
}

static inline void list_add(struct robust_list *entry) {
  struct robust_list *head = &snarli_own.robust->list, *first = head->next;
  *back_of(entry) = head;
  entry->next = first;
  snarli_keep_order();
  if (entry_at(first) != head)
    *back_of(entry_at(first)) = entry;
  head->next = entry;
}

static inline void list_remove(struct robust_list *entry) {
  struct robust_list *head = &snarli_own.robust->list, *next = entry->next, *back = *back_of(entry);
  if (entry_at(next) != head)
    *back_of(entry_at(next)) = back;
  snarli_keep_order();
  entry_at(back)->next = next;
}

/* The word is free or left behind: mine. `as` is what to make of it. SNARL_TIMEOUT: it is somebody's. */
static inline int take_free(snarl_lock *lock, uint32_t *seen, uint32_t as) {
  while (!(*seen & FUTEX_TID_MASK))
    if (snarli_cas(&lock->word, seen, as | (*seen & FUTEX_WAITERS)))
      return *seen & FUTEX_OWNER_DIED ? SNARL_RECOVERED : SNARL_OK;
  return SNARL_TIMEOUT;
}

/* Whoever is killed after it was woken and before it could mark the word takes the mark along; since none sleeps for
 * long, another sets it again. */
static SNARLI_COLD int take_slowly(snarl_lock *lock, uint32_t me, snarl_time timeout) {
  int64_t deadline = snarli_deadline(timeout);
  uint32_t seen = snarli_load(&lock->word);
  if (deadline > 0) {
    snarli_spin(&lock->word, seen);
    seen = snarli_load(&lock->word);
  }
  bool is_over = false;
  for (uint32_t as = me;; as = me | FUTEX_WAITERS) { /* who slept does not know whether others still do */
    pending(entry_of(lock));                         /* a handler may have used the list meanwhile */
    int status = take_free(lock, &seen, as);
    if (status != SNARL_TIMEOUT || is_over || deadline <= 0)
      return status;
    if (!(seen & FUTEX_WAITERS) && !snarli_cas(&lock->word, &seen, seen | FUTEX_WAITERS))
      continue;
    is_over = !snarli_park_shared(&lock->word, seen | FUTEX_WAITERS, deadline);
    seen = snarli_load(&lock->word);
  }
}

static inline int take(snarl_lock *lock, snarl_time timeout) {
  uint32_t nobody = 0, me = snarli_own.tid;
  pending(entry_of(lock));
  int status = snarli_cas(&lock->word, &nobody, me) ? SNARL_OK : take_slowly(lock, me, timeout);
  if (__builtin_expect(status != SNARL_TIMEOUT, 1)) {
    list_add(entry_of(lock));
    lock->depth = 1;
  }
  pending(NULL);
  return status;
}

/* Where those sleep that a Condition has notified, from the lock on, and how many of them to wake. */
static inline uintptr_t *notified_at(snarl_lock *lock) { return (uintptr_t *)(void *)&lock->notified; }
static inline uintptr_t *notified_count(snarl_lock *lock) { return (uintptr_t *)(void *)&lock->robust[0]; }

static SNARLI_COLD void wake_notified(snarl_lock *lock, uintptr_t distance, uintptr_t count) {
  (void)snarli_unpark_shared((uint32_t *)((uintptr_t)lock + distance), (int)count);
}

/* The memory may be gone as soon as the word is free: what follows uses its address only. `as` is 0, or that the next
 * owner is to be told of the last. Whoever is killed before the waking does not wake: those look again by themselves.
 */
static inline void give(snarl_lock *lock, uint32_t as) {
  uintptr_t distance = *notified_at(lock), count = *notified_count(lock);
  *notified_at(lock) = 0;
  pending(entry_of(lock));
  list_remove(entry_of(lock));
  snarli_keep_order();
  if (__builtin_expect(snarli_swap(&lock->word, as) & FUTEX_WAITERS, 0))
    (void)snarli_unpark_shared(&lock->word, 1);
  pending(NULL);
  if (__builtin_expect(distance != 0, 0))
    wake_notified(lock, distance, count);
}

void snarli_robust_wake_later(snarl_lock *lock, uint32_t *word, int count) {
  uintptr_t distance = (uintptr_t)word - (uintptr_t)lock, before = *notified_at(lock), sum = (uintptr_t)count;
  if (before == distance)
    sum += *notified_count(lock);
  else if (before)
    wake_notified(lock, before, *notified_count(lock));
  *notified_count(lock) = sum < INT_MAX ? sum : INT_MAX;
  *notified_at(lock) = distance;
}

int snarli_robust_take(snarl_lock *lock, snarl_time timeout) { return take(lock, timeout); }
void snarli_robust_give(snarl_lock *lock) { give(lock, 0); }

static inline bool is_owner(const snarl_lock *lock, uint32_t tid) {
  return tid && (snarli_load(&lock->word) & FUTEX_TID_MASK) == tid;
}
bool snarli_robust_is_mine(const snarl_lock *lock) { return is_owner(lock, snarli_own.tid); }
bool snarli_robust_locked(const snarl_lock *lock) { return snarli_load(&lock->word) & FUTEX_TID_MASK; }

static SNARLI_COLD int take_again(snarl_lock *lock, struct snarl_site *site) {
  if (lock->depth == UINT32_MAX)
    return snarli_refuse(SNARL_TOO_MANY, lock, site);
  lock->depth++;
  return SNARL_OK;
}

static inline bool takes_again(const snarl_lock *lock) {
  return snarli_kind(&lock->object) == SNARLI_ALIVE(RLOCK) && snarli_robust_is_mine(lock);
}

static SNARLI_COLD int acquire_recorded(snarl_lock *lock, snarl_time timeout, struct snarl_site *site) {
  unsigned flags = snarli_flags(timeout);
  snarli_prepare(&lock->object, site);
  int status = takes_again(lock) ? take_again(lock, site) : take(lock, SNARL_NOW);
  if (status == SNARL_TIMEOUT && timeout > 0) {
    snarli_note(SNARLI_R_MUTEX_REQUESTED, flags, &lock->object, site);
    status = take(lock, timeout);
  }
  if (status == SNARL_OK || status == SNARL_RECOVERED)
    snarli_note(SNARLI_R_MUTEX_ACQUIRED, flags | (status ? SNARLI_F_OWNER_DIED : 0), &lock->object, site);
  else
    snarli_note_failed(SNARLI_R_MUTEX_FAILED, status, timeout, &lock->object, site);
  return status;
}

int snarli_robust_acquire(snarl_lock *lock, snarl_time timeout, struct snarl_site *site) {
  if (!knows_self())
    return snarli_refuse(SNARL_INVALID, lock, site);
  if (snarli_records())
    return acquire_recorded(lock, timeout, site);
  return __builtin_expect(takes_again(lock), 0) ? take_again(lock, site) : take(lock, timeout);
}

static SNARLI_COLD int refuse_release(snarl_lock *lock, struct snarl_site *site) {
  return snarli_refuse(snarli_robust_locked(lock) ? SNARL_NOT_OWNER : SNARL_NOT_HELD, lock, site);
}

int snarli_robust_release(snarl_lock *lock, struct snarl_site *site) {
  if (__builtin_expect(!snarli_robust_is_mine(lock), 0))
    return refuse_release(lock, site);
  if (snarli_records())
    snarli_note(SNARLI_R_MUTEX_RELEASED, 0, &lock->object, site);
  if (lock->depth > 1)
    lock->depth--;
  else
    give(lock, 0);
  return SNARL_OK;
}

void snarli_robust_leave(struct snarl_object *object, struct snarl_site *site) {
  bool is_condition = snarli_kind(object) == SNARLI_ALIVE(CONDITION);
  snarl_lock *lock = is_condition ? snarli_pshared_lock_of((snarl_condition *)object) : (snarl_lock *)object;
  if (snarli_records())
    snarli_note(SNARLI_R_MUTEX_RELEASED, 0, &lock->object, site);
  give(lock, FUTEX_OWNER_DIED);
}

int snarli_robust_init(snarl_lock *lock, uint32_t alive, const char *name, struct snarl_site *site) {
  int status = snarli_check_room((const struct snarl_object *)lock, site);
  if (!status && !knows_self())
    status = snarli_refuse(SNARL_INVALID, lock, site);
  if (status)
    return status;
  *lock = (snarl_lock){.word = 0};
  return snarli_object_begin_shared((struct snarl_object *)lock, alive, sizeof *lock, name, site);
}

int snarli_robust_destroy(snarl_lock *lock, struct snarl_site *site) {
  if (snarli_robust_locked(lock))
    return snarli_refuse(SNARL_IN_USE, lock, site);
  if (snarli_records())
    snarli_note(SNARLI_R_MUTEX_DESTROYED, 0, &lock->object, site);
  snarli_object_end(&lock->object);
  return SNARL_OK;
}
