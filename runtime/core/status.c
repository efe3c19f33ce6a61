/* SPDX-License-Identifier: MIT
 *
 * Statuses as words. Pure.
 */
#include "runtime.h"
#include <errno.h>

static const struct {
  int value;
  const char *name, *text;
} statuses[] = {
#define STATUS(NAME, value, sentence) {(value), #NAME, (sentence)},
#include <snarl/status.def>
};
enum { STATUSES = sizeof statuses / sizeof statuses[0] };

/* What the trace calls a misuse is a status of ours. */
#define MISUSE(id, NAME, words) _Static_assert(SNARL_##NAME == -(id), #NAME);
#include <snarl/trace/misuses.def>

static unsigned place_of(int status) {
  for (unsigned i = 0; i < STATUSES; i++)
    if (statuses[i].value == status)
      return i;
  return STATUSES;
}

const char *snarl_status_text(int status) {
  unsigned place = place_of(status > 0 ? SNARL_OK : status);
  return place < STATUSES ? statuses[place].text : "no status of this library";
}

const char *snarl_status_name(int status) {
  unsigned place = place_of(status > 0 ? SNARL_OK : status);
  return place < STATUSES ? statuses[place].name : "UNKNOWN";
}

int snarli_errno_of(int status) {
  switch (status) {
  case SNARL_OK:
    return 0;
  case SNARL_TIMEOUT:
    return ETIMEDOUT;
  case SNARL_NO_MEMORY:
    return ENOMEM;
  case SNARL_NO_THREAD:
  case SNARL_NO_PROCESS:
    return EAGAIN;
  case SNARL_OWNER_ENDED:
  case SNARL_RECOVERED:
    return EOWNERDEAD;
  case SNARL_IN_USE:
    return EBUSY;
  case SNARL_NOT_OWNER:
  case SNARL_NOT_HELD:
    return EPERM;
  case SNARL_DEADLOCK:
    return EDEADLK;
  case SNARL_TOO_MANY:
    return EOVERFLOW;
  default:
    return EINVAL;
  }
}
