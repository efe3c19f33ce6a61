/* SPDX-License-Identifier: MIT
 *
 * What the kernel knows of threads that have locks between processes, and what it does when one ends or is killed: as
 * exit_robust_list and handle_futex_death of kernel/futex/core.c.
 */
#include "kernel.h"
#include "core/seam.h"
#include "model.h"
#include <linux/futex.h>
#include <string.h>

enum { WORD_OFFSET = -32, FIRST_TID = 1000, ENTRIES_MOST = 16 };

struct model_own model_owns[MODEL_THREADS + 1];
static struct robust_list_head heads[MODEL_THREADS + 1];

static uint32_t *word_of(struct robust_list *entry) { return (uint32_t *)(void *)((char *)entry + WORD_OFFSET); }

static void wake_one(uint32_t *word) { model_wake(word, 1); }

static void word_left(uint32_t *word, uint32_t tid, bool is_pending) {
  if (is_pending && !*word) {
    wake_one(word);
    return;
  }
  if ((*word & FUTEX_TID_MASK) != tid)
    return;
  bool has_waiters = *word & FUTEX_WAITERS;
  *word = (*word & FUTEX_WAITERS) | FUTEX_OWNER_DIED;
  if (has_waiters)
    wake_one(word);
}

static void thread_ended(unsigned number) {
  struct robust_list_head *head = &heads[number];
  struct robust_list *entry = head->list.next, *pending = head->list_op_pending;
  uint32_t tid = model_owns[number].tid;
  for (int i = 0; entry != &head->list; i++, entry = entry->next) {
    if (i == ENTRIES_MOST) {
      model_failed("the kernel's list comes to an end", __FILE__, __LINE__);
      return;
    }
    if (entry != pending)
      word_left(word_of(entry), tid, false);
  }
  if (pending)
    word_left(word_of(pending), tid, true);
}

void kernel_begin(void) {
  for (unsigned i = 0; i <= MODEL_THREADS; i++) {
    heads[i] = (struct robust_list_head){.list = {&heads[i].list}, .futex_offset = WORD_OFFSET};
    model_owns[i] = (struct model_own){.tid = FIRST_TID + i, .robust = &heads[i]};
  }
  model_ended = thread_ended;
}

bool kernel_lists_are_empty(void) {
  for (unsigned i = 0; i <= MODEL_THREADS; i++)
    if (model_owns[i].tid && (heads[i].list.next != &heads[i].list || heads[i].list_op_pending) && !model_has_killed())
      return false;
  return true;
}
