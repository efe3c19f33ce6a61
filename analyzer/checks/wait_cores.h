/* SPDX-License-Identifier: MIT
 *
 * What of a stuck set is the cause and what is the consequence. One thread per value.
 */
#ifndef SNARL_CHECKS_WAIT_CORES_H
#define SNARL_CHECKS_WAIT_CORES_H

#include "wait_graph.h"

/* Fills graph->cores, and `core` and `behind` of its nodes. */
void wait_cores_find(struct wait_graph *graph, const struct graph *all, const bool *goes_on);

#endif
