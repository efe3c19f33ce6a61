/* SPDX-License-Identifier: MIT
 *
 * One chunk of a map never ends, while another pool has nothing to do.
 */
#include <snarl/snarl.h>
#include <sys/mman.h>

enum { ITEMS = 6 };

static snarl_lock *lock;

static snarl_any task(snarl_any number) {
  if (snarl_any_as_int(number) == 3)
    (void)snarl_lock_acquire(lock, SNARL_FOREVER); /* main has it */
  return number;
}

int main(void) {
  static const struct snarl_pool_options one = {.workers = 1};
  snarl_pool pool, idle;
  snarl_any numbers[ITEMS], results[ITEMS];
  lock = mmap(NULL, sizeof *lock, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (lock == MAP_FAILED || snarl_lock_init_shared(lock, "lock"))
    return 1;
  if (snarl_pool_init(&pool, "pool", &one) || snarl_pool_init(&idle, "idle", &one))
    return 1;
  for (int i = 0; i < ITEMS; i++)
    numbers[i] = snarl_any_int(i);
  (void)snarl_lock_acquire(lock, SNARL_FOREVER);
  int status = snarl_pool_map(&pool, task, numbers, ITEMS, 1, results, SNARL_FOREVER);
  (void)snarl_lock_release(lock);
  return status || snarl_pool_destroy(&idle) || snarl_pool_close(&pool) || snarl_pool_join(&pool, SNARL_FOREVER) ||
         snarl_pool_destroy(&pool);
}
