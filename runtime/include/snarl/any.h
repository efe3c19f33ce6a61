/* SPDX-License-Identifier: MIT
 *
 * Any: a value that knows its type. Processes send each other such values, and so what a Python program would pickle.
 *
 *   snarl_auto_any person = snarl_any_dict_of("name", "Ada", "born", 1815);     // dropped where its block ends
 *   snarl_any scores = snarl_any_list_of(9.5, 8);
 *   snarl_any_list_append(scores, "none");
 *   snarl_any_dict_set(person, "scores", scores);                               // which gives the list away
 *   printf("%s\n", snarl_any_as_string(snarl_any_dict_get(person, "name")));
 *   snarl_any_print(stdout, person);    // {"name": "Ada", "born": 1815, "scores": [9.5, 8, "none"]}
 *
 * An any has 16 bytes and goes by value. nil, bool, int, double and errors have no memory; a string, bytes, a list and
 * a dict have some, which all copies of the any share and which counts its holders. Who gets an any from a function
 * whose name begins with snarl_any and says nothing else holds it, and drops it in the end; snarl_any_keep makes one
 * more holder. What is given to a list, a dict or a sender is given away, also when the call fails. What `get`, `next`
 * and `as` give is lent, as long as it stays in there.
 *
 * What can't be made is an error, a type of its own that holds a status: SNARL_NO_MEMORY, or what the function says.
 * No list or dict takes an error, and answers its status instead: the one check after `append` covers the making of
 * what is appended. SNARL_INVALID besides: an argument of another type, NULL.
 *
 * Strings and bytes never change. A list and a dict do, for all who hold them; into another process goes a copy. Any
 * thread may keep, drop and read; while one changes a list or dict, no other may touch it. No list or dict can get into
 * itself, however deep: that is SNARL_INVALID.
 */
#ifndef SNARL_ANY_H
#define SNARL_ANY_H

#include <snarl/base.h>
#include <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/* From the first that has memory on, all have. */
enum snarl_any_type {
  SNARL_ANY_NIL,
  SNARL_ANY_BOOL,
  SNARL_ANY_INT,
  SNARL_ANY_DOUBLE,
  SNARL_ANY_ERROR,
  SNARL_ANY_STRING,
  SNARL_ANY_BYTES,
  SNARL_ANY_LIST,
  SNARL_ANY_DICT,
};

/* Filled with zeros it is nil. The fields are the library's. */
typedef struct snarl_any {
  uint8_t type;
  union {
    int64_t integer; /* or a bool, or the status of an error */
    double number;
    struct snarli_any_heap *heap;
  } as;
} snarl_any;

/* How many lists and dicts may be in one another where an any is sent, copied or printed: else SNARL_TOO_DEEP. */
enum { SNARL_ANY_DEPTH = 64 };

#ifdef __cplusplus
#define SNARL_NIL (snarl_any())
#else
#define SNARL_NIL ((snarl_any){SNARL_ANY_NIL, {0}})
#endif

static inline snarl_any snarl_any_int(int64_t integer) {
  snarl_any value = SNARL_NIL;
  value.type = SNARL_ANY_INT;
  value.as.integer = integer;
  return value;
}
static inline snarl_any snarl_any_bool(bool boolean) {
  snarl_any value = SNARL_NIL;
  value.type = SNARL_ANY_BOOL;
  value.as.integer = boolean;
  return value;
}
static inline snarl_any snarl_any_double(double number) {
  snarl_any value = SNARL_NIL;
  value.type = SNARL_ANY_DOUBLE;
  value.as.number = number;
  return value;
}
/* SNARL_OK and counts are no errors: SNARL_INVALID then. */
static inline snarl_any snarl_any_error(int status) {
  snarl_any value = snarl_any_int(status < 0 ? status : SNARL_INVALID);
  value.type = SNARL_ANY_ERROR;
  return value;
}
/* Beyond the int64_t: the error SNARL_UNREPRESENTABLE. */
static inline snarl_any snarl_any_unsigned(uint64_t integer) {
  return integer > INT64_MAX ? snarl_any_error(SNARL_UNREPRESENTABLE) : snarl_any_int((int64_t)integer);
}

/* A copy of the text, which is UTF-8: what is not is SNARL_INVALID, and a matter of bytes. Not more than UINT32_MAX
 * bytes: SNARL_TOO_LARGE. `_of`: so many bytes, zeros among them. */
snarl_any snarl_any_string(const char *text);
snarl_any snarl_any_string_of(const char *text, size_t size);
snarl_any snarl_any_stringf(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* A copy of the bytes. */
snarl_any snarl_any_bytes(const void *bytes, size_t size);
/* Empty ones. */
snarl_any snarl_any_list(void);
snarl_any snarl_any_dict(void);

/* snarl_any_of(x): the any of a bool, an integer, a floating number, a char * (a copy), or x itself if it is an any.
 * Until C23 `true`, `false` and what a comparison gives are ints: SNARL_TRUE, SNARL_FALSE, snarl_any_bool(a < b). */
#define SNARL_TRUE snarl_any_bool(true)
#define SNARL_FALSE snarl_any_bool(false)
static inline snarl_any snarli_any_itself(snarl_any value) { return value; }
#ifndef __cplusplus
#define snarl_any_of(x)                                                                                                \
  _Generic((x), snarl_any                                                                                              \
           : snarli_any_itself, bool                                                                                   \
           : snarl_any_bool, float                                                                                     \
           : snarl_any_double, double                                                                                  \
           : snarl_any_double, char *                                                                                  \
           : snarl_any_string, const char *                                                                            \
           : snarl_any_string, unsigned long                                                                           \
           : snarl_any_unsigned, unsigned long long                                                                    \
           : snarl_any_unsigned, default                                                                               \
           : snarl_any_int)(x)
#endif

/* A list of up to 16 of what snarl_any_of takes, and a dict of up to 8 keys, each with its item behind it; or the error
 * that one of them is. */
#ifndef __cplusplus
#define snarl_any_list_of(...) SNARLI_ANY_MADE(snarli_any_list_of, __VA_ARGS__)
#define snarl_any_dict_of(...) SNARLI_ANY_MADE(snarli_any_dict_of, __VA_ARGS__)
#define SNARLI_ANY_MADE(make, ...)                                                                                     \
  make((const snarl_any[]){SNARLI_ANY_17TH(                                                                            \
           __VA_ARGS__, SNARLI_ANYS_16, SNARLI_ANYS_15, SNARLI_ANYS_14, SNARLI_ANYS_13, SNARLI_ANYS_12,                \
           SNARLI_ANYS_11, SNARLI_ANYS_10, SNARLI_ANYS_9, SNARLI_ANYS_8, SNARLI_ANYS_7, SNARLI_ANYS_6, SNARLI_ANYS_5,  \
           SNARLI_ANYS_4, SNARLI_ANYS_3, SNARLI_ANYS_2, SNARLI_ANYS_1, 0)(__VA_ARGS__)},                               \
       SNARLI_ANY_17TH(__VA_ARGS__, 16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0))
#define SNARLI_ANY_17TH(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, it, ...) it
#define SNARLI_ANYS_1(x) snarl_any_of(x)
#define SNARLI_ANYS_2(x, ...) snarl_any_of(x), SNARLI_ANYS_1(__VA_ARGS__)
#define SNARLI_ANYS_3(x, ...) snarl_any_of(x), SNARLI_ANYS_2(__VA_ARGS__)
#define SNARLI_ANYS_4(x, ...) snarl_any_of(x), SNARLI_ANYS_3(__VA_ARGS__)
#define SNARLI_ANYS_5(x, ...) snarl_any_of(x), SNARLI_ANYS_4(__VA_ARGS__)
#define SNARLI_ANYS_6(x, ...) snarl_any_of(x), SNARLI_ANYS_5(__VA_ARGS__)
#define SNARLI_ANYS_7(x, ...) snarl_any_of(x), SNARLI_ANYS_6(__VA_ARGS__)
#define SNARLI_ANYS_8(x, ...) snarl_any_of(x), SNARLI_ANYS_7(__VA_ARGS__)
#define SNARLI_ANYS_9(x, ...) snarl_any_of(x), SNARLI_ANYS_8(__VA_ARGS__)
#define SNARLI_ANYS_10(x, ...) snarl_any_of(x), SNARLI_ANYS_9(__VA_ARGS__)
#define SNARLI_ANYS_11(x, ...) snarl_any_of(x), SNARLI_ANYS_10(__VA_ARGS__)
#define SNARLI_ANYS_12(x, ...) snarl_any_of(x), SNARLI_ANYS_11(__VA_ARGS__)
#define SNARLI_ANYS_13(x, ...) snarl_any_of(x), SNARLI_ANYS_12(__VA_ARGS__)
#define SNARLI_ANYS_14(x, ...) snarl_any_of(x), SNARLI_ANYS_13(__VA_ARGS__)
#define SNARLI_ANYS_15(x, ...) snarl_any_of(x), SNARLI_ANYS_14(__VA_ARGS__)
#define SNARLI_ANYS_16(x, ...) snarl_any_of(x), SNARLI_ANYS_15(__VA_ARGS__)
#endif
snarl_any snarli_any_list_of(const snarl_any *items, size_t count);
snarl_any snarli_any_dict_of(const snarl_any *keys_and_items, size_t count);

static inline bool snarl_any_is_nil(snarl_any value) { return value.type == SNARL_ANY_NIL; }
static inline bool snarl_any_is_bool(snarl_any value) { return value.type == SNARL_ANY_BOOL; }
static inline bool snarl_any_is_int(snarl_any value) { return value.type == SNARL_ANY_INT; }
static inline bool snarl_any_is_double(snarl_any value) { return value.type == SNARL_ANY_DOUBLE; }
static inline bool snarl_any_is_string(snarl_any value) { return value.type == SNARL_ANY_STRING; }
static inline bool snarl_any_is_bytes(snarl_any value) { return value.type == SNARL_ANY_BYTES; }
static inline bool snarl_any_is_list(snarl_any value) { return value.type == SNARL_ANY_LIST; }
static inline bool snarl_any_is_dict(snarl_any value) { return value.type == SNARL_ANY_DICT; }
static inline bool snarl_any_is_error(snarl_any value) { return value.type == SNARL_ANY_ERROR; }
/* SNARL_OK of all but errors. */
static inline int snarl_any_status(snarl_any value) {
  return snarl_any_is_error(value) ? (int)value.as.integer : SNARL_OK;
}
static inline enum snarl_any_type snarl_any_type_of(snarl_any value) { return (enum snarl_any_type)value.type; }
/* "dict"; never NULL. */
const char *snarl_any_type_name(snarl_any value);

/* What it holds, or false, 0, 0.0 and NULL if it is of another type; as_double takes an int also. */
static inline bool snarl_any_as_bool(snarl_any value) { return snarl_any_is_bool(value) && value.as.integer; }
static inline int64_t snarl_any_as_int(snarl_any value) { return snarl_any_is_int(value) ? value.as.integer : 0; }
static inline double snarl_any_as_double(snarl_any value) {
  return snarl_any_is_double(value) ? value.as.number : (double)snarl_any_as_int(value);
}
/* With a zero behind its snarl_any_length bytes. */
const char *snarl_any_as_string(snarl_any value);
const void *snarl_any_as_bytes(snarl_any value);
/* The bytes of a string or of bytes, the items of a list, the pairs of a dict; 0 of all else. */
size_t snarl_any_length(snarl_any value);

/* One more holder; the same any. */
snarl_any snarli_any_keep(snarl_any value);
static inline snarl_any snarl_any_keep(snarl_any value) {
  return value.type < SNARL_ANY_STRING ? value : snarli_any_keep(value);
}
/* One less; it is nil from then on. With the last its memory goes. NULL is allowed. */
void snarli_any_drop(snarl_any value);
static inline void snarl_any_drop(snarl_any *value) {
  if (!value)
    return;
  if (value->type >= SNARL_ANY_STRING)
    snarli_any_drop(*value);
  *value = SNARL_NIL;
}
#define snarl_auto_any __attribute__((cleanup(snarl_any_drop))) snarl_any

/* Whether they are of one type and hold the same; a dict's pairs in any order. An int is no double, no NaN is a NaN. Of
 * what is deeper than SNARL_ANY_DEPTH lists and dicts in one another, only the very same are equal. */
bool snarl_any_equal(snarl_any a, snarl_any b);
/* With lists and dicts of its own, however deep, and two for one that is in there twice; strings and bytes are shared,
 * since they never change. */
snarl_any snarl_any_copy(snarl_any value);
/* As JSON would have it, besides b"\x00" for bytes, <TIMEOUT> for an error, keys of other types than string, nan and
 * inf. On one line, without its end. SNARL_OK, SNARL_TOO_DEEP, SNARL_FAILED (the file takes no more). */
int snarl_any_print(FILE *file, snarl_any value);
/* The same as a string. */
snarl_any snarl_any_text(snarl_any value);

/* As bytes, which are MessagePack, and from them: pickle's dumps and loads. No byte is trusted: SNARL_TRUNCATED,
 * SNARL_MALFORMED, SNARL_UNREPRESENTABLE, SNARL_TOO_DEEP; and a value takes at most 64 times the memory of its bytes.
 */
snarl_any snarl_any_pack(snarl_any value);
snarl_any snarl_any_unpack(const void *bytes, size_t size);

/* Lists. An index below 0 counts from the end: -1 is the last; beyond them: SNARL_NOT_FOUND. An item is whatever
 * snarl_any_of takes. */
#define snarl_any_list_append(list, item) snarli_any_list_append((list), snarl_any_of(item))
#define snarl_any_list_insert(list, index, item) snarli_any_list_insert((list), (index), snarl_any_of(item))
#define snarl_any_list_set(list, index, item) snarli_any_list_set((list), (index), snarl_any_of(item))
int snarli_any_list_append(snarl_any list, snarl_any item);
int snarli_any_list_insert(snarl_any list, int64_t index,
                           snarl_any item); /* before it, or with the length behind all */
int snarli_any_list_set(snarl_any list, int64_t index, snarl_any item);
snarl_any snarl_any_list_get(snarl_any list, int64_t index);
/* Out of the list, to the caller. */
snarl_any snarl_any_list_take(snarl_any list, int64_t index);
/* for all items, lent: snarl_any item; snarl_any_each(item, list) { } */
#define snarl_any_each(item, list)                                                                                     \
  for (size_t SNARLI_ANY_PLACE = 0; snarli_any_next((list), &SNARLI_ANY_PLACE, &(item));)
/* Loops within loops have places of their own. */
#define SNARLI_ANY_PLACE SNARLI_PASTE(snarl_place_, __LINE__)
bool snarli_any_next(snarl_any list, size_t *place, snarl_any *item);

/* Dicts: pairs in the order in which their keys came. A key is a number, a bool or a char *, or an any: one of
 * these, bytes or nil; it is lent, and a double's bits count. What is not there: SNARL_NOT_FOUND. */
#define snarl_any_dict_set(dict, key, item) SNARLI_ANY_KEYED(set, key)((dict), (key), snarl_any_of(item))
#define snarl_any_dict_get(dict, key) SNARLI_ANY_KEYED(get, key)((dict), (key))
#define snarl_any_dict_has(dict, key) (!snarl_any_is_error(snarl_any_dict_get((dict), (key))))
/* Out of the dict, to the caller. */
#define snarl_any_dict_take(dict, key) SNARLI_ANY_KEYED(take, key)((dict), (key))
#define snarl_any_dict_remove(dict, key) snarli_any_dict_removed(snarl_any_dict_take((dict), (key)))
#ifndef __cplusplus
#define SNARLI_ANY_KEYED(what, key)                                                                                    \
  _Generic((key), snarl_any                                                                                            \
           : snarli_any_dict_##what, bool                                                                              \
           : snarli_any_dict_##what##_bool, float                                                                      \
           : snarli_any_dict_##what##_double, double                                                                   \
           : snarli_any_dict_##what##_double, unsigned long                                                            \
           : snarli_any_dict_##what##_unsigned, unsigned long long                                                     \
           : snarli_any_dict_##what##_unsigned, char *                                                                 \
           : snarli_any_dict_##what##_string, const char *                                                             \
           : snarli_any_dict_##what##_string, default                                                                  \
           : snarli_any_dict_##what##_int)
#endif
int snarli_any_dict_set(snarl_any dict, snarl_any key, snarl_any item);
int snarli_any_dict_set_string(snarl_any dict, const char *key, snarl_any item);
snarl_any snarli_any_dict_get(snarl_any dict, snarl_any key);
snarl_any snarli_any_dict_get_string(snarl_any dict, const char *key);
snarl_any snarli_any_dict_take(snarl_any dict, snarl_any key);
snarl_any snarli_any_dict_take_string(snarl_any dict, const char *key);
/* Keys that need no memory. */
#define SNARLI_ANY_KEYED_AS(suffix, type, make)                                                                        \
  static inline int snarli_any_dict_set_##suffix(snarl_any dict, type key, snarl_any item) {                           \
    return snarli_any_dict_set(dict, make(key), item);                                                                 \
  }                                                                                                                    \
  static inline snarl_any snarli_any_dict_get_##suffix(snarl_any dict, type key) {                                     \
    return snarli_any_dict_get(dict, make(key));                                                                       \
  }                                                                                                                    \
  static inline snarl_any snarli_any_dict_take_##suffix(snarl_any dict, type key) {                                    \
    return snarli_any_dict_take(dict, make(key));                                                                      \
  }
SNARLI_ANY_KEYED_AS(bool, bool, snarl_any_bool)
SNARLI_ANY_KEYED_AS(int, int64_t, snarl_any_int)
SNARLI_ANY_KEYED_AS(unsigned, uint64_t, snarl_any_unsigned)
SNARLI_ANY_KEYED_AS(double, double, snarl_any_double)
#undef SNARLI_ANY_KEYED_AS
static inline int snarli_any_dict_removed(snarl_any item) {
  int status = snarl_any_status(item);
  snarl_any_drop(&item);
  return status;
}
/* for all pairs, lent: snarl_any key, item; snarl_any_each_pair(key, item, dict) { }. Pairs may be taken out meanwhile,
 * none may come. */
#define snarl_any_each_pair(key, item, dict)                                                                           \
  for (size_t SNARLI_ANY_PLACE = 0; snarli_any_next_pair((dict), &SNARLI_ANY_PLACE, &(key), &(item));)
bool snarli_any_next_pair(snarl_any dict, size_t *place, snarl_any *key, snarl_any *item);

#pragma GCC visibility pop
#ifdef __cplusplus
}

/* Where C chooses by the type, C++ has overloads. */
inline snarl_any snarl_any_of(snarl_any value) { return value; }
inline snarl_any snarl_any_of(bool value) { return snarl_any_bool(value); }
inline snarl_any snarl_any_of(float value) { return snarl_any_double(value); }
inline snarl_any snarl_any_of(double value) { return snarl_any_double(value); }
inline snarl_any snarl_any_of(const char *value) { return snarl_any_string(value); }
inline snarl_any snarl_any_of(int value) { return snarl_any_int(value); }
inline snarl_any snarl_any_of(unsigned value) { return snarl_any_int(value); }
inline snarl_any snarl_any_of(long value) { return snarl_any_int(value); }
inline snarl_any snarl_any_of(long long value) { return snarl_any_int(value); }
inline snarl_any snarl_any_of(unsigned long value) { return snarl_any_unsigned(value); }
inline snarl_any snarl_any_of(unsigned long long value) { return snarl_any_unsigned(value); }

template <typename... Items> snarl_any snarl_any_list_of(Items... items) {
  const snarl_any made[] = {snarl_any_of(items)...};
  return snarli_any_list_of(made, sizeof...(items));
}
template <typename... Items> snarl_any snarl_any_dict_of(Items... keys_and_items) {
  const snarl_any made[] = {snarl_any_of(keys_and_items)...};
  return snarli_any_dict_of(made, sizeof...(keys_and_items));
}

#define SNARLI_ANY_KEYED(what, key) snarli_any_dict_##what##_keyed
#define SNARLI_ANY_KEYED_BY(type, suffix, key)                                                                         \
  inline int snarli_any_dict_set_keyed(snarl_any dict, type name, snarl_any item) {                                    \
    return snarli_any_dict_set##suffix(dict, key, item);                                                               \
  }                                                                                                                    \
  inline snarl_any snarli_any_dict_get_keyed(snarl_any dict, type name) {                                              \
    return snarli_any_dict_get##suffix(dict, key);                                                                     \
  }                                                                                                                    \
  inline snarl_any snarli_any_dict_take_keyed(snarl_any dict, type name) {                                             \
    return snarli_any_dict_take##suffix(dict, key);                                                                    \
  }
SNARLI_ANY_KEYED_BY(snarl_any, , name)
SNARLI_ANY_KEYED_BY(const char *, _string, name)
SNARLI_ANY_KEYED_BY(bool, _bool, name)
SNARLI_ANY_KEYED_BY(float, _double, name)
SNARLI_ANY_KEYED_BY(double, _double, name)
SNARLI_ANY_KEYED_BY(int, _int, name)
SNARLI_ANY_KEYED_BY(unsigned, _int, name)
SNARLI_ANY_KEYED_BY(long, _int, name)
SNARLI_ANY_KEYED_BY(long long, _int, name)
SNARLI_ANY_KEYED_BY(unsigned long, _unsigned, name)
SNARLI_ANY_KEYED_BY(unsigned long long, _unsigned, name)
#undef SNARLI_ANY_KEYED_BY
#endif
#endif
