/* SPDX-License-Identifier: MIT
 *
 * Event: one word, in which setting also counts, so that a sleeper who comes late still sees that it was set. Entered
 * by any thread; set also by signal handlers.
 */
#include "core/runtime.h"
#include <limits.h>
#include <snarl/event.h>

enum { SET = 1, WANTED = 2, ONE_TIME = 4 };

static inline bool was_set_since(uint32_t then, uint32_t now) { return now & SET || (then ^ now) >= ONE_TIME; }

static SNARLI_COLD int wait_slowly(snarl_event *event, uint32_t then, snarl_time timeout) {
  int64_t deadline = snarli_deadline(timeout);
  if (deadline <= 0)
    return SNARL_TIMEOUT;
  snarli_spin(&event->word, then);
  uint32_t now = snarli_load(&event->word);
  bool is_over = false;
  while (!was_set_since(then, now)) {
    if (is_over)
      return SNARL_TIMEOUT;
    if (!(now & WANTED) && !snarli_cas(&event->word, &now, now | WANTED))
      continue;
    is_over = !snarli_park_in(&event->object, &event->word, now | WANTED, deadline);
    now = snarli_load(&event->word);
  }
  return SNARL_OK;
}

static SNARLI_COLD int wait_recorded(snarl_event *event, snarl_time timeout, struct snarl_site *site) {
  uint32_t then = snarli_load(&event->word);
  int status = then & SET ? SNARL_OK : SNARL_TIMEOUT;
  snarli_prepare(&event->object, site);
  if (status && timeout > 0) {
    snarli_note(SNARLI_R_EVENT_WAIT_REQUESTED, snarli_flags(timeout), &event->object, site);
    status = wait_slowly(event, then, timeout);
  }
  if (status)
    snarli_note_failed(SNARLI_R_EVENT_WAIT_FAILED, status, timeout, &event->object, site);
  else
    snarli_note(SNARLI_R_EVENT_WAIT_RETURNED, 0, &event->object, site);
  return status;
}

int snarl_event_wait_at(snarl_event *event, snarl_time timeout, struct snarl_site *site) {
  int status = snarli_check_any((struct snarl_object *)event, SNARLI_ALIVE(EVENT), site);
  if (status)
    return status;
  if (snarli_records())
    return wait_recorded(event, timeout, site);
  uint32_t then = snarli_load(&event->word);
  return then & SET ? SNARL_OK : wait_slowly(event, then, timeout);
}

int snarl_event_set_at(snarl_event *event, struct snarl_site *site) {
  int status = snarli_check_any((struct snarl_object *)event, SNARLI_ALIVE(EVENT), site);
  if (status)
    return status;
  if (snarli_records())
    snarli_note(SNARLI_R_EVENT_SET, 0, &event->object, site);
  bool is_pshared = snarli_is_pshared(&event->object);
  uint32_t now = snarli_load(&event->word);
  do
    if (now & SET)
      return SNARL_OK;
  while (!snarli_cas(&event->word, &now, ((now & ~(uint32_t)WANTED) + ONE_TIME) | SET));
  if (now & WANTED)
    snarli_unpark_in(is_pshared, &event->word, INT_MAX);
  return SNARL_OK;
}

int snarl_event_clear_at(snarl_event *event, struct snarl_site *site) {
  int status = snarli_check_any((struct snarl_object *)event, SNARLI_ALIVE(EVENT), site);
  if (status)
    return status;
  if (snarli_records())
    snarli_note(SNARLI_R_EVENT_CLEARED, 0, &event->object, site);
  uint32_t now = snarli_load(&event->word);
  while (now & SET && !snarli_cas(&event->word, &now, now & ~(uint32_t)SET))
    ;
  return SNARL_OK;
}

bool snarl_event_is_set_at(snarl_event *event, struct snarl_site *site) {
  if (snarli_check_any((struct snarl_object *)event, SNARLI_ALIVE(EVENT), site))
    return false;
  bool is_set = snarli_load(&event->word) & SET;
  if (is_set && snarli_records()) /* who acts on that comes after who set it */
    snarli_note(SNARLI_R_EVENT_WAIT_RETURNED, 0, &event->object, site);
  return is_set;
}

int snarl_event_init_at(snarl_event *event, const char *name, struct snarl_site *site) {
  int status = snarli_object_begin((struct snarl_object *)event, SNARLI_ALIVE(EVENT), name, site);
  if (!status)
    event->word = 0;
  return status;
}

int snarl_event_init_shared_at(snarl_event *event, const char *name, struct snarl_site *site) {
  int status = snarli_object_begin_shared((struct snarl_object *)event, SNARLI_ALIVE(EVENT), sizeof *event, name, site);
  if (!status)
    event->word = 0;
  return status;
}

int snarl_event_destroy_at(snarl_event *event, struct snarl_site *site) {
  int status = snarli_check_any((struct snarl_object *)event, SNARLI_ALIVE(EVENT), site);
  if (status)
    return status;
  if (snarli_records())
    snarli_note(SNARLI_R_EVENT_DESTROYED, 0, &event->object, site);
  snarli_object_end(&event->object);
  return SNARL_OK;
}
