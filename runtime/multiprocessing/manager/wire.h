/* SPDX-License-Identifier: MIT
 *
 * What a manager and its clients say to each other: a request, then its reply, over a socket that keeps packets apart.
 * A message is a head, a key and a value; keys and values are packed (MessagePack). What is longer than a packet goes
 * on in the next ones. Both sides are of one machine: numbers are in its byte order. Neither side trusts the other.
 */
#ifndef SNARLI_MANAGER_WIRE_H
#define SNARLI_MANAGER_WIRE_H

#include <stdint.h>

/* FIRST: the first packet of a reply. MOST: a message. The kernel has room for a packet in any case. */
enum { MANAGER_PACKET = 64 << 10, MANAGER_FIRST = 4096, MANAGER_MOST = 64 << 20, MANAGER_PROTOCOL = 1 };

/* NAME: what is there, by its key or its place; the words say what the value is. */
enum manager_operation {
  MANAGER_HELLO, /* number: the protocol; version: 1 to be sent the region */
  MANAGER_FETCH, /* key: a name; the descriptor of that name comes along */
  MANAGER_OFFER, /* after a FETCH that found none: one goes along */
  MANAGER_OPEN,  /* key: a name, or none; number: the kind */
  MANAGER_FORGET,
  MANAGER_END,
  /* one item */
  MANAGER_GET,
  MANAGER_SET,
  MANAGER_TAKE,
  MANAGER_HAS,
  MANAGER_SETDEFAULT,
  MANAGER_ADD,      /* value: a number */
  MANAGER_APPEND,   /* to the list that is the item */
  MANAGER_EXCHANGE, /* if it still has the version */
  MANAGER_COMPARE,  /* value: what it is to be now, and what it becomes */
  /* all items */
  MANAGER_LENGTH,
  MANAGER_KEYS,
  MANAGER_COPY,
  MANAGER_CLEAR,
  MANAGER_UPDATE, /* value: a dict; of a list, a list of what comes behind it */
  /* lists */
  MANAGER_PUSH,
  MANAGER_INSERT,
  MANAGER_REMOVE, /* the first that equals the value */
  MANAGER_FIND,
  MANAGER_OPERATIONS,
};

enum manager_kind { MANAGER_DICT = 1, MANAGER_LIST, MANAGER_NAMESPACE };

struct manager_request {
  uint32_t size; /* of all */
  uint8_t operation, zero;
  uint16_t processor; /* of the client: who shares it had better sleep than spin */
  uint32_t object, key_size;
  int64_t number; /* a place in a list */
  uint64_t version;
};

/* `number`: a length or a place; of a set, 1 if nothing else was there before; of a setdefault, 1 if it set.
 * `version` of what was read or written, 0: it is not there; `previous` of what was overwritten. */
struct manager_reply {
  uint32_t size;
  int32_t status;
  int64_t number;
  uint64_t version, previous;
  uint16_t processor;
  uint16_t zero[3];
};

#endif
