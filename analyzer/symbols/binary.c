/* SPDX-License-Identifier: MIT
 *
 * One binary or library on disk: opened with elfutils' libdwfl, which also finds separate debug files, checked by its
 * build id, and asked for the functions (inlined ones included), files and lines at an address. A Dwfl of its own with
 * a load bias of 0 per binary, so that addresses are the file's own and damaged files do no harm to others.
 */
#include "binary.h"

#include "names.h"
#include "scopes.h"

#include <elfutils/libdwfl.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct unit_range {
  Dwarf_Addr lo, hi;
  Dwarf_Die *unit;
  Dwarf_Addr bias;
};

struct binary {
  Dwfl *dwfl;
  Dwfl_Module *module; /* NULL: nothing is known */
  struct unit_range *ranges;
  size_t range_count;
  bool has_ranges;
  char **names; /* demangled names, kept until the end */
  size_t name_count;
  char problem[512];
};

static const Dwfl_Callbacks callbacks = {
    .find_elf = dwfl_build_id_find_elf,
    .find_debuginfo = dwfl_standard_find_debuginfo,
};

static void put_hex(char *out, const uint8_t *bytes, size_t size) {
  for (size_t i = 0; i < size && i < 20; i++)
    sprintf(out + 2 * i, "%02x", bytes[i]);
}

/* The file must be the one that was recorded: another build's lines would be lies. */
static bool is_same_build(struct binary *binary, const char *path, const uint8_t *recorded, uint32_t size) {
  const unsigned char *found = NULL;
  GElf_Addr where;
  int found_size = dwfl_module_build_id(binary->module, &found, &where);
  if (size == 0 || (found_size == (int)size && memcmp(found, recorded, size) == 0))
    return true;
  char was[41] = "", is[41] = "none";
  put_hex(was, recorded, size);
  if (found_size > 0)
    put_hex(is, found, (size_t)found_size);
  snprintf(binary->problem, sizeof binary->problem,
           "%s changed since the recording (build id %.12s then, %.12s now): its frames show offsets only", path, was,
           is);
  return false;
}

static void binary_load(struct binary *binary, const char *path, const uint8_t *build_id, uint32_t build_id_size) {
  struct stat status;
  int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0 || fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) {
    snprintf(binary->problem, sizeof binary->problem, "%s cannot be read (%s): its frames show offsets only", path,
             fd < 0 ? strerror(errno) : "not a file");
    if (fd >= 0)
      close(fd);
    return;
  }
  binary->dwfl = dwfl_begin(&callbacks);
  if (binary->dwfl) {
    dwfl_report_begin(binary->dwfl);
    /* Takes the descriptor over unless it fails. */
    binary->module = dwfl_report_elf(binary->dwfl, path, path, fd, 0, true);
    dwfl_report_end(binary->dwfl, NULL, NULL);
  }
  if (!binary->module) {
    snprintf(binary->problem, sizeof binary->problem, "%s cannot be read (%s): its frames show offsets only", path,
             dwfl_errmsg(-1));
    close(fd);
  } else if (!is_same_build(binary, path, build_id, build_id_size))
    binary->module = NULL;
}

struct binary *binary_open(const char *path, const uint8_t *build_id, uint32_t build_id_size) {
  struct binary *binary = calloc(1, sizeof *binary);
  if (binary && !module_is_kernel(path))
    binary_load(binary, path, build_id, build_id_size);
  return binary;
}

void binary_close(struct binary *binary) {
  if (!binary)
    return;
  if (binary->dwfl)
    dwfl_end(binary->dwfl);
  for (size_t i = 0; i < binary->name_count; i++)
    free(binary->names[i]);
  free(binary->names);
  free(binary->ranges);
  free(binary);
}

const char *binary_problem(const struct binary *binary) { return binary->problem; }

/* Demangled and kept; "" for NULL. */
static const char *binary_name(struct binary *binary, const char *symbol) {
  if (!symbol)
    return "";
  char *name = name_of_symbol(symbol);
  if (!name)
    return symbol;
  char **names = realloc(binary->names, (binary->name_count + 1) * sizeof *names);
  if (!names) {
    free(name);
    return symbol;
  }
  binary->names = names;
  return names[binary->name_count++] = name;
}

static bool add_range(struct binary *binary, struct unit_range range, size_t *room) {
  if (binary->range_count == *room) {
    size_t more = *room ? *room * 2 : 64;
    struct unit_range *ranges = realloc(binary->ranges, more * sizeof *ranges);
    if (!ranges)
      return false;
    binary->ranges = ranges;
    *room = more;
  }
  binary->ranges[binary->range_count++] = range;
  return true;
}

static int by_address(const void *left, const void *right) {
  const struct unit_range *a = left, *b = right;
  return (a->lo > b->lo) - (a->lo < b->lo);
}

/* clang writes no .debug_aranges, so libdwfl does not find its units by address: ask each unit for its ranges once. */
static void binary_index(struct binary *binary) {
  size_t room = 0;
  Dwarf_Addr bias = 0, base, lo, hi;
  binary->has_ranges = true;
  for (Dwarf_Die *unit = NULL; (unit = dwfl_module_nextcu(binary->module, unit, &bias)) != NULL;)
    for (ptrdiff_t at = 0; (at = dwarf_ranges(unit, at, &base, &lo, &hi)) > 0;)
      if (lo < hi && !add_range(binary, (struct unit_range){lo, hi, unit, bias}, &room))
        return;
  if (binary->range_count)
    qsort(binary->ranges, binary->range_count, sizeof *binary->ranges, by_address);
}

/* The compilation unit that holds `address`, NULL if none is known. `bias`: the debug file's address + bias is ours. */
static Dwarf_Die *unit_of(struct binary *binary, uint64_t address, Dwarf_Addr *bias) {
  Dwarf_Die *unit = dwfl_module_addrdie(binary->module, address, bias);
  if (unit)
    return unit;
  if (!binary->has_ranges)
    binary_index(binary);
  size_t lo = 0, hi = binary->range_count;
  while (lo < hi) {
    size_t middle = lo + (hi - lo) / 2;
    if (binary->ranges[middle].lo + binary->ranges[middle].bias <= address)
      lo = middle + 1;
    else
      hi = middle;
  }
  if (lo == 0 || address >= binary->ranges[lo - 1].hi + binary->ranges[lo - 1].bias)
    return NULL;
  *bias = binary->ranges[lo - 1].bias;
  return binary->ranges[lo - 1].unit;
}

static const char *symbol_at(struct binary *binary, uint64_t address, uint64_t *offset) {
  GElf_Sym symbol;
  GElf_Off into = 0;
  const char *name = dwfl_module_addrinfo(binary->module, address, &into, &symbol, NULL, NULL, NULL);
  if (offset)
    *offset = into;
  return name;
}

bool binary_has_entry(struct binary *binary, uint64_t address) {
  uint64_t offset = 1;
  return binary->module && symbol_at(binary, address, &offset) && offset == 0;
}

const char *binary_variable(struct binary *binary, uint64_t address, uint64_t *offset) {
  GElf_Sym symbol;
  const char *name = NULL;
  if (binary->module)
    name = dwfl_module_addrinfo(binary->module, address, offset, &symbol, NULL, NULL, NULL);
  return name && GELF_ST_TYPE(symbol.st_info) == STT_OBJECT && *offset < symbol.st_size ? binary_name(binary, name)
                                                                                        : "";
}

static struct binary_frame *binary_unknown(size_t *count) {
  struct binary_frame *frame = calloc(1, sizeof *frame);
  *count = frame ? 1 : 0;
  if (frame)
    *frame = (struct binary_frame){.function = "", .file = ""};
  return frame;
}

struct binary_frame *binary_frames(struct binary *binary, uint64_t address, size_t *count) {
  if (!binary->module)
    return binary_unknown(count);
  Dwarf_Addr bias = 0;
  Dwarf_Die *unit = unit_of(binary, address, &bias);
  struct scope *scopes = unit ? scopes_at(unit, address - bias, count) : NULL;
  struct binary_frame *frames = scopes && *count ? calloc(*count, sizeof *frames) : NULL;
  for (size_t i = 0; frames && i < *count; i++)
    frames[i] = (struct binary_frame){.function = binary_name(binary, scopes[i].function),
                                      .file = scopes[i].file ? scopes[i].file : "",
                                      .line = scopes[i].line,
                                      .is_inlined = scopes[i].is_inlined};
  free(scopes);
  if (!frames && !(frames = binary_unknown(count)))
    return NULL;
  struct binary_frame *outermost = &frames[*count - 1];
  if (!outermost->function[0])
    outermost->function = binary_name(binary, symbol_at(binary, address, NULL));
  return frames;
}
