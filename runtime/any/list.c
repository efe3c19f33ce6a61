/* SPDX-License-Identifier: MIT
 *
 * Lists. Entered by any thread, and by one at a time while the list changes.
 */
#include "heap.h"
#include <string.h>

snarl_any snarli_list_new(uint32_t room) {
  snarl_any value = snarli_heap_new(SNARL_ANY_LIST, sizeof(struct snarli_list) + room * sizeof(snarl_any));
  if (snarl_any_is_error(value))
    return value;
  struct snarli_list *list = snarli_list_of(value);
  list->length = 0;
  list->room = room;
  list->items = list->own;
  return value;
}

snarl_any snarl_any_list(void) { return snarli_list_new(0); }

snarl_any snarli_any_list_of(const snarl_any *items, size_t count) {
  snarl_any list = snarli_list_new((uint32_t)count);
  int status = SNARL_OK;
  for (size_t i = 0; i < count; i++) {
    int failed = snarli_any_list_append(list, items[i]);
    status = status ? status : failed;
  }
  if (!status)
    return list;
  snarl_any_drop(&list);
  return snarl_any_error(status);
}

static int reach(struct snarli_list *list) {
  if (list->length < list->room)
    return SNARL_OK;
  if (list->room > UINT32_MAX / 2)
    return SNARL_TOO_LARGE;
  uint32_t room = list->room < 4 ? 8 : list->room * 2;
  bool is_own = list->items == list->own;
  snarl_any *items = realloc(is_own ? NULL : list->items, room * sizeof *items);
  if (!items)
    return SNARL_NO_MEMORY;
  if (is_own && list->length)
    memcpy(items, list->items, list->length * sizeof *items);
  list->items = items;
  list->room = room;
  return SNARL_OK;
}

/* The place that an index means, among so many; or a status. */
static int64_t place_of(const struct snarli_list *list, int64_t index, uint64_t places) {
  int64_t place = index < 0 ? index + list->length : index;
  return place < 0 || (uint64_t)place >= places ? SNARL_NOT_FOUND : place;
}

static int insert(snarl_any value, int64_t index, snarl_any item) {
  int status = snarli_any_may_enter(value, SNARL_ANY_LIST, item);
  if (status)
    return status;
  struct snarli_list *list = snarli_list_of(value);
  int64_t place = place_of(list, index, (uint64_t)list->length + 1);
  status = place < 0 ? (int)place : reach(list);
  if (status)
    return status;
  memmove(list->items + place + 1, list->items + place, (list->length - (uint32_t)place) * sizeof item);
  list->items[place] = item;
  list->length++;
  snarli_any_entered(item);
  return SNARL_OK;
}

int snarli_any_list_insert(snarl_any list, int64_t index, snarl_any item) {
  int status = insert(list, index, item);
  if (status)
    snarl_any_drop(&item);
  return status;
}

int snarli_any_list_append(snarl_any list, snarl_any item) {
  return snarli_any_list_insert(list, (int64_t)snarl_any_length(list), item);
}

/* The place of an item that is there; or a status. */
static int64_t find(snarl_any list, int64_t index) {
  if (!snarl_any_is_list(list))
    return snarl_any_is_error(list) ? snarl_any_status(list) : SNARL_INVALID;
  return place_of(snarli_list_of(list), index, snarli_list_of(list)->length);
}

int snarli_any_list_set(snarl_any list, int64_t index, snarl_any item) {
  int64_t place = find(list, index);
  int status = place < 0 ? (int)place : snarli_any_may_enter(list, SNARL_ANY_LIST, item);
  if (!status) {
    snarl_any *old = &snarli_list_of(list)->items[place], gone = *old;
    *old = item;
    snarli_any_entered(item);
    item = gone;
  }
  snarl_any_drop(&item);
  return status;
}

snarl_any snarl_any_list_get(snarl_any list, int64_t index) {
  int64_t place = find(list, index);
  return place < 0 ? snarl_any_error((int)place) : snarli_list_of(list)->items[place];
}

snarl_any snarl_any_list_take(snarl_any value, int64_t index) {
  int64_t place = find(value, index);
  if (place < 0)
    return snarl_any_error((int)place);
  struct snarli_list *list = snarli_list_of(value);
  snarl_any item = list->items[place];
  list->length--;
  memmove(list->items + place, list->items + place + 1, (list->length - (uint32_t)place) * sizeof item);
  return item;
}

bool snarli_any_next(snarl_any list, size_t *place, snarl_any *item) {
  if (!snarl_any_is_list(list) || *place >= snarli_list_of(list)->length)
    return false;
  *item = snarli_list_of(list)->items[(*place)++];
  return true;
}
