/* SPDX-License-Identifier: MIT
 *
 * libFuzzer target: any bytes as what another process has sent. What is refused leaves nil; what is not is packed to
 * bytes that make the same value again. `run` sets a limit for a single allocation, far below what a count can claim.
 */
#include "any/pack.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void insist(bool is_so) {
  if (!is_so)
    abort();
}

/* NaN is no equal of itself, but its bytes are. */
static void there_and_back(snarl_any value) {
  struct snarli_packed once, twice;
  snarl_auto_any again = SNARL_NIL, copy = snarl_any_copy(value), text = snarl_any_text(value);
  insist(snarl_any_is_string(text) && !snarli_packed_begin(&once, copy));
  insist(!snarli_any_unpack(once.bytes, once.size, &again));
  insist(!snarli_packed_begin(&twice, again));
  insist(once.size == twice.size && !memcmp(once.bytes, twice.bytes, once.size));
  snarli_packed_end(&once);
  snarli_packed_end(&twice);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  snarl_any value = snarl_any_int(7);
  int status = snarli_any_unpack(data, size, &value);
  if (status)
    insist(snarl_any_is_nil(value) && status <= SNARL_TRUNCATED && status >= SNARL_TOO_DEEP);
  else
    there_and_back(value);
  snarl_any_drop(&value);
  return 0;
}
