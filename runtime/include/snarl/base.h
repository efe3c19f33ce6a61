/* SPDX-License-Identifier: MIT
 *
 * What every header of libsnarl shares: statuses, the one type for times, call sites and the head of every object.
 *
 * A function returns SNARL_OK or a count, or a negative status; errno is neither read nor set. A misuse that can be
 * told (NULL, a destroyed object, a release by another thread) is a status and a record in the trace, never undefined.
 * What waits takes a timeout: nanoseconds from now, SNARL_FOREVER, or SNARL_NOW to try without waiting.
 *
 * Most functions are macros of the same name that add the place of the call (SNARL_HERE), which the trace names. A
 * wrapper of your own can hand its caller's place on: it calls the function with `_at` itself.
 *
 * Any thread may call any function on any object, unless its header says otherwise, but for init and destroy: they
 * belong to one thread, while nobody else uses the object. A signal handler may release a semaphore and set an event,
 * nothing else. The fields of objects are the library's.
 */
#ifndef SNARL_BASE_H
#define SNARL_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

enum snarl_status {
#define STATUS(NAME, value, sentence) SNARL_##NAME = (value),
#include <snarl/status.def>
};

/* "the time was over first"; "done" for a count; never NULL. */
const char *snarl_status_text(int status);
/* "TIMEOUT"; "OK" for a count; never NULL. */
const char *snarl_status_name(int status);

/* A duration in nanoseconds, on the monotonic clock. What is negative is over already. */
typedef int64_t snarl_time;
#define SNARL_FOREVER INT64_MAX
#define SNARL_NOW ((snarl_time)0)
#define SNARL_US(count) ((snarl_time)((count)*1e3))
#define SNARL_MS(count) ((snarl_time)((count)*1e6))
#define SNARL_S(count) ((snarl_time)((count)*1e9))

/* Now, in nanoseconds of CLOCK_MONOTONIC. */
snarl_time snarl_clock(void);
/* When a timeout that begins now is over, on that clock; SNARL_FOREVER of SNARL_FOREVER. */
snarl_time snarl_deadline(snarl_time timeout);
/* The timeout that is left until then. */
snarl_time snarl_time_left(snarl_time deadline);
/* Sleeps for so long, whatever signals come. */
void snarl_sleep(snarl_time duration);

/* A place in the source. In static storage, one for each call; `stack` is the trace's. */
struct snarl_site {
  const char *file, *function;
  uint64_t stack;
  uint32_t line;
};
#define SNARL_HERE                                                                                                     \
  __extension__({                                                                                                      \
    static struct snarl_site snarl_site_here = {__FILE__, __func__, 0, __LINE__};                                      \
    &snarl_site_here;                                                                                                  \
  })

/* A name of its own for each line, in macros. */
#define SNARLI_PASTE_(a, b) a##b
#define SNARLI_PASTE(a, b) SNARLI_PASTE_(a, b)

/* The head of every object: what it is called, where it was declared, what it is. Filled by SNARL_..._INIT or by an
 * init function, whose `name` is not copied: it outlives the object. A name of NULL means: the place of declaration. */
struct snarl_object {
  const char *name;
  struct snarl_site site;
  uint32_t announced; /* the trace's */
  uint32_t kind;      /* SNARLI_ALIVE(...); 0 before init */
};

enum snarl_kind {
#define KIND(id, NAME, text, family, type) SNARL_KIND_##NAME = (id),
#include <snarl/trace/kinds.def>
};
#define SNARLI_ALIVE(NAME) (0x736e6100u | (uint32_t)SNARL_KIND_##NAME)
/* An object between processes lies in shared memory and holds nothing that only one process understands: instead of a
 * name and a place it begins with a copy of its name, cut to SNARLI_NAME_ROOM - 1 bytes. Its layout is that of one
 * version: one that changes it takes another bit here, so that the other version's objects are none of its own. */
#define SNARLI_PSHARED 0x400u
#define SNARLI_NAME_ROOM offsetof(struct snarl_object, announced)
#define SNARLI_OBJECT_INIT(NAME, name)                                                                                 \
  { (name), {__FILE__, NULL, 0, __LINE__}, 0, SNARLI_ALIVE(NAME) }

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
