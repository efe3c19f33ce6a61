/* SPDX-License-Identifier: MIT
 *
 * Arguments and results in a slot (see task_bytes.h).
 */
#include "task_bytes.h"
#include "any/pack.h"
#include "core/system.h"
#include "futures/future.h"
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

enum { PAGE = 4096, FIRST_ROOM = 1024 };

/* Before each packed item. */
struct frame {
  uint64_t size; /* of what follows, without what fills it up to a multiple of eight */
  uint32_t is_error;
  int32_t code;
  uint32_t line, file_size, function_size,
      unused; /* of an error: message, file and function follow, with their zeros */
};

void snarli_buffer_free(struct snarli_buffer *buffer) {
  free(buffer->data);
  *buffer = (struct snarli_buffer){0};
}

/* Room for so many more bytes. */
static bool buffer_reserve(struct snarli_buffer *buffer, size_t more) {
  if (buffer->room - buffer->size >= more)
    return true;
  size_t room = buffer->room ? buffer->room : FIRST_ROOM;
  while (room - buffer->size < more)
    room *= 2;
  unsigned char *data = realloc(buffer->data, room);
  if (!data)
    return false;
  buffer->data = data;
  buffer->room = room;
  return true;
}

static size_t filled_up(size_t size) { return (size + 7) & ~(size_t)7; }

static bool file_write(struct snarli_task_ring *ring, const unsigned char *data, size_t size, uint64_t place) {
  while (size) {
    long written = snarli_system(SYS_pwrite64, ring->file, data, size, place);
    if (written <= 0 && written != -EINTR)
      return false;
    size_t done = written > 0 ? (size_t)written : 0;
    data += done, size -= done, place += done;
  }
  return true;
}

static bool file_read(const struct snarli_task_ring *ring, unsigned char *data, size_t size, uint64_t place) {
  while (size) {
    long got = snarli_system(SYS_pread64, ring->file, data, size, place);
    if (got <= 0 && got != -EINTR)
      return false;
    size_t done = got > 0 ? (size_t)got : 0;
    data += done, size -= done, place += done;
  }
  return true;
}

/* Whole pages, so that each can be given back for itself. */
static uint64_t pages(uint64_t size) { return (size + PAGE - 1) / PAGE * PAGE; }

void snarli_place_free(struct snarli_task_ring *ring, uint64_t place, uint64_t size) {
  (void)snarli_system(SYS_fallocate, ring->file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, place, pages(size));
}

static int write_bytes(struct snarli_task_ring *ring, struct snarli_slot *slot, const void *data, size_t size) {
  slot->size = size;
  if (size <= SNARLI_SLOT_ROOM) {
    memcpy(slot->bytes, data, size);
    return SNARL_OK;
  }
  if (size <= SNARLI_SIDE_ROOM)
    return file_write(ring, data, size, snarli_side_place(ring, slot)) ? SNARL_OK : SNARL_NO_MEMORY;
  slot->place = snarli_add64(&ring->file_end, pages(size));
  snarli_store(&slot->has_place, 1); /* it can be given back if we are killed in the midst of it */
  bool has_room = slot->place + size <= snarli_file_most();
  return has_room && file_write(ring, data, size, slot->place) ? SNARL_OK : SNARL_NO_MEMORY;
}

static bool is_raw(const snarl_any *values, uint32_t count) {
  for (uint32_t i = 0; i < count; i++)
    if (values[i].type >= SNARL_ANY_ERROR)
      return false;
  return true;
}

static int pack_value(struct snarli_buffer *buffer, snarl_any value) {
  size_t at = buffer->size;
  if (!buffer_reserve(buffer, sizeof(struct frame) + 64))
    return SNARL_NO_MEMORY;
  int64_t size;
  for (;;) {
    size_t room = buffer->room - at - sizeof(struct frame);
    size = snarli_any_pack(value, buffer->data + at + sizeof(struct frame), room);
    if (size < 0)
      return (int)size;
    if (filled_up((size_t)size) <= room)
      break;
    if (!buffer_reserve(buffer, sizeof(struct frame) + filled_up((size_t)size)))
      return SNARL_NO_MEMORY;
  }
  memcpy(buffer->data + at, &(struct frame){.size = (uint64_t)size}, sizeof(struct frame));
  buffer->size = at + sizeof(struct frame) + filled_up((size_t)size);
  return SNARL_OK;
}

static size_t string_size(const char *text) { return text ? strlen(text) + 1 : 0; }

static int pack_error(struct snarli_buffer *buffer, const struct snarl_error *error) {
  size_t message = string_size(error->message), file = string_size(error->file);
  size_t function = string_size(error->function), size = message + file + function;
  if (!buffer_reserve(buffer, sizeof(struct frame) + filled_up(size)))
    return SNARL_NO_MEMORY;
  struct frame frame = {.size = size, .is_error = 1, .code = error->code, .line = error->line};
  frame.file_size = (uint32_t)file;
  frame.function_size = (uint32_t)function;
  unsigned char *at = buffer->data + buffer->size;
  memcpy(at, &frame, sizeof frame);
  memcpy(at += sizeof frame, error->message, message);
  if (file)
    memcpy(at + message, error->file, file);
  if (function)
    memcpy(at + message + file, error->function, function);
  buffer->size += sizeof frame + filled_up(size);
  return SNARL_OK;
}

int snarli_arguments_write(struct snarli_task_ring *ring, struct snarli_slot *slot, const snarl_any *arguments,
                           uint32_t count, struct snarli_buffer *buffer) {
  return snarli_results_write(ring, slot, arguments, NULL, count, buffer);
}

/* A result that cannot be sent is a failure of its own; where there is no memory for that either, all are. */
static int pack_result(struct snarli_buffer *buffer, snarl_any value, const struct snarl_error *error) {
  size_t at = buffer->size;
  int status = error ? pack_error(buffer, error) : pack_value(buffer, value);
  if (error || !status || status == SNARL_NO_MEMORY)
    return status;
  buffer->size = at;
  struct snarl_error why = {.code = status, .message = snarl_status_text(status)};
  return pack_error(buffer, &why);
}

int snarli_results_write(struct snarli_task_ring *ring, struct snarli_slot *slot, const snarl_any *values,
                         struct snarl_error *const *errors, uint32_t count, struct snarli_buffer *buffer) {
  bool has_errors = false;
  for (uint32_t i = 0; errors && i < count; i++)
    has_errors |= errors[i] != NULL;
  slot->form = has_errors || !is_raw(values, count) ? SNARLI_PACKED : SNARLI_RAW;
  if (slot->form == SNARLI_RAW)
    return write_bytes(ring, slot, values, count * sizeof *values);
  buffer->size = 0;
  for (uint32_t i = 0; i < count; i++) {
    int status = errors ? pack_result(buffer, values[i], errors[i]) : pack_value(buffer, values[i]);
    if (status)
      return status;
  }
  return write_bytes(ring, slot, buffer->data, buffer->size);
}

void snarli_results_fail(struct snarli_slot *slot, int status) {
  slot->form = SNARLI_UNSENT;
  slot->at = (uint32_t)-status;
}

int snarli_items_open(struct snarli_task_ring *ring, const struct snarli_slot *slot, struct snarli_items *items,
                      struct snarli_buffer *buffer) {
  *items = (struct snarli_items){slot->bytes, slot->bytes + slot->size, (enum snarli_form)slot->form};
  if (slot->form == SNARLI_UNSENT)
    return -(int)slot->at;
  if (slot->size <= SNARLI_SLOT_ROOM)
    return SNARL_OK;
  if (slot->size <= SNARLI_SIDE_ROOM) {
    items->at = snarli_side_room(ring, slot);
    items->end = items->at + slot->size;
    return SNARL_OK;
  }
  buffer->size = 0;
  if (!buffer_reserve(buffer, slot->size) || !file_read(ring, buffer->data, slot->size, slot->place))
    return SNARL_NO_MEMORY;
  items->at = buffer->data;
  items->end = buffer->data + slot->size;
  return SNARL_OK;
}

/* Its texts, each with its zero at the end, or none. */
static int error_unpack(const struct frame *frame, const char *texts, struct snarl_error **error) {
  size_t rest = (size_t)frame->file_size + frame->function_size;
  if (rest >= frame->size || texts[frame->size - 1] || texts[frame->size - rest - 1] ||
      (frame->file_size && texts[frame->size - frame->function_size - 1]))
    return SNARL_TORN;
  const char *file = frame->file_size ? texts + frame->size - rest : NULL;
  const char *function = frame->function_size ? texts + frame->size - frame->function_size : NULL;
  *error = snarli_error_copy(&(struct snarl_error){frame->code, texts, file, function, frame->line});
  return SNARL_FAILED;
}

int snarli_items_next(struct snarli_items *items, snarl_any *value, struct snarl_error **error) {
  size_t rest = (size_t)(items->end - items->at);
  *value = SNARL_NIL;
  if (items->form == SNARLI_RAW) {
    if (rest < sizeof *value || items->at[offsetof(snarl_any, type)] >= SNARL_ANY_ERROR)
      return SNARL_TORN;
    memcpy(value, items->at, sizeof *value);
    items->at += sizeof *value;
    return SNARL_OK;
  }
  struct frame frame;
  if (rest < sizeof frame)
    return SNARL_TORN;
  memcpy(&frame, items->at, sizeof frame);
  const unsigned char *bytes = items->at + sizeof frame;
  if (rest - sizeof frame < frame.size)
    return SNARL_TORN;
  size_t size = filled_up((size_t)frame.size);
  items->at = rest - sizeof frame < size ? items->end : bytes + size;
  return frame.is_error ? error_unpack(&frame, (const char *)bytes, error)
                        : snarli_any_unpack(bytes, (size_t)frame.size, value);
}
