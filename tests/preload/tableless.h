/* SPDX-License-Identifier: MIT
 *
 * What is called of tableless_code.c.
 */
#ifndef TABLELESS_H
#define TABLELESS_H

#include <pthread.h>

#define JOIN_NAMES(first, second) first##second
#define JOIN(first, second) JOIN_NAMES(first, second)
#define NAME(name) JOIN(PREFIX, name)

/* Locks in the innermost of `frames` + 1 frames. */
void pointers_descend(pthread_mutex_t *mutex, int frames);
void pointerless_descend(pthread_mutex_t *mutex, int frames);

#endif
