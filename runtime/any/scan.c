/* SPDX-License-Identifier: MIT
 *
 * Whether bytes from elsewhere are the MessagePack of one any, before anything is made of them. A list that claims to
 * have more items than there are bytes ends here, and not in the allocator. Pure.
 */
#include "heap.h"
#include "pack.h"

/* What the first byte of the others says comes next. */
enum kind { NOTHING, FOREIGN, UNSIGNED, TEXT, BYTES, LIST, DICT };

/* `width` bytes that are the value, its size or its count. */
struct form {
  uint8_t kind, width;
};
static const struct form forms[0x20] = {
    [0x04] = {BYTES, 1},    [0x05] = {BYTES, 2},
    [0x06] = {BYTES, 4},    [0x07 ... 0x09] = {FOREIGN, 0},
    [0x0f] = {UNSIGNED, 8}, [0x14 ... 0x18] = {FOREIGN, 0},
    [0x19] = {TEXT, 1},     [0x1a] = {TEXT, 2},
    [0x1b] = {TEXT, 4},     [0x1c] = {LIST, 2},
    [0x1d] = {LIST, 4},     [0x1e] = {DICT, 2},
    [0x1f] = {DICT, 4},
};

/* A list or dict that is not at its end yet: so many values are still to come; of a dict, a key if they are even. */
struct level {
  uint64_t left;
  bool is_dict;
};

struct scan {
  const uint8_t *at, *end;
  uint64_t pending; /* values to come, of which each has a byte at least */
  unsigned depth;
  struct level levels[SNARL_ANY_DEPTH + 1]; /* outside all is the one value */
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
  if (scan->levels[scan->depth - 1].is_dict && scan->levels[scan->depth - 1].left % 2)
    return SNARL_UNREPRESENTABLE; /* the key before it was counted down already */
  if (scan->depth > SNARL_ANY_DEPTH)
    return SNARL_TOO_DEEP;
  scan->pending += values;
  if (scan->pending > left_of(scan))
    return SNARL_TRUNCATED;
  scan->levels[scan->depth++] = (struct level){values, is_dict};
  return SNARL_OK;
}

static int variable(struct scan *scan, struct form form) {
  if (form.kind <= FOREIGN)
    return form.kind == NOTHING ? SNARL_MALFORMED : SNARL_UNREPRESENTABLE;
  if (left_of(scan) < form.width)
    return SNARL_TRUNCATED;
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

/* One value that is not plain, of a list or dict its beginning. There is a byte. */
static int value(struct scan *scan) {
  uint8_t first = *scan->at++;
  if (first >= 0xc0)
    return variable(scan, forms[first - 0xc0]);
  if (first >= 0xa0)
    return text(scan, first & 0x1f);
  return first >= 0x90 ? descend(scan, first & 0x0f, false) : descend(scan, (first & 0x0fu) * 2, true);
}

/* How many bytes a value has whose first byte says it all; 0: it does not. Branches, which the processor predicts: with
 * a table each value would wait for the one before it. */
static inline unsigned plain_size(uint8_t first) {
  if (first < 0x80 || first >= 0xe0)
    return 1;
  if (first == 0xcd || first == 0xd1)
    return 3;
  if (first == 0xcc || first == 0xd0)
    return 2;
  if (first == 0xce || first == 0xd2 || first == 0xca)
    return 5;
  if (first == 0xcb || first == 0xd3)
    return 9;
  return first == 0xc0 || first == 0xc2 || first == 0xc3;
}

/* The plain values that come next in this level. */
static int plain_values(struct scan *scan, struct level *level) {
  const uint8_t *at = scan->at, *end = scan->end;
  uint64_t left = level->left;
  while (left && at < end) {
    unsigned size = plain_size(*at);
    if (!size)
      break;
    if (size > (size_t)(end - at))
      return SNARL_TRUNCATED;
    at += size;
    left--;
  }
  scan->pending -= level->left - left;
  level->left = left;
  scan->at = at;
  return SNARL_OK;
}

/* Goes on until there is another level. */
static int level(struct scan *scan) {
  struct level *level = &scan->levels[scan->depth - 1];
  unsigned depth = scan->depth;
  int status = plain_values(scan, level);
  while (!status && level->left && scan->depth == depth) {
    if (scan->at == scan->end)
      return SNARL_TRUNCATED;
    level->left--;
    scan->pending--;
    status = value(scan);
    if (!status && scan->depth == depth)
      status = plain_values(scan, level);
  }
  return status;
}

int snarli_any_scan(const void *bytes, size_t size) {
  struct scan scan;
  if (!size)
    return SNARL_TRUNCATED;
  scan.at = bytes;
  scan.end = scan.at + size;
  scan.pending = 1;
  scan.depth = 1;
  scan.levels[0] = (struct level){1, false};
  while (scan.depth) {
    int status = level(&scan);
    if (status)
      return status;
    while (scan.depth && !scan.levels[scan.depth - 1].left)
      scan.depth--;
  }
  return scan.at == scan.end ? SNARL_OK : SNARL_MALFORMED;
}
