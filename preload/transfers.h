/* SPDX-License-Identifier: MIT
 *
 * Calls that send to or receive from a channel: what they leave in the trace. Entered by any thread and by signal
 * handlers; transfer_cancelled while the thread's stack is unwound.
 */
#ifndef SNARLI_TRANSFERS_H
#define SNARLI_TRANSFERS_H

#include "descriptors.h"

enum snarli_transfer_flag {
  SNARLI_X_SEND = 1,
  SNARLI_X_NONBLOCK = 2, /* this call does not block, whatever the descriptor says */
  SNARLI_X_TIMED = 4,
  SNARLI_X_PEEK = 8, /* takes nothing away */
};

struct snarli_transfer {
  struct snarli_pending pending;
  int fd; /* or what stands for a System V queue */
  uint32_t entry;
  unsigned flags, record_flags;
  bool is_open;
};

/* `asked`: the amount. */
void snarli_transfer_begin(struct snarli_transfer *transfer, int fd, uint32_t entry, unsigned flags, uint64_t asked,
                           uint32_t stack);
/* `is_done`: the call took or gave `amount`; else it failed with errno. */
void snarli_transfer_end(struct snarli_transfer *transfer, bool is_done, uint64_t amount);
void snarli_transfer_cancelled(struct snarli_transfer *transfer);
#define SNARLI_TRANSFER __attribute__((cleanup(snarli_transfer_cancelled))) struct snarli_transfer

/* What a call that returned `result` bytes moved: of an eventfd, the number in `data`. */
uint64_t snarli_transfer_moved(uint32_t entry, uint64_t result, const void *data);

#endif
