/* SPDX-License-Identifier: MIT
 *
 * Value and Array, RawValue and RawArray: their memory, their lock and the records of their accesses. Entered by any
 * thread of any process that has the memory.
 */
#include "core/runtime.h"
#include <errno.h>
#include <snarl/value.h>
#include <stdlib.h>
#include <sys/mman.h>

int snarli_value_init(snarl_rlock *lock, struct snarl_object *shared, const char *name, struct snarl_site *site) {
  int status = snarl_rlock_init_shared_at(lock, name, site);
  if (status || !shared)
    return status;
  return snarl_shared_init_shared_at(shared, name, site);
}

void *snarli_raw_new(size_t size) {
  int saved = errno;
  void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  errno = saved;
  if (memory == MAP_FAILED)
    return NULL;
  if (snarli_records()) /* before the forks that make it shared */
    snarli_mapped(memory, size);
  return memory;
}

void snarli_raw_free(void *memory, size_t size) {
  if (!memory)
    return;
  if (snarli_records())
    snarli_unmapped(memory, size);
  int saved = errno;
  (void)munmap(memory, size);
  errno = saved;
}

void *snarli_raw_value_new(size_t size, const char *name, struct snarl_site *site) {
  struct snarl_object *value = snarli_raw_new(size);
  if (value)
    (void)snarl_shared_init_shared_at(value, name, site);
  return value;
}

void *snarli_value_new(size_t size, size_t shared, const char *name, struct snarl_site *site) {
  char *value = snarli_raw_new(size);
  if (!value)
    return NULL;
  struct snarl_object *variable = shared ? (struct snarl_object *)(void *)(value + shared) : NULL;
  if (snarli_value_init((snarl_rlock *)(void *)value, variable, name, site) == SNARL_OK)
    return value;
  snarli_raw_free(value, size);
  return NULL;
}

void snarli_value_free(snarl_rlock *lock, size_t size) { snarli_raw_free(lock, size); }

/* What a killed owner may have left half done is one store, which is done or not. */
bool snarli_value_enter(snarl_rlock *lock, struct snarl_site *site) {
  int status = snarl_rlock_acquire_at(lock, SNARL_FOREVER, site);
  return status == SNARL_OK || status == SNARL_RECOVERED;
}

void snarli_value_leave(snarl_rlock *lock, bool is_held, struct snarl_site *site) {
  if (is_held)
    (void)snarl_rlock_release_at(lock, site);
}

static SNARLI_COLD void out_of_range(const volatile void *items, struct snarl_site *site) {
  (void)snarli_refuse(SNARL_INVALID, (const void *)items, site);
  abort();
}

/* Each item is a variable of its own: who writes another does not race. */
static SNARLI_COLD void note(const volatile void *item, int how, struct snarl_site *site) {
  if (how & SNARLI_READS)
    snarli_record_aux(SNARLI_R_SHARED_READ, 0, snarli_address(item), snarli_place(site));
  if (how & SNARLI_WRITES)
    snarli_record_aux(SNARLI_R_SHARED_WRITTEN, 0, snarli_address(item), snarli_place(site));
}

size_t snarli_item(size_t index, size_t length, const volatile void *items, size_t size, int how,
                   struct snarl_site *site) {
  if (__builtin_expect(index >= length, 0))
    out_of_range(items, site);
  if (snarli_records())
    note((const volatile char *)items + index * size, how, site);
  return index;
}
