/* SPDX-License-Identifier: MIT
 *
 * Helpers of the wrappers. Entered by any thread, snarli_cancelled while its stack is unwound.
 */
#include "wrapper.h"

static __thread uint64_t last_failed_object;
static __thread const void *last_failed_pc;

void snarli_record_try(enum snarli_record_type acquired, enum snarli_record_type failed, unsigned flags, int error,
                       uint64_t object, struct snarli_site site) {
  if (snarli_is_taken(error)) {
    last_failed_object = 0;
    snarli_record_outcome(acquired, failed, flags, error, object, site);
  } else if (last_failed_object != object || last_failed_pc != site.pc) {
    last_failed_object = object;
    last_failed_pc = site.pc;
    snarli_record(failed, (unsigned)error, object, site);
  }
}

void snarli_cancelled(struct snarli_cancellable *call) {
  if (call->type)
    snarli_record(call->type, ECANCELED, call->object, call->site);
}
