/* SPDX-License-Identifier: MIT
 *
 * Once: a word that names who runs the function, then says that it has run. Entered by any thread.
 */
#include "core/runtime.h"
#include <limits.h>
#include <snarl/once.h>

#define DONE 1u /* no thread's number */
#define WANTED 0x80000000u

static int run(snarl_once *once, void (*function)(void *), void *argument, struct snarl_site *site) {
  if (snarli_records())
    snarli_note(SNARLI_R_ONCE_BEGUN, 0, &once->object, site);
  snarli_holds(1);
  function(argument);
  snarli_holds(-1);
  if (snarli_records())
    snarli_note(SNARLI_R_ONCE_ENDED, 0, &once->object, site);
  if (snarli_swap(&once->word, DONE) & WANTED)
    snarli_unpark(&once->word, INT_MAX);
  return SNARL_OK;
}

/* Sleeps while this owner is at it. */
static int sleep_once(snarl_once *once, uint32_t word) {
  int status = SNARL_OK;
  snarli_owner_wait_begin(&once->word);
  if (!snarli_is_alive(word & ~WANTED))
    status = SNARL_OWNER_ENDED;
  else
    (void)snarli_park(&once->word, word, SNARLI_NEVER);
  snarli_owner_wait_end();
  return status;
}

static int wait_or_run(snarl_once *once, void (*function)(void *), void *argument, struct snarl_site *site) {
  uint32_t me = snarli_ident(), word = snarli_load(&once->word);
  if (!me)
    return SNARL_NO_MEMORY;
  if ((word & ~WANTED) == me)
    return snarli_refuse(SNARL_DEADLOCK, once, site);
  snarli_spin(&once->word, word ? word : DONE);
  for (int status = SNARL_OK; (word = snarli_load(&once->word)) != DONE;) {
    if (status)
      return status;
    if (!word && snarli_cas(&once->word, &word, me))
      return run(once, function, argument, site);
    if (word != DONE && word && (word & WANTED || snarli_cas(&once->word, &word, word | WANTED)))
      status = sleep_once(once, word | WANTED);
  }
  return SNARL_OK;
}

int snarl_once_run_at(snarl_once *once, void (*function)(void *), void *argument, struct snarl_site *site) {
  int status = snarli_check((struct snarl_object *)once, SNARLI_ALIVE(ONCE), site);
  if (!status && !function)
    status = snarli_refuse(SNARL_INVALID, once, site);
  if (status)
    return status;
  bool is_done = snarli_load(&once->word) == DONE, records = snarli_records();
  if (records && !is_done)
    snarli_note(SNARLI_R_ONCE_REQUESTED, 0, &once->object, site);
  status = is_done ? SNARL_OK : wait_or_run(once, function, argument, site);
  if (records)
    snarli_note(SNARLI_R_ONCE_PASSED, (unsigned)snarli_errno_of(status), &once->object, site);
  return status;
}
