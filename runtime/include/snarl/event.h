/* SPDX-License-Identifier: MIT
 *
 * Event: a flag that threads wait for. Signal handlers may set it. Who waits when it is set goes on, even if it is
 * cleared right afterwards.
 *
 * wait: SNARL_OK, SNARL_TIMEOUT.
 */
#ifndef SNARL_EVENT_H
#define SNARL_EVENT_H

#include <snarl/base.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

typedef struct snarl_event {
  struct snarl_object object;
  uint32_t word;
} snarl_event;

#define SNARL_EVENT_INIT(name)                                                                                         \
  { SNARLI_OBJECT_INIT(EVENT, name), 0 }

#define snarl_event_init(event, name) snarl_event_init_at((event), (name), SNARL_HERE)
/* Between processes, in memory that they share; the name is copied. */
#define snarl_event_init_shared(event, name) snarl_event_init_shared_at((event), (name), SNARL_HERE)
#define snarl_event_destroy(event) snarl_event_destroy_at((event), SNARL_HERE)
#define snarl_event_wait(event, timeout) snarl_event_wait_at((event), (timeout), SNARL_HERE)
#define snarl_event_set(event) snarl_event_set_at((event), SNARL_HERE)
#define snarl_event_clear(event) snarl_event_clear_at((event), SNARL_HERE)
#define snarl_event_is_set(event) snarl_event_is_set_at((event), SNARL_HERE)
int snarl_event_init_at(snarl_event *event, const char *name, struct snarl_site *site);
int snarl_event_init_shared_at(snarl_event *event, const char *name, struct snarl_site *site);
int snarl_event_destroy_at(snarl_event *event, struct snarl_site *site);
int snarl_event_wait_at(snarl_event *event, snarl_time timeout, struct snarl_site *site);
int snarl_event_set_at(snarl_event *event, struct snarl_site *site);
int snarl_event_clear_at(snarl_event *event, struct snarl_site *site);
bool snarl_event_is_set_at(snarl_event *event, struct snarl_site *site);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
