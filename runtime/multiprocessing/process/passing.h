/* SPDX-License-Identifier: MIT
 *
 * Messages with descriptors over a pair of sockets that keep messages apart. Entered by any thread.
 */
#ifndef SNARLI_PASSING_H
#define SNARLI_PASSING_H

#include <stddef.h>

/* 0, or -errno. */
int snarli_pass(int line, const void *message, size_t size, const int *descriptors, int count);
/* Waits, and takes at most `room` descriptors, which do not survive an exec. How many, or -errno: EPIPE, nobody is at
 * the other side; EMFILE, there is no room for all of them, and none was taken; EPROTO, that is another message. */
int snarli_take(int line, void *message, size_t size, int *descriptors, int room);
void snarli_close_all(const int *descriptors, int count);

#endif
