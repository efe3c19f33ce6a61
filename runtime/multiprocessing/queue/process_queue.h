/* SPDX-License-Identifier: MIT
 *
 * Queue between processes from the inside: for those that hand it to processes that are no forks. Entered by any
 * thread.
 */
#ifndef SNARLI_PROCESS_QUEUE_H
#define SNARLI_PROCESS_QUEUE_H

#include <snarl/process_queue.h>

/* The descriptor by which another process can attach it: the queue's, not to be closed; or a status. */
int snarli_process_queue_descriptor(const snarl_process_queue *queue);
/* The queue behind such a descriptor, which becomes the queue's if it is SNARL_OK. SNARL_INVALID: there is none;
 * SNARL_DESTROYED, SNARL_NO_MEMORY. */
int snarli_process_queue_attach(snarl_process_queue *queue, int fd);

#endif
