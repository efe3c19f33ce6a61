/* SPDX-License-Identifier: MIT
 *
 * What a fresh image is to do: written by the process that starts it into a file without a name, which comes along as a
 * descriptor, and mapped by the image. Texts are places in it. Entered by any thread.
 */
#ifndef SNARLI_PREPARATION_H
#define SNARLI_PREPARATION_H

#include <signal.h>
#include <snarl/entry.h>
#include <snarl/process.h>

/* A descriptor that comes along, and what it is. */
struct snarli_handed {
  uint32_t name;  /* under which it is asked for */
  uint32_t kind;  /* SNARLI_ALIVE(...); 0: it was taken */
  uint32_t label; /* of the object itself, 0: none */
  int32_t fd;     /* in the image */
  bool may_send, may_recv;
};

struct snarli_preparation {
  uint64_t magic, size;
  int32_t parent; /* its pid */
  bool is_server, is_daemon;
  uint32_t start; /* the start method by default */
  uint32_t name, parent_name;
  uint32_t entry, file, module;
  uint32_t environment, environment_count; /* texts one after another */
  uint64_t blocked;                        /* signals */
  uint64_t argument, argument_size;
  uint32_t handed_count;
  struct snarli_handed handed[];
};

/* For a process that is to run `entry`; NULL: for a server. The descriptor, or a status. */
int snarli_preparation_write(const snarl_process *process, const struct snarl_entry *entry);
/* In the image: maps it and closes the descriptor. NULL: it is none. */
struct snarli_preparation *snarli_preparation_read(int fd);

static inline char *snarli_preparation_text(const struct snarli_preparation *preparation, uint32_t place) {
  return (char *)(uintptr_t)preparation + place;
}

#endif
