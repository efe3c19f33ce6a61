/* SPDX-License-Identifier: MIT
 *
 * The functions that contain an address within one compilation unit. Descends from the unit only into what contains the
 * address (dwarf_getscopes_die would read the whole unit), and does not trust the tree: damaged DWARF must end the
 * walk, never hold it.
 */
#include "scopes.h"

#include <dwarf.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_DEPTH = 512 }; /* nesting in DWARF; deeper is damage, and what is above it is still used */

struct chain {
  Dwarf_Die *dies; /* functions that contain the address, outermost first */
  size_t count;
};

static void chain_push(struct chain *chain, const Dwarf_Die *die) {
  Dwarf_Die *dies = realloc(chain->dies, (chain->count + 1) * sizeof *dies);
  if (!dies)
    return;
  chain->dies = dies;
  dies[chain->count++] = *die;
}

static bool tag_has_code(int tag) {
  return tag == DW_TAG_subprogram || tag == DW_TAG_inlined_subroutine || tag == DW_TAG_lexical_block ||
         tag == DW_TAG_entry_point || tag == DW_TAG_try_block || tag == DW_TAG_catch_block;
}

static bool tag_has_functions(int tag) { return tag == DW_TAG_namespace || tag == DW_TAG_module; }

static bool tag_is_function(int tag) {
  return tag == DW_TAG_subprogram || tag == DW_TAG_inlined_subroutine || tag == DW_TAG_entry_point;
}

/* True if a function that contains `address` was found below `parent`. */
static bool descend(Dwarf_Die *parent, Dwarf_Addr address, struct chain *chain, unsigned depth) {
  Dwarf_Die child;
  Dwarf_Off last = dwarf_dieoffset(parent);
  if (depth > MAX_DEPTH || dwarf_child(parent, &child) != 0)
    return false;
  do {
    int tag = dwarf_tag(&child);
    Dwarf_Off offset = dwarf_dieoffset(&child);
    if (offset <= last)
      return false; /* siblings lie one after another */
    last = offset;
    if (tag_has_functions(tag)) {
      if (descend(&child, address, chain, depth + 1))
        return true;
    } else if (tag_has_code(tag) && dwarf_haspc(&child, address) == 1) {
      if (tag_is_function(tag))
        chain_push(chain, &child);
      descend(&child, address, chain, depth + 1);
      return true;
    }
  } while (dwarf_siblingof(&child, &child) == 0);
  return false;
}

static const char *function_name(Dwarf_Die *die) {
  Dwarf_Attribute attribute;
  const char *name = NULL;
  if (dwarf_attr_integrate(die, DW_AT_linkage_name, &attribute) ||
      dwarf_attr_integrate(die, DW_AT_MIPS_linkage_name, &attribute))
    name = dwarf_formstring(&attribute);
  /* Only C++ names gain from the linker's form: it has the namespace and the parameters. */
  return name && strncmp(name, "_Z", 2) == 0 ? name : dwarf_diename(die);
}

/* Where the inlined function `die` was called from: the line of the next frame outwards. */
static void call_site(Dwarf_Die *unit, Dwarf_Die *die, struct scope *caller) {
  Dwarf_Attribute attribute;
  Dwarf_Word value;
  Dwarf_Files *files;
  size_t file_count;
  caller->file = NULL;
  caller->line = 0;
  if (dwarf_formudata(dwarf_attr(die, DW_AT_call_file, &attribute), &value) == 0 &&
      dwarf_getsrcfiles(unit, &files, &file_count) == 0 && value < file_count)
    caller->file = dwarf_filesrc(files, value, NULL, NULL);
  if (dwarf_formudata(dwarf_attr(die, DW_AT_call_line, &attribute), &value) == 0)
    caller->line = (uint32_t)value;
}

static bool source_line(Dwarf_Die *unit, Dwarf_Addr address, struct scope *scope) {
  Dwarf_Line *line = dwarf_getsrc_die(unit, address);
  int number = 0;
  if (!line)
    return false;
  scope->file = dwarf_linesrc(line, NULL, NULL);
  if (dwarf_lineno(line, &number) == 0 && number > 0)
    scope->line = (uint32_t)number;
  return scope->file != NULL;
}

/* With -gsplit-dwarf the unit in the binary is a skeleton, and the functions lie in its .dwo file. */
static Dwarf_Die whole_unit(Dwarf_Die *unit) {
  Dwarf_Die split;
  uint8_t type = 0;
  memset(&split, 0, sizeof split);
  if (dwarf_cu_info(unit->cu, NULL, &type, NULL, &split, NULL, NULL, NULL) == 0 && type == DW_UT_skeleton && split.cu)
    return split;
  return *unit;
}

struct scope *scopes_at(Dwarf_Die *unit, Dwarf_Addr address, size_t *count) {
  Dwarf_Die whole = whole_unit(unit);
  struct chain chain = {0};
  *count = 0;
  descend(&whole, address, &chain, 0);
  struct scope *scopes = calloc(chain.count + 1, sizeof *scopes);
  if (scopes && (source_line(unit, address, &scopes[0]) || chain.count))
    *count = 1;
  for (size_t i = 0; scopes && i < chain.count; i++) {
    Dwarf_Die *die = &chain.dies[chain.count - 1 - i];
    scopes[i].function = function_name(die);
    scopes[i].is_inlined = dwarf_tag(die) == DW_TAG_inlined_subroutine;
    *count = i + 1;
    if (!scopes[i].is_inlined)
      break;
    if (i + 1 < chain.count)
      call_site(&whole, die, &scopes[i + 1]);
  }
  free(chain.dies);
  return scopes;
}
