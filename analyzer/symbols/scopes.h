/* SPDX-License-Identifier: MIT
 *
 * The functions that contain an address within one compilation unit, from its DWARF. One thread at a time.
 */
#ifndef SYMBOLS_SCOPES_H
#define SYMBOLS_SCOPES_H

#include <elfutils/libdw.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Strings are those of the DWARF, NULL when it does not say. */
struct scope {
  const char *function; /* linker's name when there is one */
  const char *file;
  uint32_t line;
  bool is_inlined;
};

/* The innermost inlined function first, the one that has code of its own last. With no function known, one entry with
 * file and line if these are. To be freed; NULL with *count 0: nothing is known. */
struct scope *scopes_at(Dwarf_Die *unit, Dwarf_Addr address, size_t *count);

#endif
