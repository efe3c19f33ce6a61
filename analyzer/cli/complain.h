/* SPDX-License-Identifier: MIT
 *
 * What the command says about itself, on standard error: one line, "snarl: ...". Any thread, not in signal handlers.
 */
#ifndef CLI_COMPLAIN_H
#define CLI_COMPLAIN_H

/* Prints "snarl: <text>" and a newline as one write, control characters in it made visible. */
void complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
