/* SPDX-License-Identifier: MIT
 *
 * SharedMemory: memory that several processes have. With a name any process of this machine can attach it, until it is
 * unlinked; without one (NULL) those have it that are forked from its creator, or given it (snarl/given.h). It begins
 * as zeros. It takes a descriptor. Closing unmaps it here; what others have of it stays.
 *
 *   snarl_shared_memory memory;
 *   snarl_shared_memory_create(&memory, "scores", 4096);    and snarl_shared_memory_attach(&memory, "scores") elsewhere
 *   int *scores = memory.data;
 *   snarl_shared_memory_unlink(&memory);
 *   snarl_shared_memory_close(&memory);
 *
 * A name outlives its processes, also those that are killed. Who finds an old one (SNARL_EXISTS) and knows that nobody
 * uses it any more attaches it, unlinks it, closes it and creates it anew; or destroys or zeroes what is in it, before
 * it is initialized again. A name appears when its memory is there as a whole. What another process makes smaller
 * (ftruncate) is gone for all, and ends who touches it with SIGBUS: nothing in this library does that.
 *
 * create: SNARL_OK, SNARL_EXISTS, SNARL_INVALID (no bytes, a name with a slash or too long), SNARL_NO_MEMORY,
 * SNARL_DENIED. attach: SNARL_OK, SNARL_NOT_FOUND, SNARL_INVALID, SNARL_NO_MEMORY, SNARL_DENIED. unlink: SNARL_OK,
 * SNARL_NOT_FOUND, SNARL_DENIED, SNARL_INVALID (it has no name).
 */
#ifndef SNARL_SHARED_MEMORY_H
#define SNARL_SHARED_MEMORY_H

#include <snarl/base.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

enum { SNARL_SHARED_MEMORY_NAME = 256 };

/* Each process has one of its own. */
typedef struct snarl_shared_memory {
  struct snarl_object object;
  void *data;
  size_t size;                         /* asked for, or as large as it was made */
  int fd;                              /* by which it can be given away */
  char name[SNARL_SHARED_MEMORY_NAME]; /* "": none */
} snarl_shared_memory;

#define snarl_shared_memory_create(memory, name, size)                                                                 \
  snarl_shared_memory_create_at((memory), (name), (size), SNARL_HERE)
#define snarl_shared_memory_attach(memory, name) snarl_shared_memory_attach_at((memory), (name), SNARL_HERE)
#define snarl_shared_memory_unlink(memory) snarl_shared_memory_unlink_at((memory), SNARL_HERE)
#define snarl_shared_memory_close(memory) snarl_shared_memory_close_at((memory), SNARL_HERE)
int snarl_shared_memory_create_at(snarl_shared_memory *memory, const char *name, size_t size, struct snarl_site *site);
int snarl_shared_memory_attach_at(snarl_shared_memory *memory, const char *name, struct snarl_site *site);
int snarl_shared_memory_unlink_at(snarl_shared_memory *memory, struct snarl_site *site);
int snarl_shared_memory_close_at(snarl_shared_memory *memory, struct snarl_site *site);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
