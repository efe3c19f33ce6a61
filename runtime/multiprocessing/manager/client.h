/* SPDX-License-Identifier: MIT
 *
 * What a process has of a manager: the region, and connections, one for each thread that is in a call. A fork has the
 * region too, and no connection. Entered by any thread.
 */
#ifndef SNARLI_MANAGER_CLIENT_H
#define SNARLI_MANAGER_CLIENT_H

#include "packed.h"
#include "region.h"
#include "wire.h"
#include <snarl/manager.h>
#include <sys/queue.h>

struct manager_connection {
  LIST_ENTRY(manager_connection) link; /* among all, for forks */
  struct manager_connection *next;     /* among the idle ones */
  int fd;
  bool is_idle;       /* nobody is in a call with it */
  uint16_t processor; /* where the server was last */
  struct packed_buffer buffer;
};

/* On the heap, as long as the manager's object. */
struct snarli_manager {
  LIST_ENTRY(snarli_manager) link;
  LIST_HEAD(, manager_connection) connections;
  struct manager_connection *idle;
  struct manager_region region;
  snarl_process server; /* the creator's */
  uint32_t forks;       /* in which process that is */
  bool is_creator;
  int creator_pid;
  char address[SNARL_MANAGER_ADDRESS];
};

struct snarli_manager *snarli_manager_inside_new(const char *address);
/* Closes the connections and leaves the region. */
void snarli_manager_inside_free(struct snarli_manager *inside);

/* One request and its reply. `value` lies in the connection. */
struct manager_call {
  struct manager_request request;
  struct packed key, given, second; /* what is sent behind the request */
  struct manager_reply reply;
  struct packed value;
  struct manager_connection *connection;
};
/* The reply's status, or why there is none. In any case snarli_manager_done comes next. */
int snarli_manager_call(struct snarli_manager *inside, struct manager_call *call);
void snarli_manager_done(struct snarli_manager *inside, struct manager_call *call);
/* Asks and waits for no reply. */
int snarli_manager_tell(struct snarli_manager *inside, enum manager_operation operation);
/* A call with a descriptor, `give`, that goes along (-1: none), and one that may come: the caller's, or -1. */
int snarli_manager_pass(struct snarli_manager *inside, struct manager_call *call, int give, int *taken);
/* Maps the server's region. */
int snarli_manager_greet(struct snarli_manager *inside);

void snarli_managers_before_fork(void);
void snarli_managers_after_fork(void);
void snarli_managers_in_child(void);

#endif
