/* SPDX-License-Identifier: MIT
 *
 * What the reader's tests share: CMocka with its prerequisites, and a directory for each test.
 */
#ifndef SNARL_TEST_READER_H
#define SNARL_TEST_READER_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "assembler.h"
#include "image.h"
#include "walk.h"
#include <stdlib.h>
#include <string.h>

/* A new directory, its path in *state. */
int directory_setup(void **state);
int directory_teardown(void **state);
/* `directory`/`name`, in a buffer that the next call reuses. */
const char *path_in(const char *directory, const char *name);
void bytes_write(const char *path, const void *bytes, size_t size);
/* The whole file; the caller frees it. */
void *bytes_read(const char *path, size_t *size);
void directory_clear(const char *path);
/* The file that the assembler makes of the text's only image; the caller frees it. */
void *assembled_bytes(const char *directory, const char *text, size_t *size);
/* True if a problem of the trace contains `text`. */
bool has_problem(const struct trace *trace, const char *text);

/* xorshift: the same numbers everywhere. */
static inline uint64_t random_next(uint64_t *seed) {
  *seed ^= *seed << 13;
  *seed ^= *seed >> 7;
  *seed ^= *seed << 17;
  return *seed;
}

#endif
