/* SPDX-License-Identifier: MIT
 *
 * A Value and an Array in shared memory, which five processes change under a Lock that they share, too.
 */
#include "pace.h"
#include <stdio.h>
#include <unistd.h>

enum { WORKERS = 5, ITEMS = 5 };

/* Forked processes have it: it is made before they are. */
static struct shared {
  SNARL_VALUE(int) value;
  SNARL_ARRAY(int, ITEMS) array;
  snarl_lock lock;
} * shared;

static void print_array(const char *before) {
  printf("%s[", before);
  for (size_t i = 0; i < ITEMS; i++)
    printf("%s%d", i ? ", " : "", snarl_array_get(&shared->array, i));
  printf("]\n");
}

static int worker(void *name) {
  char before[80];
  printf("process %s (PID %d) begins to work\n", (const char *)name, (int)getpid());
  snarl_with(&shared->lock) {
    int value = snarl_value_update(&shared->value, += 1);
    printf("process %s updates the shared value: %d\n", (const char *)name, value);
    fflush(stdout); /* while nobody else can print his */
  }
  pace_sleep(pace_uniform(0.5, 1.5));
  snarl_with(&shared->lock) {
    int index = pace_integer(0, ITEMS - 1);
    snarl_array_set(&shared->array, index, snarl_value_get(&shared->value));
    snprintf(before, sizeof before, "process %s updates item %d of the shared array: ", (const char *)name, index);
    print_array(before);
    fflush(stdout);
  }
  printf("process %s has done its work\n", (const char *)name);
  return 0;
}

static int run_workers(void) {
  static char names[WORKERS][16];
  snarl_process processes[WORKERS];
  int failed = 0;
  for (int i = 0; i < WORKERS; i++) {
    snprintf(names[i], sizeof names[i], "Process-%d", i);
    snarl_process_init(&processes[i], names[i], worker, names[i]);
    if (snarl_process_start(&processes[i]))
      return 1;
  }
  for (int i = 0; i < WORKERS; i++)
    failed += snarl_process_join(&processes[i], SNARL_FOREVER) != SNARL_OK;
  return failed;
}

int main(void) {
  snarl_shared_memory memory;
  if (snarl_shared_memory_create(&memory, NULL, sizeof *shared))
    return 1;
  shared = (struct shared *)memory.data;
  if (snarl_value_init_shared(&shared->value, "value") || snarl_array_init_shared(&shared->array, "array") ||
      snarl_lock_init_shared(&shared->lock, "lock") || run_workers())
    return 1;
  printf("the shared data at last:\n");
  printf("the shared value: %d\n", snarl_value_get(&shared->value));
  print_array("the shared array: ");
  printf("all processes have done their work\n");
  return snarl_shared_memory_close(&memory);
}
