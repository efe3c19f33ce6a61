/* SPDX-License-Identifier: MIT
 *
 * Trying all interleavings of a few threads that run real code of the runtime, by depth-first search over the choices
 * of a scheduler (Musuvathi and Qadeer 2007, "Iterative context bounding for systematic testing of multithreaded
 * programs"): all schedules with at most `preemptions` switches away from a thread that could go on. A time limit may
 * pass at any point. A thread may stand for a process that is killed, at any point; only then those that sleep between
 * processes look again when nobody else can go on, so what needs no killing must not need that. Accesses are
 * sequentially consistent here; weaker orders are for ThreadSanitizer and the reader.
 */
#ifndef SNARL_TEST_MODEL_H
#define SNARL_TEST_MODEL_H

#include <stdbool.h>
#include <stdint.h>

enum { MODEL_THREADS = 4 };

struct scenario {
  const char *name;
  void (*begin)(void);                  /* makes the objects anew */
  void (*threads[MODEL_THREADS])(void); /* NULL: no more */
  void (*end)(void);                    /* looks at what is left */
  unsigned preemptions;
};

/* Changes thread-local variables over from one thread to another, MODEL_THREADS for none; NULL: there are none. */
extern void (*model_go_on)(unsigned from, unsigned to);

/* What the kernel does when a thread has ended, or was killed; NULL: nothing. */
extern void (*model_ended)(unsigned number);
void model_wake(const uint32_t *word, int count);
bool model_has_killed(void);

/* Another thread from now on; false: there is no room for it. And waiting for the end of the one with that number. */
bool model_spawn(void (*function)(void), unsigned *number);
void model_join(unsigned number);
unsigned model_self(void);

/* Runs all schedules; prints how many, and if one went wrong which. */
bool model_run(const struct scenario *scenario);
/* And with one of its threads killed, at any point, or none; `victims` has a bit for each that may be. */
bool model_run_killing(const struct scenario *scenario, unsigned victims);

/* In threads and in end(): what must hold. */
#define model_check(holds)                                                                                             \
  do                                                                                                                   \
    if (!(holds))                                                                                                      \
      model_failed(#holds, __FILE__, __LINE__);                                                                        \
  while (0)
void model_failed(const char *what, const char *file, int line);

#endif
