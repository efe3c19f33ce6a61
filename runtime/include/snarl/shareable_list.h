/* SPDX-License-Identifier: MIT
 *
 * ShareableList: a row of values in a SharedMemory, which all its processes read and replace in place: nil, bool, int,
 * double, strings and bytes. Their number is fixed by the list that it is made from, and so is the room of each: 8
 * bytes for all but strings and bytes, which have their own size, rounded up to 8.
 *
 *   snarl_shareable_list scores;
 *   snarl_shareable_list_create(&scores, "scores", list);    and snarl_shareable_list_attach(&scores, "scores")
 * elsewhere snarl_shareable_list_set(&scores, 0, 9.5); snarl_auto_any best = snarl_shareable_list_get(&scores, 0);
 *   snarl_shareable_list_unlink(&scores);
 *   snarl_shareable_list_close(&scores);
 *
 * As in Python nothing protects a value: who sets it while others get or set the same takes a lock they share. All
 * accesses are in the trace, each slot's as those of a variable of its own; reports call the first 256 by name:
 * scores[3]. What another process has written there, whatever it is, can give a wrong value or SNARL_MALFORMED, and
 * nothing worse.
 *
 * create, which is given the list, also when it fails: what snarl_shared_memory_create says; SNARL_UNREPRESENTABLE (a
 * list or dict in it), SNARL_TOO_LARGE (4 GiB in all), SNARL_INVALID (no list, an empty one). Without a name (NULL)
 * those have it that are forked from its creator. attach: what snarl_shared_memory_attach says; SNARL_NOT_FOUND (it is
 * being made), SNARL_MALFORMED (other memory has the name).
 */
#ifndef SNARL_SHAREABLE_LIST_H
#define SNARL_SHAREABLE_LIST_H

#include <snarl/any.h>
#include <snarl/shared_memory.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/* Each process has one of its own. */
typedef struct snarl_shareable_list {
  snarl_shared_memory memory;
  uint32_t length;
} snarl_shareable_list;

#define snarl_shareable_list_create(list, name, values)                                                                \
  snarl_shareable_list_create_at((list), (name), (values), SNARL_HERE)
#define snarl_shareable_list_attach(list, name) snarl_shareable_list_attach_at((list), (name), SNARL_HERE)
/* What snarl_shared_memory_unlink and _close say. */
#define snarl_shareable_list_unlink(list) snarl_shared_memory_unlink(&(list)->memory)
#define snarl_shareable_list_close(list) snarl_shared_memory_close(&(list)->memory)
int snarl_shareable_list_create_at(snarl_shareable_list *list, const char *name, snarl_any values,
                                   struct snarl_site *site);
int snarl_shareable_list_attach_at(snarl_shareable_list *list, const char *name, struct snarl_site *site);

/* An index below 0 counts from the end; beyond them: SNARL_NOT_FOUND. */
/* A copy, which is the caller's; or an error. */
#define snarl_shareable_list_get(list, index) snarl_shareable_list_get_at((list), (index), SNARL_HERE)
/* Whatever snarl_any_of takes, which it is given, also when it fails. SNARL_OK; SNARL_TOO_LARGE (for its room),
 * SNARL_UNREPRESENTABLE, what an error says: what is there stays. */
#define snarl_shareable_list_set(list, index, value)                                                                   \
  snarl_shareable_list_set_at((list), (index), snarl_any_of(value), SNARL_HERE)
snarl_any snarl_shareable_list_get_at(snarl_shareable_list *list, int64_t index, struct snarl_site *site);
int snarl_shareable_list_set_at(snarl_shareable_list *list, int64_t index, snarl_any value, struct snarl_site *site);

/* How many values it has. */
int64_t snarl_shareable_list_length(const snarl_shareable_list *list);
/* How many of them are equal to the value; where the first of them is, or SNARL_NOT_FOUND. They are given the value. */
#define snarl_shareable_list_count(list, value) snarl_shareable_list_count_at((list), snarl_any_of(value), SNARL_HERE)
#define snarl_shareable_list_index(list, value) snarl_shareable_list_index_at((list), snarl_any_of(value), SNARL_HERE)
int64_t snarl_shareable_list_count_at(snarl_shareable_list *list, snarl_any value, struct snarl_site *site);
int64_t snarl_shareable_list_index_at(snarl_shareable_list *list, snarl_any value, struct snarl_site *site);
/* All values, as a list that is the caller's; or an error. */
#define snarl_shareable_list_values(list) snarl_shareable_list_values_at((list), SNARL_HERE)
snarl_any snarl_shareable_list_values_at(snarl_shareable_list *list, struct snarl_site *site);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
