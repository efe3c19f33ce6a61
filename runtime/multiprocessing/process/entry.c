/* SPDX-License-Identifier: MIT
 *
 * The entries of this image (see entry.h). They come and go with the modules that they lie in; `guard` protects the
 * list. Entered by any thread, also before main.
 */
#include "entry.h"
#include "core/runtime.h"
#include <dlfcn.h>
#include <string.h>

static uint32_t guard;
static struct snarl_entry *entries;

void snarl_entry_add(struct snarl_entry *entry) {
  snarli_guard(&guard);
  entry->next = entries;
  entries = entry;
  snarli_unguard(&guard);
}

void snarl_entry_remove(struct snarl_entry *entry) {
  snarli_guard(&guard);
  struct snarl_entry **at = &entries;
  while (*at && *at != entry)
    at = &(*at)->next;
  if (*at)
    *at = entry->next;
  snarli_unguard(&guard);
}

static bool is_called(const struct snarl_entry *entry, const char *name, const char *file) {
  return !strcmp(entry->name, name) && !strcmp(entry->file, file);
}

/* NULL: there is none, or more than one. The guard is held. */
static const struct snarl_entry *find_called(const char *name, const char *file) {
  const struct snarl_entry *found = NULL;
  for (const struct snarl_entry *entry = entries; entry; entry = entry->next)
    if (is_called(entry, name, file)) {
      if (found)
        return NULL;
      found = entry;
    }
  return found;
}

const struct snarl_entry *snarli_entry_of(int (*function)(void *argument)) {
  snarli_guard(&guard);
  const struct snarl_entry *entry = entries;
  while (entry && entry->function != function)
    entry = entry->next;
  if (entry && find_called(entry->name, entry->file) != entry)
    entry = NULL;
  snarli_unguard(&guard);
  return entry;
}

const char *snarli_entry_module(const struct snarl_entry *entry) {
  Dl_info info;
  return dladdr(entry, &info) && info.dli_fname ? info.dli_fname : "";
}

static const struct snarl_entry *find(const char *name, const char *file) {
  snarli_guard(&guard);
  const struct snarl_entry *entry = find_called(name, file);
  snarli_unguard(&guard);
  return entry;
}

const struct snarl_entry *snarli_entry_find(const char *name, const char *file, const char *module) {
  const struct snarl_entry *entry = find(name, file);
  if (!entry && *module && dlopen(module, RTLD_NOW))
    entry = find(name, file);
  return entry;
}

void snarli_entries_in_child(void) { guard = 0; }
