/* SPDX-License-Identifier: MIT
 *
 * Barrier between processes from the inside, for barrier.c, which sends it here. Entered by any thread of any process
 * that has the memory.
 */
#ifndef SNARLI_PSHARED_BARRIER_H
#define SNARLI_PSHARED_BARRIER_H

#include <snarl/barrier.h>

/* The argument of BARRIER_BROKEN: why. */
enum snarli_barrier_reason {
  SNARLI_BARRIER_GAVE_UP,
  SNARLI_BARRIER_ABORTED,
  SNARLI_BARRIER_RESET,
  SNARLI_BARRIER_ACTION_FAILED
};

/* The place among those who arrived, or a status. */
int snarli_pshared_barrier_arrive(snarl_barrier *barrier, snarl_time timeout, struct snarl_site *site);
int snarli_pshared_barrier_break(snarl_barrier *barrier, enum snarli_barrier_reason reason, struct snarl_site *site);
bool snarli_pshared_barrier_broken(const snarl_barrier *barrier);
uint32_t snarli_pshared_barrier_arrived(const snarl_barrier *barrier);

#endif
