/* SPDX-License-Identifier: MIT
 *
 * Helpers of the wrappers. Entered by any thread, snarli_cancelled while its stack is unwound.
 */
#include "wrapper.h"

static __thread uint64_t last_failed_object;
static __thread uint32_t last_failed_stack;

void snarli_record_try(enum snarli_record_type acquired, enum snarli_record_type failed, unsigned flags, int error,
                       uint64_t object, uint32_t stack) {
  if (snarli_is_taken(error)) {
    last_failed_object = 0;
    snarli_record_outcome(acquired, failed, flags, error, object, stack);
  } else if (last_failed_object != object || last_failed_stack != stack) {
    last_failed_object = object;
    last_failed_stack = stack;
    snarli_record_aux(failed, (unsigned)error, object, stack);
  }
}

void snarli_cancelled(struct snarli_cancellable *call) {
  if (call->type)
    snarli_record_aux(call->type, ECANCELED, call->object, call->stack);
}
