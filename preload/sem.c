/* SPDX-License-Identifier: MIT
 *
 * POSIX semaphores, unnamed and named. The waits are cancellation points. sem_post may be called by signal handlers.
 */
#include "memory.h"
#include "wrapper.h"
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <string.h>
#include <sys/syscall.h>

/* glibc's sem_wait looks for a cancellation request even if it will not block, then tries, then blocks: the first two
 * steps are made here, so that a wait that need not block costs one record. */
SNARLI_EXPORT int sem_wait(sem_t *sem) {
  if (!snarli_is_recording())
    return snarli_real()->sem_wait(sem);
  pthread_testcancel();
  int saved = errno;
  SNARLI_CANCELLABLE call = {0, snarli_address(sem), SNARLI_STACK};
  int result = snarli_real()->sem_trywait(sem);
  if (result) {
    errno = saved;
    snarli_record_aux(SNARLI_R_SEM_REQUESTED, 0, call.object, call.stack);
    call.type = SNARLI_R_SEM_FAILED;
    result = snarli_real()->sem_wait(sem);
    call.type = 0;
  }
  snarli_record_outcome(SNARLI_R_SEM_ACQUIRED, SNARLI_R_SEM_FAILED, 0, SNARLI_ERROR_ERRNO(result), call.object,
                        call.stack);
  return result;
}

SNARLI_EXPORT int sem_timedwait(sem_t *sem, const struct timespec *end) {
  if (!snarli_is_recording())
    return snarli_real()->sem_timedwait(sem, end);
  SNARLI_CANCELLABLE call = {SNARLI_R_SEM_FAILED, snarli_address(sem), SNARLI_STACK};
  snarli_record_aux(SNARLI_R_SEM_REQUESTED, SNARLI_F_TIMED, call.object, call.stack);
  int result = snarli_real()->sem_timedwait(sem, end);
  call.type = 0;
  snarli_record_outcome(SNARLI_R_SEM_ACQUIRED, SNARLI_R_SEM_FAILED, SNARLI_F_TIMED, SNARLI_ERROR_ERRNO(result),
                        call.object, call.stack);
  return result;
}

SNARLI_EXPORT int sem_clockwait(sem_t *sem, clockid_t clock, const struct timespec *end) {
  if (!snarli_is_recording())
    return snarli_real()->sem_clockwait(sem, clock, end);
  SNARLI_CANCELLABLE call = {SNARLI_R_SEM_FAILED, snarli_address(sem), SNARLI_STACK};
  snarli_record_aux(SNARLI_R_SEM_REQUESTED, SNARLI_F_TIMED, call.object, call.stack);
  int result = snarli_real()->sem_clockwait(sem, clock, end);
  call.type = 0;
  snarli_record_outcome(SNARLI_R_SEM_ACQUIRED, SNARLI_R_SEM_FAILED, SNARLI_F_TIMED, SNARLI_ERROR_ERRNO(result),
                        call.object, call.stack);
  return result;
}

SNARLI_EXPORT int sem_post(sem_t *sem) {
  if (!snarli_is_recording())
    return snarli_real()->sem_post(sem);
  uint32_t stack = SNARLI_STACK;
  snarli_record_aux(SNARLI_R_SEM_POSTED, 0, snarli_address(sem), stack);
  int result = snarli_real()->sem_post(sem);
  if (result)
    snarli_record_aux(SNARLI_R_SEM_POST_FAILED, (unsigned)errno, snarli_address(sem), stack);
  return result;
}

SNARLI_EXPORT int sem_init(sem_t *sem, int shared, unsigned value) {
  if (!snarli_is_recording())
    return snarli_real()->sem_init(sem, shared, value);
  uint32_t stack = SNARLI_STACK;
  int result = snarli_real()->sem_init(sem, shared, value);
  if (!result) {
    snarli_record_aux(SNARLI_R_SEM_INIT, shared ? SNARLI_T_SHARED : 0, snarli_address(sem), stack);
    snarli_record_aux(SNARLI_R_SEM_VALUE, 0, snarli_address(sem), value);
  }
  return result;
}

/* There is a semaphore of this name, or nobody can tell. The C library keeps them as files, and the name may be what it
 * refuses. */
static bool is_there(const char *name) {
  char path[sizeof "/dev/shm/sem." + NAME_MAX] = "/dev/shm/sem.";
  const char *bare = name + strspn(name, "/");
  size_t size = strnlen(bare, NAME_MAX);
  int saved = errno;
  memcpy(path + strlen(path), bare, size); /* the rest is zeros */
  bool is_missing = size < NAME_MAX && snarli_real()->syscall(SYS_faccessat, AT_FDCWD, path, F_OK) && errno == ENOENT;
  errno = saved;
  return !is_missing;
}

static void sem_opened(sem_t *sem, uint32_t stack) {
  int saved = errno, value = 0;
  (void)sem_getvalue(sem, &value);
  snarli_shared_mapped(sem, sizeof *sem);
  snarli_record_aux(SNARLI_R_SEM_OPENED, SNARLI_T_SHARED, snarli_address(sem), stack);
  snarli_record_aux(SNARLI_R_SEM_VALUE, 0, snarli_address(sem), (uint32_t)value);
  errno = saved;
}

SNARLI_EXPORT sem_t *sem_open(const char *name, int flags, ...) {
  mode_t mode = 0;
  unsigned value = 0;
  if (flags & O_CREAT) {
    va_list rest;
    va_start(rest, flags);
    mode = va_arg(rest, mode_t);
    value = va_arg(rest, unsigned);
    va_end(rest);
  }
  uint32_t stack = SNARLI_STACK_IF_RECORDING;
  bool is_made = flags & O_CREAT && snarli_is_recording() && !is_there(name);
  sem_t *sem = snarli_real()->sem_open(name, flags, mode, value);
  if (sem == SEM_FAILED || !snarli_is_recording())
    return sem;
  sem_opened(sem, stack);
  if (is_made)
    snarli_record_aux(SNARLI_R_OBJECT_NAMED, SNARLI_NAME_MADE, snarli_address(sem),
                      snarli_blob_string(name, strlen(name)));
  return sem;
}

/* Before the call: after it another thread may be given the same address. */
SNARLI_EXPORT int sem_close(sem_t *sem) {
  if (snarli_is_recording()) {
    snarli_record_aux(SNARLI_R_SEM_CLOSED, 0, snarli_address(sem), SNARLI_STACK);
    snarli_shared_unmapped(sem, sizeof *sem);
  }
  return snarli_real()->sem_close(sem);
}

/* libsnarl's shared memory may lose its name by this, too. */
SNARLI_EXPORT int shm_unlink(const char *name) {
  int result = snarli_real()->shm_unlink(name);
  if (!result && snarli_is_recording())
    snarli_record_aux(SNARLI_R_OBJECT_NAMED, SNARLI_NAME_REMOVED, 0, snarli_blob_string(name, strlen(name)));
  return result;
}

SNARLI_EXPORT int sem_unlink(const char *name) {
  int result = snarli_real()->sem_unlink(name);
  if (!result && snarli_is_recording())
    snarli_record_aux(SNARLI_R_SEM_UNLINKED, 0, 0, snarli_blob_string(name, strlen(name)));
  return result;
}

/* A name in the system is a file there. */
static void file_unlinked(const char *path) {
  static const char folder[] = "/dev/shm/", semaphore[] = "sem.";
  if (!snarli_is_recording() || strncmp(path, folder, sizeof folder - 1) != 0)
    return;
  const char *name = path + sizeof folder - 1;
  bool is_semaphore = !strncmp(name, semaphore, sizeof semaphore - 1);
  name += is_semaphore ? sizeof semaphore - 1 : 0;
  snarli_record_aux(is_semaphore ? SNARLI_R_SEM_UNLINKED : SNARLI_R_OBJECT_NAMED,
                    is_semaphore ? 0 : SNARLI_NAME_REMOVED, 0, snarli_blob_string(name, strlen(name)));
}

SNARLI_EXPORT int unlink(const char *path) {
  int result = snarli_real()->unlink(path);
  if (!result)
    file_unlinked(path);
  return result;
}

SNARLI_EXPORT int unlinkat(int folder, const char *path, int flags) {
  int result = snarli_real()->unlinkat(folder, path, flags);
  if (!result)
    file_unlinked(path);
  return result;
}
