/* SPDX-License-Identifier: MIT
 *
 * Thread-local data: one name, and in each thread a value of its own.
 */
#include "pace.h"
#include <stdio.h>

enum { WORKERS = 5 };

struct data {
  int value;
  const char *name;
};

static snarl_local local_data = SNARL_LOCAL_INIT("local_data", struct data, NULL, NULL);

/* Elsewhere, without being told which thread this is. */
static void process_data(void) {
  const struct data *data = snarl_local_get(&local_data);
  printf("processing data: value=%d, name=%s\n", data->value, data->name);
}

static void *worker(void *name) {
  struct data *data = snarl_local_get(&local_data); /* zeroed at first */
  if (!data)
    return NULL;
  data->value = pace_integer(1, 100);
  data->name = name;
  printf("local data of thread %s: value=%d, name=%s\n", (const char *)name, data->value, data->name);
  process_data();
  return NULL;
}

int main(void) {
  static char names[WORKERS][16];
  snarl_thread threads[WORKERS];
  for (int i = 0; i < WORKERS; i++) {
    snprintf(names[i], sizeof names[i], "Thread-%d", i);
    snarl_thread_init(&threads[i], names[i], worker, names[i]);
    if (snarl_thread_start(&threads[i]))
      return 1;
  }
  for (int i = 0; i < WORKERS; i++)
    snarl_thread_join(&threads[i], SNARL_FOREVER);
  return 0;
}
