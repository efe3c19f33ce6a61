/* SPDX-License-Identifier: MIT
 *
 * The dicts, lists and namespaces of a Manager. What is here is a proxy: a name for what is in the manager's process,
 * where every call goes. Values go and come by value: what a list in a dict becomes is another's only when it is set
 * again.
 *
 *   snarl_dict_set(&scores, "Ada", 12);                          // any key and value that snarl_any_of takes
 *   snarl_auto_any score = snarl_dict_get(&scores, "Ada");       // an error if it is not there: SNARL_NOT_FOUND
 *   int64_t now = snarl_any_as_int(score);
 *
 * Every call is one step. A get and then a set are two, and what another sets in between is lost, as in Python: take a
 * lock, or what is one step by itself: add, append, setdefault, pop, compare_and_set, and for all else
 *
 *   static snarl_any twice(snarl_any old, void *unused) { return snarl_any_int(2 * snarl_any_as_int(old)); }
 *   snarl_dict_change(&scores, "Ada", twice, NULL);
 *
 * A get and a set of one key by which a set of another process was lost are in the trace, and a finding (data-race).
 *
 * A proxy belongs to the caller, is used by any thread, and goes along into forked processes. Others connect to the
 * manager and ask by name. A proxy needs no end.
 *
 * Values and items given are given away, also when the call fails; keys are lent. What a function gives as an any is
 * the caller's, or an error. Statuses of all: SNARL_OK or a count; SNARL_NOT_FOUND (no such key or index; the object
 * was forgotten), SNARL_INVALID, SNARL_NO_MEMORY, SNARL_TOO_DEEP, SNARL_TOO_LARGE, and what snarl/manager.h says.
 */
#ifndef SNARL_PROXY_H
#define SNARL_PROXY_H

#include <snarl/any.h>
#include <snarl/manager.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

struct snarli_proxy {
  struct snarl_object object;
  snarl_manager *manager;
  uint32_t id;
  uint64_t identity;
};
typedef struct snarl_dict {
  struct snarli_proxy proxy;
} snarl_dict;
typedef struct snarl_list {
  struct snarli_proxy proxy;
} snarl_list;
typedef struct snarl_namespace {
  struct snarli_proxy proxy;
} snarl_namespace;

/* Finds or makes it. A name is not copied and has at most 255 bytes; NULL: a new one without a name. SNARL_WRONG_KIND:
 * there is another kind of this name. */
#define snarl_manager_dict(manager, dict, name) snarl_manager_dict_at((manager), (dict), (name), SNARL_HERE)
#define snarl_manager_list(manager, list, name) snarl_manager_list_at((manager), (list), (name), SNARL_HERE)
#define snarl_manager_namespace(manager, space, name) snarl_manager_namespace_at((manager), (space), (name), SNARL_HERE)
int snarl_manager_dict_at(snarl_manager *manager, snarl_dict *dict, const char *name, struct snarl_site *site);
int snarl_manager_list_at(snarl_manager *manager, snarl_list *list, const char *name, struct snarl_site *site);
int snarl_manager_namespace_at(snarl_manager *manager, snarl_namespace *space, const char *name,
                               struct snarl_site *site);
/* It is no more, for nobody: before the manager's end. */
#define snarl_dict_forget(dict) snarli_proxy_forget(&(dict)->proxy, SNARL_HERE)
#define snarl_list_forget(list) snarli_proxy_forget(&(list)->proxy, SNARL_HERE)
#define snarl_namespace_forget(space) snarli_proxy_forget(&(space)->proxy, SNARL_HERE)
int snarli_proxy_forget(struct snarli_proxy *proxy, struct snarl_site *site);

/* A key, lent: a string's text or an any; of a list, an index. */
struct snarli_key {
  const char *text;
  snarl_any any;
};
static inline struct snarli_key snarli_key_any(snarl_any any) {
  struct snarli_key key = {NULL, any};
  return key;
}
static inline struct snarli_key snarli_key_string(const char *text) {
  struct snarli_key key = {text, snarl_any_error(SNARL_INVALID)};
  return key;
}
static inline struct snarli_key snarli_key_bool(bool value) { return snarli_key_any(snarl_any_bool(value)); }
static inline struct snarli_key snarli_key_double(double value) { return snarli_key_any(snarl_any_double(value)); }
static inline struct snarli_key snarli_key_int(int64_t value) { return snarli_key_any(snarl_any_int(value)); }
#ifndef __cplusplus
#define snarli_key_of(key)                                                                                             \
  _Generic((key), snarl_any                                                                                            \
           : snarli_key_any, bool                                                                                      \
           : snarli_key_bool, float                                                                                    \
           : snarli_key_double, double                                                                                 \
           : snarli_key_double, char *                                                                                 \
           : snarli_key_string, const char *                                                                           \
           : snarli_key_string, default                                                                                \
           : snarli_key_int)(key)
#endif

/* `old` is lent; an error (SNARL_NOT_FOUND) if there is none. What it gives is given away; an error leaves all as it is
 * and is what the call answers. It may be called several times, until no other has changed the item meanwhile. */
typedef snarl_any snarl_change(snarl_any old, void *context);

/* One item. */
snarl_any snarli_proxy_get(struct snarli_proxy *proxy, struct snarli_key key, struct snarl_site *site);
int snarli_proxy_set(struct snarli_proxy *proxy, struct snarli_key key, snarl_any item, struct snarl_site *site);
snarl_any snarli_proxy_pop(struct snarli_proxy *proxy, struct snarli_key key, struct snarl_site *site);
int snarli_proxy_remove(struct snarli_proxy *proxy, struct snarli_key key, struct snarl_site *site);
int snarli_proxy_contains(struct snarli_proxy *proxy, struct snarli_key key, struct snarl_site *site);
snarl_any snarli_proxy_setdefault(struct snarli_proxy *proxy, struct snarli_key key, snarl_any item,
                                  struct snarl_site *site);
snarl_any snarli_proxy_add(struct snarli_proxy *proxy, struct snarli_key key, snarl_any number,
                           struct snarl_site *site);
int64_t snarli_proxy_append_to(struct snarli_proxy *proxy, struct snarli_key key, snarl_any item,
                               struct snarl_site *site);
int snarli_proxy_compare_and_set(struct snarli_proxy *proxy, struct snarli_key key, snarl_any from, snarl_any to,
                                 struct snarl_site *site);
int snarli_proxy_change(struct snarli_proxy *proxy, struct snarli_key key, snarl_change *function, void *context,
                        struct snarl_site *site);
/* All of them. */
int64_t snarli_proxy_length(struct snarli_proxy *proxy, struct snarl_site *site);
snarl_any snarli_proxy_keys(struct snarli_proxy *proxy, struct snarl_site *site);
snarl_any snarli_proxy_copy(struct snarli_proxy *proxy, struct snarl_site *site);
int snarli_proxy_clear(struct snarli_proxy *proxy, struct snarl_site *site);
int snarli_proxy_update(struct snarli_proxy *proxy, snarl_any all, struct snarl_site *site);
/* Lists. */
int64_t snarli_proxy_push(struct snarli_proxy *proxy, snarl_any item, struct snarl_site *site);
int64_t snarli_proxy_insert(struct snarli_proxy *proxy, int64_t index, snarl_any item, struct snarl_site *site);
int snarli_proxy_remove_item(struct snarli_proxy *proxy, snarl_any item, struct snarl_site *site);
int64_t snarli_proxy_index(struct snarli_proxy *proxy, snarl_any item, struct snarl_site *site);

#define snarl_dict_get(dict, key) snarli_proxy_get(&(dict)->proxy, snarli_key_of(key), SNARL_HERE)
#define snarl_dict_set(dict, key, item)                                                                                \
  snarli_proxy_set(&(dict)->proxy, snarli_key_of(key), snarl_any_of(item), SNARL_HERE)
/* Out of it, to the caller. */
#define snarl_dict_pop(dict, key) snarli_proxy_pop(&(dict)->proxy, snarli_key_of(key), SNARL_HERE)
#define snarl_dict_remove(dict, key) snarli_proxy_remove(&(dict)->proxy, snarli_key_of(key), SNARL_HERE)
/* 1 or 0. */
#define snarl_dict_contains(dict, key) snarli_proxy_contains(&(dict)->proxy, snarli_key_of(key), SNARL_HERE)
/* What is there, or else the item, which then is. */
#define snarl_dict_setdefault(dict, key, item)                                                                         \
  snarli_proxy_setdefault(&(dict)->proxy, snarli_key_of(key), snarl_any_of(item), SNARL_HERE)
/* The sum, of two ints or doubles, which then is there. What is not there counts as 0. SNARL_INVALID: no numbers, or
 * beyond the int64_t. */
#define snarl_dict_add(dict, key, number)                                                                              \
  snarli_proxy_add(&(dict)->proxy, snarli_key_of(key), snarl_any_of(number), SNARL_HERE)
/* To the list that is there; what is not there counts as an empty one. How long it is then. */
#define snarl_dict_append(dict, key, item)                                                                             \
  snarli_proxy_append_to(&(dict)->proxy, snarli_key_of(key), snarl_any_of(item), SNARL_HERE)
/* SNARL_CHANGED: what is there does not equal `from`, as snarl_any_equal says. */
#define snarl_dict_compare_and_set(dict, key, from, to)                                                                \
  snarli_proxy_compare_and_set(&(dict)->proxy, snarli_key_of(key), snarl_any_of(from), snarl_any_of(to), SNARL_HERE)
#define snarl_dict_change(dict, key, function, context)                                                                \
  snarli_proxy_change(&(dict)->proxy, snarli_key_of(key), (function), (context), SNARL_HERE)
#define snarl_dict_length(dict) snarli_proxy_length(&(dict)->proxy, SNARL_HERE)
/* A list, in the order in which they came. */
#define snarl_dict_keys(dict) snarli_proxy_keys(&(dict)->proxy, SNARL_HERE)
/* All pairs of one moment, as a dict: for snarl_any_each_pair, where Python has items and values. */
#define snarl_dict_copy(dict) snarli_proxy_copy(&(dict)->proxy, SNARL_HERE)
#define snarl_dict_clear(dict) snarli_proxy_clear(&(dict)->proxy, SNARL_HERE)
/* Sets all pairs of a dict, in one step. */
#define snarl_dict_update(dict, pairs) snarli_proxy_update(&(dict)->proxy, (pairs), SNARL_HERE)

/* An index below 0 counts from the end. */
#define snarl_list_get(list, index) snarli_proxy_get(&(list)->proxy, snarli_key_int(index), SNARL_HERE)
#define snarl_list_set(list, index, item)                                                                              \
  snarli_proxy_set(&(list)->proxy, snarli_key_int(index), snarl_any_of(item), SNARL_HERE)
#define snarl_list_pop(list, index) snarli_proxy_pop(&(list)->proxy, snarli_key_int(index), SNARL_HERE)
#define snarl_list_add(list, index, number)                                                                            \
  snarli_proxy_add(&(list)->proxy, snarli_key_int(index), snarl_any_of(number), SNARL_HERE)
#define snarl_list_compare_and_set(list, index, from, to)                                                              \
  snarli_proxy_compare_and_set(&(list)->proxy, snarli_key_int(index), snarl_any_of(from), snarl_any_of(to), SNARL_HERE)
#define snarl_list_change(list, index, function, context)                                                              \
  snarli_proxy_change(&(list)->proxy, snarli_key_int(index), (function), (context), SNARL_HERE)
/* How long the list is then. */
#define snarl_list_append(list, item) snarli_proxy_push(&(list)->proxy, snarl_any_of(item), SNARL_HERE)
/* Before that index; beyond the ends: there. */
#define snarl_list_insert(list, index, item)                                                                           \
  snarli_proxy_insert(&(list)->proxy, (index), snarl_any_of(item), SNARL_HERE)
/* The first that equals it; where that is. */
#define snarl_list_remove(list, item) snarli_proxy_remove_item(&(list)->proxy, snarl_any_of(item), SNARL_HERE)
#define snarl_list_index(list, item) snarli_proxy_index(&(list)->proxy, snarl_any_of(item), SNARL_HERE)
#define snarl_list_length(list) snarli_proxy_length(&(list)->proxy, SNARL_HERE)
#define snarl_list_copy(list) snarli_proxy_copy(&(list)->proxy, SNARL_HERE)
#define snarl_list_clear(list) snarli_proxy_clear(&(list)->proxy, SNARL_HERE)
/* All items of a list behind its own, in one step. */
#define snarl_list_extend(list, items) snarli_proxy_update(&(list)->proxy, (items), SNARL_HERE)

/* An attribute is called by a string. */
#define snarl_namespace_get(space, name) snarli_proxy_get(&(space)->proxy, snarli_key_string(name), SNARL_HERE)
#define snarl_namespace_set(space, name, item)                                                                         \
  snarli_proxy_set(&(space)->proxy, snarli_key_string(name), snarl_any_of(item), SNARL_HERE)
#define snarl_namespace_remove(space, name) snarli_proxy_remove(&(space)->proxy, snarli_key_string(name), SNARL_HERE)
#define snarl_namespace_add(space, name, number)                                                                       \
  snarli_proxy_add(&(space)->proxy, snarli_key_string(name), snarl_any_of(number), SNARL_HERE)
#define snarl_namespace_change(space, name, function, context)                                                         \
  snarli_proxy_change(&(space)->proxy, snarli_key_string(name), (function), (context), SNARL_HERE)
#define snarl_namespace_copy(space) snarli_proxy_copy(&(space)->proxy, SNARL_HERE)

#pragma GCC visibility pop
#ifdef __cplusplus
}

inline struct snarli_key snarli_key_of(snarl_any key) { return snarli_key_any(key); }
inline struct snarli_key snarli_key_of(bool key) { return snarli_key_bool(key); }
inline struct snarli_key snarli_key_of(double key) { return snarli_key_double(key); }
inline struct snarli_key snarli_key_of(const char *key) { return snarli_key_string(key); }
inline struct snarli_key snarli_key_of(float key) { return snarli_key_double(key); }
inline struct snarli_key snarli_key_of(int key) { return snarli_key_int(key); }
inline struct snarli_key snarli_key_of(unsigned key) { return snarli_key_int(key); }
inline struct snarli_key snarli_key_of(unsigned long key) { return snarli_key_any(snarl_any_unsigned(key)); }
inline struct snarli_key snarli_key_of(unsigned long long key) { return snarli_key_any(snarl_any_unsigned(key)); }
inline struct snarli_key snarli_key_of(long key) { return snarli_key_int(key); }
inline struct snarli_key snarli_key_of(long long key) { return snarli_key_int(key); }
#endif
#endif
