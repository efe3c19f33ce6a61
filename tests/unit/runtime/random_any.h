/* SPDX-License-Identifier: MIT
 *
 * Random values: of all types, with all sizes of their numbers, at their limits above all. Entered by one thread.
 */
#ifndef SNARL_TEST_RANDOM_ANY_H
#define SNARL_TEST_RANDOM_ANY_H

#include <snarl/any.h>
#include <stdlib.h>

static inline uint64_t random_next(uint64_t *state) {
  uint64_t number = *state += 0x9e3779b97f4a7c15u;
  number = (number ^ number >> 30) * 0xbf58476d1ce4e5b9u;
  number = (number ^ number >> 27) * 0x94d049bb133111ebu;
  return number ^ number >> 31;
}

/* Beside a power of two as often as not. */
static inline int64_t random_int(uint64_t *state) {
  uint64_t number = random_next(state) >> random_next(state) % 64;
  if (random_next(state) % 2)
    number = ((uint64_t)1 << random_next(state) % 64) + random_next(state) % 3 - 1;
  return (int64_t)(random_next(state) % 2 ? number : -number);
}

/* Few are long. */
static inline size_t random_size(uint64_t *state) {
  return random_next(state) % ((uint64_t)1 << random_next(state) % (random_next(state) % 20 ? 6 : 18));
}

static inline snarl_any random_text(uint64_t *state, bool is_string) {
  static const char *const characters[] = {"a", "\n", "é", "€", "😀"};
  size_t size = random_size(state), used = 0;
  char *bytes = (char *)malloc(size + 4);
  if (!bytes)
    abort();
  while (used < size) {
    const char *next = characters[random_next(state) % 5];
    while (is_string && *next)
      bytes[used++] = *next++;
    if (!is_string)
      bytes[used++] = (char)random_next(state);
  }
  snarl_any value = is_string ? snarl_any_string_of(bytes, used) : snarl_any_bytes(bytes, used);
  free(bytes);
  return value;
}

static inline snarl_any random_scalar(uint64_t *state) {
  switch (random_next(state) % 6) {
  case 0:
    return SNARL_NIL;
  case 1:
    return snarl_any_bool(random_next(state) % 2);
  case 2:
    return snarl_any_double((double)random_int(state) / 8);
  case 3:
  case 4:
    return random_text(state, random_next(state) % 2);
  default:
    return snarl_any_int(random_int(state));
  }
}

static inline snarl_any random_any(uint64_t *state, int levels) {
  uint64_t choice = random_next(state) % 3;
  if (!levels || !choice)
    return random_scalar(state);
  snarl_any value = choice == 1 ? snarl_any_list() : snarl_any_dict();
  for (size_t count = random_size(state) % 20, i = 0; i < count; i++) {
    snarl_any item = random_any(state, levels - 1), key = random_scalar(state);
    int status = choice == 1 ? snarl_any_list_append(value, item) : snarl_any_dict_set(value, key, item);
    snarl_any_drop(&key);
    if (status)
      abort();
  }
  return value;
}

#endif
