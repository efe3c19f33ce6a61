/* SPDX-License-Identifier: MIT
 *
 * The processes below us: held still and killed together, for --on-deadlock=kill. Linux's /proc; main thread.
 */
#ifndef CLI_TREE_H
#define CLI_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Before the program starts: orphans below us become our children, and the children that we have already (a shell that
 * became us may have left some) are remembered as none of the program's. */
struct tree {
  pid_t *strangers;
  size_t stranger_count;
};
void tree_watch(struct tree *tree);
void tree_destroy(struct tree *tree);

/* Stops every process below us: what is stuck must not come loose by the death of another before it is reported. */
void tree_stop(const struct tree *tree);
/* Kills every process below us and reaps it; *status is what `program` ended with. */
void tree_kill(const struct tree *tree, pid_t program, int *status);

#endif
