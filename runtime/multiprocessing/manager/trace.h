/* SPDX-License-Identifier: MIT
 *
 * What the trace is told of a manager's dicts and lists: who has read and written which version of which item, for the
 * search for lost updates; and what comes after what, which is what the items say and not that the server is one:
 * who reads an item comes after who wrote it. An item is called by an address in the region. Entered by any thread.
 */
#ifndef SNARLI_MANAGER_TRACE_H
#define SNARLI_MANAGER_TRACE_H

#include "client.h"
#include <snarl/proxy.h>

enum managed_access {
  MANAGED_READS,  /* a get */
  MANAGED_WRITES, /* a set */
  MANAGED_CHANGES,
  MANAGED_LOOKS,
  MANAGED_CHANGES_ALL,
  MANAGED_LOOKS_ALL,
};

struct managed {
  const struct snarli_proxy *proxy;
  struct snarl_site *site;
  enum managed_access access;
  uint64_t item; /* an address; 0: none */
  bool is_recorded;
};

/* Before the request, and after its reply, which has `status`. */
void snarli_managed_begin(struct managed *managed, struct packed key, int64_t index);
void snarli_managed_end(struct managed *managed, const struct manager_call *call, int status);

#endif
