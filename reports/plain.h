/* SPDX-License-Identifier: MIT
 *
 * Strings of strangers' programs made safe to show. Names, functions and files come out of programs that nobody
 * vouches for: they may hold terminal escapes, text that reorders its line, bytes that are no UTF-8, or be megabytes
 * long. Every renderer takes them through here. Pure functions, any thread.
 */
#ifndef SNARL_REPORTS_PLAIN_H
#define SNARL_REPORTS_PLAIN_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Decodes the code point at `text` (ended by NUL): returns the bytes it takes, and 1 with *code UINT32_MAX for a byte
 * that begins no valid one (overlong forms, surrogates and non-characters count as invalid). 0 at the end. */
size_t plain_decode(const char *text, uint32_t *code);

/* Writes `text` so that one line of it stays one line and shows what is there: control and bidirectional characters as
 * \n, \t, \x1b or \u202e, invalid bytes as \xff. A text that would take more than `columns` characters is elided in
 * the middle; 0: never. */
void plain_put(FILE *out, const char *text, size_t columns);

/* The same as a string of its own; the caller frees it. NULL: out of memory. */
char *plain_copy(const char *text, size_t columns);

/* Columns that plain_put takes for the whole `text`: one for each character shown. */
size_t plain_columns(const char *text);

/* `text` as valid UTF-8: each invalid byte replaced by U+FFFD, everything else as it is. The caller frees it. NULL:
 * out of memory. */
char *plain_utf8(const char *text);

/* The part of a path after its last slash. */
const char *plain_base(const char *path);

#endif
