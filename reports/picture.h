/* SPDX-License-Identifier: MIT
 *
 * Which picture of a report a graph format draws.
 */
#ifndef SNARL_REPORTS_PICTURE_H
#define SNARL_REPORTS_PICTURE_H

#include <snarl/report.h>

/* The one that the options ask for; an empty one with a title when the report has none of this kind. */
static inline const struct picture *picture_chosen(const struct report *report, const struct render_options *options) {
  static const struct picture no_order = {.kind = PICTURE_HAPPENS_BEFORE, .title = "What happened before what"};
  switch (options->picture) {
  case PICTURE_LOCK_ORDER:
    return &report->lock_order;
  case PICTURE_WAIT_FOR:
    return &report->wait_for;
  default:
    return report->happens_before.title ? &report->happens_before : &no_order;
  }
}

#endif
