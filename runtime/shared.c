/* SPDX-License-Identifier: MIT
 *
 * Shared variables: records of their accesses. Entered by any thread.
 */
#include "runtime.h"
#include <snarl/shared.h>

int snarl_shared_init_at(struct snarl_object *variable, const char *name, struct snarl_site *site) {
  return snarli_object_begin(variable, SNARLI_ALIVE(SHARED), name, site);
}

int snarl_shared_update_at(struct snarl_object *variable, struct snarl_site *site) {
  int status = snarl_shared_access_at(variable, false, site);
  return status ? status : snarl_shared_access_at(variable, true, site);
}

int snarl_shared_access_at(struct snarl_object *variable, bool is_write, struct snarl_site *site) {
  int status = snarli_check(variable, SNARLI_ALIVE(SHARED), site);
  if (!status && snarli_records())
    snarli_note(is_write ? SNARLI_R_SHARED_WRITTEN : SNARLI_R_SHARED_READ, 0, variable, site);
  return status;
}
