/* SPDX-License-Identifier: MIT
 *
 * Frees blocks with mutexes at their beginning, inside and at their end, and says whether they came to the program's
 * own allocator; compare.sh runs it with and without the shim.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

extern void *_Atomic allocator_last_freed;

static char *block_with_mutex(size_t size, size_t at) {
  char *block = malloc(size);
  pthread_mutex_t *mutex = (pthread_mutex_t *)(void *)(block + at);
  *mutex = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
  if (pthread_mutex_lock(mutex) || pthread_mutex_unlock(mutex))
    abort();
  return block;
}

int main(void) {
  static const size_t sizes[] = {sizeof(pthread_mutex_t), 600, 5000, 3000000};
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
    for (size_t third = 0; third < 3; third++) {
      size_t at = (sizes[i] - sizeof(pthread_mutex_t)) / 2 * third / 8 * 8;
      char *block = block_with_mutex(sizes[i], at);
      free(block);
      printf("%zu + %zu: %s\n", sizes[i], at, allocator_last_freed == block ? "freed" : "lost");
      block = block_with_mutex(sizes[i], at);
      void *old = block, *bigger = realloc(block, 2 * sizes[i]);
      printf("%zu + %zu: %s\n", sizes[i], at, bigger && allocator_last_freed == old ? "moved" : "lost");
    }
  return 0;
}
