/* SPDX-License-Identifier: MIT
 *
 * Thread-local values. Each snarl_local in use has a key, by which each thread's table holds its value; keys are used
 * again, and since no generation is used twice it tells a value from one of an earlier local with the key. A table is
 * entered by its own thread only; keys by any thread, in the registry.
 */
#include "core/self.h"
#include <snarl/local.h>
#include <stdlib.h>
#include <string.h>

struct snarli_value {
  void *memory; /* NULL: none */
  void (*destruct)(void *value);
  uint64_t generation;
};

enum { DESTRUCTION_ROUNDS = 4 }; /* a destructor may ask for values itself */

static uint32_t *free_keys; /* room for all keys */
static uint32_t free_count, key_count, key_room;
static uint64_t generations;

/* In the registry. */
static bool key_take(snarl_local *local) {
  if (!free_count && key_count == key_room) {
    uint32_t room = key_room ? key_room * 2 : 16;
    uint32_t *bigger = realloc(free_keys, room * sizeof *bigger);
    if (!bigger)
      return false;
    free_keys = bigger;
    key_room = room;
  }
  local->generation = ++generations;
  snarli_store(&local->key, free_count ? free_keys[--free_count] : ++key_count);
  return true;
}

static uint32_t key_of(snarl_local *local) {
  uint32_t key = snarli_load(&local->key);
  if (__builtin_expect(key != 0, 1))
    return key;
  snarli_registry_enter();
  bool is_there = local->key || key_take(local);
  snarli_registry_leave();
  return is_there ? local->key : 0;
}

static void value_end(struct snarli_value *value) {
  void *memory = value->memory;
  value->memory = NULL;
  if (memory && value->destruct)
    value->destruct(memory);
  free(memory);
}

static bool table_reach(struct snarli_self *self, uint32_t key) {
  if (key <= self->value_count)
    return true;
  uint32_t count = key + 7;
  struct snarli_value *bigger = realloc(self->values, count * sizeof *bigger);
  if (!bigger)
    return false;
  memset(bigger + self->value_count, 0, (count - self->value_count) * sizeof *bigger);
  self->values = bigger;
  self->value_count = count;
  return true;
}

static SNARLI_COLD void *value_begin(snarl_local *local, struct snarli_self *self, uint32_t key) {
  void *memory = table_reach(self, key) ? calloc(1, local->size) : NULL;
  if (!memory)
    return NULL;
  value_end(&self->values[key - 1]);
  self->values[key - 1] = (struct snarli_value){memory, local->destruct, local->generation};
  if (local->construct)
    local->construct(memory); /* which may move the table */
  return memory;
}

void *snarl_local_get_at(snarl_local *local, struct snarl_site *site) {
  if (snarli_check((struct snarl_object *)local, SNARLI_ALIVE(LOCAL), site))
    return NULL;
  struct snarli_self *self = snarli_self();
  uint32_t key = self && local->size ? key_of(local) : 0;
  if (__builtin_expect(!key, 0))
    return NULL;
  struct snarli_value *value = key <= self->value_count ? &self->values[key - 1] : NULL;
  if (__builtin_expect(value && value->memory && value->generation == local->generation, 1))
    return value->memory;
  return value_begin(local, self, key);
}

void snarli_values_end(struct snarli_self *self) {
  bool is_any = true;
  for (int round = 0; is_any && round < DESTRUCTION_ROUNDS; round++) {
    is_any = false;
    for (uint32_t i = 0; i < self->value_count; i++) {
      is_any |= self->values[i].memory != NULL;
      value_end(&self->values[i]);
    }
  }
  free(self->values);
  self->values = NULL;
  self->value_count = 0;
}

int snarl_local_init_at(snarl_local *local, const char *name, size_t size, void (*construct)(void *),
                        void (*destruct)(void *), struct snarl_site *site) {
  if (!local || !size)
    return snarli_refuse(SNARL_INVALID, local, site);
  *local = (snarl_local){.size = size, .construct = construct, .destruct = destruct};
  return snarli_object_begin(&local->object, SNARLI_ALIVE(LOCAL), name, site);
}

int snarl_local_destroy_at(snarl_local *local, struct snarl_site *site) {
  int status = snarli_check((struct snarl_object *)local, SNARLI_ALIVE(LOCAL), site);
  if (status)
    return status;
  struct snarli_self *self = local->key ? snarli_self() : NULL;
  struct snarli_value *value = self && local->key <= self->value_count ? &self->values[local->key - 1] : NULL;
  if (value && value->generation == local->generation)
    value_end(value);
  snarli_object_end(&local->object);
  snarli_registry_enter();
  if (local->key)
    free_keys[free_count++] = local->key;
  local->key = 0;
  snarli_registry_leave();
  return SNARL_OK;
}
