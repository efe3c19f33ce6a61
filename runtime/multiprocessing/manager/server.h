/* SPDX-License-Identifier: MIT
 *
 * A manager's server from the inside: one thread, one epoll; clients are peers, of which none is trusted. What a peer
 * has begun to say, and what it does not fetch, is kept within limits; who breaks the rules is told so and left.
 */
#ifndef SNARLI_MANAGER_SERVER_H
#define SNARLI_MANAGER_SERVER_H

#include "region.h"
#include "spin.h"
#include "store.h"
#include <sys/un.h>

/* Begun messages and replies that were not fetched, of all peers. */
#define MANAGER_BUFFERED ((size_t)512 << 20)
enum { MANAGER_HOT = 8 };

struct peer {
  int fd, pid;
  uint32_t expected;       /* bytes of the message that has begun in `in` */
  struct packed_buffer in; /* empty between messages */
  struct packed_buffer out;
  size_t sent; /* of `out` */
  bool is_left, may_offer;
  int offered; /* the descriptor that came with this packet; -1: none */
};

/* Memory that clients have in common, by its name: the server keeps its descriptor. */
struct manager_kept {
  struct manager_kept *next;
  int fd;
  struct manager_bytes name;
};

struct manager_server {
  int epoll, listener, reserve, creator, memory;
  int creator_pid;
  bool is_over;
  struct manager_store store;
  struct packed_buffer reply;
  struct manager_kept *kept;
  size_t buffered;
  struct peer *hot[MANAGER_HOT]; /* who asked lately, from other processors */
  uint32_t hot_count;
  struct manager_spin spin;
  uint16_t processor; /* of who asked last */
  unsigned char packet[MANAGER_PACKET];
};

/* The abstract address of a manager; its length, 0: that is no name for one. */
unsigned snarli_manager_socket_address(const char *name, struct sockaddr_un *address);

/* Runs in the process of its own. `region` says when it is ready. The exit code. */
int snarli_manager_serve(const char *name, const struct manager_region *region, int creator_pid);

enum peer_outcome { PEER_IDLE, PEER_SERVED, PEER_GONE };
struct peer *snarli_peer_new(struct manager_server *server, int fd, int pid);
/* Receives a packet and does what there is to do. GONE: the peer is freed. */
enum peer_outcome snarli_peer_receive(struct manager_server *server, struct peer *peer);
/* Goes on with a reply. */
enum peer_outcome snarli_peer_send(struct manager_server *server, struct peer *peer);
/* One last word to whom the server does not take. */
void snarli_peer_refuse(int fd, int status);

#endif
