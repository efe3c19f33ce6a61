/* SPDX-License-Identifier: MIT
 *
 * One file of a trace: opened, its header checked, read at offsets. Descriptors are few and processes many, so only
 * some files stay open; the others are opened again when they are read. Thread of the trace only.
 */
#include "reader_private.h"
#include <byteswap.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

bool is_zero(const void *bytes, size_t size) {
  const unsigned char *at = bytes;
  return size == 0 || (at[0] == 0 && memcmp(at, at + 1, size - 1) == 0);
}

static void close_least_used(struct trace *trace) {
  struct trace_file *least = NULL;
  for (size_t i = 0; i < trace->file_count; i++) {
    struct trace_file *file = trace->files[i];
    if (file->fd >= 0 && (!least || file->last_use < least->last_use))
      least = file;
  }
  if (!least)
    return;
  close(least->fd);
  least->fd = -1;
  trace->open_files--;
}

/* O_NONBLOCK: a pipe with a trace's name must not make us wait for its writer. */
static int open_for_reading(struct trace_file *file) {
  struct trace *trace = file->trace;
  while (trace->open_files >= trace->open_files_most)
    close_least_used(trace);
  int flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
  file->fd = trace->directory >= 0 ? openat(trace->directory, file->name, flags) : open(file->name, flags);
  if (file->fd >= 0)
    trace->open_files++;
  return file->fd;
}

static bool ensure_open(struct trace_file *file) {
  file->last_use = ++file->trace->uses;
  if (file->fd >= 0)
    return true;
  struct stat status;
  if (open_for_reading(file) < 0 || fstat(file->fd, &status) != 0) {
    problem_add(file->trace, file, PROBLEM_READ, TRACE_IO, 1, "%s: cannot be opened again: %s", file->path,
                strerror(errno));
    return false;
  }
  if (status.st_dev == file->device && status.st_ino == file->inode)
    return true;
  problem_add(file->trace, file, PROBLEM_READ, TRACE_IO, 1, "%s: was replaced while it was read", file->path);
  return false;
}

size_t file_read(struct trace_file *file, uint64_t offset, void *buffer, size_t size) {
  size_t done = 0;
  if (!ensure_open(file))
    return 0;
  while (done < size && offset + done <= INT64_MAX) {
    ssize_t got = pread(file->fd, (char *)buffer + done, size - done, (off_t)(offset + done));
    if (got < 0 && errno == EINTR)
      continue;
    if (got < 0)
      problem_add(file->trace, file, PROBLEM_READ, TRACE_IO, 1, "%s: reading at offset %llu failed: %s", file->path,
                  (unsigned long long)offset + done, strerror(errno));
    if (got <= 0)
      break;
    done += (size_t)got;
  }
  return done;
}

uint64_t file_next_data(struct trace_file *file, uint64_t offset) {
  if (offset > INT64_MAX || !ensure_open(file))
    return UINT64_MAX;
  off_t data = lseek(file->fd, (off_t)offset, SEEK_DATA);
  if (data >= 0)
    return (uint64_t)data;
  return errno == ENXIO ? UINT64_MAX : offset;
}

bool file_is_running(const struct trace_file *file) { return !file->process.ended; }

static enum trace_status refuse(const struct trace_file *file, struct trace_problem *problem, enum trace_status status,
                                const char *why) {
  problem->status = status;
  snprintf(problem->text, sizeof problem->text, "%s: %s", file->path, why);
  return status;
}

static enum trace_status check_magic(const struct trace_file *file, size_t got, struct trace_problem *problem) {
  const struct snarli_header *header = &file->header;
  char why[128];
  if (got == 0)
    return refuse(file, problem, TRACE_EMPTY, "the file is empty");
  if (is_zero(header, got))
    return refuse(file, problem, TRACE_EMPTY, "the file has no header yet: nothing was recorded in it");
  if (got >= sizeof header->magic && header->magic == bswap_64(SNARLI_MAGIC))
    return refuse(file, problem, TRACE_VERSION, "written by a machine of the other byte order");
  uint64_t magic = SNARLI_MAGIC;
  if (memcmp(&header->magic, &magic, got < sizeof magic ? got : sizeof magic) != 0)
    return refuse(file, problem, TRACE_NOT_TRACE, "this is not a snarl trace");
  snprintf(why, sizeof why, "the header is cut off after %zu of %zu bytes", got, sizeof *header);
  if (got < sizeof *header)
    return refuse(file, problem, TRACE_TRUNCATED, why);
  snprintf(why, sizeof why, "format version %u; this snarl reads version %u", header->version, SNARLI_VERSION);
  if (header->version != SNARLI_VERSION)
    return refuse(file, problem, TRACE_VERSION, why);
  snprintf(why, sizeof why, "byte order mark %#x instead of %#x", header->byte_order, SNARLI_BYTE_ORDER);
  if (header->byte_order != SNARLI_BYTE_ORDER)
    return refuse(file, problem, TRACE_VERSION, why);
  return TRACE_OK;
}

static void process_fill(struct trace_file *file) {
  const struct snarli_header *header = &file->header;
  struct trace_process *process = &file->process;
  process->pid = header->pid;
  process->parent_pid = header->parent;
  process->parent = -1;
  process->forked = header->forked != 0;
  process->ended = header->ended != 0;
  process->exit_status = (int)header->exit_status;
  process->begin = header->begin_ticks;
  process->file = file->path;
  process->threads = header->threads;
  process->dropped = header->dropped;
  process->dropped_at = header->dropped_ticks;
  process->stop = (enum snarli_stop)(header->stop <= SNARLI_STOP_NO_MEMORY ? header->stop : SNARLI_STOP_NONE);
  process->stop_errno = (int)header->stop_errno;
}

/* How far windows may reach: what the header says is in use, as far as the file has it. A `next` that cannot be is
 * ignored. */
static void limit_find(struct trace_file *file) {
  uint64_t next = file->header.next;
  uint64_t size = file->size / SNARLI_ROW * SNARLI_ROW;
  bool is_plausible = next >= SNARLI_HEADER_SIZE && next % SNARLI_ROW == 0;
  file->limit = is_plausible && next < size ? next : size;
  file->process.bytes = file->limit > SNARLI_HEADER_SIZE ? file->limit : SNARLI_HEADER_SIZE;
  if (file->process.bytes > file->size)
    file->process.bytes = file->size;
}

enum trace_status file_open(struct trace_file *file, struct trace_problem *problem) {
  struct stat status;
  if (open_for_reading(file) < 0) {
    bool is_denied = errno == EACCES || errno == EPERM;
    return refuse(file, problem,
                  errno == ENOENT ? TRACE_NO_FILE
                  : is_denied     ? TRACE_NO_ACCESS
                                  : TRACE_IO,
                  strerror(errno));
  }
  if (fstat(file->fd, &status) != 0)
    return refuse(file, problem, TRACE_IO, strerror(errno));
  if (!S_ISREG(status.st_mode))
    return refuse(file, problem, TRACE_NOT_TRACE, "this is not a regular file");
  file->device = status.st_dev;
  file->inode = status.st_ino;
  errno = 0;
  size_t got = file_read(file, 0, &file->header, sizeof file->header);
  if (got == 0 && errno)
    return refuse(file, problem, TRACE_IO, strerror(errno));
  if (check_magic(file, got, problem) != TRACE_OK)
    return problem->status;
  process_fill(file);
  /* The size after the header: the file only grows, so it holds what the header counts. */
  if (fstat(file->fd, &status) == 0)
    file->size = (uint64_t)status.st_size;
  limit_find(file);
  file->indexed = SNARLI_HEADER_SIZE;
  return TRACE_OK;
}

void file_refresh(struct trace_file *file) {
  struct snarli_header header;
  struct stat status;
  if (file_read(file, 0, &header, sizeof header) != sizeof header || fstat(file->fd, &status) != 0)
    return;
  file->header.next = header.next;
  file->header.sync_ticks = header.sync_ticks;
  file->header.sync_ns = header.sync_ns;
  file->header.stop = header.stop;
  file->header.ended = header.ended;
  file->process.threads = header.threads;
  file->process.dropped = header.dropped;
  file->process.dropped_at = header.dropped_ticks;
  file->size = (uint64_t)status.st_size;
  limit_find(file);
}

void file_free(struct trace_file *file) {
  if (file->fd >= 0) {
    close(file->fd);
    file->trace->open_files--;
  }
  stacks_free(file);
  free(file->windows);
  free(file->gaps);
  free(file->strings);
  free(file->channels);
  free(file->symbols);
  free(file->modules);
  free(file->unloads);
  free(file->module_reach);
  free(file->mappings);
  free(file->mapped);
  free(file->mapping_reach);
  free(file->last);
  free(file->name);
  free(file);
}
