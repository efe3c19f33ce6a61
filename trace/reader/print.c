/* SPDX-License-Identifier: MIT
 *
 * One record as one line of text: what `snarl dump` shows. Pure but for reading strings of the trace.
 */
#include "reader_private.h"
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct line {
  char *text;
  size_t room, size; /* size: what the whole line needs, like snprintf's result */
};

static void __attribute__((format(printf, 2, 3))) put(struct line *line, const char *format, ...) {
  bool has_room = line->size < line->room;
  va_list arguments;
  va_start(arguments, format);
  int size =
      vsnprintf(has_room ? line->text + line->size : NULL, has_room ? line->room - line->size : 0, format, arguments);
  va_end(arguments);
  line->size += size > 0 ? (size_t)size : 0;
}

static const char *const flag_names[8] = {"try",      "timed", "in-wait", "owner-died",
                                          "detached", "vfork", "spawn",   "ended"};
static const char *const type_names[8] = {"recursive", "errorcheck",    "adaptive", "robust",
                                          "shared",    "prefer-writer", "priority", "c11"};

static const char *const end_names[8] = {"receive", "send", "made", "outside", "unlinked"};
static const char *const unit_names[4] = {"try", "timed", "undo", "together"};

static void put_units(struct line *line, unsigned argument) {
  for (unsigned i = 0; i < 4; i++)
    if (argument & 1u << i)
      put(line, " %s", unit_names[i]);
  put(line, " units=%u", argument >> SNARLI_U_SHIFT);
}

static void put_bits(struct line *line, unsigned bits, const char *const names[8]) {
  for (unsigned i = 0; i < 8; i++)
    if (bits & 1u << i && names[i])
      put(line, " %s", names[i]);
}

static void put_errno(struct line *line, int error) {
  const char *name = error ? strerrorname_np(error) : NULL;
  if (name)
    put(line, " %s", name);
  else if (error)
    put(line, " errno=%d", error);
}

static void put_argument(struct line *line, enum snarli_arg kind, uint8_t argument) {
  switch (kind) {
  case SNARLI_ARG_FLAGS:
    put_bits(line, argument, flag_names);
    break;
  case SNARLI_ARG_TYPE:
    put_bits(line, argument, type_names);
    break;
  case SNARLI_ARG_ENDS:
    put_bits(line, argument, end_names);
    break;
  case SNARLI_ARG_UNITS:
    put_units(line, argument);
    break;
  case SNARLI_ARG_ERRNO:
    put_errno(line, argument);
    break;
  case SNARLI_ARG_COUNT:
    put(line, " %u", argument);
    break;
  case SNARLI_ARG_NONE:
    if (argument)
      put(line, " arg=%u", argument);
    break;
  }
}

/* Strings come from the traced program: nothing in them may break the line. */
static void put_string(struct line *line, const char *text) {
  put(line, " \"");
  for (; *text; text++) {
    unsigned char c = (unsigned char)*text;
    if (c == '"' || c == '\\')
      put(line, "\\%c", c);
    else if (c < ' ' || c == 127)
      put(line, "\\x%02x", c);
    else
      put(line, "%c", c);
  }
  put(line, "\"");
}

static void put_string_of(struct line *line, const struct trace *trace, uint32_t process, uint64_t id) {
  const char *text = id <= UINT32_MAX ? trace_string(trace, process, (uint32_t)id) : NULL;
  if (text)
    put_string(line, text);
  else if (id)
    put(line, " string=%" PRIu64 "?", id);
}

static void put_object(struct line *line, const struct trace *trace, const struct trace_record *record,
                       enum snarli_object kind) {
  const struct trace_mapping *shared = NULL;
  switch (kind) {
  case SNARLI_OBJECT_ADDRESS:
    put(line, " %#" PRIx64, record->object);
    shared = trace_mapping_of(trace, record->process, record->object, record->time);
    if (shared)
      put(line, " (shared %" PRIu64 ":%" PRIu64 "+%#" PRIx64 ")", shared->device, shared->inode,
          shared->offset + (record->object - shared->lo));
    break;
  case SNARLI_OBJECT_HANDLE:
    put(line, " %#" PRIx64, record->object);
    break;
  case SNARLI_OBJECT_INDEX:
    put(line, " thread %" PRIu64, record->object);
    break;
  case SNARLI_OBJECT_PID:
    put(line, " pid %" PRIu64, record->object);
    break;
  case SNARLI_OBJECT_NUMBER:
    put(line, " %" PRIu64, record->object);
    break;
  case SNARLI_OBJECT_DESCRIPTOR:
    put(line, " %u", snarli_transfer_descriptor(record->object));
    break;
  case SNARLI_OBJECT_TRANSFER:
    put(line, " %u %" PRIu64, snarli_transfer_descriptor(record->object), snarli_transfer_amount(record->object));
    break;
  case SNARLI_OBJECT_STRING:
    put_string_of(line, trace, record->process, record->object);
    break;
  case SNARLI_OBJECT_NONE:
    break;
  }
}

static void put_channel(struct line *line, const struct trace *trace, const struct trace_record *record) {
  const struct trace_channel *channel = trace_channel(trace, record->process, record->aux);
  if (!channel) {
    put(line, " channel=%u?", record->aux);
    return;
  }
  const struct snarli_channel *what = &channel->what;
  put(line, " %s %" PRIu64, trace_channel_kind(what->kind), what->self);
  if (what->peer)
    put(line, " to %" PRIu64, what->peer);
  if (*channel->name)
    put_string(line, channel->name);
  if (what->capacity)
    put(line, " capacity=%" PRIu64, what->capacity);
  if (what->content)
    put(line, " content=%" PRIu64, what->content);
  if (what->stack)
    put(line, " stack=%u", what->stack);
}

static void put_aux(struct line *line, const struct trace *trace, const struct trace_record *record,
                    enum snarli_aux kind) {
  if (kind == SNARLI_AUX_BLOB)
    put_string_of(line, trace, record->process, record->aux);
  else if (kind == SNARLI_AUX_CHANNEL)
    put_channel(line, trace, record);
  else if (kind == SNARLI_AUX_STACK && record->aux)
    put(line, " stack=%u", record->aux);
  else if (kind == SNARLI_AUX_VALUE)
    put(line, " value=%u", record->aux);
  else if (kind == SNARLI_AUX_NONE && record->aux)
    put(line, " aux=%u", record->aux);
}

int trace_print_record(const struct trace *trace, const struct trace_record *record, char *buf, size_t size) {
  const struct trace_process *process = trace_process_at(trace, record->process);
  const struct trace_record_info *info = trace_record_info(record->type);
  struct line line = {.text = buf, .room = size};
  if (size)
    buf[0] = 0;
  put(&line, "%12" PRIu64 " %u.%u", trace_ns(trace, record->time), process ? process->pid : 0, record->thread);
  put(&line, " (%u)", record->tid);
  if (!info) {
    put(&line, " type=%u", record->type);
    return (int)line.size;
  }
  put(&line, " %s", info->text);
  put_object(&line, trace, record, info->object);
  put_argument(&line, info->arg, record->arg);
  put_aux(&line, trace, record, info->aux);
  return (int)line.size;
}
