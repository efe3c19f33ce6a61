/* SPDX-License-Identifier: MIT
 *
 * A worker process of a pool, from inside: its initializer, then one chunk of tasks after another until there will be
 * none. Entered by the main thread of the worker.
 */
#include "process_pool.h"
#include <stdlib.h>
#include <string.h>

struct labour {
  struct snarli_task_ring *ring;
  struct snarli_worker_page *page;
  unsigned number;
  uint32_t forks; /* of this process */
  struct snarli_buffer incoming, outgoing;
  snarl_any one_value, *values;
  struct snarl_error *one_error, **errors;
  uint32_t room; /* in the two; 0: only for one */
};

static bool make_room(struct labour *labour, uint32_t count) {
  if (count <= labour->room || count <= 1)
    return true;
  snarl_any *values = calloc(count, sizeof *values);
  struct snarl_error **errors = calloc(count, sizeof *errors);
  if (!values || !errors) {
    free(values);
    free(errors);
    return false;
  }
  free(labour->values);
  free(labour->errors);
  labour->values = values;
  labour->errors = errors;
  labour->room = count;
  return true;
}

/* One item. A task that gives back an error has failed, too. */
static void run(snarl_process_task *task, struct snarli_items *items, snarl_any *value, struct snarl_error **error) {
  snarl_auto_any argument = SNARL_NIL;
  int status = snarli_items_next(items, &argument, error);
  if (!status) {
    snarli_fail_into(error);
    *value = task(argument);
    snarli_fail_into(NULL);
    status = snarl_any_status(*value);
  }
  if (status && !*error)
    *error = snarli_error_print(status, "%s", snarl_status_text(status));
}

static void note(const struct labour *labour, enum snarli_record_type type, unsigned arg,
                 const struct snarli_slot *slot) {
  if (snarli_records())
    snarli_record_aux(type, arg, snarli_ticket_address(labour->ring, slot->ticket), 0);
}

/* All items of the chunk. False: one of them has forked, and this is the other process. */
static bool run_all(struct labour *labour, struct snarli_slot *slot, struct snarli_items *items, snarl_any *values,
                    struct snarl_error **errors) {
  bool has_failed = false;
  for (uint32_t i = 0; i < slot->count; i++) {
    __atomic_store_n(&slot->at, i, __ATOMIC_RELAXED);
    values[i] = SNARL_NIL;
    errors[i] = NULL;
    run(slot->task, items, &values[i], &errors[i]);
    if (snarli_forks != labour->forks)
      return false;
    has_failed |= errors[i] != NULL;
  }
  note(labour, SNARLI_R_TASK_ENDED, has_failed, slot);
  return true;
}

static void forget(snarl_any *values, struct snarl_error **errors, uint32_t count) {
  for (uint32_t i = 0; i < count; i++) {
    snarl_any_drop(&values[i]);
    if (errors[i])
      snarli_error_free(errors[i]);
  }
}

/* The arguments are read before the results take their place. */
static bool work(struct labour *labour, struct snarli_slot *slot) {
  struct snarli_items items;
  note(labour, SNARLI_R_TASK_BEGUN, 0, slot);
  int status = snarli_items_open(labour->ring, slot, &items, &labour->incoming);
  if (!status && !make_room(labour, slot->count))
    status = SNARL_NO_MEMORY;
  if (status) {
    note(labour, SNARLI_R_TASK_ENDED, 1, slot);
    snarli_results_fail(slot, status);
    return true;
  }
  snarl_any *values = slot->count == 1 ? &labour->one_value : labour->values;
  struct snarl_error **errors = slot->count == 1 ? &labour->one_error : labour->errors;
  if (!run_all(labour, slot, &items, values, errors))
    return false;
  status = snarli_results_write(labour->ring, slot, values, errors, slot->count, &labour->outgoing);
  if (status)
    snarli_results_fail(slot, status);
  forget(values, errors, slot->count);
  return true;
}

/* What it says when it fails is for the pool to tell. */
static bool initialize(const struct snarl_pool_options *options, struct snarli_worker_page *page) {
  struct snarl_error *error = NULL;
  snarli_fail_into(&error);
  if (options->initializer)
    options->initializer(options->initializer_context);
  snarli_fail_into(NULL);
  if (!error)
    return true;
  page->code = error->code;
  strncpy(page->reason, *error->message ? error->message : "(no reason)", sizeof page->reason - 1);
  snarli_error_free(error);
  return false;
}

static void work_on(struct labour *labour, unsigned most, int parent) {
  for (unsigned done = 0; !most || done < most;) {
    struct snarli_slot *slot = snarli_tasks_await(labour->ring, labour->number, parent);
    if (!slot)
      break;
    if (snarli_slot_phase(snarli_load64(&slot->state)) == SNARLI_SLOT_CLAIMED) {
      if (!work(labour, slot))
        return; /* a task that forked came back twice */
      done++;
    }
    snarli_slot_done(labour->ring, slot);
  }
  snarli_store(&labour->page->phase, SNARLI_WORKER_LEAVES);
}

int snarli_worker_run(snarl_process *process) {
  const struct snarli_worker *worker = (const struct snarli_worker *)(void *)process;
  const struct snarli_process_pool *pool = worker->pool;
  struct labour labour = {.ring = pool->ring, .number = worker->number, .forks = snarli_forks};
  labour.page = snarli_worker_page(pool->ring, worker->number);
  if (!initialize(&pool->options, labour.page))
    return 1;
  if (snarli_records())
    snarli_record_aux(SNARLI_R_EXECUTOR_WORKER, 0, snarli_address(pool->ring), 0);
  snarli_store(&labour.page->phase, SNARLI_WORKER_WORKS);
  work_on(&labour, pool->options.max_tasks_per_child, pool->pid);
  snarli_buffer_free(&labour.incoming);
  snarli_buffer_free(&labour.outgoing);
  free(labour.values);
  free(labour.errors);
  return 0;
}
