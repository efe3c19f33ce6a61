/* SPDX-License-Identifier: MIT
 *
 * Shared variables: records of their accesses. Entered by any thread.
 */
#include "core/runtime.h"
#include <snarl/shared.h>

int snarl_shared_init_at(struct snarl_object *variable, const char *name, struct snarl_site *site) {
  return snarli_object_begin(variable, SNARLI_ALIVE(SHARED), name, site);
}

int snarl_shared_init_shared_at(struct snarl_object *variable, const char *name, struct snarl_site *site) {
  return snarli_object_begin_shared(variable, SNARLI_ALIVE(SHARED), sizeof *variable, name, site);
}

static SNARLI_COLD void note(struct snarl_object *variable, bool reads, bool writes, struct snarl_site *site) {
  if (reads)
    snarli_note(SNARLI_R_SHARED_READ, 0, variable, site);
  if (writes)
    snarli_note(SNARLI_R_SHARED_WRITTEN, 0, variable, site);
}

int snarl_shared_update_at(struct snarl_object *variable, struct snarl_site *site) {
  int status = snarli_check_any(variable, SNARLI_ALIVE(SHARED), site);
  if (!status && snarli_records())
    note(variable, true, true, site);
  return status;
}

int snarl_shared_access_at(struct snarl_object *variable, bool is_write, struct snarl_site *site) {
  int status = snarli_check_any(variable, SNARLI_ALIVE(SHARED), site);
  if (!status && snarli_records())
    note(variable, !is_write, is_write, site);
  return status;
}
