/* SPDX-License-Identifier: MIT
 *
 * Names of functions and modules as people know them. Pure functions, any thread.
 */
#ifndef SYMBOLS_NAMES_H
#define SYMBOLS_NAMES_H

#include <stdbool.h>

/* The source name of the linker symbol `symbol`: C++ and Rust demangled, the compiler's ".part.0" and the linker's
 * "@@VERSION" taken off. To be freed; NULL: `symbol` is the name already, or out of memory. */
char *name_of_symbol(const char *symbol);

/* A module of the C library, the thread library, the C++ runtime, the dynamic linker or snarl. */
bool module_is_internal(const char *path);
/* A module of snarl that only records: its frames are not the program's. */
bool module_is_recorder(const char *path);
/* Code that the kernel maps without a file. */
bool module_is_kernel(const char *path);
/* A header of the C++ library, whose functions are inlined into the program. */
bool file_is_internal(const char *path);

/* The code of CPython itself: of no interest between the frames of the program that it runs. */
bool module_is_interpreter(const char *path);

#endif
