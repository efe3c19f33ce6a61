/* SPDX-License-Identifier: MIT
 *
 * Future: the result that a task of an executor will have. What a task returns is a pointer of the program's; a task
 * that cannot do its work says so and returns what snarl_fail returns, and whoever asks for the result is told.
 *
 *   void *divide(void *pair) { ... if (!pair->by) return snarl_fail(EDOM, "%d by nothing", pair->what); ... }
 *
 *   snarl_auto_future future = NULL;
 *   snarl_executor_submit(&pool, divide, &pair, &future);
 *   if (snarl_future_result(future, SNARL_FOREVER, &quotient) == SNARL_FAILED)
 *     puts(snarl_future_error(future)->message);
 *
 * A future belongs to who has it: give it back with snarl_future_drop (snarl_auto_future does, at the end of the
 * block). The task goes on without it. Functions may be called by any thread; they answer SNARL_INVALID for NULL.
 */
#ifndef SNARL_FUTURE_H
#define SNARL_FUTURE_H

#include <snarl/base.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

typedef struct snarl_future snarl_future;

/* Why a task failed, and where it said so. `code` is the task's own. */
struct snarl_error {
  int code;
  const char *message, *file, *function;
  uint32_t line;
};

/* In a task: it has failed. Returns NULL, to be returned. The last one counts; outside of a task nothing happens. */
#define snarl_fail(code, ...) snarl_fail_at((code), SNARL_HERE, __VA_ARGS__)
void *snarl_fail_at(int code, struct snarl_site *site, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Waits for the end of the task: SNARL_OK and its value, SNARL_FAILED, SNARL_CANCELLED, SNARL_TIMEOUT. */
#define snarl_future_result(future, timeout, value) snarl_future_result_at((future), (timeout), (value), SNARL_HERE)
int snarl_future_result_at(snarl_future *future, snarl_time timeout, void **value, struct snarl_site *site);
/* Why it failed; NULL: it did not, or is not done. Lives as long as the future. */
#define snarl_future_error(future) snarl_future_error_at((future), SNARL_HERE)
const struct snarl_error *snarl_future_error_at(snarl_future *future, struct snarl_site *site);

/* A task that has not begun will not: SNARL_OK; SNARL_STARTED: it runs or has ended; SNARL_CANCELLED: it was before. */
#define snarl_future_cancel(future) snarl_future_cancel_at((future), SNARL_HERE)
int snarl_future_cancel_at(snarl_future *future, struct snarl_site *site);

/* Done: ended, failed or cancelled. */
bool snarl_future_done(const snarl_future *future);
bool snarl_future_running(const snarl_future *future);
bool snarl_future_cancelled(const snarl_future *future);

/* Calls `callback` when the future is done: by the thread that makes it so, in the order of adding, or at once by the
 * caller if it is done already. The future is valid in the call. SNARL_OK, SNARL_NO_MEMORY. */
typedef void snarl_callback(snarl_future *future, void *context);
int snarl_future_add_done_callback(snarl_future *future, snarl_callback *callback, void *context);

/* One more who has it (returns its argument); and one less: after that the caller must not use it. NULL does nothing.
 */
snarl_future *snarl_future_keep(snarl_future *future);
void snarl_future_drop(snarl_future *future);
void snarli_future_left(snarl_future **future);
#define snarl_auto_future __attribute__((cleanup(snarli_future_left))) snarl_future *

/* Waits until the first of them is done, the first has failed (or all are done), or all are done. How many are done
 * then; SNARL_TIMEOUT, SNARL_INVALID, SNARL_NO_MEMORY. Which: snarl_future_done. */
enum snarl_when { SNARL_FIRST_COMPLETED, SNARL_FIRST_EXCEPTION, SNARL_ALL_COMPLETED };
#define snarl_wait(futures, count, when, timeout) snarl_wait_at((futures), (count), (when), (timeout), SNARL_HERE)
int snarl_wait_at(snarl_future *const *futures, size_t count, enum snarl_when when, snarl_time timeout,
                  struct snarl_site *site);

/* One after another as they are done:
 *
 *   snarl_auto_completed completed = NULL;
 *   snarl_as_completed(&completed, futures, count);
 *   while (snarl_completed_next(completed, SNARL_FOREVER, &future) == SNARL_OK) ...
 *
 * as_completed: SNARL_OK, SNARL_INVALID, SNARL_NO_MEMORY; what it makes is given back by snarl_completed_drop, also
 * before the end. next: SNARL_OK, SNARL_TIMEOUT, SNARL_CLOSED (that were all). The futures stay the caller's and must
 * not be dropped before the iteration is. One thread at a time. */
typedef struct snarl_completed snarl_completed;
int snarl_as_completed(snarl_completed **completed, snarl_future *const *futures, size_t count);
#define snarl_completed_next(completed, timeout, future)                                                               \
  snarl_completed_next_at((completed), (timeout), (future), SNARL_HERE)
int snarl_completed_next_at(snarl_completed *completed, snarl_time timeout, snarl_future **future,
                            struct snarl_site *site);
void snarl_completed_drop(snarl_completed *completed);
void snarli_completed_left(snarl_completed **completed);
#define snarl_auto_completed __attribute__((cleanup(snarli_completed_left))) snarl_completed *

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
