/* SPDX-License-Identifier: MIT
 *
 * Pointers through a queue: from one thread to one, and from two to two. Even threads put, odd ones get; an operation
 * is one item put and got by each pair.
 */
#include "peers.h"
#include <glib.h>
#include <snarl/snarl.h>

enum { LIMIT = 1024 };

static snarl_queue limited = SNARL_QUEUE_INIT("limited", LIMIT), endless = SNARL_QUEUE_INIT("endless", 0);
static GAsyncQueue *glib_queue;

/* What one writes by hand. */
static struct {
  pthread_mutex_t mutex;
  pthread_cond_t has_items, has_room;
  void *items[LIMIT];
  unsigned first, count;
} ring = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, PTHREAD_COND_INITIALIZER, {NULL}, 0, 0};

static void ring_put(void *item) {
  pthread_mutex_lock(&ring.mutex);
  while (ring.count == LIMIT)
    pthread_cond_wait(&ring.has_room, &ring.mutex);
  ring.items[(ring.first + ring.count++) % LIMIT] = item;
  pthread_cond_signal(&ring.has_items);
  pthread_mutex_unlock(&ring.mutex);
}

static void *ring_get(void) {
  pthread_mutex_lock(&ring.mutex);
  while (!ring.count)
    pthread_cond_wait(&ring.has_items, &ring.mutex);
  void *item = ring.items[ring.first];
  ring.first = (ring.first + 1) % LIMIT;
  ring.count--;
  pthread_cond_signal(&ring.has_room);
  pthread_mutex_unlock(&ring.mutex);
  return item;
}

static void *snarl_get(snarl_queue *queue) {
  void *item = NULL;
  must(snarl_queue_get(queue, &item, SNARL_FOREVER) == SNARL_OK, "snarl_queue_get");
  return item;
}

static void make(void) { glib_queue = g_async_queue_new(); }
static void end(void) { g_async_queue_unref(glib_queue); }

#define PEER(function, put, get)                                                                                       \
  static void function(int thread, long operations) {                                                                  \
    static char item;                                                                                                  \
    for (long i = 0; i < operations; i++)                                                                              \
      if (thread % 2 == 0)                                                                                             \
        put;                                                                                                           \
      else                                                                                                             \
        must(get == (void *)&item, "get");                                                                             \
  }
PEER(own, must(snarl_queue_put(&limited, &item, SNARL_FOREVER) == SNARL_OK, "put"), snarl_get(&limited))
PEER(own_endless, must(snarl_queue_put(&endless, &item, SNARL_FOREVER) == SNARL_OK, "put"), snarl_get(&endless))
PEER(glib, g_async_queue_push(glib_queue, &item), g_async_queue_pop(glib_queue))
PEER(by_hand, ring_put(&item), ring_get())

const struct peer queue_peers[] = {
    {"queue-1x1", "pthread", make, by_hand, 2, end},
    {"queue-1x1", "snarl", make, own, 2, end},
    {"queue-1x1", "snarl-endless", make, own_endless, 2, end},
    {"queue-1x1", "glib", make, glib, 2, end},
    {"queue-2x2", "pthread", make, by_hand, 4, end},
    {"queue-2x2", "snarl", make, own, 4, end},
    {"queue-2x2", "snarl-endless", make, own_endless, 4, end},
    {"queue-2x2", "glib", make, glib, 4, end},
    {NULL, NULL, NULL, NULL, 0, NULL},
};
