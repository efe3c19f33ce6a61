/* SPDX-License-Identifier: MIT
 *
 * Memory shared with other processes: which file or anonymous object lies at which addresses, so that a lock in it is
 * the same lock for all. Told by whoever maps it; what it is is read from /proc/self/maps, which names anonymous shared
 * memory, too. Rarely entered.
 */
#include "clock.h"
#include "recorder_state.h"
#include "sys.h"
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>

static _Atomic uint32_t mapped_count; /* 0: this process never shared memory, a forked child need not look */

/* The text of /proc/self/maps, read line by line through a window of one buffer. */
struct maps {
  int fd;
  char *buffer;
  size_t begin, end;
};
enum { MAPS_BUFFER = 4 * PAGE };

static bool maps_open(struct maps *maps) {
  maps->begin = maps->end = 0;
  maps->buffer = memory_new(MAPS_BUFFER, false);
  maps->fd = maps->buffer ? sys_open("/proc/self/maps", O_RDONLY | O_CLOEXEC, 0) : -1;
  if (maps->buffer && maps->fd < 0)
    sys_munmap(maps->buffer, MAPS_BUFFER);
  return maps->fd >= 0;
}

static void maps_close(struct maps *maps) {
  sys_close(maps->fd);
  sys_munmap(maps->buffer, MAPS_BUFFER);
}

/* The next line, terminated; NULL at the end. */
static char *maps_line(struct maps *maps) {
  for (;;) {
    char *line = maps->buffer + maps->begin;
    char *stop = memchr(line, '\n', maps->end - maps->begin);
    if (stop) {
      *stop = 0;
      maps->begin = (size_t)(stop + 1 - maps->buffer);
      return line;
    }
    memmove(maps->buffer, line, maps->end - maps->begin);
    maps->end -= maps->begin;
    maps->begin = 0;
    long size = sys_read(maps->fd, maps->buffer + maps->end, MAPS_BUFFER - maps->end);
    if (size <= 0)
      return NULL;
    maps->end += (size_t)size;
  }
}

static uint64_t parse_number(const char **at, unsigned base) {
  uint64_t value = 0;
  for (;; (*at)++) {
    unsigned digit = (unsigned)**at - '0';
    if (digit > 9)
      digit = (unsigned)(**at | 0x20) - 'a' + 10;
    if (digit >= base)
      return value;
    value = value * base + digit;
  }
}

/* "lo-hi rwxs offset major:minor inode   path"; false for private memory. */
static bool parse_shared(const char *line, struct snarli_mapping *mapping, const char **path) {
  mapping->lo = parse_number(&line, 16);
  line++;
  mapping->hi = parse_number(&line, 16);
  line++;
  if (strlen(line) < 5 || line[3] != 's')
    return false;
  line += 5;
  mapping->offset = parse_number(&line, 16);
  line++;
  uint64_t major = parse_number(&line, 16);
  line++;
  mapping->device = major << 20 | parse_number(&line, 16);
  line++;
  mapping->inode = parse_number(&line, 10);
  *path = line + strspn(line, " ");
  return true;
}

static bool is_of_trace(const char *path) {
  size_t size = strlen(recorder.directory);
  return strncmp(path, recorder.directory, size) == 0 && path[size] == '/';
}

/* What linux/fs.h calls struct procmap_query, since Linux 6.11. */
struct query {
  uint64_t size, flags, address;
  uint64_t lo, hi, vma_flags, page_size, offset, inode;
  uint32_t major, minor;
  uint32_t name_size, build_id_size;
  uint64_t name, build_id;
};
#define QUERY_NEXT_SHARED 0x18 /* the one that holds the address or else the next; only shared ones */
#define QUERY _IOWR('f', 17, struct query)

/* Asks for the shared mappings one by one: a program may have a hundred thousand others. False: this kernel cannot. */
static bool query_mappings(struct recorder_thread *thread, uint64_t lo, uint64_t hi) {
  char *name = memory_new(PAGE, false);
  int fd = name ? sys_open("/proc/self/maps", O_RDONLY | O_CLOEXEC, 0) : -1;
  uint64_t now = clock_now(recorder.clock);
  long error = fd < 0 ? -ENOTTY : 0;
  while (!error && lo < hi) {
    struct query query = {.size = sizeof query, .flags = QUERY_NEXT_SHARED, .address = lo, .name_size = PAGE};
    query.name = (uintptr_t)name;
    error = sys_ioctl(fd, QUERY, &query);
    if (error || query.lo >= hi)
      break;
    lo = query.hi;
    uint64_t device = (uint64_t)query.major << 20 | query.minor;
    struct snarli_mapping mapping = {query.lo, query.hi, device, query.inode, query.offset};
    if (!is_of_trace(name))
      blob_append(thread, SNARLI_B_MAPPING, now, &mapping, sizeof mapping, name, strnlen(name, PAGE));
  }
  if (fd >= 0)
    sys_close(fd);
  if (name)
    sys_munmap(name, PAGE);
  return !error || error == -ENOENT;
}

/* Writes down the shared mappings that overlap [lo, hi). */
static void write_mappings(struct recorder_thread *thread, uint64_t lo, uint64_t hi) {
  struct maps maps;
  if (query_mappings(thread, lo, hi) || !maps_open(&maps))
    return;
  uint64_t now = clock_now(recorder.clock);
  for (char *line; (line = maps_line(&maps));) {
    struct snarli_mapping mapping;
    const char *path;
    if (parse_shared(line, &mapping, &path) && mapping.lo < hi && lo < mapping.hi && !is_of_trace(path))
      blob_append(thread, SNARLI_B_MAPPING, now, &mapping, sizeof mapping, path, strlen(path));
  }
  maps_close(&maps);
}

void mappings_after_fork(struct recorder_thread *thread) {
  if (atomic_load_explicit(&mapped_count, memory_order_relaxed))
    write_mappings(thread, 0, UINT64_MAX);
}

void snarli_mapped(const void *lo, size_t size) {
  struct recorder_thread *thread = thread_attach();
  if (!thread)
    return;
  atomic_fetch_add_explicit(&mapped_count, 1, memory_order_relaxed);
  write_mappings(thread, (uint64_t)(uintptr_t)lo, (uint64_t)(uintptr_t)lo + size);
}

void snarli_unmapped(const void *lo, size_t size) {
  struct recorder_thread *thread = thread_attach();
  uint64_t range[2] = {(uint64_t)(uintptr_t)lo, (uint64_t)(uintptr_t)lo + size};
  if (thread)
    blob_append(thread, SNARLI_B_UNMAP, clock_now(recorder.clock), range, sizeof range, NULL, 0);
}
