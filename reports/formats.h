/* SPDX-License-Identifier: MIT
 *
 * The renderers of formats.def, declared for the files that define them. See struct renderer for what they promise.
 */
#ifndef SNARL_REPORTS_FORMATS_H
#define SNARL_REPORTS_FORMATS_H

#include <snarl/report.h>

#define FORMAT(name, renderer, suffix, help)                                                                           \
  int renderer(const struct report *report, const struct render_options *options, FILE *out);
#include "formats.def"

#endif
