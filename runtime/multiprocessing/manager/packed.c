/* SPDX-License-Identifier: MIT
 *
 * Packed values as a manager keeps them (see packed.h). Pure but for memory.
 */
#include "packed.h"
#include "any/pack.h"
#include <stdlib.h>
#include <string.h>

enum {
  NIL = 0xc0,
  NEVER = 0xc1,
  BIN8 = 0xc4,
  EXT8 = 0xc7,
  FLOAT32 = 0xca,
  FLOAT64 = 0xcb,
  UINT8 = 0xcc,
  UINT64 = 0xcf,
  INT8 = 0xd0,
  INT64 = 0xd3,
  FIXEXT1 = 0xd4,
  STR8 = 0xd9,
  ARRAY16 = 0xdc,
  ARRAY32 = 0xdd,
  MAP16 = 0xde,
  MAP32 = 0xdf,
  NEGATIVE = 0xe0,
};

unsigned char *snarli_pack_room(struct packed_buffer *buffer, size_t more) {
  if (buffer->room - buffer->size >= more)
    return buffer->bytes + buffer->size;
  size_t room = buffer->size + more + buffer->size / 2 + 64;
  unsigned char *bytes = realloc(buffer->bytes, room);
  if (!bytes)
    return NULL;
  buffer->bytes = bytes;
  buffer->room = room;
  return bytes + buffer->size;
}

bool snarli_pack_put(struct packed_buffer *buffer, const void *bytes, size_t size) {
  unsigned char *room = snarli_pack_room(buffer, size);
  if (room && size)
    memcpy(room, bytes, size);
  buffer->size += room ? size : 0;
  return room;
}

void snarli_pack_free(struct packed_buffer *buffer) {
  free(buffer->bytes);
  *buffer = (struct packed_buffer){NULL, 0, 0};
}

/* Behind what is before it: the bits of a negative number. */
static uint64_t big_endian(const unsigned char *bytes, size_t size, uint64_t value) {
  for (size_t i = 0; i < size; i++)
    value = value << 8 | bytes[i];
  return value;
}

static void store_big_endian(unsigned char *bytes, size_t size, uint64_t value) {
  for (size_t i = size; i--; value >>= 8)
    bytes[i] = (unsigned char)value;
}

/* A list's or dict's head: `few` or'ed with up to 15, or else a type with 16 or, one further, 32 bits. */
static bool put_head(struct packed_buffer *buffer, unsigned few, unsigned many, uint32_t count) {
  unsigned char head[5] = {(unsigned char)(few | count)};
  size_t width = count < 16 ? 0 : count <= UINT16_MAX ? 2 : 4;
  if (width)
    head[0] = (unsigned char)(many + (width == 4));
  store_big_endian(head + 1, width, count);
  return snarli_pack_put(buffer, head, 1 + width);
}

bool snarli_pack_put_list(struct packed_buffer *buffer, uint32_t count) {
  return put_head(buffer, 0x90, ARRAY16, count);
}
bool snarli_pack_put_dict(struct packed_buffer *buffer, uint32_t count) { return put_head(buffer, 0x80, MAP16, count); }

/* What a type's first byte says: `width` bytes of length or content follow; `unit` values for each of the length (0: as
 * many bytes, 1: items, 2: pairs); `here`: the length is in the byte itself. */
struct shape {
  uint8_t width, unit, here;
  bool has_length, is_known;
};

static struct shape shape_of(unsigned char type) {
  if (type < 0x80 || type >= NEGATIVE)
    return (struct shape){.is_known = true};
  if (type < 0xa0)
    return (struct shape){.unit = type < 0x90 ? 2 : 1, .here = type & 15, .has_length = true, .is_known = true};
  if (type < NIL)
    return (struct shape){.here = type & 31, .has_length = true, .is_known = true};
  if (type < BIN8)
    return (struct shape){.is_known = type != NEVER};
  if (type < EXT8)
    return (struct shape){.width = (uint8_t)(1 << (type - BIN8)), .has_length = true, .is_known = true};
  if (type >= FLOAT64 && type < FIXEXT1)
    return (struct shape){.width = type == FLOAT64 ? 8 : (uint8_t)(1 << (type & 3)), .is_known = true};
  if (type >= STR8 && type < ARRAY16)
    return (struct shape){.width = (uint8_t)(1 << (type - STR8)), .has_length = true, .is_known = true};
  if (type >= ARRAY16)
    return (struct shape){
        .width = type & 1 ? 4 : 2, .unit = type < MAP16 ? 1 : 2, .has_length = true, .is_known = true};
  return (struct shape){.is_known = type == FLOAT32, .width = 4};
}

/* Passes over one head. How many values follow that belong to it; -1: it is not whole. */
static int64_t pass_head(struct packed *rest) {
  struct shape shape = rest->size ? shape_of(*rest->bytes) : (struct shape){0};
  if (!shape.is_known || rest->size - 1 < shape.width)
    return -1;
  uint64_t length = !shape.has_length ? 0 : shape.width ? big_endian(rest->bytes + 1, shape.width, 0) : shape.here;
  uint64_t size = 1u + shape.width + (shape.unit ? 0 : length);
  if (rest->size < size)
    return -1;
  rest->bytes += size;
  rest->size -= size;
  return shape.unit ? (int64_t)(length * shape.unit) : 0;
}

bool snarli_pack_next(struct packed *rest, struct packed *value, unsigned depth) {
  uint64_t left[SNARL_ANY_DEPTH + 1] = {1}; /* values still to come, at each depth */
  struct packed at = *rest;
  for (unsigned now = 0; left[0] || now;) {
    if (!left[now]) {
      now--;
      continue;
    }
    left[now]--;
    bool is_deeper = at.size && shape_of(*at.bytes).unit;
    int64_t inside = pass_head(&at);
    if (inside < 0 || (uint64_t)inside > at.size || (is_deeper && now >= depth))
      return false;
    if (inside)
      left[++now] = (uint64_t)inside;
  }
  *value = (struct packed){rest->bytes, rest->size - at.size};
  *rest = at;
  return true;
}

static bool pass_open(struct packed *value, unsigned unit, uint32_t *count) {
  struct shape shape = value->size ? shape_of(*value->bytes) : (struct shape){0};
  int64_t inside = shape.unit == unit ? pass_head(value) : -1;
  if (inside < 0)
    return false;
  *count = (uint32_t)(unit == 2 ? inside / 2 : inside);
  return true;
}

bool snarli_pack_open_list(struct packed *value, uint32_t *count) { return pass_open(value, 1, count); }
bool snarli_pack_open_dict(struct packed *value, uint32_t *count) { return pass_open(value, 2, count); }

bool snarli_pack_is_key(struct packed value) {
  return snarli_any_scan(value.bytes, value.size) == SNARL_OK && !shape_of(*value.bytes).unit;
}

bool snarli_pack_equal(struct packed a, struct packed b) {
  return a.size == b.size && (!a.size || !memcmp(a.bytes, b.bytes, a.size));
}

bool snarli_pack_is_same(struct packed a, struct packed b) {
  if (snarli_pack_equal(a, b))
    return true;
  if (a.size != b.size || !a.size || !shape_of(*a.bytes).unit || !shape_of(*b.bytes).unit)
    return false;
  snarl_auto_any first = SNARL_NIL, second = SNARL_NIL;
  return !snarli_any_unpack(a.bytes, a.size, &first) && !snarli_any_unpack(b.bytes, b.size, &second) &&
         snarl_any_equal(first, second);
}

struct number {
  bool is_double, is_int;
  double real;
  int64_t integer;
};

static struct number number_of(struct packed value) {
  struct number number = {.is_int = true};
  unsigned char type = value.size ? *value.bytes : NIL;
  size_t width = value.size - 1;
  if (type < 0x80 || type >= NEGATIVE)
    number.integer = type < 0x80 ? type : type - 256;
  else if (type >= UINT8 && type <= UINT64)
    number.integer = (int64_t)big_endian(value.bytes + 1, width, 0);
  else if (type >= INT8 && type <= INT64)
    number.integer = (int64_t)big_endian(value.bytes + 1, width, value.bytes[1] & 0x80 ? UINT64_MAX : 0);
  else
    number.is_int = false;
  if (type == UINT64 && number.integer < 0)
    number.is_int = false;
  number.real = (double)number.integer;
  uint64_t bits = type == FLOAT64 ? big_endian(value.bytes + 1, 8, 0) : 0;
  if (type == FLOAT64)
    memcpy(&number.real, &bits, sizeof bits);
  number.is_double = type == FLOAT64;
  return number;
}

/* As short as any other packer has it: what is equal has the same bytes. */
static size_t put_int(int64_t value, unsigned char bytes[static 9]) {
  uint64_t bits = (uint64_t)value;
  if (value >= -32 && value < 128)
    return bytes[0] = (unsigned char)value, 1;
  unsigned step = 0;
  if (value > 0)
    for (; step < 3 && bits >> (8u << step); step++)
      ;
  else
    for (; step < 3 && value < -(INT64_C(1) << ((8u << step) - 1)); step++)
      ;
  bytes[0] = (unsigned char)((value > 0 ? UINT8 : INT8) + step);
  store_big_endian(bytes + 1, (size_t)1 << step, bits);
  return 1 + ((size_t)1 << step);
}

size_t snarli_pack_sum(struct packed a, struct packed b, unsigned char sum[static 9]) {
  struct number first = number_of(a), second = number_of(b);
  int64_t integer;
  if (first.is_int && second.is_int)
    return __builtin_add_overflow(first.integer, second.integer, &integer) ? 0 : put_int(integer, sum);
  if (!(first.is_int || first.is_double) || !(second.is_int || second.is_double))
    return 0;
  double real = first.real + second.real;
  uint64_t bits;
  memcpy(&bits, &real, sizeof bits);
  sum[0] = FLOAT64;
  store_big_endian(sum + 1, 8, bits);
  return 9;
}
