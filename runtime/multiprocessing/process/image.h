/* SPDX-License-Identifier: MIT
 *
 * Fresh images of this program: made, and in them.
 *
 * The new image must run what it was started for instead of main: running main again would start processes again. It
 * must run it where main would: all constructors have run, those of the executable, too, and what it returns goes to
 * exit. There is one such place, __libc_start_main, the function of libc that _start calls with the address of main.
 * libsnarl has one of that name, which comes before libc's in any program that is linked to libsnarl itself; it hands
 * on main, or in a fresh image another function. (A constructor that SNARL_ENTRY emits would run in the middle of the
 * others.) In a program where libc's comes first, as where libsnarl was loaded by a plug-in, nothing of this is run,
 * and no image is started: it would be a second main.
 *
 * An image knows that it is one by the path that it was executed by, AT_EXECFN, a spelling of /proc/self/exe that
 * nobody else uses: it does not pass on to what the image executes itself, as variables and descriptors do, and is not
 * seen by anybody. /proc/self/exe is this program even if its file was replaced or removed.
 *
 * Entered by any thread.
 */
#ifndef SNARLI_IMAGE_H
#define SNARLI_IMAGE_H

#include <snarl/process.h>
#include <stdbool.h>

/* What it has descriptors for: the standard streams, what it is to do, and from here on what is handed to it. */
enum { SNARLI_IMAGE_PREPARATION = 3, SNARLI_IMAGE_HANDED };

/* An image of this program would run what it is told. */
bool snarli_image_is_possible(void);
/* Executes this program anew, called `name` by ps, with a preparation and `count` descriptors more, which stay open
 * here. The pid, or -errno: nothing was started. */
int snarli_image_start(const char *name, int preparation, const int *handed, int count);

#endif
