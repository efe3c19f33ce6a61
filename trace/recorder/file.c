/* SPDX-License-Identifier: MIT
 *
 * The trace's file: made once per process image, grown window by window. Entered by any thread, and by signal handlers
 * only with signals blocked.
 *
 * Growth takes no lock: a window is reserved by adding to the header's `next`, given disk space (so that a store never
 * meets a full disk, which would be SIGBUS in the program), filled with zeros and mapped. Each such step is the
 * thread's own. The zeros are written, not left to the first stores: a write allocates pages by the dozen, a fault one
 * by one.
 *
 * The descriptor is kept so that programs which change user, root or namespace can go on being recorded, well above the
 * numbers that programs use; if the program closes it, the file is opened again by its path.
 */
#include "clock.h"
#include "recorder_state.h"
#include "sys.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

void *memory_new(size_t size, bool is_wiped_by_fork) {
  void *memory = sys_mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (sys_is_error(memory))
    return NULL;
  if (is_wiped_by_fork)
    (void)sys_madvise(memory, size, MADV_WIPEONFORK);
  return memory;
}

/* Text and number appended to a path without stdio, which may take locks. */
static char *append_text(char *at, const char *text) {
  size_t size = strlen(text);
  memcpy(at, text, size + 1);
  return at + size;
}

static char *append_number(char *at, unsigned number, int width) {
  char digits[12];
  int count = 0;
  for (; number || count < width || count == 0; number /= 10)
    digits[count++] = (char)('0' + number % 10);
  while (count > 0)
    *at++ = digits[--count];
  *at = 0;
  return at;
}

/* Process ids come again, and exec keeps them: the second number tells the images of one id apart. */
static int create_exclusively(void) {
  for (unsigned image = 0;; image++) {
    char *at = append_text(recorder.path, recorder.directory);
    at = append_text(at, "/");
    at = append_number(at, (unsigned)recorder.pid, 7);
    at = append_text(at, "-");
    at = append_number(at, image, 3);
    append_text(at, SNARLI_FILE_SUFFIX);
    int fd = sys_open(recorder.path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd != -EEXIST)
      return fd;
  }
}

int snarli_descriptor_aside(int fd) {
  struct rlimit limit = {.rlim_cur = 1024};
  (void)sys_getrlimit(RLIMIT_NOFILE, &limit);
  long lowest = limit.rlim_cur > 1024 ? 1000 : (long)limit.rlim_cur * 3 / 4;
  int moved = sys_fcntl(fd, F_DUPFD_CLOEXEC, lowest);
  if (moved < 0)
    return fd;
  sys_close(fd);
  return moved;
}

static bool is_our_file(int fd) {
  struct stat status = {0};
  return fd >= 0 && sys_fstat(fd, &status) == 0 && status.st_dev == recorder.device && status.st_ino == recorder.inode;
}

/* The file's descriptor, opened again if the program closed it. -errno if it is out of reach. */
static int file_descriptor(bool *is_temporary) {
  *is_temporary = false;
  if (is_our_file(recorder.fd))
    return recorder.fd;
  int fd = sys_open(recorder.path, O_RDWR | O_CLOEXEC | O_NOFOLLOW, 0);
  if (fd >= 0 && !is_our_file(fd)) {
    sys_close(fd);
    return -ENOENT;
  }
  *is_temporary = true;
  return fd;
}

static int write_zeros(int fd, uint64_t offset, uint32_t size) {
  static char zeros[16 * PAGE]; /* untouched, it is one page of the kernel's however often it is written */
  for (uint32_t done = 0; done < size;) {
    uint32_t rest = size - done;
    long written = sys_pwrite(fd, zeros, rest < sizeof zeros ? rest : sizeof zeros, offset + done);
    if (written == -EINTR)
      continue;
    if (written <= 0)
      return written < 0 ? (int)written : -ENOSPC;
    done += (uint32_t)written;
  }
  return 0;
}

/* Disk space for [offset, offset + size), or -errno. The file size limit is checked first: crossing it raises SIGXFSZ.
 */
static int reserve_space(int fd, uint64_t offset, uint32_t size) {
  struct rlimit limit = {0};
  if (sys_getrlimit(RLIMIT_FSIZE, &limit) == 0 && offset + size > limit.rlim_cur)
    return -EFBIG;
  int error = sys_fallocate(fd, offset, size);
  if (error && error != -EOPNOTSUPP && error != -ENOSYS)
    return error;
  int write_error = write_zeros(fd, offset, size);
  return error ? write_error : 0; /* the space is there, written or not */
}

static char *map_range(int fd, uint64_t offset, uint32_t size) {
  char *base = sys_mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, offset);
  if (sys_is_error(base))
    return base;
  /* A forked child must never write into its parent's windows, and faults are cheaper in a row than one by one. */
  (void)sys_madvise(base, size, MADV_DONTFORK);
  (void)sys_madvise(base, size, MADV_POPULATE_WRITE);
  return base;
}

/* What every image needs, its header and the first window of each kind, is made and mapped at once: many are short. */
enum { FIRST_SPACE = SNARLI_HEADER_SIZE + 3 * PAGE };

static char *map_more(uint32_t size, uint64_t offset) {
  bool is_temporary;
  int fd = file_descriptor(&is_temporary);
  if (fd < 0) {
    process_stop(SNARLI_STOP_NO_FILE, -fd);
    return NULL;
  }
  int error = reserve_space(fd, offset, size);
  char *base = error ? NULL : map_range(fd, offset, size);
  if (is_temporary)
    sys_close(fd);
  if (error)
    process_stop(SNARLI_STOP_NO_SPACE, -error);
  else if (sys_is_error(base))
    process_stop(SNARLI_STOP_NO_MEMORY, (int)-(intptr_t)base);
  else
    file_sync_clock();
  return error || sys_is_error(base) ? NULL : base;
}

char *file_map(uint32_t size, uint64_t *offset) {
  *offset = __atomic_fetch_add(&recorder.header->next, size, __ATOMIC_RELAXED);
  return *offset + size <= FIRST_SPACE ? (char *)recorder.header + *offset : map_more(size, *offset);
}

bool file_create(void) {
  int fd = create_exclusively();
  if (fd < 0)
    return false;
  struct stat status = {0};
  if (reserve_space(fd, 0, FIRST_SPACE) || sys_fstat(fd, &status)) {
    sys_close(fd);
    return false;
  }
  char *header = map_range(fd, 0, FIRST_SPACE);
  if (sys_is_error(header)) {
    sys_close(fd);
    return false;
  }
  recorder.device = status.st_dev;
  recorder.inode = status.st_ino;
  recorder.fd = snarli_descriptor_aside(fd);
  recorder.header = (struct snarli_header *)header;
  return true;
}

void file_leave(void) {
  if (is_our_file(recorder.fd))
    sys_close(recorder.fd);
  recorder.fd = -1;
  recorder.header = NULL;
}

void file_sync_clock(void) {
  uint64_t ns = clock_monotonic_ns();
  uint64_t ticks = clock_now(recorder.clock);
  __atomic_store_n(&recorder.header->sync_ticks, ticks, __ATOMIC_RELAXED);
  __atomic_store_n(&recorder.header->sync_ns, ns, __ATOMIC_RELAXED);
}
