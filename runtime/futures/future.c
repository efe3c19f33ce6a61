/* SPDX-License-Identifier: MIT
 *
 * Futures: one word says how far the task is and whether somebody sleeps for it; a lock-free stack holds who wants to
 * be told otherwise. Entered by any thread.
 */
#include "future.h"
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char snarli_told[1];

/* Where the task that this thread runs says why it fails. */
static __thread struct snarl_error **failing __attribute__((tls_model("initial-exec")));

void snarli_fail_into(struct snarl_error **error) { failing = error; }

static void note(enum snarli_record_type type, unsigned arg, const snarl_future *future, struct snarl_site *site) {
  snarli_record_aux(type, arg, snarli_future_address(future), snarli_place(site));
}

snarl_future *snarli_future_new(snarl_task *task, void *argument, uint32_t references) {
  snarl_future *future = malloc(sizeof *future);
  if (future)
    *future = (snarl_future){.references = references, .task = task, .argument = argument};
  return future;
}

/* Used where there is no memory for another. */
static struct snarl_error out_of_memory = {0, "the task failed, and there was no memory to say why", NULL, NULL, 0};

void snarli_error_free(struct snarl_error *error) {
  if (error != &out_of_memory)
    free(error);
}

void snarli_future_unref(snarl_future *future) {
  if (snarli_add(&future->references, UINT32_MAX) != 1)
    return;
  if (future->kind)
    future->kind->end(future);
  else if (snarli_records())
    note(SNARLI_R_FUTURE_ENDED, 0, future, NULL);
  snarli_error_free(future->error);
  free(future);
}

/* An error with its message behind it. */
static struct snarl_error *error_new(int code, struct snarl_site *site, const char *format, va_list arguments) {
  va_list again;
  va_copy(again, arguments);
  int size = vsnprintf(NULL, 0, format, arguments);
  struct snarl_error *error = size < 0 ? NULL : malloc(sizeof *error + (size_t)size + 1);
  if (error) {
    char *message = (char *)(error + 1);
    vsnprintf(message, (size_t)size + 1, format, again);
    *error = (struct snarl_error){.code = code, .message = message};
    if (site)
      error->file = site->file, error->function = site->function, error->line = site->line;
  }
  va_end(again);
  return error ? error : &out_of_memory;
}

static char *text_copy(char **room, const char *text) {
  if (!text)
    return NULL;
  size_t size = strlen(text) + 1;
  char *copy = memcpy(*room, text, size);
  *room += size;
  return copy;
}

struct snarl_error *snarli_error_copy(const struct snarl_error *error) {
  size_t size = strlen(error->message) + 1 + (error->file ? strlen(error->file) + 1 : 0) +
                (error->function ? strlen(error->function) + 1 : 0);
  struct snarl_error *copy = malloc(sizeof *copy + size);
  if (!copy)
    return &out_of_memory;
  char *room = (char *)(copy + 1);
  *copy = (struct snarl_error){.code = error->code, .line = error->line};
  copy->message = text_copy(&room, error->message);
  copy->file = text_copy(&room, error->file);
  copy->function = text_copy(&room, error->function);
  return copy;
}

struct snarl_error *snarli_error_print(int code, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  struct snarl_error *error = error_new(code, NULL, format, arguments);
  va_end(arguments);
  return error;
}

void *snarl_fail_at(int code, struct snarl_site *site, const char *format, ...) {
  if (!failing)
    return NULL;
  snarli_error_free(*failing);
  va_list arguments;
  va_start(arguments, format);
  *failing = error_new(code, site, format ? format : "", arguments);
  va_end(arguments);
  return NULL;
}

/* They were pushed, so the newest is in front. */
static struct snarli_watcher *reversed(struct snarli_watcher *watcher) {
  struct snarli_watcher *first = NULL;
  for (struct snarli_watcher *next; watcher; watcher = next) {
    next = watcher->next;
    watcher->next = first;
    first = watcher;
  }
  return first;
}

struct news {
  snarl_future *future;
  struct snarli_watcher *rest;
};

static void tell_rest(void *context) {
  struct news *news = context;
  for (struct snarli_watcher *watcher; (watcher = news->rest);) {
    news->rest = watcher->next; /* it may be gone afterwards */
    watcher->done(watcher, news->future);
  }
}

/* A callback that ends its thread keeps it from nobody else. */
static void tell(snarl_future *future) {
  struct news news = {future, reversed(snarli_swap_pointer(&future->watchers, SNARLI_TOLD))};
  if (!news.rest)
    return;
  pthread_cleanup_push(tell_rest, &news);
  tell_rest(&news);
  pthread_cleanup_pop(0);
}

/* It is done; `state` says whether somebody sleeps for it. */
static void wake_and_tell(snarl_future *future, uint32_t state) {
  if (state & SNARLI_WAITED_FOR)
    snarli_unpark(&future->state, INT_MAX);
  tell(future);
}

void snarli_future_complete(snarl_future *future, enum snarli_future_state state) {
  wake_and_tell(future, snarli_swap(&future->state, state));
}

static void finish(snarl_future *future) {
  bool has_failed = future->error != NULL;
  failing = NULL;
  if (snarli_records())
    note(SNARLI_R_TASK_ENDED, has_failed, future, NULL);
  snarli_future_complete(future, has_failed ? SNARLI_FAILED : SNARLI_FINISHED);
  snarli_future_unref(future);
}

/* From pending to `to`, whoever waits; false: it was begun or cancelled before. */
static bool leave_pending(snarl_future *future, enum snarli_future_state to) {
  uint32_t state = snarli_load(&future->state);
  while ((state & SNARLI_STATE) == SNARLI_PENDING)
    if (snarli_cas(&future->state, &state, (state & SNARLI_WAITED_FOR) | to))
      return true;
  return false;
}

void snarli_future_run(snarl_future *future) {
  if (!leave_pending(future, SNARLI_RUNNING)) {
    snarli_future_unref(future);
    return;
  }
  if (snarli_records())
    note(SNARLI_R_TASK_BEGUN, 0, future, NULL);
  failing = &future->error;
  future->value = future->task(future->argument);
  finish(future);
}

void snarli_future_abandon(snarl_future *future) {
  if (snarli_is_done(snarli_load(&future->state))) { /* it was a callback */
    snarli_future_unref(future);
    return;
  }
  failing = &future->error;
  (void)snarl_fail_at(0, NULL, "the task ended its thread");
  finish(future);
}

int snarl_future_cancel_at(snarl_future *future, struct snarl_site *site) {
  if (!future)
    return snarli_refuse(SNARL_INVALID, future, site);
  uint32_t state = snarli_load(&future->state);
  if ((state & SNARLI_STATE) == SNARLI_PENDING && snarli_records())
    note(SNARLI_R_FUTURE_CANCELLED, 0, future, site);
  if (future->kind ? !future->kind->take_back(future) : !leave_pending(future, SNARLI_CANCELLED))
    return (snarli_load(&future->state) & SNARLI_STATE) == SNARLI_CANCELLED ? SNARL_CANCELLED : SNARL_STARTED;
  if (future->kind)
    (void)leave_pending(future, SNARLI_CANCELLED);
  wake_and_tell(future, snarli_load(&future->state));
  return SNARL_OK;
}

bool snarli_future_await(snarl_future *future, int64_t deadline) {
  uint32_t state = snarli_load(&future->state);
  if (!snarli_is_done(state) && deadline > 0)
    snarli_spin(&future->state, state);
  for (bool is_over = deadline <= 0;;) {
    state = snarli_load(&future->state);
    if (snarli_is_done(state))
      return true;
    if (is_over)
      return false;
    if (!(state & SNARLI_WAITED_FOR) && !snarli_cas(&future->state, &state, state | SNARLI_WAITED_FOR))
      continue;
    is_over = !snarli_park(&future->state, state | SNARLI_WAITED_FOR, deadline);
  }
}

static int result_of(const snarl_future *future, void **value) {
  switch (snarli_load(&future->state) & SNARLI_STATE) {
  case SNARLI_CANCELLED:
    return SNARL_CANCELLED;
  case SNARLI_FAILED:
    return SNARL_FAILED;
  default:
    if (value)
      *value = future->value;
    return SNARL_OK;
  }
}

/* A failure that is looked at is one that is not lost. */
static void note_return(const snarl_future *future, struct snarl_site *site) {
  if (future->kind) {
    future->kind->note_return(future, site);
    return;
  }
  bool has_failed = (snarli_load(&future->state) & SNARLI_STATE) == SNARLI_FAILED;
  note(SNARLI_R_FUTURE_WAIT_RETURNED, has_failed, future, site);
}

int snarl_future_result_at(snarl_future *future, snarl_time timeout, void **value, struct snarl_site *site) {
  if (!future)
    return snarli_refuse(SNARL_INVALID, future, site);
  if (future->kind && !snarli_is_done(snarli_load(&future->state)) && future->kind->is_mine(future))
    return snarli_refuse(SNARL_DEADLOCK, future, site);
  if (!snarli_records())
    return snarli_future_await(future, snarli_deadline(timeout)) ? result_of(future, value) : SNARL_TIMEOUT;
  if (future->kind)
    return future->kind->await_recorded(future, timeout, site) ? result_of(future, value) : SNARL_TIMEOUT;
  if (timeout > 0 && !snarli_is_done(snarli_load(&future->state)))
    note(SNARLI_R_FUTURE_WAIT_REQUESTED, snarli_flags(timeout), future, site);
  if (!snarli_future_await(future, snarli_deadline(timeout))) {
    note(SNARLI_R_FUTURE_WAIT_FAILED, (unsigned)snarli_errno_of(SNARL_TIMEOUT), future, site);
    return SNARL_TIMEOUT;
  }
  note_return(future, site);
  return result_of(future, value);
}

const struct snarl_error *snarl_future_error_at(snarl_future *future, struct snarl_site *site) {
  if (!future || (snarli_load(&future->state) & SNARLI_STATE) != SNARLI_FAILED)
    return NULL;
  if (snarli_records())
    note_return(future, site);
  return future->error;
}

bool snarl_future_done(const snarl_future *future) { return future && snarli_is_done(snarli_load(&future->state)); }
bool snarl_future_running(const snarl_future *future) {
  uint32_t state = future ? snarli_load(&future->state) & SNARLI_STATE : SNARLI_FINISHED;
  return state == SNARLI_RUNNING || (state == SNARLI_PENDING && future->kind && future->kind->is_begun(future));
}
bool snarl_future_cancelled(const snarl_future *future) {
  return future && (snarli_load(&future->state) & SNARLI_STATE) == SNARLI_CANCELLED;
}

bool snarli_future_watch(snarl_future *future, struct snarli_watcher *watcher) {
  void *first = snarli_load_pointer(&future->watchers);
  do {
    if (first == SNARLI_TOLD)
      return false;
    watcher->next = first;
  } while (!snarli_cas_pointer(&future->watchers, &first, watcher));
  return true;
}

struct callback {
  struct snarli_watcher watcher;
  snarl_callback *function;
  void *context;
};

static void call_back(struct snarli_watcher *watcher, snarl_future *future) {
  struct callback callback = *(struct callback *)watcher;
  free(watcher); /* first: it may end the thread */
  callback.function(future, callback.context);
}

int snarl_future_add_done_callback(snarl_future *future, snarl_callback *function, void *context) {
  if (!future || !function)
    return snarli_refuse(SNARL_INVALID, future, NULL);
  struct callback *callback = malloc(sizeof *callback);
  if (!callback)
    return SNARL_NO_MEMORY;
  *callback = (struct callback){.watcher.done = call_back, .function = function, .context = context};
  if (!snarli_future_watch(future, &callback->watcher))
    call_back(&callback->watcher, future);
  return SNARL_OK;
}

snarl_future *snarl_future_keep(snarl_future *future) {
  if (future)
    (void)snarli_add(&future->references, 1);
  return future;
}

void snarl_future_drop(snarl_future *future) {
  if (future)
    snarli_future_unref(future);
}

void snarli_future_left(snarl_future **future) { snarl_future_drop(*future); }
