/* SPDX-License-Identifier: MIT
 *
 * The fork server: a fresh image (image.h) with one thread, which forks processes for its creator. They speak over a
 * pair of sockets, the server's end of which is handed to it:
 *
 *   request  what follows, with descriptors: the child's line, its working directory, its standard streams, its
 *            preparation, what is handed to it
 *   answer   the child's pid, with a descriptor (pidfd) for it; or -errno, with none
 *
 * A child's line is a pair of sockets, too. The child waits there for a byte until its creator knows of it, and ends if
 * that one is gone or does not want it, so that none is left behind whoever is killed when. Then the line is the
 * server's alone, which sends the exit code there, or is gone.
 */
#ifndef SNARLI_SERVER_H
#define SNARLI_SERVER_H

#include "preparation.h"
#include <snarl/given.h>

struct snarli_server_request {
  uint8_t streams; /* bit n: stream n is open, and comes along */
  uint8_t has_directory;
};
struct snarli_server_answer {
  int32_t pid;
};
struct snarli_server_code {
  int32_t exit_code; /* as snarl_process_exit_code says it */
};
enum { SNARLI_SERVER_PASSED = SNARL_GIVEN_MOST + 6 }; /* at most, in a request */

/* In the server. */
_Noreturn void snarli_server_run(struct snarli_preparation *preparation);

/* In its creator: the end of the program, and a fork. */
void snarli_server_end(void);
void snarli_server_in_child(void);

#endif
