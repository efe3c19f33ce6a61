/* SPDX-License-Identifier: MIT
 *
 * The ends of pipes that this process has: made, given away, closed, and what becomes of them at forks. An end lies on
 * the heap until its connection is closed. Entered by any thread.
 */
#ifndef SNARLI_END_H
#define SNARLI_END_H

#include "core/runtime.h"
#include "multiprocessing/process/preparation.h"
#include <snarl/connection.h>
#include <sys/queue.h>

struct snarli_pipe_end {
  LIST_ENTRY(snarli_pipe_end) link;
  const snarl_process *owner; /* NULL: whoever has it */
  int fd;                     /* -1: given away, or closed */
  bool may_send, may_recv;
  uint32_t sending, receiving; /* guards of the two directions */
  bool has_size;               /* of the message that comes next: its size was received already */
  uint64_t size;
  int passed; /* the descriptor that came with the size, -1: none */
};

int snarli_ends_make(struct snarli_pipe_end *ends[2], enum snarl_pipe_kind kind, uint32_t place);
/* In a fresh image: of the one that it was given. SNARL_OK, SNARL_NO_MEMORY. */
int snarli_end_adopt(struct snarli_pipe_end **end, const struct snarli_handed *handed, uint32_t place);
/* Ends this process's copy; the end stays. */
void snarli_end_close(struct snarli_pipe_end *end, uint32_t place);
void snarli_end_free(struct snarli_pipe_end *end);
/* In the parent when `process` has begun, and in the process. */
void snarli_ends_given(const snarl_process *process, struct snarl_site *site);
void snarli_ends_begin(const snarl_process *process, struct snarl_site *site);
void snarli_ends_before_fork(void);
void snarli_ends_after_fork(void);
void snarli_ends_in_child(void);

#endif
