/* SPDX-License-Identifier: MIT
 *
 * Reports built by hand, for the tests of the renderers. Constant data or built once per process; one thread.
 */
#ifndef SNARL_TEST_SAMPLE_H
#define SNARL_TEST_SAMPLE_H

#include <snarl/report.h>

struct sample {
  const char *name;
  const struct report *(*report)(void);
  enum picture_kind picture; /* the one worth drawing */
  bool is_golden;            /* small enough to be kept rendered */
  bool is_slow;              /* seconds to lay out: rendered only where its size is the point */
};

/* The i-th sample, NULL past the last. */
const struct sample *sample_at(size_t i);
const struct report *sample_report(const char *name);

/* Of sample_many.c: 500 locks and 12 findings, whole and as drawn by default. */
const struct report *sample_many(void);
const struct report *sample_many_folded(void);

#endif
