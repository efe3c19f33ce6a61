/* SPDX-License-Identifier: MIT
 *
 * What a process is given, from the inside: by the one that starts it, and in the process. Entered by any thread.
 */
#ifndef SNARLI_GIVEN_H
#define SNARLI_GIVEN_H

#include "preparation.h"
#include <snarl/given.h>

/* SNARL_OK, or why not all of it can be handed over: it has ended since it was given. */
int snarli_given_check(const snarl_process *process, struct snarl_site *site);
void snarli_given_describe(struct snarli_handed *handed, const struct snarl_object *object);
int snarli_given_descriptor(const struct snarl_object *object);
/* In a fresh image: what has come along with it. */
void snarli_given_begin(struct snarli_preparation *preparation);
void snarli_given_in_child(void);

#endif
