/* SPDX-License-Identifier: MIT
 *
 * Whether bytes from elsewhere are the MessagePack of one any, before anything is made of them. A list that claims to
 * have more items than there are bytes ends here, and not in the allocator. Pure.
 */
#include "heap.h"
#include "pack.h"

/* What a value's first byte says comes next. */
enum kind { NOTHING, PLAIN, UNSIGNED, TEXT, BYTES, LIST, DICT, FOREIGN };

/* `width` bytes that are the value, or its size or count. */
struct form {
  uint8_t kind, width;
};

static const struct form forms[] = {
    /* c0 */ {PLAIN, 0},   {NOTHING, 0},  {PLAIN, 0},   {PLAIN, 0},   {BYTES, 1}, {BYTES, 2}, {BYTES, 4},
    /* c7 */ {FOREIGN, 0}, {FOREIGN, 0},  {FOREIGN, 0}, {PLAIN, 4},   {PLAIN, 8}, {PLAIN, 1}, {PLAIN, 2},
    /* ce */ {PLAIN, 4},   {UNSIGNED, 8}, {PLAIN, 1},   {PLAIN, 2},   {PLAIN, 4}, {PLAIN, 8}, {FOREIGN, 0},
    /* d5 */ {FOREIGN, 0}, {FOREIGN, 0},  {FOREIGN, 0}, {FOREIGN, 0}, {TEXT, 1},  {TEXT, 2},  {TEXT, 4},
    /* dc */ {LIST, 2},    {LIST, 4},     {DICT, 2},    {DICT, 4},
};
_Static_assert(sizeof forms / sizeof *forms == 0x20, "c0 to df");

/* A list or dict that is not at its end yet: so many values are still to come; of a dict, a key if they are even. */
struct level {
  uint64_t left;
  bool is_dict;
};

struct scan {
  const uint8_t *at, *end;
  uint64_t pending; /* values to come, of which each has a byte at least */
  unsigned depth;
  struct level levels[SNARL_ANY_DEPTH];
};

static uint64_t left_of(const struct scan *scan) { return (uint64_t)(scan->end - scan->at); }

/* The number behind the first byte; there are that many bytes. */
static uint64_t number(struct scan *scan, unsigned width) {
  uint64_t value = 0;
  for (unsigned i = 0; i < width; i++)
    value = value << 8 | *scan->at++;
  return value;
}

static int skip(struct scan *scan, uint64_t size) {
  if (size > left_of(scan))
    return SNARL_TRUNCATED;
  scan->at += size;
  return SNARL_OK;
}

static int text(struct scan *scan, uint64_t size) {
  if (size > left_of(scan))
    return SNARL_TRUNCATED;
  if (!snarli_is_utf8(scan->at, size))
    return SNARL_MALFORMED;
  return skip(scan, size);
}

static int descend(struct scan *scan, uint64_t values, bool is_dict) {
  if (scan->depth && scan->levels[scan->depth - 1].is_dict && scan->levels[scan->depth - 1].left % 2)
    return SNARL_UNREPRESENTABLE; /* the key before it was counted down already */
  if (scan->depth == SNARL_ANY_DEPTH)
    return SNARL_TOO_DEEP;
  scan->pending += values;
  if (scan->pending > left_of(scan))
    return SNARL_TRUNCATED;
  scan->levels[scan->depth++] = (struct level){values, is_dict};
  return SNARL_OK;
}

static int variable(struct scan *scan, struct form form) {
  if (form.kind == NOTHING || form.kind == FOREIGN)
    return form.kind == NOTHING ? SNARL_MALFORMED : SNARL_UNREPRESENTABLE;
  if (left_of(scan) < form.width)
    return SNARL_TRUNCATED;
  if (form.kind == PLAIN)
    return skip(scan, form.width);
  uint64_t what = number(scan, form.width);
  switch (form.kind) {
  case UNSIGNED:
    return what > INT64_MAX ? SNARL_UNREPRESENTABLE : SNARL_OK;
  case TEXT:
    return text(scan, what);
  case BYTES:
    return skip(scan, what);
  case LIST:
    return descend(scan, what, false);
  default:
    return descend(scan, what * 2, true);
  }
}

/* One value, of a list or dict its beginning. There is a byte. */
static int value(struct scan *scan) {
  uint8_t first = *scan->at++;
  if (first < 0x80 || first >= 0xe0)
    return SNARL_OK;
  if (first >= 0xc0)
    return variable(scan, forms[first - 0xc0]);
  if (first >= 0xa0)
    return text(scan, first & 0x1f);
  return first >= 0x90 ? descend(scan, first & 0x0f, false) : descend(scan, (first & 0x0fu) * 2, true);
}

int snarli_any_scan(const void *bytes, size_t size) {
  struct scan scan;
  if (!size)
    return SNARL_TRUNCATED;
  scan.at = bytes;
  scan.end = scan.at + size;
  scan.pending = 1;
  scan.depth = 0;
  while (scan.pending) {
    if (scan.at == scan.end)
      return SNARL_TRUNCATED;
    scan.pending--;
    if (scan.depth)
      scan.levels[scan.depth - 1].left--;
    int status = value(&scan);
    if (status)
      return status;
    while (scan.depth && !scan.levels[scan.depth - 1].left)
      scan.depth--;
  }
  return scan.at == scan.end ? SNARL_OK : SNARL_MALFORMED;
}
