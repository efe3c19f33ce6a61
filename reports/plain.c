/* SPDX-License-Identifier: MIT
 *
 * Strings of strangers' programs made safe to show. Pure functions, any thread.
 */
#include "plain.h"
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define INVALID UINT32_MAX

static bool is_character(uint32_t code, size_t size) {
  static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
  return code >= least[size] && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff) && (code & 0xfffe) != 0xfffe;
}

size_t plain_decode(const char *text, uint32_t *code) {
  const unsigned char *bytes = (const unsigned char *)text;
  *code = bytes[0];
  if (bytes[0] == 0)
    return 0;
  if (bytes[0] < 0x80)
    return 1;
  size_t size = bytes[0] >= 0xf0 ? 4 : bytes[0] >= 0xe0 ? 3 : 2;
  uint32_t value = bytes[0] & (0xffu >> (size + 1));
  *code = INVALID;
  if (bytes[0] < 0xc2 || bytes[0] > 0xf4)
    return 1;
  for (size_t i = 1; i < size; i++) {
    if ((bytes[i] & 0xc0) != 0x80)
      return 1;
    value = value << 6 | (bytes[i] & 0x3f);
  }
  if (!is_character(value, size))
    return 1;
  *code = value;
  return size;
}

/* Characters that move, hide or reorder the others: the C0 and C1 controls, line separators and bidirectional marks. */
static bool is_control(uint32_t code) {
  return code < 0x20 || (code >= 0x7f && code < 0xa0) || code == 0xad || code == 0x61c ||
         (code >= 0x200b && code <= 0x200f) || (code >= 0x2028 && code <= 0x202e) ||
         (code >= 0x2060 && code <= 0x206f) || code == 0xfeff || (code >= 0xfff9 && code <= 0xfffb) ||
         (code >= 0xe0000 && code <= 0xe0fff);
}

/* How the character at `text` is shown: writes it to `shown` (ended by NUL), sets its columns, returns the bytes of
 * `text` it stands for. */
static size_t show(const char *text, char shown[16], size_t *columns) {
  uint32_t code;
  size_t size = plain_decode(text, &code);
  if (code == INVALID)
    *columns = (size_t)snprintf(shown, 16, "\\x%02x", (unsigned char)text[0]);
  else if (code == '\n' || code == '\t' || code == '\r')
    *columns = (size_t)snprintf(shown, 16, "\\%c", code == '\n' ? 'n' : code == '\t' ? 't' : 'r');
  else if (is_control(code))
    *columns = (size_t)snprintf(shown, 16, code < 0x100 ? "\\x%02x" : "\\u%04x", (unsigned)code);
  else {
    memcpy(shown, text, size);
    shown[size] = '\0';
    *columns = size != 0;
  }
  return size;
}

size_t plain_columns(const char *text) {
  char shown[16];
  size_t sum = 0, columns, size;
  while ((size = show(text, shown, &columns)) != 0) {
    sum += columns;
    text += size;
  }
  return sum;
}

/* The end matters more than the beginning: it is where file names and sizes are. */
void plain_put(FILE *out, const char *text, size_t columns) {
  size_t whole = columns == 0 ? 0 : plain_columns(text);
  size_t head = whole > columns ? (columns - 1) / 2 : SIZE_MAX;
  size_t tail = whole > columns ? whole - (columns - 1 - head) : 0;
  char shown[16];
  size_t at = 0, width, size;
  bool is_elided = false;
  while ((size = show(text, shown, &width)) != 0) {
    if (at + width <= head || at >= tail)
      fputs(shown, out);
    else if (!is_elided) {
      fputs("…", out);
      is_elided = true;
    }
    at += width;
    text += size;
  }
}

char *plain_copy(const char *text, size_t columns) {
  char *copy = NULL;
  size_t size = 0;
  FILE *out = open_memstream(&copy, &size);
  if (out == NULL)
    return NULL;
  plain_put(out, text, columns);
  if (fclose(out) == 0)
    return copy;
  free(copy);
  return NULL;
}

char *plain_utf8(const char *text) {
  char *copy = malloc(3 * strlen(text) + 1), *to = copy;
  uint32_t code;
  size_t size;
  if (copy == NULL)
    return NULL;
  while ((size = plain_decode(text, &code)) != 0) {
    to = mempcpy(to, code == INVALID ? "\xef\xbf\xbd" : text, code == INVALID ? 3 : size);
    text += size;
  }
  *to = '\0';
  return copy;
}

const char *plain_base(const char *path) {
  const char *slash = strrchr(path, '/');
  return slash == NULL ? path : slash + 1;
}
