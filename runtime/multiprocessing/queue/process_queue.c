/* SPDX-License-Identifier: MIT
 *
 * Queue between processes: the ring of messages with an object in its room, by which all processes know it, and the
 * count of what was dealt with. The object of a process is a handle to that. Entered by any thread of any process that
 * has the memory.
 */
#include "process_queue.h"
#include "any/pack.h"
#include "core/runtime.h"
#include "core/system.h"
#include "message_ring.h"
#include <stdlib.h>
#include <sys/stat.h>

struct snarli_process_queue_body {
  struct snarl_object object; /* what the records are about */
  uint64_t device, inode;     /* of the memory: a descriptor with its number may be another one by now */
  uint64_t done;
  _Alignas(128) struct snarli_eventcount all_done; /* who joins sleeps here */
};

static inline struct snarli_message_ring *ring_of(const struct snarli_process_queue_body *body) {
  return (struct snarli_message_ring *)((uintptr_t)body - offsetof(struct snarli_message_ring, room));
}

static inline int check(const snarl_process_queue *queue, struct snarl_site *site) {
  int status = snarli_check((const struct snarl_object *)queue, SNARLI_ALIVE(PROCESS_QUEUE), site);
  if (__builtin_expect(status, 0))
    return status;
  return snarli_check_any(&queue->body->object, SNARLI_ALIVE(PROCESS_QUEUE), site);
}

/* ------------------------------------------------------ Beginning, ending */
static bool is_file_of(const struct snarli_process_queue_body *body, int fd) {
  struct stat file;
  int saved = errno, failed = fstat(fd, &file);
  errno = saved;
  return !failed && file.st_dev == body->device && file.st_ino == body->inode;
}

static void begin(snarl_process_queue *queue, struct snarli_message_ring *ring, int fd) {
  *queue = (snarl_process_queue){.body = (struct snarli_process_queue_body *)(void *)ring->room, .fd = fd};
  queue->object.kind = SNARLI_ALIVE(PROCESS_QUEUE);
}

int snarl_process_queue_init_at(snarl_process_queue *queue, const char *name, size_t limit, struct snarl_site *site) {
  struct snarli_message_ring *ring;
  int fd;
  if (!queue || limit > INT64_MAX)
    return snarli_refuse(SNARL_INVALID, queue, site);
  int status = snarli_message_ring_new(&ring, limit, sizeof *queue->body, &fd);
  if (status)
    return status;
  begin(queue, ring, fd);
  struct stat file = {.st_ino = 0};
  int saved = errno;
  (void)fstat(fd, &file);
  errno = saved;
  queue->body->device = file.st_dev, queue->body->inode = file.st_ino;
  status =
      snarli_object_begin_shared(&queue->body->object, SNARLI_ALIVE(PROCESS_QUEUE), sizeof *queue->body, name, site);
  if (snarli_records() && limit && limit <= UINT32_MAX)
    snarli_record_aux(SNARLI_R_QUEUE_LIMIT, 0, snarli_address(queue->body), (uint32_t)limit);
  return status;
}

int snarli_process_queue_descriptor(const snarl_process_queue *queue) {
  int status = check(queue, NULL);
  return status ? status : is_file_of(queue->body, queue->fd) ? queue->fd : SNARL_INVALID;
}

int snarli_process_queue_attach(snarl_process_queue *queue, int fd) {
  struct snarli_message_ring *ring;
  int status = snarli_message_ring_attach(&ring, fd);
  if (status)
    return status;
  begin(queue, ring, fd);
  status = ring->data >= sizeof *ring + sizeof *queue->body ? check(queue, NULL) : SNARL_INVALID;
  if (!status && !is_file_of(queue->body, fd))
    status = SNARL_INVALID;
  if (status) {
    queue->object.kind = 0;
    snarli_message_ring_unmap(ring);
  } else if (snarli_records()) {
    snarli_mapped(queue->body, sizeof *queue->body);
  }
  return status;
}

static void let_go(snarl_process_queue *queue) {
  struct snarli_message_ring *ring = ring_of(queue->body);
  if (is_file_of(queue->body, queue->fd))
    (void)snarli_system(SYS_close, queue->fd);
  if (snarli_records())
    snarli_unmapped(ring, ring->size);
  snarli_object_end(&queue->object);
  queue->body = NULL;
  snarli_message_ring_unmap(ring);
}

int snarl_process_queue_detach_at(snarl_process_queue *queue, struct snarl_site *site) {
  int status = snarli_check((const struct snarl_object *)queue, SNARLI_ALIVE(PROCESS_QUEUE), site);
  if (!status)
    let_go(queue);
  return status;
}

int snarl_process_queue_destroy_at(snarl_process_queue *queue, struct snarl_site *site) {
  int status = check(queue, site);
  if (status)
    return status;
  struct snarli_process_queue_body *body = queue->body;
  if (snarli_message_ring_is_awaited(ring_of(body), &body->all_done))
    return snarli_refuse(SNARL_IN_USE, body, site);
  if (snarli_records())
    snarli_note(SNARLI_R_QUEUE_DESTROYED, 0, &body->object, site);
  snarli_object_end(&body->object);
  let_go(queue);
  return SNARL_OK;
}

/* -------------------------------------------------------------- Put, get */
/* One call at one end. */
struct call {
  struct snarli_process_queue_body *body;
  struct iovec bytes; /* what is put; where it is got to */
  size_t most;
  void *message;               /* memory that was taken for what is got */
  snarli_message_place *place; /* NULL: it is a put */
  struct snarl_site *site;
};

static void note_put(void *context, uint64_t number) {
  (void)number;
  const struct call *call = context;
  snarli_note(SNARLI_R_QUEUE_PUT, 0, &call->body->object, call->site);
}

static int place_into(void *context, uint64_t number, size_t size, void **to) {
  (void)number;
  const struct call *call = context;
  *to = call->bytes.iov_base;
  return size > call->most ? SNARL_TOO_LARGE : SNARL_OK;
}

static int place_new(void *context, uint64_t number, size_t size, void **to) {
  (void)number;
  struct call *call = context;
  if (size > call->most)
    return SNARL_TOO_LARGE;
  char *message = malloc(size + 1);
  if (!message)
    return SNARL_NO_MEMORY;
  message[size] = 0;
  *to = call->message = message;
  return SNARL_OK;
}

static inline int64_t attempt(struct call *call, bool is_recorded, snarl_time timeout) {
  struct snarli_message_ring *ring = ring_of(call->body);
  if (call->place)
    return snarli_message_ring_get(ring, call->place, call, timeout);
  return snarli_message_ring_put(ring, &call->bytes, 1, is_recorded ? note_put : NULL, call, timeout);
}

static SNARLI_COLD int64_t attempt_recorded(struct call *call, snarl_time timeout) {
  struct snarl_object *object = &call->body->object;
  bool is_put = !call->place;
  snarli_prepare(object, call->site);
  int64_t result = attempt(call, true, SNARL_NOW);
  if (result == SNARL_TIMEOUT && timeout > 0) {
    snarli_note(is_put ? SNARLI_R_QUEUE_PUT_REQUESTED : SNARLI_R_QUEUE_GET_REQUESTED, snarli_flags(timeout), object,
                call->site);
    result = attempt(call, true, timeout);
  }
  if (result < 0)
    snarli_note_failed(is_put ? SNARLI_R_QUEUE_PUT_FAILED : SNARLI_R_QUEUE_GET_FAILED, (int)result, timeout, object,
                       call->site);
  else if (!is_put)
    snarli_note(SNARLI_R_QUEUE_GOT, 0, object, call->site);
  return result;
}

static inline int64_t run(const snarl_process_queue *queue, struct call *call, bool is_valid, snarl_time timeout) {
  int status = check(queue, call->site);
  if (__builtin_expect(!status && !is_valid, 0))
    status = snarli_refuse(SNARL_INVALID, queue->body, call->site);
  if (__builtin_expect(status, 0))
    return status;
  call->body = queue->body;
  return snarli_records() ? attempt_recorded(call, timeout) : attempt(call, false, timeout);
}

int snarl_process_queue_put_at(snarl_process_queue *queue, const void *bytes, size_t size, snarl_time timeout,
                               struct snarl_site *site) {
  struct call call = {.bytes = {(void *)(uintptr_t)bytes, size}, .site = site};
  return (int)run(queue, &call, bytes || !size, timeout);
}

int64_t snarl_process_queue_get_into_at(snarl_process_queue *queue, void *bytes, size_t room, snarl_time timeout,
                                        struct snarl_site *site) {
  struct call call = {.bytes = {bytes, room}, .most = room, .place = place_into, .site = site};
  return run(queue, &call, bytes || !room, timeout);
}

int64_t snarl_process_queue_get_at(snarl_process_queue *queue, void **message, size_t most, snarl_time timeout,
                                   struct snarl_site *site) {
  struct call call = {.most = most, .place = place_new, .site = site};
  int64_t size = run(queue, &call, message != NULL, timeout);
  if (size >= 0)
    *message = call.message;
  return size;
}

int snarl_process_queue_put_any_at(snarl_process_queue *queue, snarl_any value, snarl_time timeout,
                                   struct snarl_site *site) {
  struct snarli_packed packed;
  int status = snarli_packed_begin(&packed, value);
  snarl_any_drop(&value);
  if (status)
    return snarli_refuse(status, queue ? queue->body : NULL, site);
  status = snarl_process_queue_put_at(queue, packed.bytes, packed.size, timeout, site);
  snarli_packed_end(&packed);
  return status;
}

/* Into the caller's memory if it has room, else into new. */
static int place_either(void *context, uint64_t number, size_t size, void **to) {
  struct call *call = context;
  if (size > call->bytes.iov_len)
    return place_new(context, number, size, to);
  *to = call->bytes.iov_base;
  return SNARL_OK;
}

snarl_any snarl_process_queue_get_any_at(snarl_process_queue *queue, snarl_time timeout, struct snarl_site *site) {
  char few[256];
  struct call call = {.bytes = {few, sizeof few}, .most = SIZE_MAX - 1, .place = place_either, .site = site};
  int64_t size = run(queue, &call, true, timeout);
  if (size < 0)
    return snarl_any_error((int)size);
  snarl_any value;
  int status = snarli_any_unpack(call.message ? call.message : few, (size_t)size, &value);
  free(call.message);
  return status ? snarl_any_error(status) : value;
}

int snarl_process_queue_close_at(snarl_process_queue *queue, struct snarl_site *site) {
  int status = check(queue, site);
  if (status)
    return status;
  if (snarli_records())
    snarli_note(SNARLI_R_QUEUE_CLOSED, 0, &queue->body->object, site);
  return snarli_message_ring_close(ring_of(queue->body));
}

/* --------------------------------------------------------- Task done, join */
static uint64_t puts_of(const struct snarli_process_queue_body *body) {
  return snarli_message_ring_put_count(ring_of(body));
}

int snarl_process_queue_task_done_at(snarl_process_queue *queue, struct snarl_site *site) {
  int status = check(queue, site);
  if (status)
    return status;
  struct snarli_process_queue_body *body = queue->body;
  uint64_t done = snarli_load64(&body->done), puts = puts_of(body);
  if (done < puts && snarli_records()) /* before anybody can see it */
    snarli_note(SNARLI_R_QUEUE_TASK_DONE, 0, &body->object, site);
  do {
    puts = puts_of(body);
    if (done >= puts)
      return snarli_refuse(SNARL_TOO_MANY, body, site);
  } while (!snarli_cas64(&body->done, &done, done + 1));
  if (done + 1 == puts)
    (void)snarli_eventcount_wake_shared(&body->all_done, true);
  return SNARL_OK;
}

/* What is done is asked first: it was all that was put by then if it is all that was put later. */
static bool is_all_done(const struct snarli_process_queue_body *body) {
  uint64_t done = snarli_load64(&body->done);
  return done == puts_of(body);
}

static int join_until(struct snarli_process_queue_body *body, int64_t deadline) {
  for (bool in_time = true; !is_all_done(body);) {
    if (!in_time)
      return SNARL_TIMEOUT;
    uint32_t key = snarli_eventcount_announce(&body->all_done);
    if (!is_all_done(body))
      in_time = snarli_park_shared(snarli_eventcount_word(&body->all_done), key, deadline);
    snarli_eventcount_leave(&body->all_done, key);
  }
  return SNARL_OK;
}

static int join(struct snarli_process_queue_body *body, snarl_time timeout) {
  uint32_t *waiting = &ring_of(body)->waiting;
  (void)snarli_add(waiting, 1);
  int status = join_until(body, snarli_deadline(timeout));
  (void)snarli_add(waiting, UINT32_MAX);
  return status;
}

int snarl_process_queue_join_at(snarl_process_queue *queue, snarl_time timeout, struct snarl_site *site) {
  int status = check(queue, site);
  if (status)
    return status;
  struct snarli_process_queue_body *body = queue->body;
  if (!snarli_records())
    return join(body, timeout);
  if (!is_all_done(body) && timeout > 0)
    snarli_note(SNARLI_R_QUEUE_JOIN_REQUESTED, snarli_flags(timeout), &body->object, site);
  status = join(body, timeout);
  if (status)
    snarli_note_failed(SNARLI_R_QUEUE_JOIN_FAILED, status, timeout, &body->object, site);
  else
    snarli_note(SNARLI_R_QUEUE_JOINED, 0, &body->object, site);
  return status;
}

/* -------------------------------------------------------------- Questions */
size_t snarl_process_queue_size(const snarl_process_queue *queue) {
  if (check(queue, NULL))
    return 0;
  const struct snarli_message_ring *ring = ring_of(queue->body);
  uint64_t got = snarli_message_ring_got(ring);
  return snarli_message_ring_put_count(ring) - got;
}

bool snarl_process_queue_empty(const snarl_process_queue *queue) { return snarl_process_queue_size(queue) == 0; }

bool snarl_process_queue_full(const snarl_process_queue *queue) {
  return !check(queue, NULL) && snarl_process_queue_size(queue) >= ring_of(queue->body)->limit;
}
