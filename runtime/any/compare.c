/* SPDX-License-Identifier: MIT
 *
 * What two values have in common, and a value that has nothing in common with another. Entered by any thread.
 */
#include "heap.h"
#include <string.h>

static bool equal(snarl_any a, snarl_any b, int levels);

static bool lists_equal(const struct snarli_list *a, const struct snarli_list *b, int levels) {
  if (a->length != b->length)
    return false;
  for (uint32_t i = 0; i < a->length; i++)
    if (!equal(a->items[i], b->items[i], levels))
      return false;
  return true;
}

static bool dicts_equal(const struct snarli_dict *a, const struct snarli_dict *b, int levels) {
  if (a->length != b->length)
    return false;
  for (uint32_t i = 0; i < a->end; i++) {
    if (snarli_is_hole(&a->pairs[i]))
      continue;
    const struct snarli_pair *other = snarli_dict_find(b, a->pairs[i].key);
    if (!other || !equal(a->pairs[i].item, other->item, levels))
      return false;
  }
  return true;
}

static bool texts_equal(const struct snarli_text *a, const struct snarli_text *b) {
  return a->size == b->size && !memcmp(a->bytes, b->bytes, a->size);
}

static bool equal(snarl_any a, snarl_any b, int levels) {
  if (a.type != b.type)
    return false;
  if (a.type == SNARL_ANY_NIL)
    return true;
  if (a.type == SNARL_ANY_DOUBLE)
    return a.as.number == b.as.number;
  if (a.type < SNARL_ANY_STRING)
    return a.as.integer == b.as.integer;
  if (a.as.heap == b.as.heap)
    return true;
  if (!snarli_is_container(a))
    return texts_equal(snarli_text_of(a), snarli_text_of(b));
  if (!levels)
    return false;
  return a.type == SNARL_ANY_LIST ? lists_equal(snarli_list_of(a), snarli_list_of(b), levels - 1)
                                  : dicts_equal(snarli_dict_of(a), snarli_dict_of(b), levels - 1);
}

bool snarl_any_equal(snarl_any a, snarl_any b) { return equal(a, b, SNARL_ANY_DEPTH); }

static snarl_any copy(snarl_any value, int levels);

static snarl_any list_copy(const struct snarli_list *list, int levels) {
  snarl_any result = snarli_list_new(list->length);
  int status = snarl_any_status(result);
  for (uint32_t i = 0; !status && i < list->length; i++)
    status = snarli_any_list_append(result, copy(list->items[i], levels));
  if (status)
    snarl_any_drop(&result);
  return status ? snarl_any_error(status) : result;
}

static snarl_any dict_copy(const struct snarli_dict *dict, int levels) {
  snarl_any result = snarli_dict_new(dict->length);
  int status = snarl_any_status(result);
  for (uint32_t i = 0; !status && i < dict->end; i++)
    if (!snarli_is_hole(&dict->pairs[i]))
      status = snarli_any_dict_set(result, dict->pairs[i].key, copy(dict->pairs[i].item, levels));
  if (status)
    snarl_any_drop(&result);
  return status ? snarl_any_error(status) : result;
}

static snarl_any copy(snarl_any value, int levels) {
  if (!snarli_is_container(value))
    return snarl_any_keep(value);
  if (!levels)
    return snarl_any_error(SNARL_TOO_DEEP);
  return value.type == SNARL_ANY_LIST ? list_copy(snarli_list_of(value), levels - 1)
                                      : dict_copy(snarli_dict_of(value), levels - 1);
}

snarl_any snarl_any_copy(snarl_any value) { return copy(value, SNARL_ANY_DEPTH); }
