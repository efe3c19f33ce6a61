/* SPDX-License-Identifier: MIT
 *
 * Names and sentences of status.def. Pure; any thread.
 */
#include <snarl/trace/status.h>
#include <stddef.h>

const char *trace_status_name(enum trace_status status) {
  switch (status) {
#define STATUS(NAME, value, sentence)                                                                                  \
  case TRACE_##NAME:                                                                                                   \
    return #NAME;
#include <snarl/trace/status.def>
  }
  return "UNKNOWN";
}

const char *trace_status_sentence(enum trace_status status) {
  switch (status) {
#define STATUS(NAME, value, sentence)                                                                                  \
  case TRACE_##NAME:                                                                                                   \
    return sentence;
#include <snarl/trace/status.def>
  }
  return "unknown status";
}
