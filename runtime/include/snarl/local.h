/* SPDX-License-Identifier: MIT
 *
 * Thread-local values: each thread that asks gets one of its own, zeroed and then constructed at its first question,
 * and destructed when the thread ends.
 *
 *   struct data { int value; char name[16]; };
 *   static snarl_local local_data = SNARL_LOCAL_INIT("local_data", struct data, NULL, NULL);
 *   struct data *data = snarl_local_get(&local_data);
 */
#ifndef SNARL_LOCAL_H
#define SNARL_LOCAL_H

#include <snarl/base.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

typedef struct snarl_local {
  struct snarl_object object;
  size_t size;
  void (*construct)(void *value);
  void (*destruct)(void *value);
  uint64_t generation;
  uint32_t key;
} snarl_local;

/* Both functions may be NULL. */
#define SNARL_LOCAL_INIT(name, type, construct, destruct)                                                              \
  { SNARLI_OBJECT_INIT(LOCAL, name), sizeof(type), (construct), (destruct), 0, 0 }

#define snarl_local_init(local, name, size, construct, destruct)                                                       \
  snarl_local_init_at((local), (name), (size), (construct), (destruct), SNARL_HERE)
#define snarl_local_destroy(local) snarl_local_destroy_at((local), SNARL_HERE)
#define snarl_local_get(local) snarl_local_get_at((local), SNARL_HERE)
/* SNARL_INVALID: a size of 0. */
int snarl_local_init_at(snarl_local *local, const char *name, size_t size, void (*construct)(void *),
                        void (*destruct)(void *), struct snarl_site *site);
/* Ends the calling thread's value now, those of others when their threads end. */
int snarl_local_destroy_at(snarl_local *local, struct snarl_site *site);
/* The calling thread's value; NULL: out of memory, or a misuse. */
void *snarl_local_get_at(snarl_local *local, struct snarl_site *site);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
