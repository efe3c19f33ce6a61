/* SPDX-License-Identifier: MIT
 *
 * Queues: in the order of coming, a ring where there is a moderate limit and else a chain of blocks; in other orders a
 * guarded store; and around each of them the waiting, by event counts. An operation that succeeds at once is that of
 * the collection and a look at who sleeps at the other end. Entered by any thread.
 */
#include "chain.h"
#include "core/eventcount.h"
#include "core/self.h"
#include "store.h"
#include <snarl/queue.h>
#include <stdlib.h>

struct snarli_queue_body {
  struct snarli_kept kept;
  uint32_t forks;           /* of the process it was made in */
  uint32_t waiting;         /* threads that sleep, or are about to */
  struct snarli_ring *ring; /* one of the three is there */
  struct snarli_chain *chain;
  struct snarli_store *store;
  _Alignas(128) struct snarli_eventcount items; /* getters sleep here */
  _Alignas(128) struct snarli_eventcount places;
  _Alignas(128) struct snarli_eventcount all_done;
  uint64_t done;
};

static struct snarli_kept *kept_bodies;

static void body_free(struct snarli_queue_body *body) {
  if (body->store)
    snarli_store_free(body->store);
  if (body->chain)
    snarli_chain_free(body->chain);
  free(body->ring);
  snarli_kept_give(&kept_bodies, &body->kept);
}

/* One whose last put, get or close another thread has seen may not be out yet. In the child of a fork it never will. */
static void body_settle(struct snarli_queue_body *body) {
  if (body->forks != snarli_forks)
    return;
  if (body->store)
    snarli_store_settle(body->store);
  if (body->chain)
    snarli_chain_settle(body->chain);
}

static struct snarli_queue_body *body_take(void) {
  struct snarli_queue_body *body = (struct snarli_queue_body *)snarli_kept_take(&kept_bodies);
  if (body)
    return body;
  body = aligned_alloc(_Alignof(struct snarli_queue_body), sizeof *body);
  if (body)
    body->items.state = body->places.state = body->all_done.state = 0;
  return body;
}

static struct snarli_queue_body *body_new(const snarl_queue *queue) {
  bool is_lifo = queue->object.kind == SNARLI_ALIVE(LIFO_QUEUE);
  struct snarli_queue_body *body = body_take();
  if (!body)
    return NULL;
  body->ring = NULL, body->chain = NULL, body->store = NULL;
  body->done = body->waiting = 0;
  body->forks = snarli_forks;
  uint64_t limit = queue->limit ? queue->limit : UINT64_MAX;
  if (queue->object.kind != SNARLI_ALIVE(QUEUE))
    body->store = snarli_store_new(is_lifo ? SNARLI_LIFO : SNARLI_PRIORITY, limit, queue->compare);
  else if (limit <= SNARLI_RING_MOST)
    body->ring = snarli_ring_new(limit);
  else
    body->chain = snarli_chain_new(limit);
  if (body->ring || body->chain || body->store)
    return body;
  snarli_kept_give(&kept_bodies, &body->kept);
  return NULL;
}

/* Made by whoever comes first; NULL: no memory. */
static SNARLI_COLD struct snarli_queue_body *body_make(snarl_queue *queue) {
  struct snarli_queue_body *made = body_new(queue), *found = NULL;
  if (!made || snarli_cas_pointer((void **)&queue->body, (void **)&found, made))
    return made;
  body_free(made);
  return found;
}

static inline struct snarli_queue_body *body_of(snarl_queue *queue) {
  struct snarli_queue_body *body = snarli_load_pointer((void *const *)&queue->body);
  return __builtin_expect(body != NULL, 1) ? body : body_make(queue);
}

static inline int check(const snarl_queue *queue, struct snarl_site *site) {
  const struct snarl_object *object = (const struct snarl_object *)queue;
  if (__builtin_expect(
          object && (object->kind == SNARLI_ALIVE(LIFO_QUEUE) || object->kind == SNARLI_ALIVE(PRIORITY_QUEUE)), 0))
    return SNARL_OK;
  return snarli_check(object, SNARLI_ALIVE(QUEUE), site);
}

/* One end of the queue. */
struct end {
  struct snarli_queue_body *body;
  bool is_put;
  void *item;
  snarli_noted *noted;
  snarl_queue *queue;
  struct snarl_site *site;
};

static inline int put(struct end *end) {
  struct snarli_queue_body *body = end->body;
  if (__builtin_expect(body->ring != NULL, 1))
    return snarli_ring_put(body->ring, end->item, end->noted, end->queue, end->site);
  if (body->chain)
    return snarli_chain_put(body->chain, end->item, end->noted, end->queue, end->site);
  return snarli_store_put(body->store, end->item, end->noted, end->queue, end->site);
}

static inline int get(struct end *end) {
  struct snarli_queue_body *body = end->body;
  if (__builtin_expect(body->ring != NULL, 1))
    return snarli_ring_get(body->ring, &end->item);
  return body->chain ? snarli_chain_get(body->chain, &end->item) : snarli_store_get(body->store, &end->item);
}

static inline int attempt(struct end *end) {
  int status = end->is_put ? put(end) : get(end);
  if (__builtin_expect(status == SNARL_OK, 1))
    snarli_eventcount_notify(end->is_put ? &end->body->items : &end->body->places);
  return status;
}

/* The word that changes when the next attempt may succeed. */
static const uint32_t *word_of(const struct end *end) {
  const struct snarli_queue_body *body = end->body;
  if (body->ring)
    return snarli_ring_word(body->ring, snarli_load64(end->is_put ? &body->ring->tail : &body->ring->head));
  if (body->chain)
    return snarli_lower_half(end->is_put ? &body->chain->gets : &body->chain->puts);
  return &body->store->changes;
}

/* What counts what may be got, or the places. */
static const uint32_t *counter_of(const struct end *end) {
  const struct snarli_queue_body *body = end->body;
  if (body->ring)
    return snarli_lower_half(end->is_put ? &body->ring->head : &body->ring->tail);
  return word_of(end);
}

static int attempt_until(struct end *end, int64_t deadline) {
  struct snarli_eventcount *count = end->is_put ? &end->body->places : &end->body->items;
  for (;;) {
    const uint32_t *word = word_of(end);
    snarli_spin_for_several(word, snarli_load(word), counter_of(end));
    int status = attempt(end);
    if (status != SNARLI_WOULD_WAIT)
      return status;
    uint32_t key = snarli_eventcount_announce(count);
    status = attempt(end);
    if (status == SNARLI_WOULD_WAIT && snarli_eventcount_sleep(count, key, deadline))
      continue;
    snarli_eventcount_leave(count, key);
    return status == SNARLI_WOULD_WAIT ? attempt(end) : status;
  }
}

static SNARLI_COLD int attempt_slowly(struct end *end, snarl_time timeout) {
  struct snarli_queue_body *body = end->body;
  (void)snarli_add(&body->waiting, 1);
  int status = attempt_until(end, snarli_deadline(timeout));
  (void)snarli_add(&body->waiting, UINT32_MAX);
  return status;
}

static void note_put(void *queue, struct snarl_site *site) {
  snarli_note(SNARLI_R_QUEUE_PUT, 0, &((snarl_queue *)queue)->object, site);
}

static SNARLI_COLD int attempt_recorded(struct end *end, snarl_time timeout) {
  struct snarl_object *object = &end->queue->object;
  snarli_prepare(object, end->site);
  end->noted = note_put;
  int status = attempt(end);
  if (status == SNARLI_WOULD_WAIT && timeout > 0) {
    snarli_note(end->is_put ? SNARLI_R_QUEUE_PUT_REQUESTED : SNARLI_R_QUEUE_GET_REQUESTED, snarli_flags(timeout),
                object, end->site);
    status = attempt_slowly(end, timeout);
  }
  if (status)
    snarli_note_failed(end->is_put ? SNARLI_R_QUEUE_PUT_FAILED : SNARLI_R_QUEUE_GET_FAILED, status, timeout, object,
                       end->site);
  else if (!end->is_put)
    snarli_note(SNARLI_R_QUEUE_GOT, 0, object, end->site);
  return status;
}

static inline int run(struct end *end, snarl_time timeout) {
  int status = check(end->queue, end->site);
  if (__builtin_expect(status, 0))
    return status;
  end->body = body_of(end->queue);
  if (__builtin_expect(!end->body, 0))
    return SNARL_NO_MEMORY;
  if (snarli_records())
    return attempt_recorded(end, timeout);
  status = attempt(end);
  return __builtin_expect(status == SNARLI_WOULD_WAIT && timeout > 0, 0) ? attempt_slowly(end, timeout) : status;
}

int snarl_queue_put_at(snarl_queue *queue, void *item, snarl_time timeout, struct snarl_site *site) {
  struct end end = {.is_put = true, .item = item, .queue = queue, .site = site};
  return run(&end, timeout);
}

int snarl_queue_get_at(snarl_queue *queue, void **item, snarl_time timeout, struct snarl_site *site) {
  struct end end = {.queue = queue, .site = site};
  if (__builtin_expect(!item, 0))
    return snarli_refuse(SNARL_INVALID, queue, site);
  int status = run(&end, timeout);
  if (__builtin_expect(status == SNARL_OK, 1))
    *item = end.item;
  return status;
}

int snarl_queue_close_at(snarl_queue *queue, struct snarl_site *site) {
  int status = check(queue, site);
  struct snarli_queue_body *body = status ? NULL : body_of(queue);
  if (!body)
    return status ? status : SNARL_NO_MEMORY;
  if (snarli_records())
    snarli_note(SNARLI_R_QUEUE_CLOSED, 0, &queue->object, site);
  if (!(body->ring    ? snarli_ring_close(body->ring)
        : body->chain ? snarli_chain_close(body->chain)
                      : snarli_store_close(body->store)))
    return SNARL_CLOSED;
  snarli_eventcount_wake(&body->items, true);
  snarli_eventcount_wake(&body->places, true);
  return SNARL_OK;
}

/* How many items were put so far. */
static uint64_t puts_of(struct snarli_queue_body *body) {
  if (body->ring)
    return snarli_ring_count(body->ring, snarli_load64(&body->ring->tail));
  return snarli_load64(body->chain ? &body->chain->puts : &body->store->puts);
}

int snarl_queue_task_done_at(snarl_queue *queue, struct snarl_site *site) {
  int status = check(queue, site);
  struct snarli_queue_body *body = status ? NULL : body_of(queue);
  if (!body)
    return status ? status : SNARL_NO_MEMORY;
  uint64_t done = snarli_load64(&body->done), puts = puts_of(body);
  if (done < puts && snarli_records()) /* before anybody can see it */
    snarli_note(SNARLI_R_QUEUE_TASK_DONE, 0, &queue->object, site);
  do {
    puts = puts_of(body);
    if (done >= puts)
      return snarli_refuse(SNARL_TOO_MANY, queue, site);
  } while (!snarli_cas64(&body->done, &done, done + 1));
  if (done + 1 == puts) /* the queue may be gone, if that was the last */
    snarli_eventcount_wake(&body->all_done, true);
  return SNARL_OK;
}

/* What is done is asked first: it was all that was put by then if it is all that was put later. */
static bool is_all_done(struct snarli_queue_body *body) {
  uint64_t done = snarli_load64(&body->done);
  return done == puts_of(body);
}

static int join_until(struct snarli_queue_body *body, int64_t deadline) {
  while (!is_all_done(body)) {
    uint32_t key = snarli_eventcount_announce(&body->all_done);
    bool is_done = is_all_done(body);
    if (!is_done && snarli_eventcount_sleep(&body->all_done, key, deadline))
      continue;
    snarli_eventcount_leave(&body->all_done, key);
    return is_done || is_all_done(body) ? SNARL_OK : SNARL_TIMEOUT;
  }
  return SNARL_OK;
}

static int join(struct snarli_queue_body *body, snarl_time timeout) {
  (void)snarli_add(&body->waiting, 1);
  int status = join_until(body, snarli_deadline(timeout));
  (void)snarli_add(&body->waiting, UINT32_MAX);
  return status;
}

int snarl_queue_join_at(snarl_queue *queue, snarl_time timeout, struct snarl_site *site) {
  int status = check(queue, site);
  struct snarli_queue_body *body = status ? NULL : body_of(queue);
  if (!body)
    return status ? status : SNARL_NO_MEMORY;
  if (!snarli_records())
    return join(body, timeout);
  if (!is_all_done(body) && timeout > 0)
    snarli_note(SNARLI_R_QUEUE_JOIN_REQUESTED, snarli_flags(timeout), &queue->object, site);
  status = join(body, timeout);
  if (status)
    snarli_note_failed(SNARLI_R_QUEUE_JOIN_FAILED, status, timeout, &queue->object, site);
  else
    snarli_note(SNARLI_R_QUEUE_JOINED, 0, &queue->object, site);
  return status;
}

size_t snarl_queue_size(const snarl_queue *queue) {
  struct snarli_queue_body *body = check(queue, NULL) ? NULL : snarli_load_pointer((void *const *)&queue->body);
  if (!body)
    return 0;
  if (body->store)
    return snarli_load64(&body->store->count);
  uint64_t gets =
      body->chain ? snarli_load64(&body->chain->gets) : snarli_ring_count(body->ring, snarli_load64(&body->ring->head));
  uint64_t puts = puts_of(body);
  return puts > gets ? puts - gets : 0;
}

bool snarl_queue_empty(const snarl_queue *queue) { return snarl_queue_size(queue) == 0; }

bool snarl_queue_full(const snarl_queue *queue) {
  return !check(queue, NULL) && queue->limit && snarl_queue_size(queue) >= queue->limit;
}

static int init(snarl_queue *queue, uint32_t alive, const char *name, size_t limit, snarl_compare *compare,
                struct snarl_site *site) {
  if (!queue || limit > INT64_MAX)
    return snarli_refuse(SNARL_INVALID, queue, site);
  queue->limit = limit;
  queue->compare = compare;
  queue->body = NULL;
  return snarli_object_begin(&queue->object, alive, name, site);
}

int snarl_queue_init_at(snarl_queue *queue, const char *name, size_t limit, struct snarl_site *site) {
  return init(queue, SNARLI_ALIVE(QUEUE), name, limit, NULL, site);
}
int snarl_lifo_queue_init_at(snarl_queue *queue, const char *name, size_t limit, struct snarl_site *site) {
  return init(queue, SNARLI_ALIVE(LIFO_QUEUE), name, limit, NULL, site);
}
int snarl_priority_queue_init_at(snarl_queue *queue, const char *name, size_t limit, snarl_compare *compare,
                                 struct snarl_site *site) {
  return init(queue, SNARLI_ALIVE(PRIORITY_QUEUE), name, limit, compare, site);
}

int snarl_queue_destroy_at(snarl_queue *queue, struct snarl_site *site) {
  int status = check(queue, site);
  struct snarli_queue_body *body = status ? NULL : queue->body;
  if (body && snarli_load(&body->waiting))
    status = snarli_refuse(SNARL_IN_USE, queue, site);
  if (status)
    return status;
  if (snarli_records())
    snarli_note(SNARLI_R_QUEUE_DESTROYED, 0, &queue->object, site);
  snarli_object_end(&queue->object);
  queue->body = NULL;
  if (body) {
    body_settle(body);
    body_free(body);
  }
  return SNARL_OK;
}
