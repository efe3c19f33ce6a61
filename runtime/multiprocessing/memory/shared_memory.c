/* SPDX-License-Identifier: MIT
 *
 * SharedMemory: POSIX shared memory, or a file without a name. Entered by any thread; a struct by one at a time.
 */
#include "shared_memory.h"
#include "core/runtime.h"
#include "core/system.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static int status_of(int error) {
  switch (error) {
  case EEXIST:
    return SNARL_EXISTS;
  case ENOENT:
    return SNARL_NOT_FOUND;
  case EACCES:
  case EPERM:
    return SNARL_DENIED;
  case EINVAL:
  case ENAMETOOLONG:
    return SNARL_INVALID;
  default:
    return SNARL_NO_MEMORY;
  }
}

/* In the file system of the named ones the bytes exist from now on, or a status says that there is no room: not a
 * SIGBUS at some later store. What has no name is the process' own memory and comes as it is touched, like any. */
static int size_set(int fd, size_t size, bool is_named) {
  if (size > INT64_MAX)
    return SNARL_NO_MEMORY;
  if (!is_named)
    return ftruncate(fd, (off_t)size) ? status_of(errno) : SNARL_OK;
  int error;
  do
    error = posix_fallocate(fd, 0, (off_t)size);
  while (error == EINTR);
  return error ? status_of(error) : SNARL_OK;
}

/* What another has made and not given its size yet is not there yet. */
static int size_get(int fd, size_t *size) {
  struct stat file;
  if (fstat(fd, &file))
    return status_of(errno);
  *size = (size_t)file.st_size;
  return *size ? SNARL_OK : SNARL_NOT_FOUND;
}

static int map(snarl_shared_memory *memory, int fd) {
  void *data = mmap(NULL, memory->size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (data == MAP_FAILED)
    return status_of(errno);
  memory->data = data;
  memory->fd = fd;
  if (snarli_records())
    snarli_mapped(data, memory->size);
  return SNARL_OK;
}

static void unmap(snarl_shared_memory *memory) {
  if (snarli_records())
    snarli_unmapped(memory->data, memory->size);
  (void)munmap(memory->data, memory->size);
  memory->data = NULL;
}

static bool is_name(const char *name) {
  size_t length = strnlen(name, SNARL_SHARED_MEMORY_NAME);
  return length && length < SNARL_SHARED_MEMORY_NAME && !strchr(name, '/');
}

/* POSIX wants one slash before the name. */
static void path_of(const char *name, char path[static SNARL_SHARED_MEMORY_NAME + 1]) {
  path[0] = '/';
  strcpy(path + 1, name);
}

static int attach(snarl_shared_memory *memory, const char *name) {
  char path[SNARL_SHARED_MEMORY_NAME + 1];
  path_of(name, path);
  int fd = shm_open(path, O_RDWR | O_CLOEXEC, 0);
  if (fd < 0)
    return status_of(errno);
  int status = size_get(fd, &memory->size);
  if (!status)
    status = map(memory, fd);
  if (status)
    (void)close(fd);
  return status;
}

#define FOLDER "/dev/shm" /* the C library's */

static void file_of(const char *name, char path[static sizeof FOLDER + SNARL_SHARED_MEMORY_NAME]) {
  (void)snprintf(path, sizeof FOLDER + SNARL_SHARED_MEMORY_NAME, FOLDER "/%s", name);
}

/* Gives a file without a name its name. */
static int name_set(int fd, const char *name) {
  char self[32], path[sizeof FOLDER + SNARL_SHARED_MEMORY_NAME];
  (void)snprintf(self, sizeof self, "/proc/self/fd/%d", fd);
  file_of(name, path);
  long result = snarli_system(SYS_linkat, AT_FDCWD, self, AT_FDCWD, path, AT_SYMLINK_FOLLOW);
  return result ? status_of((int)-result) : SNARL_OK;
}

static bool is_there(const char *name) {
  char path[sizeof FOLDER + SNARL_SHARED_MEMORY_NAME];
  file_of(name, path);
  return !snarli_system(SYS_faccessat, AT_FDCWD, path, F_OK);
}

/* It has all its bytes before it gets its name, if it gets one: whoever attaches it finds it whole, and who is killed
 * meanwhile leaves nothing behind. */
static int create(snarl_shared_memory *memory, const char *name) {
  if (name && is_there(name))
    return SNARL_EXISTS;
  long fd = name ? snarli_system(SYS_openat, AT_FDCWD, FOLDER, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600)
                 : memfd_create("snarl", MFD_CLOEXEC);
  if (fd < 0)
    return status_of(name ? (int)-fd : errno);
  int status = size_set((int)fd, memory->size, name != NULL);
  if (!status)
    status = map(memory, (int)fd);
  if (!status && name && (status = name_set((int)fd, name)))
    unmap(memory);
  if (status)
    (void)close((int)fd);
  return status;
}

/* Makes it, for a size, or attaches it, for 0. */
static int begin(snarl_shared_memory *memory, const char *name, size_t size) {
  *memory = (snarl_shared_memory){.size = size};
  int status = size ? create(memory, name) : attach(memory, name);
  if (name)
    memcpy(memory->name, name, strlen(name));
  return status;
}

/* In the trace: a name in the system that this call made or removed. */
static void note_name(snarl_shared_memory *memory, enum snarli_naming what) {
  if (*memory->name && snarli_records())
    snarli_record_aux(SNARLI_R_OBJECT_NAMED, what, snarli_address(memory),
                      snarli_blob_string(memory->name, strlen(memory->name)));
}

int snarli_shared_memory_begin(snarl_shared_memory *memory, struct snarl_site *site) {
  return snarli_object_begin(&memory->object, SNARLI_ALIVE(SHARED_MEMORY), *memory->name ? memory->name : NULL, site);
}

static int begin_kept(snarl_shared_memory *memory, const char *name, size_t size, struct snarl_site *site) {
  int saved = errno, status = begin(memory, name, size);
  errno = saved;
  if (!status)
    status = snarli_shared_memory_begin(memory, site);
  if (!status && size)
    note_name(memory, SNARLI_NAME_MADE);
  return status;
}

int snarli_shared_memory_adopt(snarl_shared_memory *memory, int fd, const char *name, struct snarl_site *site) {
  *memory = (snarl_shared_memory){0};
  int saved = errno, status = size_get(fd, &memory->size);
  if (!status)
    status = map(memory, fd);
  errno = saved;
  if (name)
    memcpy(memory->name, name, strnlen(name, sizeof memory->name - 1));
  return status ? status : snarli_shared_memory_begin(memory, site);
}

int snarl_shared_memory_create_at(snarl_shared_memory *memory, const char *name, size_t size, struct snarl_site *site) {
  if (!memory || !size || (name && !is_name(name)))
    return snarli_refuse(SNARL_INVALID, memory, site);
  return begin_kept(memory, name, size, site);
}

int snarl_shared_memory_attach_at(snarl_shared_memory *memory, const char *name, struct snarl_site *site) {
  if (!memory || !name || !is_name(name))
    return snarli_refuse(SNARL_INVALID, memory, site);
  return begin_kept(memory, name, 0, site);
}

int snarl_shared_memory_unlink_at(snarl_shared_memory *memory, struct snarl_site *site) {
  int status = snarli_check((struct snarl_object *)memory, SNARLI_ALIVE(SHARED_MEMORY), site);
  if (!status && !*memory->name)
    status = snarli_refuse(SNARL_INVALID, memory, site);
  if (status)
    return status;
  char path[sizeof FOLDER + SNARL_SHARED_MEMORY_NAME];
  file_of(memory->name, path);
  long result = snarli_system(SYS_unlinkat, AT_FDCWD, path, 0);
  if (!result)
    note_name(memory, SNARLI_NAME_REMOVED);
  return result ? status_of((int)-result) : SNARL_OK;
}

int snarl_shared_memory_close_at(snarl_shared_memory *memory, struct snarl_site *site) {
  int status = snarli_check((struct snarl_object *)memory, SNARLI_ALIVE(SHARED_MEMORY), site);
  if (status)
    return status;
  int saved = errno;
  unmap(memory);
  (void)close(memory->fd);
  errno = saved;
  snarli_object_end(&memory->object);
  return SNARL_OK;
}
