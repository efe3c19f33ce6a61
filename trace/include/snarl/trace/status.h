/* SPDX-License-Identifier: MIT
 *
 * The statuses of status.def as an enum, and their names and sentences.
 */
#ifndef SNARL_TRACE_STATUS_H
#define SNARL_TRACE_STATUS_H

enum trace_status {
#define STATUS(NAME, value, sentence) TRACE_##NAME = (value),
#include <snarl/trace/status.def>
};

const char *trace_status_name(enum trace_status status);
const char *trace_status_sentence(enum trace_status status);

#endif
