/* SPDX-License-Identifier: MIT
 *
 * A queue between two processes: one puts ten items into it, the other takes them out until none has come for three
 * seconds, which is a limit and no pace, so it is three seconds always.
 */
#include "pace.h"
#include <stdio.h>

static snarl_process_queue queue;

static int producer(void *unused) {
  (void)unused;
  for (int i = 0; i < 10; i++) {
    if (snarl_process_queue_put_any(&queue, snarl_any_stringf("item-%d", i), SNARL_FOREVER))
      return 1;
    printf("the producer adds: item-%d\n", i);
    pace_sleep(pace_uniform(0.1, 0.5));
  }
  return 0;
}

static int consumer(void *unused) {
  (void)unused;
  for (;;) {
    snarl_auto_any item = snarl_process_queue_get_any(&queue, SNARL_S(3));
    if (snarl_any_status(item) == SNARL_TIMEOUT)
      break;
    if (snarl_any_status(item))
      return 1;
    printf("the consumer takes: %s\n", snarl_any_as_string(item));
    pace_sleep(pace_uniform(0.2, 0.6));
  }
  printf("the queue is empty, the consumer ends\n");
  return 0;
}

int main(void) {
  if (snarl_process_queue_init(&queue, "items", 0))
    return 1;
  snarl_process producing = SNARL_PROCESS_INIT("producer", producer, NULL);
  snarl_process consuming = SNARL_PROCESS_INIT("consumer", consumer, NULL);
  if (snarl_process_start(&producing) || snarl_process_start(&consuming))
    return 1;
  int failed = snarl_process_join(&producing, SNARL_FOREVER) != SNARL_OK;
  failed += snarl_process_join(&consuming, SNARL_FOREVER) != SNARL_OK;
  failed += snarl_process_queue_destroy(&queue) != SNARL_OK;
  if (!failed)
    printf("all processes have ended\n");
  return failed;
}
