/* SPDX-License-Identifier: MIT
 *
 * Timers: those that are started, in the order of their deadlines, and the thread that calls them. Entered by any
 * thread; the functions run in the timers' thread, with nothing held.
 */
#include "timer.h"
#include "core/self.h"
#include <limits.h>
#include <snarl/thread.h>

enum state { NEW, PENDING, CALLED, ENDED, CANCELLED };

static uint32_t guard;
static snarl_timer *first, *last, *called; /* guarded */
static uint32_t changes;                   /* the thread sleeps on it */
static uint32_t beginning;                 /* a guard */
static bool begun;
static snarl_thread timers_thread;

static void list_insert(snarl_timer *timer) {
  snarl_timer *before = last;
  while (before && before->deadline > timer->deadline)
    before = before->previous;
  timer->previous = before;
  timer->next = before ? before->next : first;
  *(timer->next ? &timer->next->previous : &last) = timer;
  *(before ? &before->next : &first) = timer;
}

static void list_remove(snarl_timer *timer) {
  *(timer->next ? &timer->next->previous : &last) = timer->previous;
  *(timer->previous ? &timer->previous->next : &first) = timer->next;
}

/* The guard is held, and let go. The timer may be gone once its state is stored. */
static void finish(snarl_timer *timer, enum state state) {
  uint32_t *word = &timer->state;
  snarli_store(word, state);
  (void)snarli_add(&changes, 1);
  snarli_unguard(&guard);
  snarli_unpark(word, INT_MAX);
  snarli_unpark(&changes, INT_MAX);
}

static void call(snarl_timer *timer) {
  if (snarli_records())
    snarli_note(SNARLI_R_TIMER_FIRED, 0, &timer->object, &timer->object.site);
  timer->function(timer->argument);
  if (snarli_records())
    snarli_note(SNARLI_R_TIMER_ENDED, 0, &timer->object, &timer->object.site);
  snarli_guard(&guard);
  called = NULL;
  finish(timer, ENDED);
}

static void *run(snarl_thread *self) {
  (void)self;
  for (;;) {
    snarli_guard(&guard);
    uint32_t seen = snarli_load(&changes);
    snarl_timer *timer = first;
    int64_t deadline = timer ? timer->deadline : SNARLI_NEVER;
    bool is_due = timer && deadline <= snarl_clock();
    if (is_due) {
      list_remove(timer);
      called = timer;
      snarli_store(&timer->state, CALLED);
    }
    snarli_unguard(&guard);
    if (is_due)
      call(timer);
    else
      (void)snarli_park(&changes, seen, deadline);
  }
  return NULL;
}

static int thread_start(struct snarl_site *site) {
  int status = snarl_thread_init_run_at(&timers_thread, "Timers", run, site);
  if (!status)
    status = snarl_thread_set_daemon(&timers_thread, true);
  return status ? status : snarl_thread_start_at(&timers_thread, site);
}

/* The thread is begun with the first timer; who comes meanwhile waits to see whether it could be. */
static int begin(struct snarl_site *site) {
  snarli_guard(&beginning);
  int status = begun ? SNARL_OK : thread_start(site);
  begun = status == SNARL_OK;
  snarli_unguard(&beginning);
  return status;
}

/* Pending and in the list at once, for whoever cancels it or forks. False: it is not new. */
static bool list_new(snarl_timer *timer, struct snarl_site *site) {
  int64_t deadline = snarli_deadline(timer->delay);
  snarli_guard(&guard);
  bool is_new = snarli_load(&timer->state) == NEW;
  if (is_new) {
    if (snarli_records())
      snarli_note(SNARLI_R_TIMER_STARTED, 0, &timer->object, site);
    timer->deadline = deadline == SNARLI_PAST ? 0 : deadline;
    list_insert(timer);
    snarli_store(&timer->state, PENDING);
    (void)snarli_add(&changes, 1);
  }
  snarli_unguard(&guard);
  snarli_unpark(&changes, INT_MAX);
  return is_new;
}

int snarl_timer_start_at(snarl_timer *timer, struct snarl_site *site) {
  int status = snarli_check((struct snarl_object *)timer, SNARLI_ALIVE(TIMER), site);
  if (!status && !timer->function)
    status = snarli_refuse(SNARL_INVALID, timer, site);
  if (!status)
    status = begin(site);
  if (status)
    return status;
  snarli_wait_at_exit();
  return list_new(timer, site) ? SNARL_OK : snarli_refuse(SNARL_STARTED, timer, site);
}

int snarl_timer_cancel_at(snarl_timer *timer, struct snarl_site *site) {
  int status = snarli_check((struct snarl_object *)timer, SNARLI_ALIVE(TIMER), site);
  if (status)
    return status;
  snarli_guard(&guard);
  uint32_t state = snarli_load(&timer->state);
  if (state != PENDING && state != NEW) {
    snarli_unguard(&guard);
    return 0;
  }
  if (snarli_records())
    snarli_note(SNARLI_R_TIMER_CANCELLED, 0, &timer->object, site);
  if (state == PENDING)
    list_remove(timer);
  finish(timer, CANCELLED);
  return 1;
}

int snarl_timer_join_at(snarl_timer *timer, snarl_time timeout, struct snarl_site *site) {
  int status = snarli_check((struct snarl_object *)timer, SNARLI_ALIVE(TIMER), site);
  if (status)
    return status;
  uint32_t state = snarli_load(&timer->state);
  if (state == NEW)
    return snarli_refuse(SNARL_NOT_STARTED, timer, site);
  if (state == CALLED && snarl_current_thread() == &timers_thread)
    return snarli_refuse(SNARL_DEADLOCK, timer, site);
  int64_t deadline = snarli_deadline(timeout);
  bool is_over = false;
  for (; state == PENDING || state == CALLED; state = snarli_load(&timer->state)) {
    if (is_over)
      return SNARL_TIMEOUT;
    is_over = !snarli_park(&timer->state, state, deadline);
  }
  if (snarli_records())
    snarli_note(SNARLI_R_TIMER_JOINED, 0, &timer->object, site);
  return SNARL_OK;
}

int snarl_timer_init_at(snarl_timer *timer, const char *name, snarl_time delay, void (*function)(void *),
                        void *argument, struct snarl_site *site) {
  if (!timer || !function)
    return snarli_refuse(SNARL_INVALID, timer, site);
  *timer = (snarl_timer){.delay = delay, .function = function, .argument = argument};
  return snarli_object_begin(&timer->object, SNARLI_ALIVE(TIMER), name, site);
}

void snarli_timers_drain(void) {
  if (snarl_current_thread() == &timers_thread)
    return;
  for (;;) {
    snarli_guard(&guard);
    uint32_t seen = snarli_load(&changes);
    bool is_empty = !first && !called;
    snarli_unguard(&guard);
    if (is_empty)
      return;
    (void)snarli_park(&changes, seen, SNARLI_NEVER);
  }
}

void snarli_timers_before_fork(void) { snarli_guard(&guard); }
void snarli_timers_after_fork(void) { snarli_unguard(&guard); }

/* Nobody calls them here. */
void snarli_timers_in_child(void) {
  for (snarl_timer *timer = first; timer; timer = timer->next)
    timer->state = CANCELLED;
  if (called)
    called->state = CANCELLED;
  first = last = called = NULL;
  guard = beginning = 0;
  begun = false;
}
