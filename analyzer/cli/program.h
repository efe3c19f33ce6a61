/* SPDX-License-Identifier: MIT
 *
 * The program that the user named: where it is, and whether it can be recorded. Main thread.
 */
#ifndef CLI_PROGRAM_H
#define CLI_PROGRAM_H

#include "options.h"

struct program {
  char *path;     /* to be executed; to be freed */
  bool is_script; /* text without an interpreter line: /bin/sh runs it, as execvp does */
};

/* Finds `name` as a shell does and looks at the file. EXIT_OK, or the exit status after a complaint. */
enum exit_status program_find(const char *name, struct program *program);

/* What keeps the ELF file or script behind `path` from being recorded; "" if nothing does. `fault` becomes the exit
 * status. Exposed for the unit test. */
const char *program_obstacle(const char *path, enum exit_status *fault, bool *is_script);

#endif
