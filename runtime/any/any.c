/* SPDX-License-Identifier: MIT
 *
 * Any: strings and bytes, and what an any is. Entered by any thread.
 */
#include "heap.h"
#include <stdarg.h>
#include <string.h>

_Static_assert(sizeof(snarl_any) == 16, "two registers");

const char *snarl_any_type_name(snarl_any value) {
  static const char *const names[] = {"nil", "bool", "int", "double", "error", "string", "bytes", "list", "dict"};
  return value.type < sizeof names / sizeof *names ? names[value.type] : "no any";
}

/* The bytes are the caller's to fill. */
static snarl_any text_room(enum snarl_any_type type, size_t size) {
  if (size > UINT32_MAX)
    return snarl_any_error(SNARL_TOO_LARGE);
  snarl_any value = snarli_heap_new(type, sizeof(struct snarli_text) + size + 1);
  if (!snarl_any_is_error(value)) {
    snarli_text_of(value)->size = (uint32_t)size;
    snarli_text_of(value)->bytes[size] = 0;
  }
  return value;
}

snarl_any snarli_text_new(enum snarl_any_type type, const void *bytes, size_t size) {
  snarl_any value = text_room(type, size);
  if (size && !snarl_any_is_error(value))
    memcpy(snarli_text_of(value)->bytes, bytes, size);
  return value;
}

snarl_any snarl_any_string_of(const char *text, size_t size) {
  if ((!text && size) || !snarli_is_utf8(text, size))
    return snarl_any_error(SNARL_INVALID);
  return snarli_text_new(SNARL_ANY_STRING, text, size);
}

snarl_any snarl_any_string(const char *text) {
  return text ? snarl_any_string_of(text, strlen(text)) : snarl_any_error(SNARL_INVALID);
}

snarl_any snarl_any_stringf(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  int size = vsnprintf(NULL, 0, format, arguments);
  va_end(arguments);
  snarl_any value = size < 0 ? snarl_any_error(SNARL_INVALID) : text_room(SNARL_ANY_STRING, (size_t)size);
  if (snarl_any_is_error(value))
    return value;
  char *text = snarli_text_of(value)->bytes;
  va_start(arguments, format);
  (void)vsnprintf(text, (size_t)size + 1, format, arguments);
  va_end(arguments);
  if (!snarli_is_utf8(text, (size_t)size)) {
    snarl_any_drop(&value);
    value = snarl_any_error(SNARL_INVALID);
  }
  return value;
}

snarl_any snarl_any_bytes(const void *bytes, size_t size) {
  return bytes || !size ? snarli_text_new(SNARL_ANY_BYTES, bytes, size) : snarl_any_error(SNARL_INVALID);
}

const char *snarl_any_as_string(snarl_any value) {
  return snarl_any_is_string(value) ? snarli_text_of(value)->bytes : NULL;
}

const void *snarl_any_as_bytes(snarl_any value) {
  return snarl_any_is_bytes(value) ? snarli_text_of(value)->bytes : NULL;
}

size_t snarl_any_length(snarl_any value) {
  switch (value.type) {
  case SNARL_ANY_STRING:
  case SNARL_ANY_BYTES:
    return snarli_text_of(value)->size;
  case SNARL_ANY_LIST:
    return snarli_list_of(value)->length;
  case SNARL_ANY_DICT:
    return snarli_dict_of(value)->length;
  default:
    return 0;
  }
}
