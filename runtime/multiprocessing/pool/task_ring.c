/* SPDX-License-Identifier: MIT
 *
 * The tasks between a pool and its workers (see task_ring.h). Entered by the pool's threads and the workers'.
 */
#include "task_ring.h"
#include "core/system.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <sys/eventfd.h>
#include <sys/mman.h>

/* Addresses that stand for tasks are mapped without memory behind them; where there is no room for many, they come
 * again sooner. */
enum { TICKETS_MOST = 1 << 26, TICKETS_LEAST = 1 << 16, PAGE = 4096 };

static size_t size_of(unsigned workers) {
  size_t size = sizeof(struct snarli_task_ring) + workers * sizeof(struct snarli_worker_page) +
                (workers + SNARLI_RING) * sizeof(struct snarli_slot);
  return (size + PAGE - 1) / PAGE * PAGE;
}

/* The first `size` bytes can be used, the next `sides` be read. */
static void *mapped(int file, size_t size, size_t sides, uint32_t *tickets) {
  for (*tickets = TICKETS_MOST; *tickets >= TICKETS_LEAST; *tickets /= 2) {
    unsigned char *memory = mmap(NULL, size + sides + *tickets, PROT_NONE, MAP_SHARED | MAP_NORESERVE, file, 0);
    if (memory == MAP_FAILED)
      continue;
    if (!mprotect(memory, size, PROT_READ | PROT_WRITE) && !mprotect(memory + size, sides, PROT_READ))
      return memory;
    (void)munmap(memory, size + sides + *tickets);
  }
  return NULL;
}

static int status_of(long error) {
  return error == -ENOMEM || error == -ENOSPC ? SNARL_NO_MEMORY : SNARL_NO_DESCRIPTOR;
}

static struct snarli_task_ring *ring_map(unsigned workers, int file) {
  uint32_t tickets;
  int saved = errno;
  size_t size = size_of(workers), sides = (size_t)(workers + SNARLI_RING) * SNARLI_SIDE_ROOM;
  /* Memory that is not there would be a SIGBUS in the midst of something. */
  bool has_memory = size + sides <= snarli_file_most() && !snarli_system(SYS_fallocate, file, 0, 0L, (long)size) &&
                    !snarli_system(SYS_ftruncate, file, (long)(size + sides));
  void *memory = !has_memory ? NULL : mapped(file, size, sides, &tickets);
  errno = saved;
  if (!memory)
    return NULL;
  struct snarli_task_ring *ring = memory;
  ring->workers = workers;
  ring->slots = workers + SNARLI_RING;
  ring->size = size;
  ring->tickets = ring->file_end = size + sides;
  ring->ticket_mask = tickets - 1;
  ring->head = 1;
  return ring;
}

struct snarli_task_ring *snarli_tasks_new(unsigned workers, uint32_t alive, const char *name, int *status,
                                          struct snarl_site *site) {
  long file = snarli_system(SYS_memfd_create, "snarl-pool", MFD_CLOEXEC);
  long bell = file < 0 ? file : snarli_system(SYS_eventfd2, 0, EFD_CLOEXEC | EFD_NONBLOCK);
  struct snarli_task_ring *ring = bell < 0 ? NULL : ring_map(workers, (int)file);
  *status = bell < 0 ? status_of(bell) : SNARL_NO_MEMORY;
  if (!ring) {
    if (bell >= 0)
      (void)snarli_system(SYS_close, bell);
    if (file >= 0)
      (void)snarli_system(SYS_close, file);
    return NULL;
  }
  *status = SNARL_OK;
  ring->file = (int)file;
  ring->bell = (int)bell;
  (void)snarli_object_begin_shared(&ring->object, alive, snarli_tasks_mapped(ring), name, site);
  return ring;
}

void snarli_tasks_free(struct snarli_task_ring *ring, size_t mapped, bool is_forgotten) {
  int saved = errno;
  (void)snarli_system(SYS_close, ring->bell);
  (void)snarli_system(SYS_close, ring->file);
  if (!is_forgotten && snarli_records())
    snarli_unmapped(ring, mapped);
  (void)munmap(ring, mapped);
  errno = saved;
}

/* A read-modify-write, so that either a worker that is about to sleep sees the entry or the pool sees the sleeper. */
bool snarli_tasks_offer(struct snarli_task_ring *ring, uint64_t turn, unsigned slot) {
  uint64_t *entry = &ring->entries[turn % SNARLI_RING], old = *entry;
  if (!snarli_tasks_has_room(ring, turn))
    return false;
  snarli_store64(&snarli_slot_at(ring, slot)->state, snarli_slot_state(turn, 0, SNARLI_SLOT_READY));
  (void)snarli_cas64(entry, &old, turn << 16 | slot);
  return true;
}

void snarli_tasks_wake(struct snarli_task_ring *ring, bool all) {
  struct snarli_eventcount *count = &ring->work;
  uint64_t state = snarli_load64(&count->state), next;
  do {
    uint64_t sleepers = state >> 32;
    if (!sleepers && !all)
      return;
    next = (all ? 0 : sleepers - 1) << 32 | (uint32_t)(state + 1);
  } while (!snarli_cas64(&count->state, &state, next));
  snarli_unpark_shared(snarli_eventcount_word(count), all ? INT_MAX : 1);
}

bool snarli_slot_take_back(struct snarli_slot *slot) {
  uint64_t state = snarli_load64(&slot->state);
  return snarli_slot_phase(state) == SNARLI_SLOT_READY &&
         snarli_cas64(&slot->state, &state, state - SNARLI_SLOT_READY + SNARLI_SLOT_TAKEN_BACK);
}

uint32_t snarli_tasks_collect(struct snarli_task_ring *ring) {
  if (!snarli_load(&ring->done))
    return 0;
  uint32_t first = 0;
  for (uint32_t at = snarli_swap(&ring->done, 0), next; at; at = next) { /* the last one is in front */
    struct snarli_slot *slot = snarli_slot_at(ring, at - 1);
    next = slot->next;
    slot->next = first;
    first = at;
  }
  return first;
}

/* The caller has seen the slot with this turn: claims it if nobody has. */
static bool claim(struct snarli_slot *slot, uint64_t turn, unsigned worker) {
  uint64_t state = snarli_load64(&slot->state);
  while (state == snarli_slot_state(turn, 0, SNARLI_SLOT_READY) ||
         state == snarli_slot_state(turn, 0, SNARLI_SLOT_TAKEN_BACK)) {
    bool is_ready = snarli_slot_phase(state) == SNARLI_SLOT_READY;
    if (snarli_cas64(&slot->state, &state,
                     snarli_slot_state(turn, worker, is_ready ? SNARLI_SLOT_CLAIMED : SNARLI_SLOT_PASSED)))
      return true;
  }
  return false;
}

struct snarli_slot *snarli_tasks_claim(struct snarli_task_ring *ring, unsigned worker) {
  for (;;) {
    uint64_t turn = snarli_load64(&ring->head), entry = snarli_load64(&ring->entries[turn % SNARLI_RING]);
    if (entry >> 16 != turn) {
      if (snarli_load64(&ring->head) == turn)
        return NULL;
      continue;
    }
    struct snarli_slot *slot = snarli_slot_at(ring, entry & UINT16_MAX);
    bool is_mine = claim(slot, turn, worker);
    (void)snarli_cas64(&ring->head, &turn, turn + 1); /* also for one that was killed before it could */
    if (is_mine)
      return slot;
  }
}

/* The pool's process has ended: there is nobody to work for. */
static bool is_orphan(int parent) { return snarli_system(SYS_getppid) != parent; }

/* False: no task was announced since `key`, and none will be. */
static bool idle(struct snarli_task_ring *ring, uint32_t key, int parent) {
  uint32_t *word = snarli_eventcount_word(&ring->work);
  while (snarli_load(word) == key) { /* who looks again finds a task whose announcement a killed worker took along */
    if (snarli_load(&ring->is_over) || is_orphan(parent))
      return false;
    (void)snarli_park_shared(word, key, SNARLI_NEVER);
    uint64_t turn = snarli_load64(&ring->head);
    if (snarli_load64(&ring->entries[turn % SNARLI_RING]) >> 16 == turn)
      break;
  }
  snarli_eventcount_leave(&ring->work, key);
  return true;
}

struct snarli_slot *snarli_tasks_await(struct snarli_task_ring *ring, unsigned worker, int parent) {
  for (;;) {
    uint64_t turn = snarli_load64(&ring->head);
    const uint32_t *entry = snarli_lower_half(&ring->entries[turn % SNARLI_RING]);
    uint32_t seen = snarli_load(entry);
    struct snarli_slot *slot = snarli_tasks_claim(ring, worker);
    if (slot)
      return slot;
    snarli_spin(entry, seen);
    (void)sched_yield(); /* the pool goes on on this processor, which is cheaper than a sleep each time */
    if (snarli_load(entry) != seen)
      continue;
    uint32_t key = snarli_eventcount_announce(&ring->work);
    slot = snarli_tasks_claim(ring, worker);
    if (slot || snarli_load(&ring->is_over)) {
      snarli_eventcount_leave(&ring->work, key);
      return slot;
    }
    if (snarli_records())
      snarli_record_aux(SNARLI_R_EXECUTOR_IDLE, 0, snarli_address(ring), 0);
    if (!idle(ring, key, parent))
      return NULL;
  }
}

void snarli_slot_done(struct snarli_task_ring *ring, struct snarli_slot *slot) {
  uint64_t state = snarli_load64(&slot->state);
  if (snarli_slot_phase(state) == SNARLI_SLOT_CLAIMED)
    snarli_store64(&slot->state, state - SNARLI_SLOT_CLAIMED + SNARLI_SLOT_DONE);
  uint32_t mine = (uint32_t)(slot - snarli_slot_at(ring, 0)) + 1, first = snarli_load(&ring->done);
  do
    slot->next = first;
  while (!snarli_cas(&ring->done, &first, mine));
  if (!first) /* who has made it more than nothing tells the collector */
    snarli_tasks_call(ring);
}

void snarli_tasks_call(struct snarli_task_ring *ring) {
  if (!snarli_load(&ring->collector_sleeps) || !snarli_swap(&ring->collector_sleeps, 0))
    return;
  uint64_t one = 1;
  (void)snarli_system(SYS_write, ring->bell, &one, sizeof one);
}
