/* SPDX-License-Identifier: MIT
 *
 * Whether the code at an address has unwind tables. What has none (just-in-time compilers, programs that were built
 * without) is walked by its frame pointers. The C library tells lock-free which module an address is in; of the module
 * the index of its table (.eh_frame_hdr) is searched. Entered with signals blocked, by any thread.
 */
#include "unwind_tables.h"

#if defined(__x86_64__)
#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <stddef.h>
#include <string.h>

/* glibc's struct dl_find_object (since 2.35), found at run time: this library also runs on older ones. */
struct found_object {
  unsigned long long flags;
  void *begin, *end;
  struct link_map *link;
  void *index;
  unsigned long long reserved[7];
};
static int (*find_object)(void *, struct found_object *);

/* The index of the table as all linkers write it; another form is left to libunwind. */
struct table_index {
  uint8_t version, begin_form, count_form, row_form;
  int32_t begin;
  uint32_t count;
  struct {
    int32_t code, entry; /* from the index */
  } rows[];
};
enum { FORM_4 = 0x03, FORM_ROW = 0x3b }; /* DW_EH_PE_udata4, DW_EH_PE_datarel | DW_EH_PE_sdata4 */

/* An entry as compilers write it: its code's place is relative to that of the number itself. */
struct table_entry {
  uint32_t size, common;
  int32_t code;
  uint32_t code_size;
};

void unwind_tables_open(void) {
  find_object = (int (*)(void *, struct found_object *))dlsym(RTLD_DEFAULT, "_dl_find_object");
  (void)dlerror(); /* what was not found is nobody's error */
}

static bool has_entry(const struct table_index *index, uint64_t pc) {
  if (index->version != 1 || index->count_form != FORM_4 || index->row_form != FORM_ROW)
    return true;
  int64_t place = (int64_t)(pc - (uint64_t)(uintptr_t)index);
  uint32_t low = 0, high = index->count; /* the last row that begins at or before it is below `high` */
  while (low < high) {
    uint32_t middle = low + (high - low) / 2;
    if (index->rows[middle].code <= place)
      low = middle + 1;
    else
      high = middle;
  }
  if (low == 0)
    return false;
  int32_t code = index->rows[low - 1].code;
  struct table_entry entry;
  const char *at = (const char *)index + index->rows[low - 1].entry;
  memcpy(&entry, at, sizeof entry);
  bool is_usual = at + offsetof(struct table_entry, code) + entry.code == (const char *)index + code;
  return !is_usual || place - code < entry.code_size;
}

/* A module's headers are at its beginning, as linkers place them; if not, any address will do. */
static bool is_executable(const struct found_object *object, uint64_t pc) {
  const ElfW(Ehdr) *head = object->begin;
  if (memcmp(head->e_ident, ELFMAG, SELFMAG) != 0 || head->e_phoff + sizeof(ElfW(Phdr)) * head->e_phnum > 4096)
    return true;
  const ElfW(Phdr) *segments = (const ElfW(Phdr) *)((const char *)head + head->e_phoff);
  for (unsigned i = 0; i < head->e_phnum; i++) {
    uint64_t begin = object->link->l_addr + segments[i].p_vaddr;
    if (segments[i].p_type == PT_LOAD && segments[i].p_flags & PF_X && pc - begin < segments[i].p_memsz)
      return true;
  }
  return false;
}

enum code_kind code_kind_of(uint64_t pc) {
  enum { LOWEST = 0x10000, USER_BITS = 47 };
  struct found_object object;
  if (!find_object)
    return CODE_WITH_TABLES;
  if (pc < LOWEST || pc >> USER_BITS)
    return CODE_NONE;
  if (find_object((void *)(uintptr_t)pc, &object))
    return CODE_GENERATED;
  if (object.index && has_entry(object.index, pc))
    return CODE_WITH_TABLES;
  return is_executable(&object, pc) ? CODE_WITHOUT_TABLES : CODE_NONE;
}
#else
void unwind_tables_open(void) {}

enum code_kind code_kind_of(uint64_t pc) { return pc ? CODE_WITH_TABLES : CODE_NONE; }
#endif
