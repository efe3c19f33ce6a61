/* SPDX-License-Identifier: MIT
 *
 * flock, lockf, the locks of fcntl and what closing a file releases. An uncontended lock costs one record (lockf: and
 * one lseek): the form that does not wait is called first, and *requested* is recorded when it fails. That is the same
 * as waiting at once:
 *   - flock gives up a lock of the other mode before it asks for the new one, whether it may wait or not; so that
 *     release is recorded before the call;
 *   - of record locks the waiting form differs in waiting only, and it is a cancellation point: the request for that is
 *     looked for first.
 * Entered by any thread and, as far as the program dares, by signal handlers.
 */
#include "files.h"
#include "descriptions.h"
#include "file_strings.h"
#include "wrapper.h"
#include <fcntl.h>
#include <stdatomic.h>
#include <sys/file.h>

/* Files on which this process has record locks, by the hash of the file. Wiped by a fork, as the locks are. */
enum { HELD = 510, WRITTEN = 1, OF_PROCESS = 2, FLAGS = 3 };
static _Alignas(4096) union {
  struct {
    _Atomic bool is_wiped_by_fork;
    _Atomic bool is_full; /* there were more: any file may have locks */
    _Atomic uint64_t files[HELD];
  } s;
  char page[4096];
} held;

static _Atomic uint64_t *held_find(uint64_t file) {
  for (size_t i = 0; i < HELD; i++) {
    uint64_t at = atomic_load_explicit(&held.s.files[i], memory_order_relaxed);
    if (!at) /* entries are taken from the front and stay */
      return NULL;
    if ((at & ~(uint64_t)FLAGS) == file)
      return &held.s.files[i];
  }
  return NULL;
}

static unsigned held_flags(const struct snarli_file *file) {
  _Atomic uint64_t *at = held_find(file->hash & ~(uint64_t)FLAGS);
  return at ? *at & FLAGS : held.s.is_full ? FLAGS : 0;
}

/* The file's entry, made if there is none; else another's that has no flags. */
static _Atomic uint64_t *held_entry(uint64_t file) {
  _Atomic uint64_t *found = held_find(file);
  for (size_t i = 0; !found && i < HELD; i++) {
    uint64_t at = atomic_load_explicit(&held.s.files[i], memory_order_relaxed);
    if (!(at & FLAGS) && atomic_compare_exchange_strong_explicit(&held.s.files[i], &at, file, memory_order_relaxed,
                                                                 memory_order_relaxed))
      found = &held.s.files[i];
  }
  return found;
}

static void held_mark(const struct snarli_file *file, unsigned flags) {
  if (!held.s.is_wiped_by_fork) {
    int saved = errno;
    (void)madvise(&held, sizeof held, MADV_WIPEONFORK);
    errno = saved;
    held.s.is_wiped_by_fork = true;
  }
  _Atomic uint64_t *entry = held_entry(file->hash & ~(uint64_t)FLAGS);
  if (!entry)
    held.s.is_full = true;
  else if (flags & ~atomic_load_explicit(entry, memory_order_relaxed))
    atomic_fetch_or_explicit(entry, flags, memory_order_relaxed);
}

static void held_clear(const struct snarli_file *file) {
  _Atomic uint64_t *entry = held_find(file->hash & ~(uint64_t)FLAGS);
  if (entry)
    atomic_fetch_and_explicit(entry, ~(uint64_t)FLAGS, memory_order_relaxed);
}

/* Whether closing a descriptor of whatever file may release a lock. */
static bool has_held(void) {
  for (size_t i = 0; i < HELD; i++) {
    uint64_t at = atomic_load_explicit(&held.s.files[i], memory_order_relaxed);
    if (!at)
      break;
    if (at & OF_PROCESS)
      return true;
  }
  return held.s.is_full;
}

/* One lock that a call is about. */
struct lock {
  struct snarli_file file;
  enum snarli_lock_kind kind;
  bool is_write;
  uint64_t first, last;
  uint64_t owner;
  uint32_t text; /* the object of its records */
  uint32_t stack;
};

static bool lock_name(struct lock *lock, int fd) {
  lock->owner = snarli_description_of(fd);
  if (!lock->owner)
    return false;
  lock->text = snarli_file_string(fd, &lock->file, lock->kind, lock->owner, lock->first, lock->last);
  return lock->text != 0;
}

static enum snarli_record_type requested(const struct lock *lock) {
  return lock->is_write ? SNARLI_R_FILE_WRITE_REQUESTED : SNARLI_R_FILE_READ_REQUESTED;
}
static enum snarli_record_type acquired(const struct lock *lock) {
  return lock->is_write ? SNARLI_R_FILE_WRITE_ACQUIRED : SNARLI_R_FILE_READ_ACQUIRED;
}

static void record_release(const struct lock *lock) {
  snarli_record_aux(SNARLI_R_FILE_LOCK_RELEASED, lock->file.has_name ? 0 : SNARLI_F_ENDED, lock->text, lock->stack);
}

static void record_release_outcome(const struct lock *lock, int result) {
  if (result == -1)
    snarli_record_aux(SNARLI_R_FILE_RELEASE_FAILED, (unsigned)errno, lock->text, lock->stack);
}

static void record_outcome(const struct lock *lock, bool is_try, int error) {
  if (is_try)
    snarli_record_try(acquired(lock), SNARLI_R_FILE_LOCK_FAILED, SNARLI_F_TRY, error, lock->text, lock->stack);
  else
    snarli_record_outcome(acquired(lock), SNARLI_R_FILE_LOCK_FAILED, 0, error, lock->text, lock->stack);
}

/* flock */

static int flock_release(struct lock *lock, int fd, int operation) {
  record_release(lock);
  int result = snarli_real()->flock(fd, operation);
  record_release_outcome(lock, result);
  if (!result)
    snarli_description_mark(fd, 0, FLOCK_SHARED | FLOCK_EXCLUSIVE);
  return result;
}

static int flock_acquire(struct lock *lock, int fd, int operation) {
  unsigned mode = lock->is_write ? FLOCK_EXCLUSIVE : FLOCK_SHARED;
  unsigned had = snarli_description_uses(fd) & (FLOCK_SHARED | FLOCK_EXCLUSIVE);
  bool is_try = operation & LOCK_NB;
  int saved = errno;
  if (had && had != mode)
    record_release(lock);
  int result = snarli_real()->flock(fd, operation | LOCK_NB);
  if (result && errno == EWOULDBLOCK && !is_try) {
    errno = saved;
    snarli_record_aux(requested(lock), 0, lock->text, lock->stack);
    result = snarli_real()->flock(fd, operation);
  }
  record_outcome(lock, is_try, SNARLI_ERROR_ERRNO(result));
  if (result)
    mode = had && had != mode ? 0 : had; /* what it had went before it asked */
  snarli_description_mark(fd, mode | USED_FLOCK, (FLOCK_SHARED | FLOCK_EXCLUSIVE) & ~mode);
  return result;
}

SNARLI_EXPORT int flock(int fd, int operation) {
  struct lock lock = {.kind = KIND_FLOCK, .last = SNARLI_TO_END, .is_write = (operation & ~LOCK_NB) == LOCK_EX};
  int what = operation & ~LOCK_NB;
  if (!snarli_is_recording() || (what != LOCK_SH && what != LOCK_EX && what != LOCK_UN) ||
      !snarli_file_remembered(fd, &lock.file) || !lock_name(&lock, fd))
    return snarli_real()->flock(fd, operation);
  lock.stack = SNARLI_STACK;
  return what == LOCK_UN ? flock_release(&lock, fd, operation) : flock_acquire(&lock, fd, operation);
}

/* Record locks: by fcntl, or by lockf, which differs in its arguments only. */
struct record_call {
  int (*fcntl)(int, int, ...); /* NULL: lockf */
  int (*lockf)(int, int, off_t);
  int fd, command, try_command;
  struct flock *bytes;
  off_t size;
};

static int call_with(const struct record_call *call, int command) {
  return call->fcntl ? call->fcntl(call->fd, command, call->bytes) : call->lockf(call->fd, command, call->size);
}

/* The bytes that are meant; false: the call will fail, or nobody can say. */
static bool find_bytes(struct lock *lock, int fd, const struct flock *bytes) {
  int64_t begin = 0;
  if (bytes->l_whence == SEEK_CUR) {
    int saved = errno;
    begin = lseek(fd, 0, SEEK_CUR);
    errno = saved;
  } else if (bytes->l_whence == SEEK_END) {
    begin = (int64_t)lock->file.size;
  } else if (bytes->l_whence != SEEK_SET) {
    return false;
  }
  int64_t end;
  if (begin < 0 || __builtin_add_overflow(begin, (int64_t)bytes->l_start, &begin) || begin < 0 ||
      __builtin_add_overflow(begin, (int64_t)bytes->l_len, &end) || end < 0)
    return false;
  lock->first = (uint64_t)(bytes->l_len < 0 ? end : begin);
  lock->last = bytes->l_len == 0 ? SNARLI_TO_END : (uint64_t)(bytes->l_len < 0 ? begin : end) - 1;
  return true;
}

static int record_release_bytes(struct lock *lock, const struct record_call *call) {
  record_release(lock);
  int result = call_with(call, call->command);
  record_release_outcome(lock, result);
  if (!result && lock->kind == KIND_PROCESS && lock->first == 0 && lock->last == SNARLI_TO_END)
    held_clear(&lock->file);
  return result;
}

static bool is_conflict(int result) { return result == -1 && (errno == EAGAIN || errno == EACCES); }

/* Whoever held these bytes for writing gives that up, and others may read before we come back. */
static void record_downgrade(const struct lock *lock) {
  if (!lock->is_write && held_flags(&lock->file) & WRITTEN)
    record_release(lock);
}

static int record_acquire_bytes(struct lock *lock, const struct record_call *call) {
  SNARLI_CANCELLABLE pending = {0, lock->text, lock->stack};
  bool is_try = call->try_command == call->command;
  int saved = errno;
  record_downgrade(lock);
  int result = call_with(call, call->try_command);
  if (!is_try && is_conflict(result)) {
    errno = saved;
    snarli_record_aux(requested(lock), 0, lock->text, lock->stack);
    pending.type = SNARLI_R_FILE_LOCK_FAILED;
    result = call_with(call, call->command);
    pending.type = 0;
  }
  record_outcome(lock, is_try, SNARLI_ERROR_ERRNO(result));
  if (result == -1)
    return result;
  held_mark(&lock->file, (lock->is_write ? WRITTEN : 0) | (lock->kind == KIND_PROCESS ? OF_PROCESS : 0));
  snarli_description_mark(call->fd, lock->kind == KIND_PROCESS ? USED_PROCESS : USED_OFD, 0);
  return result;
}

static bool find_file(struct lock *lock, int fd, bool needs_size) {
  return needs_size ? snarli_file_of(fd, &lock->file) : snarli_file_remembered(fd, &lock->file);
}

static int lock_bytes(const struct record_call *call, const struct flock *bytes, enum snarli_lock_kind kind,
                      uint32_t stack) {
  struct lock lock = {.kind = kind, .stack = stack, .is_write = bytes->l_type == F_WRLCK};
  bool is_known = (bytes->l_type == F_RDLCK || bytes->l_type == F_WRLCK || bytes->l_type == F_UNLCK) &&
                  find_file(&lock, call->fd, bytes->l_whence == SEEK_END) && find_bytes(&lock, call->fd, bytes) &&
                  lock_name(&lock, call->fd);
  if (!is_known)
    return call_with(call, call->command);
  return bytes->l_type == F_UNLCK ? record_release_bytes(&lock, call) : record_acquire_bytes(&lock, call);
}

int snarli_files_lock(int (*real)(int, int, ...), int fd, int command, long bytes, uint32_t stack) {
  bool waits = command == F_SETLKW || command == F_OFD_SETLKW;
  bool is_ofd = command == F_OFD_SETLK || command == F_OFD_SETLKW;
  struct record_call call = {.fcntl = real, .fd = fd, .command = command, .bytes = (struct flock *)bytes};
  call.try_command = !waits ? command : is_ofd ? F_OFD_SETLK : F_SETLK;
  if (waits)
    pthread_testcancel();
  return lock_bytes(&call, call.bytes, is_ofd ? KIND_OFD : KIND_PROCESS, stack);
}

/* In the order of F_ULOCK, F_LOCK, F_TLOCK; anything else tests, or fails. */
#define LOCKF(name, type)                                                                                              \
  SNARLI_EXPORT int name(int fd, int command, type size) {                                                             \
    if (!snarli_is_recording() || (command != F_ULOCK && command != F_LOCK && command != F_TLOCK))                     \
      return snarli_real()->name(fd, command, size);                                                                   \
    struct flock bytes = {                                                                                             \
        .l_type = command == F_ULOCK ? F_UNLCK : F_WRLCK, .l_whence = SEEK_CUR, .l_start = 0, .l_len = size};          \
    struct record_call call = {                                                                                        \
        .lockf = snarli_real()->name, .fd = fd, .command = command, .try_command = F_TLOCK, .size = size};             \
    uint32_t stack = SNARLI_STACK;                                                                                     \
    if (command == F_LOCK)                                                                                             \
      pthread_testcancel();                                                                                            \
    return lock_bytes(&call, &bytes, KIND_PROCESS, stack);                                                             \
  }
LOCKF(lockf, off_t)
LOCKF(lockf64, off64_t)

/* Descriptors */

void snarli_files_opened(int fd) {
  uint64_t name;
  unsigned uses;
  if (snarli_description_has_name(fd) && snarli_is_recording())
    (void)snarli_description_drop(fd, &name, &uses);
}

void snarli_files_copied(int from, int to) {
  if (snarli_is_recording())
    snarli_description_copy(from, to);
}

bool snarli_files_concern(int fd) { return (snarli_description_has_name(fd) || has_held()) && snarli_is_recording(); }

static void record_left(const struct lock *known, int fd, enum snarli_lock_kind kind) {
  struct lock lock = *known;
  lock.kind = kind;
  lock.text = snarli_file_string(fd, &lock.file, kind, lock.owner, 0, SNARLI_TO_END);
  if (lock.text && kind == KIND_PROCESS)
    record_release(&lock);
  else if (lock.text)
    snarli_record_aux(SNARLI_R_FILE_LOCK_LEFT, lock.file.has_name ? 0 : SNARLI_F_ENDED, lock.text, lock.stack);
}

void snarli_files_closing(int fd, uint32_t stack) {
  struct lock lock = {.last = SNARLI_TO_END, .stack = stack};
  unsigned uses = 0;
  bool is_last = snarli_description_drop(fd, &lock.owner, &uses);
  if (!(is_last && uses & (USED_FLOCK | USED_OFD | USED_PROCESS)) && !has_held())
    return;
  if (!snarli_file_of(fd, &lock.file))
    return;
  if (held_flags(&lock.file) & OF_PROCESS || (is_last && uses & USED_PROCESS && !lock.file.has_name)) {
    record_left(&lock, fd, KIND_PROCESS);
    held_clear(&lock.file);
  }
  if (!is_last)
    return;
  if (uses & USED_FLOCK)
    record_left(&lock, fd, KIND_FLOCK);
  if (uses & USED_OFD)
    record_left(&lock, fd, KIND_OFD);
}

void snarli_files_closing_range(unsigned first, unsigned last, uint32_t stack) {
  if (snarli_is_recording())
    snarli_descriptions_visit(first, last, snarli_files_closing, stack);
}

static void close_at_exec(int fd, uint32_t stack) {
  int saved = errno;
  int flags = snarli_real()->fcntl(fd, F_GETFD);
  if (flags == -1 || flags & FD_CLOEXEC)
    snarli_files_closing(fd, stack);
  errno = saved;
}

void snarli_files_executing(uint32_t stack) { snarli_descriptions_visit(0, UINT32_MAX, close_at_exec, stack); }
