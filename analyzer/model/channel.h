/* SPDX-License-Identifier: MIT
 *
 * What bytes and messages pass through, and which process holds which end of it. A channel is one direction: what is
 * sent there is received there; a socket is an endpoint of two. Who reads a channel more than was written to it shows
 * that somebody writes whom nobody recorded: then its object is doubted and says nothing any more. One thread per
 * model.
 */
#ifndef SNARL_MODEL_CHANNEL_H
#define SNARL_MODEL_CHANNEL_H

#include "model.h"

struct channel {
  enum snarli_channel_kind kind;
  struct object *object;
  uint64_t device, key;    /* of a socket: of the end that receives */
  uint32_t next;           /* in model->channels, with the same hash; MAP_NONE: none */
  uint32_t refs;           /* endpoints */
  uint64_t sent, received; /* amounts; `sent` with what is asked for by those who wait to send, which is `asked` */
  uint64_t asked, capacity;
  uint64_t messages; /* sent and not yet received */
  uint64_t began;    /* `sent` before the newest send */
  bool is_made;      /* in this trace: nobody outside had an end of it */
  bool is_passed;    /* to somebody unknown */
  bool is_unlinked;  /* a queue that nobody can find by a name */
  bool is_removed;   /* a queue that is gone for everybody */
  bool is_sender_shut, is_receiver_shut;
};

/* What descriptors stand for; those that were copied from each other, also in other processes, share it. */
struct endpoint {
  enum snarli_channel_kind kind;
  uint32_t refs;        /* everybody who names it */
  uint32_t descriptors; /* of them descriptors */
  uint64_t device, self;
  uint32_t next;
  struct channel *in, *out;       /* NULL: none, or unknown */
  uint32_t pid;                   /* of a pidfd */
  VECTOR(struct watched) watched; /* of an epoll */
};

/* One of those that a poll or an epoll waits for. */
struct watched {
  struct endpoint *endpoint; /* NULL: outside the trace */
  uint8_t ends;              /* enum snarli_end */
  uint32_t process, fd;
};

struct descriptor {
  struct endpoint *endpoint; /* NULL: a free place */
  uint32_t fd;
  uint8_t ends;
  bool is_confirmed; /* seen by this image itself */
};

struct descriptors {
  struct map places; /* of a number */
  VECTOR(struct descriptor) items;
  VECTOR(uint32_t) free;
  bool are_known;  /* the image told of all that it began with */
  bool has_events; /* it inherited eventfds that cannot be told from others */
};

struct polled {
  VECTOR(struct watched) items;
};

/* The image begins: with copies of what `parent` has, NULL: with nothing. */
void descriptors_begin(struct model *model, struct process *process, const struct process *parent);
/* The image is over and what it had is closed. */
void descriptors_end(struct model *model, struct process *process);
const struct descriptor *descriptor_at(const struct process *process, uint64_t fd);
void channel_step(struct model *model, struct event *event);
/* A wait to send ends without its outcome. */
void channel_wait_ends(struct thread *thread);

#endif
