/* SPDX-License-Identifier: MIT
 *
 * Managers: their beginning and their end. Entered by any thread; an object's beginning and end by one at a time.
 */
#include "client.h"
#include "core/self.h"
#include "server.h"
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#define END_PATIENCE SNARL_S(5)

static int check(const snarl_manager *manager, struct snarl_site *site) {
  return snarli_check((const struct snarl_object *)manager, SNARLI_ALIVE(MANAGER), site);
}

static int serve(void *argument) {
  const struct snarli_manager *inside = argument;
  return snarli_manager_serve(inside->address, &inside->region, inside->creator_pid);
}

/* Until the server is ready or has ended. */
static int await_server(struct snarli_manager *inside) {
  int word;
  while (!(word = snarli_region_hear(&inside->region)))
    if (!snarl_process_is_alive(&inside->server) && !snarli_region_hear(&inside->region))
      return SNARL_MANAGER_GONE;
  return word > 0 ? SNARL_OK : word;
}

static int start_server(struct snarli_manager *inside, const char *name, struct snarl_site *site) {
  inside->creator_pid = (int)getpid();
  int status = snarl_process_init_at(&inside->server, name, serve, inside, site);
  if (status)
    return status;
  (void)snarl_process_set_daemon(&inside->server, true);
  (void)snarl_process_set_start(&inside->server, SNARL_START_FORK);
  status = snarl_process_start_at(&inside->server, site);
  if (status)
    return status;
  status = await_server(inside);
  if (status)
    (void)snarl_process_join_at(&inside->server, SNARL_FOREVER, site);
  inside->is_creator = true;
  inside->forks = snarli_forks;
  return status;
}

static void address_make(char address[static SNARL_MANAGER_ADDRESS]) {
  uint64_t lot = 0;
  if (getrandom(&lot, sizeof lot, 0) < 0)
    lot = (uint64_t)snarl_clock();
  (void)snprintf(address, SNARL_MANAGER_ADDRESS, "%d-%016llx", (int)getpid(), (unsigned long long)lot);
}

static bool is_address(const char *address) {
  return address && *address && strnlen(address, SNARL_MANAGER_ADDRESS) < SNARL_MANAGER_ADDRESS;
}

static int begin(snarl_manager *manager, struct snarli_manager *inside, int status, const char *name,
                 struct snarl_site *site) {
  if (!status)
    status = snarli_object_begin(&manager->object, SNARLI_ALIVE(MANAGER), name, site);
  if (status)
    snarli_manager_inside_free(inside);
  manager->inside = status ? NULL : inside;
  return status;
}

int snarl_manager_start_at(snarl_manager *manager, const char *name, const char *address, struct snarl_site *site) {
  if (manager)
    *manager = (snarl_manager){.inside = NULL};
  if (!manager || (address && !is_address(address)))
    return snarli_refuse(SNARL_INVALID, manager, site);
  char own[SNARL_MANAGER_ADDRESS];
  address_make(own);
  struct snarli_manager *inside = snarli_manager_inside_new(address ? address : own);
  if (!inside)
    return SNARL_NO_MEMORY;
  int status = snarli_region_make(&inside->region);
  if (!status)
    status = start_server(inside, name ? name : "manager", site);
  snarli_region_close(&inside->region);
  return begin(manager, inside, status, name, site);
}

int snarl_manager_connect_at(snarl_manager *manager, const char *address, struct snarl_site *site) {
  if (manager)
    *manager = (snarl_manager){.inside = NULL};
  if (!manager || !is_address(address))
    return snarli_refuse(SNARL_INVALID, manager, site);
  struct snarli_manager *inside = snarli_manager_inside_new(address);
  if (!inside)
    return SNARL_NO_MEMORY;
  return begin(manager, inside, snarli_manager_greet(inside), NULL, site);
}

static bool is_creator(const struct snarli_manager *inside) {
  return inside->is_creator && inside->forks == snarli_forks;
}

/* It is asked to end, and made to if it does not hear: it may have been stopped. */
static int end_server(struct snarli_manager *inside, struct snarl_site *site) {
  int status = snarli_manager_tell(inside, MANAGER_END);
  int joined = snarl_process_join_at(&inside->server, status ? SNARL_NOW : END_PATIENCE, site);
  if (joined == SNARL_TIMEOUT) {
    (void)snarl_process_kill_at(&inside->server, site);
    (void)snarl_process_join_at(&inside->server, SNARL_FOREVER, site);
  }
  return joined == SNARL_FAILED ? SNARL_MANAGER_GONE : status;
}

int snarl_manager_shutdown_at(snarl_manager *manager, struct snarl_site *site) {
  int status = check(manager, site);
  if (status)
    return status;
  struct snarli_manager *inside = manager->inside;
  if (is_creator(inside))
    status = end_server(inside, site);
  snarli_manager_inside_free(inside);
  manager->inside = NULL;
  snarli_object_end(&manager->object);
  return status == SNARL_MANAGER_GONE ? status : SNARL_OK;
}

void snarli_manager_left(snarl_manager *manager) {
  if (manager && manager->object.kind == SNARLI_ALIVE(MANAGER))
    (void)snarl_manager_shutdown_at(manager, SNARL_HERE);
}

const char *snarl_manager_address(const snarl_manager *manager) {
  return check(manager, NULL) ? NULL : manager->inside->address;
}

snarl_process *snarl_manager_process(snarl_manager *manager) {
  return check(manager, NULL) || !is_creator(manager->inside) ? NULL : &manager->inside->server;
}
