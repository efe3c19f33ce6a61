/* SPDX-License-Identifier: MIT
 *
 * Entries: functions that a fresh image of this program can be told to run, by name. At file scope, once for a
 * function:
 *
 *   static int work(void *job) { ... }
 *   SNARL_ENTRY(work);
 *
 * An entry is known from the moment when the executable or the shared library that it lies in is loaded. Those of a
 * library that was loaded by dlopen are found as well: the fresh image loads it, by the path that it has here. Entries
 * of one name are told apart by their source files. In C++ it stands in the namespace of the function.
 */
#ifndef SNARL_ENTRY_H
#define SNARL_ENTRY_H

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/* One for each entry, in static storage. Its fields are the library's. */
struct snarl_entry {
  const char *name, *file;
  int (*function)(void *argument);
  struct snarl_entry *next;
};

/* A constructor and a destructor, which every linker keeps and every loader runs: a section of pointers would need a
 * constructor in each library all the same, to say where it lies. */
#define SNARL_ENTRY(function)                                                                                          \
  static struct snarl_entry snarl_entry_of_##function = {#function, __FILE__, (function), 0};                          \
  static __attribute__((constructor)) void snarl_entry_begin_##function(void) {                                        \
    snarl_entry_add(&snarl_entry_of_##function);                                                                       \
  }                                                                                                                    \
  static __attribute__((destructor)) void snarl_entry_end_##function(void) {                                           \
    snarl_entry_remove(&snarl_entry_of_##function);                                                                    \
  }                                                                                                                    \
  typedef int snarl_entry_is_##function

void snarl_entry_add(struct snarl_entry *entry);
void snarl_entry_remove(struct snarl_entry *entry);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
