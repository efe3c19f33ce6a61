/* SPDX-License-Identifier: MIT
 *
 * The registry of threads: numbers for them, whether they live, and their end. A number is a slot and how often it was
 * used; slots are used again as late as possible. Slots are never freed, so that they can be looked at without a lock.
 * Entered by any thread; a fork leaves the child with the forking thread only.
 */
#include "self.h"
#include "eventcount.h"
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { SLOT_BITS = 18, GENERATION_BITS = 13, CHUNK = 256, CHUNKS = (1 << SLOT_BITS) / CHUNK };

__thread struct snarli_own snarli_own;
static __thread struct snarli_self *own __attribute__((tls_model("initial-exec")));

static struct snarli_self first_chunk[CHUNK];
static struct snarli_self *chunks[CHUNKS] = {first_chunk};
static uint32_t slot_count, registry;
static struct snarli_self *free_first, *free_last;
static pthread_key_t end_key;
static bool has_end_key;
uint32_t snarli_forks;

void snarli_registry_enter(void) { snarli_guard(&registry); }
void snarli_registry_leave(void) { snarli_unguard(&registry); }

struct snarli_self *snarli_self_at(uint32_t slot) {
  struct snarli_self *chunk = slot / CHUNK < CHUNKS ? __atomic_load_n(&chunks[slot / CHUNK], __ATOMIC_ACQUIRE) : NULL;
  return chunk ? &chunk[slot % CHUNK] : NULL;
}

bool snarli_is_alive(uint32_t ident) {
  struct snarli_self *self = snarli_self_at(ident & ((1u << SLOT_BITS) - 1));
  return self && snarli_load(&self->ident) == ident;
}

/* In the registry. */
static struct snarli_self *slot_take(void) {
  struct snarli_self *self = free_first;
  if (self && slot_count >= CHUNK) { /* the first chunk is used up first: a number comes again late */
    free_first = self->next_free;
    return self;
  }
  if (slot_count == 1u << SLOT_BITS)
    return NULL;
  if (!chunks[slot_count / CHUNK]) {
    struct snarli_self *chunk = calloc(CHUNK, sizeof *chunk);
    if (!chunk)
      return NULL;
    __atomic_store_n(&chunks[slot_count / CHUNK], chunk, __ATOMIC_RELEASE);
  }
  self = snarli_self_at(slot_count);
  self->slot = slot_count++;
  return self;
}

/* In the registry. */
static void slot_give(struct snarli_self *self) {
  self->next_free = NULL;
  if (free_first)
    free_last->next_free = self;
  else
    free_first = self;
  free_last = self;
}

static void begin(void) {
  snarli_registry_enter();
  struct snarli_self *self = slot_take();
  snarli_registry_leave();
  if (!self)
    return;
  self->generation = self->generation % ((1u << GENERATION_BITS) - 1) + 1;
  self->tid = (uint32_t)syscall(SYS_gettid);
  own = self;
  snarli_own.ident = self->generation << SLOT_BITS | self->slot;
  snarli_store(&self->ident, snarli_own.ident);
}

void snarli_signals_block(sigset_t *saved) {
  sigset_t all;
  sigfillset(&all);
  snarli_suspend();
  pthread_sigmask(SIG_BLOCK, &all, saved);
  snarli_resume();
}

void snarli_signals_restore(const sigset_t *saved) {
  snarli_suspend();
  pthread_sigmask(SIG_SETMASK, saved, NULL);
  snarli_resume();
}

/* A handler that interrupts this would meet a thread half begun. */
SNARLI_COLD uint32_t snarli_ident_new(void) {
  sigset_t saved;
  snarli_signals_block(&saved);
  if (!snarli_own.ident)
    begin();
  snarli_signals_restore(&saved);
  if (own && has_end_key)
    (void)pthread_setspecific(end_key, (void *)1);
  return snarli_own.ident;
}

struct snarli_self *snarli_self(void) {
  return snarli_ident() ? own : NULL;
}

void snarli_owner_wait_begin(uint32_t *word) {
  struct snarli_self *self = own;
  snarli_add(&self->waits, 1);
  /* Pairs with the exchange of `ident` in end(): either we see that the owner has ended, or it sees us. */
  (void)__atomic_exchange_n(&self->asleep, word, __ATOMIC_SEQ_CST);
}

void snarli_owner_wait_end(void) { __atomic_store_n(&own->asleep, NULL, __ATOMIC_RELEASE); }

/* It may hold any of the locks that others sleep for; all of them look again. One that is about to sleep is not woken
 * yet, so each is woken until it has been seen awake. */
static void wake_waiters(void) {
  struct snarli_self *self;
  for (uint32_t slot = 0; (self = snarli_self_at(slot)); slot++) {
    uint32_t waits = snarli_load(&self->waits);
    uint32_t *word;
    while ((word = __atomic_load_n(&self->asleep, __ATOMIC_SEQ_CST)) && snarli_load(&self->waits) == waits) {
      snarli_unpark(word, INT_MAX);
      sched_yield();
    }
  }
}

static void end(void) {
  struct snarli_self *self = own;
  (void)__atomic_exchange_n(&self->ident, 0, __ATOMIC_SEQ_CST);
  if (snarli_own.held)
    wake_waiters();
  own = NULL;
  snarli_own.ident = snarli_own.held = 0;
  self->thread = NULL;
  self->stand_in.object.kind = 0;
  snarli_registry_enter();
  slot_give(self);
  snarli_registry_leave();
}

/* A thread may use locks in destructors of its own, so ours asks for more rounds and acts in the last but one: the
 * recorder ends the thread in the last. */
static void end_key_destroyed(void *round) {
  if (own && own->values)
    snarli_values_end(own);
  if ((uintptr_t)round < PTHREAD_DESTRUCTOR_ITERATIONS - 1)
    (void)pthread_setspecific(end_key, (void *)((uintptr_t)round + 1));
  else if (own)
    end();
}

static void fork_begins(void) {
  snarli_threads_before_fork();
  snarli_registry_enter();
}

static void fork_is_over(void) {
  snarli_registry_leave();
  snarli_threads_after_fork();
}

static void child_begins(void) {
  snarli_forks++;
  snarli_own.tid = 0;
  for (uint32_t slot = 0; slot < slot_count; slot++) {
    struct snarli_self *self = snarli_self_at(slot);
    self->asleep = NULL;
    if (self == own || !self->ident)
      continue;
    self->ident = 0;
    self->thread = NULL;
    self->stand_in.object.kind = 0;
    slot_give(self);
  }
  if (own)
    own->tid = (uint32_t)syscall(SYS_gettid);
  registry = 0;
  snarli_kept_in_child();
  snarli_threads_in_child(own);
}

static __attribute__((constructor)) void registry_opened(void) {
  has_end_key = pthread_key_create(&end_key, end_key_destroyed) == 0;
  (void)pthread_atfork(fork_begins, fork_is_over, child_begins);
  snarli_threads_open();
}
