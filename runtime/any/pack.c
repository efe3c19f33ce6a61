/* SPDX-License-Identifier: MIT
 *
 * From an any to MessagePack, by msgpack-c, whose packer is made here with a buffer of ours below it. Entered by any
 * thread.
 */
#include "pack.h"
#include "heap.h"
#include <string.h>

/* `size` goes on where there is no room any more. */
struct writer {
  char *at, *end;
  size_t size;
};

static inline int append(struct writer *writer, const void *bytes, size_t size) {
  if ((size_t)(writer->end - writer->at) >= size) {
    memcpy(writer->at, bytes, size);
    writer->at += size;
  }
  writer->size += size;
  return 0;
}

#include <msgpack/sysdep.h>
#define msgpack_pack_inline_func(name) __attribute__((unused)) static inline int wire##name
#define msgpack_pack_user struct writer *
#define msgpack_pack_append_buffer(user, bytes, size) return append((user), (bytes), (size))
#include <msgpack/pack_define.h>
#include <msgpack/timestamp.h>
/* after the above */
#include <msgpack/pack_template.h>

static int pack(struct writer *writer, snarl_any value, int levels);

static int pack_list(struct writer *writer, const struct snarli_list *list, int levels) {
  int status = SNARL_OK;
  wire_array(writer, list->length);
  for (uint32_t i = 0; !status && i < list->length; i++)
    status = pack(writer, list->items[i], levels);
  return status;
}

static int pack_dict(struct writer *writer, const struct snarli_dict *dict, int levels) {
  int status = SNARL_OK;
  wire_map(writer, dict->length);
  for (uint32_t i = 0; !status && i < dict->end; i++) {
    if (snarli_is_hole(&dict->pairs[i]))
      continue;
    (void)pack(writer, dict->pairs[i].key, levels);
    status = pack(writer, dict->pairs[i].item, levels);
  }
  return status;
}

/* `levels`: so many lists and dicts may begin. */
static int pack_heap(struct writer *writer, snarl_any value, int levels) {
  const struct snarli_text *text = snarli_text_of(value);
  if (value.type == SNARL_ANY_STRING) {
    wire_str(writer, text->size);
    return wire_str_body(writer, text->bytes, text->size);
  }
  if (value.type == SNARL_ANY_BYTES) {
    wire_bin(writer, text->size);
    return wire_bin_body(writer, text->bytes, text->size);
  }
  if (!levels)
    return SNARL_TOO_DEEP;
  return value.type == SNARL_ANY_LIST ? pack_list(writer, snarli_list_of(value), levels - 1)
                                      : pack_dict(writer, snarli_dict_of(value), levels - 1);
}

static int pack(struct writer *writer, snarl_any value, int levels) {
  switch (value.type) {
  case SNARL_ANY_NIL:
    return wire_nil(writer);
  case SNARL_ANY_BOOL:
    return value.as.integer ? wire_true(writer) : wire_false(writer);
  case SNARL_ANY_INT:
    return wire_int64(writer, value.as.integer);
  case SNARL_ANY_DOUBLE:
    return wire_double(writer, value.as.number);
  case SNARL_ANY_ERROR:
    return snarl_any_status(value);
  default:
    return pack_heap(writer, value, levels);
  }
}

int64_t snarli_any_pack(snarl_any value, void *bytes, size_t room) {
  char none;
  char *begin = room ? bytes : &none;
  struct writer writer = {begin, begin + room, 0};
  int status = pack(&writer, value, SNARL_ANY_DEPTH);
  return status ? status : (int64_t)writer.size;
}

int snarli_packed_begin(struct snarli_packed *packed, snarl_any value) {
  packed->bytes = packed->few;
  int64_t size = snarli_any_pack(value, packed->few, sizeof packed->few);
  if (size < 0)
    return (int)size;
  packed->size = (size_t)size;
  if (packed->size <= sizeof packed->few)
    return SNARL_OK;
  if (!(packed->bytes = malloc(packed->size)))
    return SNARL_NO_MEMORY;
  (void)snarli_any_pack(value, packed->bytes, packed->size);
  return SNARL_OK;
}

void snarli_packed_end(struct snarli_packed *packed) {
  if (packed->bytes != packed->few)
    free(packed->bytes);
}

snarl_any snarl_any_pack(snarl_any value) {
  struct snarli_packed packed;
  int status = snarli_packed_begin(&packed, value);
  if (status)
    return snarl_any_error(status);
  snarl_any bytes = snarl_any_bytes(packed.bytes, packed.size);
  snarli_packed_end(&packed);
  return bytes;
}
