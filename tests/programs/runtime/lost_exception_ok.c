/* SPDX-License-Identifier: MIT
 *
 * A task fails, and whoever wants its result is told; another's error is looked at by a callback.
 */
#include <snarl/snarl.h>

static void *task(void *argument) { return argument ? argument : snarl_fail(1, "nothing to do"); }
static void look(snarl_future *future, void *message) { *(const char **)message = snarl_future_error(future)->message; }

int main(void) {
  const char *message = NULL;
  snarl_future *asked = NULL, *watched = NULL;
  snarl_executor pool;
  if (snarl_executor_init(&pool, "pool", &(struct snarl_executor_options){.workers = 1}) ||
      snarl_executor_submit(&pool, task, NULL, &asked) || snarl_executor_submit(&pool, task, NULL, &watched) ||
      snarl_future_add_done_callback(watched, look, &message))
    return 1;
  int status = snarl_future_result(asked, SNARL_FOREVER, NULL);
  snarl_future_drop(asked);
  snarl_future_drop(watched);
  return status != SNARL_FAILED || snarl_executor_destroy(&pool) || !message;
}
