/* SPDX-License-Identifier: MIT
 *
 * An entry in a library that start_program loads itself, which a fresh image has to load, too. It has the name of one
 * in the program, in another file.
 */
#include <snarl/snarl.h>
#include <string.h>

static int greet(void *argument) { return strcmp(argument, "made by a constructor") != 0; }
SNARL_ENTRY(greet);

int greet_in_plugin(void *argument);

int greet_in_plugin(void *argument) { return greet(argument); }
SNARL_ENTRY(greet_in_plugin);
