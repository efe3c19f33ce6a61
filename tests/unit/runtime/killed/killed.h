/* SPDX-License-Identifier: MIT
 *
 * What the parts of test-runtime-killed share: processes that use a primitive between them, of which one after the
 * other is killed at a random moment, and what is left in the end.
 */
#ifndef SNARL_TEST_KILLED_H
#define SNARL_TEST_KILLED_H

#include <snarl/snarl.h>

enum { CHILDREN = 4, ARENA = 1 << 16 };
#define LONG SNARL_S(10) /* what takes that long hangs */

/* What every arena begins with. */
struct counts {
  int is_over;
  uint64_t rounds, recovered;
};

/* Each begins anew, with an arena of zeros; NULL: nothing to do there. */
struct traffic {
  const char *name; /* NULL: no more */
  void (*begin)(void *arena);
  void (*child)(unsigned place);
  void (*tend)(void);             /* before each kill: somebody is woken now, and perhaps killed on its way */
  void (*settle)(unsigned place); /* after the kill */
  void (*end)(void);              /* all are to end: whoever waits goes on */
  void (*check)(uint64_t kills);  /* all have ended */
  uint64_t kills_most;            /* then it begins anew; 0: no limit */
};
extern const struct traffic lock_traffics[], condition_traffics[], wait_traffics[], queue_traffics[],
    manager_traffics[];

/* Senders and receivers, one of each pair is killed: how many pairs until the deadline. */
uint64_t connections_kill(struct counts *counts, snarl_time deadline);

/* Managers that are killed, each with clients that outlive it: how many until the deadline. */
uint64_t managers_kill(struct counts *counts, snarl_time deadline);

uint64_t draw(uint64_t below);
/* Waits for a moment, up to that long. */
void pause_a_little(snarl_time most);
_Noreturn void fail(const char *what);
void check_done(int status, const char *what);
bool is_over(void);
void count_round(void);
/* How many descriptors this process has. */
unsigned count_descriptors(void);

#endif
