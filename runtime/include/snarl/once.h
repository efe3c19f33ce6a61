/* SPDX-License-Identifier: MIT
 *
 * Once: a function runs once, whoever comes first, and everybody returns after it has ended.
 *
 * run: SNARL_OK; SNARL_DEADLOCK to a function that runs its own Once; SNARL_OWNER_ENDED when the thread that ran it
 * ended inside of it.
 */
#ifndef SNARL_ONCE_H
#define SNARL_ONCE_H

#include <snarl/base.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

typedef struct snarl_once {
  struct snarl_object object;
  uint32_t word;
} snarl_once;

#define SNARL_ONCE_INIT(name)                                                                                          \
  { SNARLI_OBJECT_INIT(ONCE, name), 0 }

#define snarl_once_run(once, function, argument) snarl_once_run_at((once), (function), (argument), SNARL_HERE)
int snarl_once_run_at(snarl_once *once, void (*function)(void *), void *argument, struct snarl_site *site);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
