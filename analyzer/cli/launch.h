/* SPDX-License-Identifier: MIT
 *
 * Starting a program with the recorder in it, and living beside it. Main thread; one program per process of snarl.
 */
#ifndef CLI_LAUNCH_H
#define CLI_LAUNCH_H

#include "options.h"
#include "program.h"

#include <sys/types.h>

struct launch {
  pid_t pid;
  char *alias; /* symbolic link to the library's folder whose name has no blanks or colons; NULL: not needed */
};

/* Starts `program` recording into the directory `trace`. EXIT_OK, or the exit status after a complaint. From here on
 * signals sent to us are passed on to it. */
enum exit_status launch_start(struct launch *launch, const struct program *program, char **arguments,
                              const char *trace);
/* Waits until the program has ended, at most `milliseconds`. True: it has, with *status as from waitpid. */
bool launch_wait(struct launch *launch, unsigned milliseconds, int *status);
void launch_end(struct launch *launch);

/* The exit status of a shell for a status of waitpid: 128 + the signal if one ended it. */
int launch_exit_status(int status);
/* Ends this process as the program ended: by the same signal, or returns its exit status. */
int launch_die_alike(int status);

#endif
