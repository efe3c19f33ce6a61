/* SPDX-License-Identifier: MIT
 *
 * Value and Array: a variable and a number of them that processes share, each with an RLock of its own. Every get, set
 * and update holds the lock, and is in the trace for the search for races. They lie in memory that processes share: a
 * SharedMemory, or what snarl_value_new makes, which forked processes have.
 *
 *   typedef SNARL_VALUE(int) counter;
 *   counter *hits = snarl_value_new(counter, "hits");
 *   snarl_value_update(hits, += 1);
 *   snarl_with(&hits->lock) if (snarl_value_get(hits) < 10) snarl_value_set(hits, 10);
 *
 * Unlike Python's `value += 1`, an update is one step. What a process was doing when it was killed is lost, the lock is
 * not. Without the lock: snarl_shared_read(&hits->shared) and its like, which is a race unless something else orders
 * it. Where something always does, RawValue and RawArray have no lock at all:
 *
 *   typedef SNARL_RAW_VALUE(double) limit;      a SNARL_SHARED(double): snarl_shared_init_shared in memory of your own
 *   limit *best = snarl_raw_value_new(limit, "best");
 *   typedef SNARL_RAW_ARRAY(int, 1000) cells;   nothing but the items: any memory that is large enough is one
 */
#ifndef SNARL_VALUE_H
#define SNARL_VALUE_H

#include <snarl/lock.h>
#include <snarl/shared.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

#define SNARL_VALUE(type)                                                                                              \
  struct {                                                                                                             \
    snarl_rlock lock;                                                                                                  \
    SNARL_SHARED(type) shared;                                                                                         \
  }
#define SNARL_ARRAY(type, count)                                                                                       \
  struct {                                                                                                             \
    snarl_rlock lock;                                                                                                  \
    type items[count];                                                                                                 \
  }

/* In memory of its own, filled with zeros; NULL: there is none. Each process frees what it has of it. */
#define snarl_value_new(type, name) ((type *)snarli_value_new(sizeof(type), offsetof(type, shared), (name), SNARL_HERE))
#define snarl_array_new(type, name) ((type *)snarli_value_new(sizeof(type), 0, (name), SNARL_HERE))
#define snarl_value_free(value) snarli_value_free(&(value)->lock, sizeof *(value))
#define snarl_array_free(array) snarli_value_free(&(array)->lock, sizeof *(array))
/* In memory of the caller's, whose value or items stay as they are. */
#define snarl_value_init_shared(value, name)                                                                           \
  snarli_value_init(&(value)->lock, &(value)->shared.object, (name), SNARL_HERE)
#define snarl_array_init_shared(array, name) snarli_value_init(&(array)->lock, NULL, (name), SNARL_HERE)
void *snarli_value_new(size_t size, size_t shared, const char *name, struct snarl_site *site);
void snarli_value_free(snarl_rlock *lock, size_t size);
int snarli_value_init(snarl_rlock *lock, struct snarl_object *shared, const char *name, struct snarl_site *site);

/* Whether the lock was acquired, and is to be released. */
bool snarli_value_enter(snarl_rlock *lock, struct snarl_site *site);
void snarli_value_leave(snarl_rlock *lock, bool is_held, struct snarl_site *site);
#define SNARLI_VALUE_LOCKED(thing, expression)                                                                         \
  __extension__({                                                                                                      \
    __typeof__(thing) snarl_value_here = (thing);                                                                      \
    bool snarl_held_here = snarli_value_enter(&snarl_value_here->lock, SNARL_HERE);                                    \
    __typeof__(expression) snarl_result_here = (expression);                                                           \
    snarli_value_leave(&snarl_value_here->lock, snarl_held_here, SNARL_HERE);                                          \
    snarl_result_here;                                                                                                 \
  })
/* The value; the value written; the new value: snarl_value_update(hits, += 1). */
#define snarl_value_get(value) SNARLI_VALUE_LOCKED(value, snarl_shared_read(&snarl_value_here->shared))
#define snarl_value_set(value, to) SNARLI_VALUE_LOCKED(value, snarl_shared_write(&snarl_value_here->shared, to))
#define snarl_value_update(value, change)                                                                              \
  SNARLI_VALUE_LOCKED(value, snarl_shared_update(&snarl_value_here->shared, change))

#define snarl_array_length(array) (sizeof(array)->items / sizeof *(array)->items)
/* The same for one item. The index is checked: one that is out of range is a misuse, and ends the program. */
#define snarl_array_get(array, index) SNARLI_VALUE_LOCKED(array, *SNARLI_ITEM(index, SNARLI_READS))
#define snarl_array_set(array, index, to) SNARLI_VALUE_LOCKED(array, *SNARLI_ITEM(index, SNARLI_WRITES) = (to))
#define snarl_array_update(array, index, change)                                                                       \
  SNARLI_VALUE_LOCKED(array, *SNARLI_ITEM(index, SNARLI_READS | SNARLI_WRITES) change)
#define SNARLI_ITEM(index, how)                                                                                        \
  (&snarl_value_here->items[snarli_item((size_t)(index), snarl_array_length(snarl_value_here),                         \
                                        snarl_value_here->items, sizeof *snarl_value_here->items, (how), SNARL_HERE)])
enum snarli_item_access { SNARLI_READS = 1, SNARLI_WRITES = 2 };
size_t snarli_item(size_t index, size_t length, const volatile void *items, size_t size, int how,
                   struct snarl_site *site);

#define SNARL_RAW_VALUE(type) SNARL_SHARED(type)
#define SNARL_RAW_ARRAY(type, count)                                                                                   \
  struct {                                                                                                             \
    type items[count];                                                                                                 \
  }
/* In memory of its own, filled with zeros; NULL: there is none. Each process frees what it has of it. */
#define snarl_raw_value_new(type, name) ((type *)snarli_raw_value_new(sizeof(type), (name), SNARL_HERE))
#define snarl_raw_array_new(type) ((type *)snarli_raw_new(sizeof(type)))
#define snarl_raw_value_free(value) snarli_raw_free((value), sizeof *(value))
#define snarl_raw_array_free(array) snarli_raw_free((array), sizeof *(array))
void *snarli_raw_value_new(size_t size, const char *name, struct snarl_site *site);
void *snarli_raw_new(size_t size);
void snarli_raw_free(void *memory, size_t size);

/* The same as above, without the lock. */
#define snarl_raw_value_get(value) snarl_shared_read(value)
#define snarl_raw_value_set(value, to) snarl_shared_write(value, to)
#define snarl_raw_value_update(value, change) snarl_shared_update(value, change)
#define snarl_raw_array_length(array) snarl_array_length(array)
#define snarl_raw_array_get(array, index) SNARLI_RAW(array, *SNARLI_ITEM(index, SNARLI_READS))
#define snarl_raw_array_set(array, index, to) SNARLI_RAW(array, *SNARLI_ITEM(index, SNARLI_WRITES) = (to))
#define snarl_raw_array_update(array, index, change)                                                                   \
  SNARLI_RAW(array, *SNARLI_ITEM(index, SNARLI_READS | SNARLI_WRITES) change)
#define SNARLI_RAW(array, expression)                                                                                  \
  __extension__({                                                                                                      \
    __typeof__(array) snarl_value_here = (array);                                                                      \
    expression;                                                                                                        \
  })

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
