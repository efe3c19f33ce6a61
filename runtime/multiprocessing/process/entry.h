/* SPDX-License-Identifier: MIT
 *
 * Entries from the inside: the functions of this image that have names. Entered by any thread.
 */
#ifndef SNARLI_ENTRY_H
#define SNARLI_ENTRY_H

#include <snarl/entry.h>

/* The entry of a function, NULL: it has none, or another one is called the same. */
const struct snarl_entry *snarli_entry_of(int (*function)(void *argument));
/* The file that it was loaded from. */
const char *snarli_entry_module(const struct snarl_entry *entry);
/* The other way round, in another image of the program: loads the module if need be. NULL: there is none. */
const struct snarl_entry *snarli_entry_find(const char *name, const char *file, const char *module);
void snarli_entries_in_child(void);

#endif
