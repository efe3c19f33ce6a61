/* SPDX-License-Identifier: MIT
 *
 * ShareableList: slots in a SharedMemory. What is in there may change at any time, so that every number is read once
 * and checked before it is used, at each access anew; values are copied before they are looked at. Entered by any
 * thread of any process that has the memory.
 */
#include "any/heap.h"
#include "core/runtime.h"
#include <snarl/shareable_list.h>
#include <stdio.h>
#include <string.h>

#define MARK 0x316c73006c726e73u /* "snrl", "sl1": the layout's version is its last byte */

/* One value: where its room is, and what is in it now. Both halves are read and written as a whole. */
struct slot {
  uint64_t room;    /* its place in the memory << 32 | its size; never changes */
  uint64_t content; /* the type << 32 | the size that is used */
};

struct table {
  uint64_t mark; /* 0: it is being made */
  uint64_t length;
  struct slot slots[];
};

enum { SCALAR = 8 };

static struct table *table_of(const snarl_shareable_list *list) { return (struct table *)list->memory.data; }

static uint64_t size_of_table(uint64_t length) { return sizeof(struct table) + length * sizeof(struct slot); }

static bool is_text(snarl_any value) { return snarl_any_is_string(value) || snarl_any_is_bytes(value); }

static uint64_t size_of(snarl_any value) { return is_text(value) ? snarl_any_length(value) : SCALAR; }

static uint64_t room_of(snarl_any value) {
  uint64_t size = size_of(value) ? size_of(value) : 1;
  return (size + SCALAR - 1) / SCALAR * SCALAR;
}

static int check_value(snarl_any value) {
  return snarli_is_container(value) ? SNARL_UNREPRESENTABLE : snarl_any_status(value);
}

/* A slot's room: in `memory`, behind the table. False: somebody has written over it. */
static bool reach(const snarl_shareable_list *list, const struct slot *slot, char **room, uint32_t *size) {
  uint64_t both = __atomic_load_n(&slot->room, __ATOMIC_RELAXED), place = both >> 32;
  *size = (uint32_t)both;
  *room = (char *)list->memory.data + place;
  return *size >= SCALAR && place >= size_of_table(list->length) && place + *size <= list->memory.size &&
         place % SCALAR == 0;
}

static int put(const snarl_shareable_list *list, struct slot *slot, snarl_any value) {
  char *room;
  uint32_t most;
  if (!reach(list, slot, &room, &most))
    return SNARL_MALFORMED;
  uint64_t size = size_of(value);
  if (size > most)
    return SNARL_TOO_LARGE;
  if (is_text(value))
    memcpy(room, snarli_text_of(value)->bytes, size);
  else
    memcpy(room, &value.as, SCALAR);
  __atomic_store_n(&slot->content, (uint64_t)value.type << 32 | size, __ATOMIC_RELEASE);
  return SNARL_OK;
}

/* The string is valid now, and nobody else has it to change it. */
static snarl_any checked(snarl_any text) {
  if (snarl_any_is_string(text) && !snarli_is_utf8(snarli_text_of(text)->bytes, snarli_text_of(text)->size)) {
    snarl_any_drop(&text);
    return snarl_any_error(SNARL_MALFORMED);
  }
  return text;
}

static snarl_any get(const snarl_shareable_list *list, const struct slot *slot) {
  uint64_t content = __atomic_load_n(&slot->content, __ATOMIC_ACQUIRE);
  uint32_t type = (uint32_t)(content >> 32), size = (uint32_t)content, most;
  char *room;
  if (!reach(list, slot, &room, &most) || size > most)
    return snarl_any_error(SNARL_MALFORMED);
  if (type == SNARL_ANY_STRING || type == SNARL_ANY_BYTES)
    return checked(snarli_text_new((enum snarl_any_type)type, room, size));
  if (type > SNARL_ANY_DOUBLE)
    return snarl_any_error(SNARL_MALFORMED);
  snarl_any value = {(uint8_t)type, {0}};
  memcpy(&value.as, room, SCALAR);
  return type == SNARL_ANY_NIL ? SNARL_NIL : type == SNARL_ANY_BOOL ? snarl_any_bool(value.as.integer) : value;
}

/* How large the memory must be; or a status. */
static int64_t measure(snarl_any values) {
  if (!snarl_any_length(values))
    return snarl_any_is_error(values) ? snarl_any_status(values) : SNARL_INVALID;
  uint64_t size = size_of_table(snarl_any_length(values));
  snarl_any value;
  snarl_any_each(value, values) {
    int status = check_value(value);
    if (status)
      return status;
    size += room_of(value);
  }
  return size > UINT32_MAX ? SNARL_TOO_LARGE : (int64_t)size;
}

/* Reports call the first slots as a program does: scores[3]. */
static SNARLI_COLD void declare(const snarl_shareable_list *list, struct snarl_site *site) {
  enum { NAMED = 256 };
  const char *of = *list->memory.name ? list->memory.name : "ShareableList";
  char name[SNARL_SHARED_MEMORY_NAME + 16];
  for (uint32_t i = 0; i < list->length && i < NAMED; i++) {
    uint64_t slot = snarli_address(&table_of(list)->slots[i]);
    int size = snprintf(name, sizeof name, "%s[%u]", of, i);
    snarli_record_aux(SNARLI_R_OBJECT_DECLARED, SNARLI_KIND_SHARED, slot, snarli_place(site));
    snarli_record_aux(SNARLI_R_OBJECT_NAMED, 0, slot, snarli_blob_string(name, (size_t)size));
  }
}

static void fill(snarl_shareable_list *list, snarl_any values) {
  struct table *table = table_of(list);
  uint64_t place = size_of_table(list->length);
  struct slot *slot = table->slots;
  snarl_any value;
  table->length = list->length;
  snarl_any_each(value, values) {
    slot->room = place << 32 | room_of(value);
    (void)put(list, slot++, value);
    place += room_of(value);
  }
  __atomic_store_n(&table->mark, MARK, __ATOMIC_RELEASE);
}

int snarl_shareable_list_create_at(snarl_shareable_list *list, const char *name, snarl_any values,
                                   struct snarl_site *site) {
  int64_t size = list && snarl_any_is_list(values) ? measure(values)
                 : snarl_any_is_error(values)      ? snarl_any_status(values)
                                                   : SNARL_INVALID;
  int status = size < 0 ? (int)size : snarl_shared_memory_create_at(&list->memory, name, (size_t)size, site);
  if (!status) {
    list->length = (uint32_t)snarl_any_length(values);
    if (snarli_records())
      declare(list, site);
    fill(list, values);
  }
  snarl_any_drop(&values);
  return status;
}

/* What the memory says of itself. */
static int examine(snarl_shareable_list *list) {
  const struct table *table = table_of(list);
  if (list->memory.size < sizeof *table)
    return SNARL_MALFORMED;
  uint64_t mark = __atomic_load_n(&table->mark, __ATOMIC_ACQUIRE);
  uint64_t length = __atomic_load_n(&table->length, __ATOMIC_RELAXED);
  if (mark != MARK)
    return mark ? SNARL_MALFORMED : SNARL_NOT_FOUND;
  if (!length || length > UINT32_MAX || size_of_table(length) > list->memory.size)
    return SNARL_MALFORMED;
  list->length = (uint32_t)length;
  return SNARL_OK;
}

int snarl_shareable_list_attach_at(snarl_shareable_list *list, const char *name, struct snarl_site *site) {
  if (!list)
    return snarli_refuse(SNARL_INVALID, list, site);
  int status = snarl_shared_memory_attach_at(&list->memory, name, site);
  if (status)
    return status;
  status = examine(list);
  if (status)
    (void)snarl_shared_memory_close_at(&list->memory, site);
  return status;
}

/* The slot that an index means, or NULL and the status. */
static struct slot *find(const snarl_shareable_list *list, int64_t index, int *status, struct snarl_site *site) {
  *status = snarli_check((const struct snarl_object *)list, SNARLI_ALIVE(SHARED_MEMORY), site);
  if (*status)
    return NULL;
  int64_t place = index < 0 ? index + list->length : index;
  if (place >= 0 && place < list->length)
    return &table_of(list)->slots[place];
  *status = SNARL_NOT_FOUND;
  return NULL;
}

static void note(enum snarli_record_type type, const struct slot *slot, struct snarl_site *site) {
  if (snarli_records())
    snarli_record_aux(type, 0, snarli_address(slot), snarli_place(site));
}

snarl_any snarl_shareable_list_get_at(snarl_shareable_list *list, int64_t index, struct snarl_site *site) {
  int status;
  const struct slot *slot = find(list, index, &status, site);
  if (!slot)
    return snarl_any_error(status);
  note(SNARLI_R_SHARED_READ, slot, site);
  return get(list, slot);
}

int snarl_shareable_list_set_at(snarl_shareable_list *list, int64_t index, snarl_any value, struct snarl_site *site) {
  int status;
  struct slot *slot = find(list, index, &status, site);
  if (!status)
    status = check_value(value);
  if (!status) {
    note(SNARLI_R_SHARED_WRITTEN, slot, site);
    status = put(list, slot, value);
  }
  snarl_any_drop(&value);
  return status;
}

int64_t snarl_shareable_list_length(const snarl_shareable_list *list) {
  int status = snarli_check((const struct snarl_object *)list, SNARLI_ALIVE(SHARED_MEMORY), NULL);
  return status ? (int64_t)status : (int64_t)list->length;
}

/* From `place` on, the first equal value; or a status. */
static int64_t search(snarl_shareable_list *list, int64_t place, snarl_any value, struct snarl_site *site) {
  int64_t length = snarl_shareable_list_length(list);
  if (length < 0)
    return length;
  for (; place < length; place++) {
    snarl_auto_any there = snarl_shareable_list_get_at(list, place, site);
    if (snarl_any_is_error(there))
      return snarl_any_status(there);
    if (snarl_any_equal(there, value))
      return place;
  }
  return SNARL_NOT_FOUND;
}

int64_t snarl_shareable_list_index_at(snarl_shareable_list *list, snarl_any value, struct snarl_site *site) {
  int64_t place = search(list, 0, value, site);
  snarl_any_drop(&value);
  return place;
}

int64_t snarl_shareable_list_count_at(snarl_shareable_list *list, snarl_any value, struct snarl_site *site) {
  int64_t count = 0, place = search(list, 0, value, site);
  for (; place >= 0; place = search(list, place + 1, value, site))
    count++;
  snarl_any_drop(&value);
  return place == SNARL_NOT_FOUND ? count : place;
}

snarl_any snarl_shareable_list_values_at(snarl_shareable_list *list, struct snarl_site *site) {
  int64_t length = snarl_shareable_list_length(list);
  snarl_any values = length < 0 ? snarl_any_error((int)length) : snarl_any_list();
  for (int64_t i = 0; i < length; i++) {
    int status = snarli_any_list_append(values, snarl_shareable_list_get_at(list, i, site));
    if (!status)
      continue;
    snarl_any_drop(&values);
    return snarl_any_error(status);
  }
  return values;
}
