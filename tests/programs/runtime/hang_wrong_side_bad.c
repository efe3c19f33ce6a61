/* SPDX-License-Identifier: MIT
 *
 * Producers and consumers of a place for one item wait on one condition, and each wakes one waiter: sooner or later one
 * of its own kind, who can do nothing. Then all wait.
 */
#include <snarl/snarl.h>

enum { OPERATIONS = 10000000 };
static snarl_condition condition = SNARL_CONDITION_INIT("place");
static int items;

static void *produce(void *unused) {
  for (int i = 0; i < OPERATIONS; i++)
    snarl_with(&condition) {
      while (items == 1)
        snarl_condition_wait(&condition, SNARL_FOREVER);
      items++;
      snarl_condition_notify(&condition, 1);
    }
  return unused;
}

static void *consume(void *unused) {
  for (int i = 0; i < OPERATIONS; i++)
    snarl_with(&condition) {
      while (items == 0)
        snarl_condition_wait(&condition, SNARL_FOREVER);
      items--;
      snarl_condition_notify(&condition, 1);
    }
  return unused;
}

int main(void) {
  snarl_thread threads[] = {
      SNARL_THREAD_INIT("consumer-0", consume, NULL), SNARL_THREAD_INIT("consumer-1", consume, NULL),
      SNARL_THREAD_INIT("producer-0", produce, NULL), SNARL_THREAD_INIT("producer-1", produce, NULL)};
  for (int i = 0; i < 4; i++)
    if (snarl_thread_start(&threads[i]))
      return 1;
  for (int i = 0; i < 4; i++)
    if (snarl_thread_join(&threads[i], SNARL_FOREVER))
      return 1;
  return 0;
}
