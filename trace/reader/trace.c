/* SPDX-License-Identifier: MIT
 *
 * Opening and closing a trace. A trace may grow while it is opened: every file is indexed, then the newest record of
 * each running thread is found, which fixes the moment that the reader shows, then what came in between is added.
 * Thread of the trace only.
 */
#include "reader_private.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

struct names {
  char **items;
  size_t count, room;
};

static int refuse(struct trace_problem *problem, enum trace_status status, const char *path, const char *why) {
  problem->status = status;
  snprintf(problem->text, sizeof problem->text, "%s: %s", path, why);
  return -1;
}

static void names_free(struct names *names) {
  for (size_t i = 0; i < names->count; i++)
    free(names->items[i]);
  free(names->items);
}

static int name_compare(const void *left, const void *right) {
  return strcmp(*(char *const *)left, *(char *const *)right);
}

static bool has_suffix(const char *name) {
  size_t size = strlen(name), suffix = strlen(SNARLI_FILE_SUFFIX);
  return size > suffix && name[0] != '.' && strcmp(name + size - suffix, SNARLI_FILE_SUFFIX) == 0;
}

/* The traces of a directory, sorted. */
static int names_list(const struct trace *trace, struct names *names, struct trace_problem *problem) {
  int fd = openat(trace->directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR *directory = fd >= 0 ? fdopendir(fd) : NULL;
  if (!directory) {
    int error = errno;
    if (fd >= 0)
      close(fd);
    return refuse(problem, error == EACCES ? TRACE_NO_ACCESS : TRACE_IO, trace->path, strerror(error));
  }
  int result = 0;
  for (struct dirent *entry; result == 0 && (entry = readdir(directory));) {
    if (!has_suffix(entry->d_name))
      continue;
    char *name = strdup(entry->d_name);
    if (name && array_grow(&names->items, &names->room, names->count, sizeof(char *))) {
      names->items[names->count++] = name;
      continue;
    }
    free(name);
    result = refuse(problem, TRACE_NO_MEMORY, trace->path, trace_status_sentence(TRACE_NO_MEMORY));
  }
  closedir(directory);
  if (names->count)
    qsort(names->items, names->count, sizeof(char *), name_compare);
  return result;
}

static struct trace_file *file_new(struct trace *trace, const char *name) {
  struct trace_file *file = calloc(1, sizeof *file);
  if (!file || !array_grow(&trace->files, &trace->file_room, trace->file_count, sizeof(struct trace_file *))) {
    free(file);
    return NULL;
  }
  char path[4096];
  int size = trace->directory >= 0 ? snprintf(path, sizeof path, "%s/%s", trace->path, name)
                                   : snprintf(path, sizeof path, "%s", name);
  file->trace = trace;
  file->fd = -1;
  file->name = strdup(name);
  file->path = arena_text(&trace->arena, path, size < (int)sizeof path ? (size_t)size : sizeof path - 1);
  file->process.exe = file->process.command = "";
  if (file->name && file->path)
    return file;
  file_free(file);
  return NULL;
}

/* `is_late`: what is found only now was written after the moment that is shown. */
static void heads_find(struct trace_file *file, bool is_told, bool is_late) {
  for (size_t i = 0; i < file->window_count; i++) {
    struct window *window = &file->windows[i];
    if (window->kind != SNARLI_W_RECORDS || window->has_segment)
      continue;
    window->has_segment =
        segment_find(file, window->offset + sizeof(struct snarli_window), window->end, &window->first, is_told);
    if (window->has_segment && is_late)
      window->tail = window->offset;
  }
}

/* Opens one file of the trace; -1 with *problem if it cannot be used. */
static int file_add(struct trace *trace, const char *name, bool is_late, struct trace_problem *problem) {
  struct trace_file *file = file_new(trace, name);
  if (!file)
    return refuse(problem, TRACE_NO_MEMORY, name, trace_status_sentence(TRACE_NO_MEMORY));
  if (file_open(file, problem) != TRACE_OK) {
    file_free(file);
    return -1;
  }
  trace->files[trace->file_count++] = file;
  windows_index(file);
  for (size_t i = 0; is_late && i < file->window_count; i++)
    file->windows[i].tail = file->windows[i].offset;
  heads_find(file, false, is_late);
  return 0;
}

/* Fixes what the reader shows of images that still run: see last.c. */
static void snapshot_take(struct trace *trace) {
  trace->cut = 0;
  for (size_t i = 0; i < trace->file_count; i++) {
    struct trace_file *file = trace->files[i];
    if (!file_is_running(file))
      continue;
    last_find(file);
    for (size_t j = 0; j < file->last_count; j++)
      if (file->last[j].record.time > trace->cut)
        trace->cut = file->last[j].record.time;
  }
}

/* Adds what was written between the index and the snapshot. */
static void snapshot_complete(struct trace *trace) {
  for (size_t i = 0; i < trace->file_count; i++) {
    struct trace_file *file = trace->files[i];
    if (file_is_running(file)) {
      file_refresh(file);
      windows_index_again(file);
    }
  }
}

static int file_compare(const void *left, const void *right) {
  const struct trace_file *a = *(struct trace_file *const *)left, *b = *(struct trace_file *const *)right;
  if (a->process.begin != b->process.begin)
    return a->process.begin < b->process.begin ? -1 : 1;
  return strcmp(a->name, b->name);
}

static void finish(struct trace *trace) {
  qsort(trace->files, trace->file_count, sizeof(struct trace_file *), file_compare);
  for (size_t i = 0; i < trace->file_count; i++) {
    struct trace_file *file = trace->files[i];
    file->position = (uint32_t)i;
    heads_find(file, true, true);
    windows_finish(file);
    blobs_read(file);
  }
  processes_link(trace);
}

static int file_name_compare(const void *name, const void *file) {
  return strcmp(name, (*(struct trace_file *const *)file)->name);
}

/* Opens those that are not open yet; the first time in the order of names. What cannot be used the second time is a
 * problem, if there is anything else. */
static int open_named(struct trace *trace, const struct names *names, bool is_late, struct trace_problem *first) {
  struct trace_problem problem;
  size_t known = trace->file_count, refused = 0;
  for (size_t i = 0; i < names->count; i++) {
    if (known && bsearch(names->items[i], trace->files, known, sizeof(struct trace_file *), file_name_compare))
      continue;
    if (file_add(trace, names->items[i], is_late, &problem) == 0)
      continue;
    if (refused++ == 0)
      *first = problem;
    if (is_late)
      problem_of_file(trace, &problem);
  }
  return trace->file_count ? 0 : -1;
}

static int open_directory(struct trace *trace, struct trace_problem *problem) {
  struct names names = {0}, later = {0};
  int result = names_list(trace, &names, problem);
  if (result == 0 && names.count == 0)
    result = refuse(problem, TRACE_EMPTY, trace->path, "no *" SNARLI_FILE_SUFFIX " file in this directory");
  if (result == 0)
    result = open_named(trace, &names, false, problem);
  if (result == 0) {
    snapshot_take(trace);
    snapshot_complete(trace);
    result = names_list(trace, &later, problem);
  }
  if (result == 0)
    result = open_named(trace, &later, true, problem);
  trace->names_seen = later.count;
  names_free(&names);
  names_free(&later);
  return result;
}

static int open_file(struct trace *trace, struct trace_problem *problem) {
  if (file_add(trace, trace->path, false, problem) != 0)
    return -1;
  snapshot_take(trace);
  snapshot_complete(trace);
  return 0;
}

static struct trace *trace_new(const char *path) {
  struct trace *trace = calloc(1, sizeof *trace);
  if (!trace)
    return NULL;
  struct rlimit limit = {.rlim_cur = 64};
  (void)getrlimit(RLIMIT_NOFILE, &limit);
  trace->directory = -1;
  trace->open_files_most = limit.rlim_cur > 512 ? 256 : limit.rlim_cur > 16 ? (size_t)limit.rlim_cur / 2 : 8;
  trace->path = strdup(path);
  if (trace->path)
    return trace;
  free(trace);
  return NULL;
}

static int open_path(struct trace *trace, struct trace_problem *problem) {
  struct stat status;
  if (stat(trace->path, &status) != 0)
    return refuse(problem,
                  errno == EACCES                       ? TRACE_NO_ACCESS
                  : errno == ENOENT || errno == ENOTDIR ? TRACE_NO_FILE
                                                        : TRACE_IO,
                  trace->path, strerror(errno));
  if (!S_ISDIR(status.st_mode))
    return open_file(trace, problem);
  trace->directory = open(trace->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (trace->directory < 0)
    return refuse(problem, errno == EACCES ? TRACE_NO_ACCESS : TRACE_IO, trace->path, strerror(errno));
  return open_directory(trace, problem);
}

struct trace *trace_open(const char *path, struct trace_problem *problem) {
  memset(problem, 0, sizeof *problem);
  struct trace *trace = trace_new(path);
  if (trace && open_path(trace, problem) == 0) {
    finish(trace);
    if ((trace->merge = merge_new(trace))) {
      trace->origin = merge_first_time(trace->merge);
      trace->problems_of_open = trace->problem_count;
      return trace;
    }
  }
  if (!problem->status)
    refuse(problem, TRACE_NO_MEMORY, path, trace_status_sentence(TRACE_NO_MEMORY));
  trace_close(trace);
  return NULL;
}

void trace_close(struct trace *trace) {
  if (!trace)
    return;
  merge_free(trace->merge);
  narrow_free(trace->narrow);
  for (size_t i = 0; i < trace->file_count; i++)
    file_free(trace->files[i]);
  if (trace->directory >= 0)
    close(trace->directory);
  free(trace->files);
  free(trace->problems);
  arena_free(&trace->arena);
  free(trace->path);
  free(trace);
}

bool trace_next(struct trace *trace, struct trace_record *record) {
  trace->is_muted = trace->is_first_pass_over;
  bool has_record = trace->merge && merge_next(trace->merge, record);
  trace->is_muted = false;
  if (!has_record)
    trace->is_first_pass_over = true;
  return has_record;
}

void trace_rewind(struct trace *trace) {
  if (!trace->is_first_pass_over)
    trace->problem_count = trace->problems_of_open;
  merge_free(trace->merge);
  if (trace->narrow)
    trace->narrow->passed_over = 0;
  trace->merge = merge_new(trace);
  if (!trace->merge)
    problem_out_of_memory(trace);
}

/* Files that were not there, or could not be read yet. */
static bool has_new_files(const struct trace *trace) {
  struct names names = {0};
  struct trace_problem problem;
  if (trace->directory < 0)
    return false;
  bool is_listed = names_list(trace, &names, &problem) == 0;
  bool has_new = !is_listed || names.count != trace->names_seen || trace->file_count != trace->names_seen;
  names_free(&names);
  return has_new;
}

bool trace_refresh(struct trace *trace) {
  if (has_new_files(trace))
    return false;
  for (size_t i = 0; i < trace->file_count; i++) {
    struct trace_file *file = trace->files[i];
    if (!file_is_running(file))
      continue;
    file_refresh(file);
    if (file->header.ended)
      return false;
    windows_index_again(file);
    heads_find(file, false, true);
    last_find(file);
  }
  return true;
}

uint64_t trace_bytes(const struct trace *trace) {
  uint64_t bytes = 0;
  for (size_t i = 0; i < trace->file_count; i++)
    bytes += trace->files[i]->process.bytes;
  return bytes;
}

uint64_t trace_dropped(const struct trace *trace) {
  uint64_t dropped = 0;
  for (size_t i = 0; i < trace->file_count; i++)
    dropped += trace->files[i]->process.dropped;
  return dropped;
}

bool trace_is_complete(const struct trace *trace) { return trace->problem_count == 0 && trace_dropped(trace) == 0; }
