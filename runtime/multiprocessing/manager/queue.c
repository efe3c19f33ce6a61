/* SPDX-License-Identifier: MIT
 *
 * Queues by name: a queue is memory of its own, whose descriptor the manager's process keeps for whoever asks next.
 * Entered by any thread.
 */
#include "any/pack.h"
#include "client.h"
#include "core/system.h"
#include "multiprocessing/queue/process_queue.h"
#include <snarl/shared_things.h>

static int make(struct snarli_manager *inside, struct packed key, snarl_process_queue *queue, const char *name,
                size_t limit, struct snarl_site *site) {
  struct manager_call call = {.request.operation = MANAGER_OFFER, .key = key};
  int taken, status = snarl_process_queue_init_at(queue, name, limit, site);
  if (status)
    return status;
  status = snarli_manager_pass(inside, &call, snarli_process_queue_descriptor(queue), &taken);
  if (status)
    (void)snarl_process_queue_destroy_at(queue, site);
  return status;
}

static int fetch(struct snarli_manager *inside, struct packed key, snarl_process_queue *queue) {
  struct manager_call call = {.request.operation = MANAGER_FETCH, .key = key};
  int taken, status = snarli_manager_pass(inside, &call, -1, &taken);
  if (!status)
    status = taken < 0 ? SNARL_NO_DESCRIPTOR : snarli_process_queue_attach(queue, taken);
  if (status && taken >= 0)
    (void)snarli_system(SYS_close, taken);
  return status;
}

int snarl_manager_queue_at(snarl_manager *manager, snarl_process_queue *queue, const char *name, size_t limit,
                           struct snarl_site *site) {
  int status = snarli_check((const struct snarl_object *)manager, SNARLI_ALIVE(MANAGER), site);
  if (!status && (!queue || (name && !*name)))
    status = snarli_refuse(SNARL_INVALID, manager, site);
  if (status || !name)
    return status ? status : snarl_process_queue_init_at(queue, NULL, limit, site);
  struct snarli_packed packed;
  snarl_auto_any text = snarl_any_string(name);
  status = snarli_packed_begin(&packed, text);
  if (status)
    return status;
  struct packed key = {packed.bytes, packed.size};
  do {
    status = fetch(manager->inside, key, queue);
    if (status == SNARL_NOT_FOUND)
      status = make(manager->inside, key, queue, name, limit, site);
  } while (status == SNARL_EXISTS); /* another was quicker */
  snarli_packed_end(&packed);
  return status;
}
