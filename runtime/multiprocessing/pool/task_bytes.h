/* SPDX-License-Identifier: MIT
 *
 * Arguments and results in a slot. Values without memory of their own lie there as they are; others as MessagePack, one
 * after another, each behind its size and whether it is a value or an error. What does not fit into the slot is written
 * to the file behind the ring's memory, so that a lack of memory is a status: into the slot's room at its side, or, if
 * it is large, to a place that is used once and given back when it was read. Entered by the pool's threads and the
 * workers' main threads; one at a time for a buffer.
 */
#ifndef SNARLI_TASK_BYTES_H
#define SNARLI_TASK_BYTES_H

#include "task_ring.h"

/* Bytes that grow. */
struct snarli_buffer {
  unsigned char *data;
  size_t size, room;
};
void snarli_buffer_free(struct snarli_buffer *buffer);

/* SNARL_OK, SNARL_NO_MEMORY, or why one cannot be sent. */
int snarli_arguments_write(struct snarli_task_ring *ring, struct snarli_slot *slot, const snarl_any *arguments,
                           uint32_t count, struct snarli_buffer *buffer);
/* errors[i] is NULL where values[i] counts. */
int snarli_results_write(struct snarli_task_ring *ring, struct snarli_slot *slot, const snarl_any *values,
                         struct snarl_error *const *errors, uint32_t count, struct snarli_buffer *buffer);
/* Says in their place that they could not be sent. */
void snarli_results_fail(struct snarli_slot *slot, int status);

struct snarli_items {
  const unsigned char *at, *end;
  enum snarli_form form;
};
/* They lie in the slot, or in the buffer. SNARL_OK, SNARL_NO_MEMORY. */
int snarli_items_open(struct snarli_task_ring *ring, const struct snarli_slot *slot, struct snarli_items *items,
                      struct snarli_buffer *buffer);
/* The next one: SNARL_OK and a value, SNARL_FAILED and an error, or why it cannot be read. */
int snarli_items_next(struct snarli_items *items, snarl_any *value, struct snarl_error **error);

/* Gives back what a message had in the file. */
void snarli_place_free(struct snarli_task_ring *ring, uint64_t place, uint64_t size);

#endif
