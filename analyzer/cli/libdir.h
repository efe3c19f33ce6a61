/* SPDX-License-Identifier: MIT
 *
 * Where libsnarl-preload.so is, seen from this command. Main thread.
 */
#ifndef CLI_LIBDIR_H
#define CLI_LIBDIR_H

#include "options.h"

/* The value for LD_PRELOAD. `alias`: a symbolic link that was made for it and is to be removed with libdir_forget, NULL
 * if none. Both to be freed. EXIT_OK, or the exit status after a complaint. */
enum exit_status libdir_find(char **preload, char **alias);
/* Removes and frees the link. */
void libdir_forget(char *alias);

#endif
