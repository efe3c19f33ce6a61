/* SPDX-License-Identifier: MIT
 *
 * Locks on files as far as descriptors decide about them: an open file description owns its locks until the last
 * descriptor of all processes is closed, a process loses its record locks on a file by closing any descriptor of it.
 * Whoever wraps what opens, copies or closes descriptors tells it here. Lock-free; entered by any thread and, as far as
 * close is, by signal handlers.
 */
#ifndef SNARLI_FILES_H
#define SNARLI_FILES_H

#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>

/* Before the call that closes `fd` (or puts another file in its place). Costs two loads if no lock is concerned. */
void snarli_files_closing(int fd, uint32_t stack);
/* The same for all from `first` to `last`. */
void snarli_files_closing_range(unsigned first, unsigned last, uint32_t stack);
/* After a call that made `fd`: what is known of one with its number is of another. */
void snarli_files_opened(int fd);
/* After a call that made `to` a copy of `from`. */
void snarli_files_copied(int from, int to);
/* Before an exec: what is closed by it. */
void snarli_files_executing(uint32_t stack);

/* Whether closing `fd` may matter: for a caller that would have to walk the stack first. */
bool snarli_files_concern(int fd);

/* Those commands of fcntl that lock and unlock, and what fcntl is for them; a cancellation point if it waits. */
static inline bool snarli_files_is_lock(int command) {
  return command == F_SETLK || command == F_SETLKW || command == F_OFD_SETLK || command == F_OFD_SETLKW;
}
int snarli_files_lock(int (*real)(int, int, ...), int fd, int command, long bytes, uint32_t stack);

#endif
