/* SPDX-License-Identifier: MIT
 *
 * A report rendered into memory, for tests that look at the bytes. One thread.
 */
#ifndef SNARL_TEST_RENDERED_H
#define SNARL_TEST_RENDERED_H

#include <snarl/report.h>

/* The bytes, ended by NUL, which the caller frees. Fails the running test if the renderer does. */
char *rendered(const char *format, const struct report *report, const struct render_options *options, size_t *size);

#endif
