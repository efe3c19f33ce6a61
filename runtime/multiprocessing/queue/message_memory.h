/* SPDX-License-Identifier: MIT
 *
 * The memory of a ring of messages: a long range of addresses of which little has memory behind it. Entered by any
 * thread of any process that has it.
 */
#ifndef SNARLI_MESSAGE_MEMORY_H
#define SNARLI_MESSAGE_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* `head` bytes and as many more as there is room for among the addresses, a power of two up to *most, which becomes
 * that. SNARL_NO_MEMORY, SNARL_NO_DESCRIPTOR. */
int snarli_message_memory_new(void **memory, size_t head, uint64_t *most, int *fd);
/* All of it, in this process too. */
int snarli_message_memory_attach(void **memory, uint64_t *size, int fd);
void snarli_message_memory_unmap(void *memory, uint64_t size);

/* Memory from `from` on to `to`, multiples of a page, for all processes; false: there is none. */
bool snarli_message_memory_back(char *from, char *to);
void snarli_message_memory_give_back(char *from, char *to);

#endif
