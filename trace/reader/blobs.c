/* SPDX-License-Identifier: MIT
 *
 * Blobs: strings, the program, symbols, and what modules.c and mappings.c keep. All blobs of a file are read when it
 * is opened; what takes effect at a time is applied in the order of time, whichever thread wrote it. Thread of the
 * trace only.
 */
#include "reader_private.h"
#include <stdlib.h>
#include <string.h>

enum { BUFFER = 65536 };

struct event { /* a blob whose order matters */
  uint64_t time, offset;
  enum snarli_blob_kind kind;
  uint32_t size;
  const char *payload;
};

struct blob_reader {
  struct trace_file *file;
  char *buffer; /* [base, base + size) of the file */
  uint64_t base;
  size_t size, room;
  struct event *events;
  size_t event_count, event_room;
  struct arena arena; /* payloads of events */
};

static void string_add(struct trace_file *file, uint64_t offset, const char *payload, size_t size) {
  if (offset / SNARLI_ROW > UINT32_MAX)
    return; /* no record can name it */
  if (memchr(payload, 0, size))
    problem_add(file->trace, file, PROBLEM_STRING, TRACE_CORRUPT, 1,
                "%s: the string at offset %llu contains a zero byte: its rest is dropped", file->path,
                (unsigned long long)offset);
  char *text = arena_text(&file->trace->arena, payload, size);
  if (!text || !array_grow(&file->strings, &file->string_room, file->string_count, sizeof *file->strings)) {
    problem_out_of_memory(file->trace);
    return;
  }
  /* Blobs are met in the order of their offsets, so this array is sorted. */
  file->strings[file->string_count++] = (struct text_of_id){(uint32_t)(offset / SNARLI_ROW), text};
}

static bool symbol_add(struct trace_file *file, const char *payload, size_t size) {
  struct snarli_symbol symbol;
  if (size < sizeof symbol)
    return false;
  memcpy(&symbol, payload, sizeof symbol);
  payload += sizeof symbol;
  size -= sizeof symbol;
  if (symbol.function_size > size)
    return false;
  char *function = arena_text(&file->trace->arena, payload, symbol.function_size);
  char *source = arena_text(&file->trace->arena, payload + symbol.function_size, size - symbol.function_size);
  if (!function || !source ||
      !array_grow(&file->symbols, &file->symbol_room, file->symbol_count, sizeof *file->symbols))
    problem_out_of_memory(file->trace);
  else
    file->symbols[file->symbol_count++] = (struct trace_symbol){symbol.pc, function, source, symbol.line};
  return true;
}

static bool channel_add(struct trace_file *file, uint64_t offset, const char *payload, size_t size) {
  struct snarli_channel what;
  if (size < sizeof what || offset / SNARLI_ROW > UINT32_MAX)
    return false;
  memcpy(&what, payload, sizeof what);
  if (what.kind < SNARLI_C_PIPE || what.kind > SNARLI_C_PIDFD)
    return false;
  char *name = arena_text(&file->trace->arena, payload + sizeof what, size - sizeof what);
  if (!name || !array_grow(&file->channels, &file->channel_room, file->channel_count, sizeof *file->channels))
    problem_out_of_memory(file->trace);
  else /* in the order of their offsets, as strings are */
    file->channels[file->channel_count++] =
        (struct channel_of_id){(uint32_t)(offset / SNARLI_ROW), {.what = what, .name = name}};
  return true;
}

/* argv, joined by spaces. */
static void command_set(struct trace_file *file, const char *payload, size_t size) {
  while (size && payload[size - 1] == 0)
    size--;
  char *text = arena_bytes(&file->trace->arena, payload, size, size + 1);
  if (!text) {
    problem_out_of_memory(file->trace);
    return;
  }
  for (size_t i = 0; i < size; i++)
    if (text[i] == 0)
      text[i] = ' ';
  file->process.command = text;
}

static void exe_set(struct trace_file *file, const char *payload, size_t size) {
  char *text = arena_text(&file->trace->arena, payload, size);
  if (text)
    file->process.exe = text;
  else
    problem_out_of_memory(file->trace);
}

static void event_add(struct blob_reader *reader, uint64_t offset, const struct snarli_blob *blob,
                      const char *payload) {
  payload = arena_bytes(&reader->arena, payload, blob->size, blob->size + 1);
  if (!payload || !array_grow(&reader->events, &reader->event_room, reader->event_count, sizeof *reader->events)) {
    problem_out_of_memory(reader->file->trace);
    return;
  }
  reader->events[reader->event_count++] =
      (struct event){blob->time, offset, (enum snarli_blob_kind)blob->kind, blob->size, payload};
}

static void damaged_tell(struct trace_file *file, uint64_t offset, const char *what, uint32_t size) {
  problem_add(file->trace, file, PROBLEM_BLOB, TRACE_CORRUPT, 1,
              "%s: the %s at offset %llu is damaged (%u bytes): skipped", file->path, what, (unsigned long long)offset,
              size);
}

static void blob_take(struct blob_reader *reader, uint64_t offset, const struct snarli_blob *blob,
                      const char *payload) {
  struct trace_file *file = reader->file;
  switch ((enum snarli_blob_kind)blob->kind) {
  case SNARLI_B_STRING:
    string_add(file, offset, payload, blob->size);
    break;
  case SNARLI_B_MODULE:
  case SNARLI_B_UNLOAD:
  case SNARLI_B_MAPPING:
  case SNARLI_B_UNMAP:
    event_add(reader, offset, blob, payload);
    break;
  case SNARLI_B_COMMAND:
    command_set(file, payload, blob->size);
    break;
  case SNARLI_B_EXE:
    exe_set(file, payload, blob->size);
    break;
  case SNARLI_B_SYMBOL:
    if (!symbol_add(file, payload, blob->size))
      damaged_tell(file, offset, "symbol", blob->size);
    break;
  case SNARLI_B_CHANNEL:
    if (!channel_add(file, offset, payload, blob->size))
      damaged_tell(file, offset, "channel", blob->size);
    break;
  case SNARLI_B_PAD:
    break;
  }
}

/* `size` bytes at `offset`, valid until the next call; NULL if they are not there. */
static const char *bytes_at(struct blob_reader *reader, uint64_t offset, size_t size) {
  if (offset >= reader->base && offset + size <= reader->base + reader->size)
    return reader->buffer + (offset - reader->base);
  size_t room = size > BUFFER ? size : BUFFER;
  if (room > reader->room) {
    char *grown = realloc(reader->buffer, room);
    if (!grown) {
      problem_out_of_memory(reader->file->trace);
      return NULL;
    }
    reader->buffer = grown;
    reader->room = room;
  }
  reader->base = offset;
  reader->size = file_read(reader->file, offset, reader->buffer, room);
  return size <= reader->size ? reader->buffer : NULL;
}

static uint64_t blob_end(uint64_t offset, const struct snarli_blob *blob) {
  return offset + sizeof *blob + ((uint64_t)blob->size + SNARLI_ROW - 1) / SNARLI_ROW * SNARLI_ROW;
}

static bool is_blob(const struct snarli_blob *blob, uint64_t offset, uint64_t end) {
  return blob->kind >= SNARLI_B_STRING && blob->kind <= SNARLI_B_CHANNEL && blob_end(offset, blob) <= end &&
         (blob->size <= STRING_LARGEST || blob->kind == SNARLI_B_PAD);
}

/* Where the next blob begins after bytes that are none; the end of the window if nothing follows. */
static uint64_t blob_resynchronise(struct trace_file *file, uint64_t offset, uint64_t end, bool *is_lost) {
  struct snarli_record buffer[ROWS_FIRST], row;
  struct rows rows = {.file = file, .offset = offset, .end = end, .buffer = buffer, .room = ROWS_FIRST};
  uint64_t at;
  *is_lost = false;
  while (rows_next(&rows, &row, &at)) {
    struct snarli_blob blob;
    memcpy(&blob, &row, sizeof blob);
    if (is_blob(&blob, at, end))
      return at;
    *is_lost |= !is_zero(&row, sizeof row);
  }
  return end;
}

/* A blob that was claimed and not finished has no kind: its writer was killed, or writes it now. */
static bool is_unfinished(const struct snarli_blob *blob, uint64_t offset, uint64_t end) {
  return blob->kind == 0 && blob_end(offset, blob) <= end;
}

static void tell_no_blob(struct trace_file *file, uint64_t offset, const struct snarli_blob *blob, uint64_t next) {
  problem_add(file->trace, file, PROBLEM_BLOB_KIND, TRACE_CORRUPT, 1,
              "%s: no string, module or other blob at offset %llu (kind %u, %u bytes): reading goes on at %llu",
              file->path, (unsigned long long)offset, blob->kind, blob->size, (unsigned long long)next);
}

static void window_read(struct blob_reader *reader, const struct window *window) {
  struct trace_file *file = reader->file;
  uint64_t offset = window->offset + sizeof(struct snarli_window);
  struct snarli_blob blob;
  while (offset + sizeof blob <= window->end) {
    const char *header = bytes_at(reader, offset, sizeof blob);
    if (!header)
      return;
    memcpy(&blob, header, sizeof blob);
    if (is_blob(&blob, offset, window->end)) {
      const char *payload = blob.kind == SNARLI_B_PAD ? NULL : bytes_at(reader, offset + sizeof blob, blob.size);
      if (payload)
        blob_take(reader, offset, &blob, payload);
      offset = blob_end(offset, &blob);
      continue;
    }
    bool is_lost;
    uint64_t next = blob_resynchronise(file, offset + SNARLI_ROW, window->end, &is_lost);
    if (!is_unfinished(&blob, offset, window->end) || (is_lost && blob.size == 0))
      tell_no_blob(file, offset, &blob, next);
    offset = next;
  }
}

static int event_compare(const void *left, const void *right) {
  const struct event *a = left, *b = right;
  if (a->time != b->time)
    return a->time < b->time ? -1 : 1;
  return a->offset < b->offset ? -1 : a->offset > b->offset;
}

static void event_apply(struct trace_file *file, const struct event *event) {
  uint64_t range[2] = {0, 0};
  memcpy(range, event->payload, event->size < sizeof range ? event->size : sizeof range);
  if (event->kind == SNARLI_B_MODULE) {
    if (!modules_load(file, event->time, event->payload, event->size))
      damaged_tell(file, event->offset, "module", event->size);
  } else if (event->kind == SNARLI_B_MAPPING) {
    if (!mappings_map(file, event->time, event->payload, event->size))
      damaged_tell(file, event->offset, "mapping", event->size);
  } else if (event->kind == SNARLI_B_UNLOAD && event->size >= sizeof range[0]) {
    modules_unload(file, event->time, range[0]);
  } else if (event->kind == SNARLI_B_UNMAP && event->size >= sizeof range && range[0] < range[1]) {
    mappings_unmap(file, event->time, range[0], range[1]);
  } else {
    damaged_tell(file, event->offset, event->kind == SNARLI_B_UNLOAD ? "unload" : "unmap", event->size);
  }
}

static int symbol_compare(const void *left, const void *right) {
  const struct trace_symbol *a = left, *b = right;
  return a->pc < b->pc ? -1 : a->pc > b->pc;
}

void blobs_read(struct trace_file *file) {
  struct blob_reader reader = {.file = file};
  for (size_t i = 0; i < file->window_count; i++)
    if (file->windows[i].kind == SNARLI_W_BLOBS)
      window_read(&reader, &file->windows[i]);
  if (reader.event_count)
    qsort(reader.events, reader.event_count, sizeof *reader.events, event_compare);
  for (size_t i = 0; i < reader.event_count; i++)
    event_apply(file, &reader.events[i]);
  if (file->symbol_count)
    qsort(file->symbols, file->symbol_count, sizeof *file->symbols, symbol_compare);
  modules_sort(file);
  mappings_sort(file);
  free(reader.buffer);
  free(reader.events);
  arena_free(&reader.arena);
}

const char *trace_string(const struct trace *trace, uint32_t process, uint32_t id) {
  if (process >= trace->file_count)
    return NULL;
  const struct trace_file *file = trace->files[process];
  size_t to = ARRAY_COUNT_TO(file->strings, file->string_count, id, id);
  return to && file->strings[to - 1].id == id ? file->strings[to - 1].text : NULL;
}

const struct trace_channel *trace_channel(const struct trace *trace, uint32_t process, uint32_t id) {
  if (process >= trace->file_count)
    return NULL;
  const struct trace_file *file = trace->files[process];
  size_t to = ARRAY_COUNT_TO(file->channels, file->channel_count, id, id);
  return to && file->channels[to - 1].id == id ? &file->channels[to - 1].channel : NULL;
}

const char *trace_channel_kind(enum snarli_channel_kind kind) {
  static const char *const names[] = {[SNARLI_C_PIPE] = "pipe",
                                      [SNARLI_C_FIFO] = "FIFO",
                                      [SNARLI_C_STREAM] = "socket",
                                      [SNARLI_C_MESSAGES] = "message socket",
                                      [SNARLI_C_EVENT] = "eventfd",
                                      [SNARLI_C_QUEUE] = "message queue",
                                      [SNARLI_C_SYSV] = "System V message queue",
                                      [SNARLI_C_EPOLL] = "epoll",
                                      [SNARLI_C_PIDFD] = "pidfd"};
  return (unsigned)kind < sizeof names / sizeof *names && names[kind] ? names[kind] : "channel";
}

const struct trace_symbol *trace_symbol_of(const struct trace *trace, uint32_t process, uint64_t pc) {
  if (process >= trace->file_count)
    return NULL;
  const struct trace_file *file = trace->files[process];
  size_t to = ARRAY_COUNT_TO(file->symbols, file->symbol_count, pc, pc);
  return to && file->symbols[to - 1].pc == pc ? &file->symbols[to - 1] : NULL;
}
