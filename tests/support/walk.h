/* SPDX-License-Identifier: MIT
 *
 * Opens a trace and uses every function of the reader on it, checking what must hold of any trace, however damaged: for
 * the tests of damage and the fuzzer. Aborts with a line on stderr when something does not hold.
 */
#ifndef SNARL_TESTS_WALK_H
#define SNARL_TESTS_WALK_H

#include <snarl/trace/reader.h>
#include <stdint.h>

struct walk {
  uint64_t records;
  size_t problems;
  bool is_complete;
};

/* False: the trace does not open, `problem` says why. */
bool trace_walk(const char *path, struct walk *walk, struct trace_problem *problem);

#endif
