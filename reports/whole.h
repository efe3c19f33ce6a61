/* SPDX-License-Identifier: MIT
 *
 * A rendering is built in memory and then written in one go, so that a full disk or a closed pipe is noticed in one
 * place and its errno is not lost among a thousand writes.
 */
#ifndef SNARL_REPORTS_WHOLE_H
#define SNARL_REPORTS_WHOLE_H

#include <stdio.h>

struct whole {
  FILE *stream; /* write here */
  char *bytes;  /* valid after whole_end */
  size_t size;
};

/* 0, or ENOMEM. */
int whole_begin(struct whole *whole);
/* Closes the stream: 0 with `bytes` the caller's to free, or ENOMEM with nothing to free. */
int whole_end(struct whole *whole);
/* whole_end, then everything to `out`. */
int whole_write(struct whole *whole, FILE *out);
/* Writes and flushes: 0, or the errno of the stream. */
int whole_write_bytes(const char *bytes, size_t size, FILE *out);

#endif
