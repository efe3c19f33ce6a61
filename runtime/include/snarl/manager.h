/* SPDX-License-Identifier: MIT
 *
 * Manager: a process of its own that keeps dicts, lists and namespaces for others, and memory in which locks, events,
 * values and the like lie by name. Who has it: its creator, what is forked from that, and whoever knows its address and
 * is of the same user.
 *
 *   snarl_auto_manager manager;                            // shut down where its block ends
 *   snarl_manager_start(&manager, "manager", NULL);
 *   snarl_dict scores;
 *   snarl_manager_dict(&manager, &scores, "scores");
 *   snarl_lock *lock = snarl_manager_lock(&manager, "lock");
 *   ... in this process and its children:
 *   snarl_with(lock) snarl_dict_set(&scores, "Ada", 12);
 *   snarl_dict_add(&scores, "Ada", 1);                     // one step, no lock needed
 *   ... in a stranger:
 *   snarl_manager_connect(&manager, address);              // what snarl_manager_address says elsewhere
 *
 * What has a name is the same for all who ask for it by that name, made by the first; without one (NULL) each call
 * makes another. All of it lasts as long as the manager.
 *
 * The manager ends with snarl_manager_shutdown of its creator, and with its creator, however that ends. Nothing of it
 * is left behind, even if it is killed; its clients are told SNARL_MANAGER_GONE then. In a process that is forked from
 * its creator, and in one that has connected, shutdown lets go of it and ends nothing. An object belongs to one
 * process, is used by any number of its threads, and lives as long as the dicts and lists that came from it.
 *
 * start: SNARL_OK, SNARL_EXISTS (another one is at this address), SNARL_INVALID (no address: empty, or longer than
 * SNARL_MANAGER_ADDRESS - 1), SNARL_DAEMON, SNARL_NO_MEMORY, SNARL_NO_PROCESS, SNARL_NO_DESCRIPTOR. connect: SNARL_OK,
 * SNARL_MANAGER_GONE, SNARL_DENIED (another user's), SNARL_NO_DESCRIPTOR (here or there), SNARL_NO_MEMORY,
 * SNARL_PROTOCOL. What talks to the manager answers these as well, and SNARL_TOO_LARGE: not more than 64 MiB go to or
 * fro at once. shutdown: SNARL_OK, SNARL_MANAGER_GONE (to its creator: it had ended before).
 */
#ifndef SNARL_MANAGER_H
#define SNARL_MANAGER_H

#include <snarl/process.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

enum { SNARL_MANAGER_ADDRESS = 96 };

typedef struct snarl_manager {
  struct snarl_object object;
  struct snarli_manager *inside;
} snarl_manager;

/* `address` NULL: one that nobody else has. The name is that of the process. */
#define snarl_manager_start(manager, name, address) snarl_manager_start_at((manager), (name), (address), SNARL_HERE)
#define snarl_manager_connect(manager, address) snarl_manager_connect_at((manager), (address), SNARL_HERE)
#define snarl_manager_shutdown(manager) snarl_manager_shutdown_at((manager), SNARL_HERE)
int snarl_manager_start_at(snarl_manager *manager, const char *name, const char *address, struct snarl_site *site);
int snarl_manager_connect_at(snarl_manager *manager, const char *address, struct snarl_site *site);
int snarl_manager_shutdown_at(snarl_manager *manager, struct snarl_site *site);
void snarli_manager_left(snarl_manager *manager);
/* Initialize it with {.inside = NULL} if its block may be left before it is started. */
#define snarl_auto_manager __attribute__((cleanup(snarli_manager_left))) snarl_manager

/* NULL: it is none. */
const char *snarl_manager_address(const snarl_manager *manager);
/* The manager's process, to its creator; NULL to others. */
snarl_process *snarl_manager_process(snarl_manager *manager);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
