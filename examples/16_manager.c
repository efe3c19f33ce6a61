/* SPDX-License-Identifier: MIT
 *
 * A dict and a list of a Manager, which five processes change under a Lock of the same Manager.
 */
#include "pace.h"
#include <stdio.h>

enum { WORKERS = 5 };

static snarl_dict shared_dict;
static snarl_list shared_list;
static snarl_lock *lock;

static void print(const char *before, snarl_any all) {
  snarl_any text = snarl_any_text(all);
  printf("%s%s\n", before, snarl_any_as_string(text));
  fflush(stdout); /* while nobody else can print his */
  snarl_any_drop(&text);
  snarl_any_drop(&all);
}

static int worker(void *name) {
  char before[80];
  printf("process %s begins to work\n", (const char *)name);
  fflush(stdout);
  snarl_with(lock) {
    snarl_dict_set(&shared_dict, (const char *)name, pace_integer(1, 100));
    snprintf(before, sizeof before, "process %s updates the shared dict: ", (const char *)name);
    print(before, snarl_dict_copy(&shared_dict));
  }
  pace_sleep(pace_uniform(0.5, 1.5));
  snarl_with(lock) {
    snarl_list_append(&shared_list, snarl_any_stringf("data of %s", (const char *)name));
    snprintf(before, sizeof before, "process %s updates the shared list: ", (const char *)name);
    print(before, snarl_list_copy(&shared_list));
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
  {
    snarl_auto_manager manager = {.inside = NULL};
    if (snarl_manager_start(&manager, "manager", NULL) || snarl_manager_dict(&manager, &shared_dict, NULL) ||
        snarl_manager_list(&manager, &shared_list, NULL) || !(lock = snarl_manager_lock(&manager, "lock")) ||
        run_workers())
      return 1;
    printf("the shared data at last:\n");
    print("the shared dict: ", snarl_dict_copy(&shared_dict));
    print("the shared list: ", snarl_list_copy(&shared_list));
  }
  printf("all processes have done their work\n");
  return 0;
}
