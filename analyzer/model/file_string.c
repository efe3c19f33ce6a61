/* SPDX-License-Identifier: MIT
 *
 * Reading the strings of file locks (see file_string.h). Pure.
 */
#include "file_string.h"
#include <stddef.h>
#include <string.h>

static bool take(const char **at, const char *word) {
  size_t size = strlen(word);
  if (strncmp(*at, word, size) != 0)
    return false;
  *at += size;
  return true;
}

static bool take_number(const char **at, unsigned base, uint64_t *number) {
  const char *begin = *at;
  for (*number = 0;; (*at)++) {
    unsigned digit = (unsigned)(**at - '0');
    if (digit > 9)
      digit = **at >= 'a' && **at <= 'f' ? (unsigned)(**at - 'a') + 10 : base;
    if (digit >= base)
      return *at > begin;
    if (__builtin_mul_overflow(*number, base, number) || __builtin_add_overflow(*number, digit, number))
      return false;
  }
}

static bool take_owner(const char **at, struct file_string *out) {
  return out->is_process ? take(at, "-") : take_number(at, 16, &out->owner) && out->owner;
}

static bool take_bytes(const char **at, struct file_string *out) {
  out->last = UINT64_MAX;
  if (!take_number(at, 10, &out->first) || !take(at, "-"))
    return false;
  return **at == ' ' || (take_number(at, 10, &out->last) && out->first <= out->last);
}

bool file_string_parse(const char *text, struct file_string *out) {
  const char *at = text;
  *out = (struct file_string){0};
  out->is_flock = take(&at, "flock ");
  out->is_process = !out->is_flock && take(&at, "process ");
  if (!out->is_flock && !out->is_process && !take(&at, "ofd "))
    return false;
  if (!take_owner(&at, out) || !take(&at, " "))
    return false;
  uint64_t *parts[] = {&out->major, &out->minor, &out->inode, &out->birth};
  for (size_t i = 0; i < sizeof parts / sizeof(uint64_t *); i++)
    if ((i && !take(&at, ":")) || !take_number(&at, 10, parts[i]))
      return false;
  if (out->major > UINT32_MAX || out->minor > UINT32_MAX || !take(&at, " ") || !take_bytes(&at, out) || !take(&at, " "))
    return false;
  out->path = at;
  return true;
}
