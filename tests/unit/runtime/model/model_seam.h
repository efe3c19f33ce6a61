/* SPDX-License-Identifier: MIT
 *
 * What lies below the runtime's seam in the interleaving test: every access to shared words and every sleep is a point
 * at which the scheduler of model.c may go on with another thread. One kernel thread; the threads are coroutines of it.
 */
#ifndef SNARLI_MODEL_SEAM_H
#define SNARLI_MODEL_SEAM_H

#include <snarl/base.h>

/* Another thread may run before the caller goes on. */
void model_point(void);
/* The caller may be killed before it goes on. */
void model_crash_point(void);
bool model_park(uint32_t *word, uint32_t expected, int64_t deadline, bool may_look);
void model_unpark(const uint32_t *word, int count);
uint32_t model_ident(void);
bool model_is_alive(uint32_t ident);
void model_holds(int more);
void model_owner_wait(bool begins);
/* The caller spins: nothing will come of its going on before another thread has written something. */
void model_relax(void);
void model_wrote(void);

static inline uint32_t snarli_load(const uint32_t *word) {
  model_point();
  return *word;
}
static inline void snarli_store(uint32_t *word, uint32_t value) {
  model_point();
  *word = value;
  model_wrote();
}
static inline uint32_t snarli_swap(uint32_t *word, uint32_t value) {
  model_point();
  uint32_t old = *word;
  *word = value;
  model_wrote();
  return old;
}
static inline bool snarli_cas(uint32_t *word, uint32_t *expected, uint32_t value) {
  model_point();
  bool is_equal = *word == *expected;
  *(is_equal ? word : expected) = is_equal ? value : *word;
  if (is_equal)
    model_wrote();
  return is_equal;
}
static inline uint32_t snarli_add(uint32_t *word, uint32_t value) {
  model_point();
  uint32_t old = *word;
  *word += value;
  model_wrote();
  return old;
}
static inline uint64_t snarli_load64(const uint64_t *word) {
  model_point();
  return *word;
}
static inline bool snarli_cas64(uint64_t *word, uint64_t *expected, uint64_t value) {
  model_point();
  bool is_equal = *word == *expected;
  *(is_equal ? word : expected) = is_equal ? value : *word;
  if (is_equal)
    model_wrote();
  return is_equal;
}
static inline uint64_t snarli_add64(uint64_t *word, uint64_t value) {
  model_point();
  uint64_t old = *word;
  *word += value;
  model_wrote();
  return old;
}

static inline void snarli_store64(uint64_t *word, uint64_t value) {
  model_point();
  *word = value;
  model_wrote();
}
static inline uint32_t *snarli_lower_half(const uint64_t *word) {
  return (uint32_t *)(uintptr_t)word + (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__);
}
static inline void *snarli_load_pointer(void *const *pointer) {
  model_point();
  return *pointer;
}
static inline void *snarli_swap_pointer(void **pointer, void *value) {
  model_point();
  void *old = *pointer;
  *pointer = value;
  model_wrote();
  return old;
}
static inline bool snarli_cas_pointer(void **pointer, void **expected, void *value) {
  model_point();
  bool is_equal = *pointer == *expected;
  *(is_equal ? pointer : expected) = is_equal ? value : *pointer;
  if (is_equal)
    model_wrote();
  return is_equal;
}
static inline void snarli_relax(void) { model_relax(); }
static inline void snarli_keep_order(void) { model_crash_point(); }

static inline bool snarli_park(uint32_t *word, uint32_t expected, int64_t deadline) {
  return model_park(word, expected, deadline, false);
}
static inline void snarli_unpark(uint32_t *word, int count) { model_unpark(word, count); }
static inline bool snarli_park_shared(uint32_t *word, uint32_t expected, int64_t deadline) {
  return model_park(word, expected, deadline, true);
}
static inline int snarli_unpark_shared(uint32_t *word, int count) {
  model_unpark(word, count);
  return 0;
}
static inline void snarli_spin(const uint32_t *word, uint32_t expected) { (void)word, (void)expected; }
static inline void snarli_spin_for_several(const uint32_t *word, uint32_t expected, const uint32_t *counter) {
  (void)word, (void)expected, (void)counter;
}
static inline void snarli_spin_apart(const uint32_t *word, uint32_t expected) { (void)word, (void)expected; }
static inline void snarli_spin_together(const uint32_t *word, uint32_t expected) { (void)word, (void)expected; }
static inline uint32_t snarli_processor(void) { return 0; }

/* Time passes when the scheduler wants it to. */
static inline int64_t snarli_deadline(snarl_time timeout) {
  return timeout == SNARL_FOREVER ? SNARLI_NEVER : timeout <= 0 ? SNARLI_PAST : 1;
}

struct robust_list_head;
struct model_own {
  uint32_t ident, held, tid;
  struct robust_list_head *robust;
};
extern struct model_own model_owns[]; /* the last one is nobody's */
unsigned model_self(void);
#define snarli_own (model_owns[model_self()])

static inline uint32_t snarli_ident_known(void) { return model_ident(); }
static inline uint32_t snarli_ident(void) { return model_ident(); }
static inline void snarli_holds(int more) { model_holds(more); }
static inline bool snarli_is_alive(uint32_t ident) {
  model_point();
  return model_is_alive(ident);
}
static inline void snarli_registry_enter(void) {}
static inline void snarli_registry_leave(void) {}
static inline void snarli_owner_wait_begin(uint32_t *word) {
  (void)word;
  model_owner_wait(true);
}
static inline void snarli_owner_wait_end(void) { model_owner_wait(false); }

#endif
