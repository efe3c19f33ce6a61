/* SPDX-License-Identifier: MIT
 *
 * A Condition: a buffer of five places between a producer and a consumer, who wait for each other when it is full or
 * empty.
 *
 * One notification for one change is right here because only one thread of each side waits. With several producers and
 * consumers on one Condition a notification can reach the wrong side and all stop for good: notify all then, or use a
 * Condition for each side (snarl_condition_init_on).
 */
#include "pace.h"
#include <stdio.h>

enum { PLACES = 5, ITEMS = 10 };

struct buffer {
  snarl_condition condition;
  int items[PLACES];
  int count;
};

static struct buffer buffer = {.condition = SNARL_CONDITION_INIT("buffer")};

static void buffer_print(const struct buffer *shown) {
  printf(", buffer: [");
  for (int i = 0; i < shown->count; i++)
    printf("%sitem-%d", i ? ", " : "", shown->items[i]);
  printf("]\n");
}

static void buffer_put(struct buffer *into, int item) {
  snarl_with(&into->condition) {
    while (into->count == PLACES) {
      printf("the buffer is full, the producer waits...\n");
      snarl_condition_wait(&into->condition, SNARL_FOREVER);
    }
    into->items[into->count++] = item;
    printf("the producer adds item-%d", item);
    buffer_print(into);
    snarl_condition_notify(&into->condition, 1);
  }
}

static int buffer_get(struct buffer *from) {
  int item = -1;
  snarl_with(&from->condition) {
    while (from->count == 0) {
      printf("the buffer is empty, the consumer waits...\n");
      snarl_condition_wait(&from->condition, SNARL_FOREVER);
    }
    item = from->items[0];
    from->count--;
    for (int i = 0; i < from->count; i++)
      from->items[i] = from->items[i + 1];
    printf("the consumer takes item-%d", item);
    buffer_print(from);
    snarl_condition_notify(&from->condition, 1);
  }
  return item;
}

static void *producer(void *unused) {
  for (int i = 0; i < ITEMS; i++) {
    buffer_put(&buffer, i);
    pace_sleep(pace_uniform(0.1, 0.5));
  }
  return unused;
}

static void *consumer(void *unused) {
  for (int i = 0; i < ITEMS; i++) {
    (void)buffer_get(&buffer);
    pace_sleep(pace_uniform(0.2, 0.6));
  }
  return unused;
}

int main(void) {
  snarl_thread producer_thread = SNARL_THREAD_INIT("producer", producer, NULL);
  snarl_thread consumer_thread = SNARL_THREAD_INIT("consumer", consumer, NULL);
  if (snarl_thread_start(&producer_thread) || snarl_thread_start(&consumer_thread))
    return 1;
  snarl_thread_join(&producer_thread, SNARL_FOREVER);
  snarl_thread_join(&consumer_thread, SNARL_FOREVER);
  return 0;
}
