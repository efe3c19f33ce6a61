/* SPDX-License-Identifier: MIT
 *
 * The start method spawn: the child is a fresh image of this program (image.h). Entered by any thread.
 */
#include "child.h"
#include "core/system.h"
#include "given.h"
#include "image.h"
#include "start.h"

/* The pid, or -errno. */
static int start(const snarl_process *process, int preparation) {
  int handed[SNARL_GIVEN_MOST];
  for (size_t i = 0; i < process->given_count; i++)
    handed[i] = snarli_given_descriptor(process->given[i].object);
  return snarli_image_start(snarl_process_name(process), preparation, handed, (int)process->given_count);
}

int snarli_start_by_spawn(snarl_process *process, const struct snarl_entry *entry, struct snarli_life *life,
                          struct snarl_site *site) {
  int preparation = snarli_preparation_write(process, entry);
  if (preparation < 0)
    return preparation;
  int reserved = snarli_start_reserve(), pid = reserved;
  if (reserved >= 0) {
    snarli_streams_flush(); /* what was printed before comes before what the child prints */
    uint32_t place = snarli_start_requested(SNARLI_F_SPAWN, site);
    pid = start(process, preparation);
    snarli_start_ended(SNARLI_F_SPAWN, pid, place);
  }
  (void)snarli_system(SYS_close, preparation);
  if (pid >= 0)
    return snarli_start_adopt(life, pid, reserved);
  if (reserved >= 0)
    (void)snarli_system(SYS_close, reserved);
  return snarli_start_failed(pid);
}
