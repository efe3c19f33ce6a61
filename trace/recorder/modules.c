/* SPDX-License-Identifier: MIT
 *
 * Which libraries lie where: written to the trace when they appear, so that stacks can be symbolized elsewhere and
 * later. Looked at whenever a stack is new; the loader counts its changes, so mostly that is two comparisons. One
 * thread at a time; another that comes meanwhile goes on without. Not entered by signal handlers (signals are blocked).
 */
#include "clock.h"
#include "recorder_state.h"
#include "sys.h"
#include <elf.h>
#include <link.h>
#include <string.h>

struct known_module {
  uint64_t base, lo, hi;
  uint64_t begin, end; /* all of it, data too */
  uint32_t name_hash;
  bool is_present;
};

static struct known_module *known;
static size_t known_count, known_room;
static unsigned long long seen_adds, seen_subs;
static uint64_t last_look; /* what changed since then happened after it */
static atomic_flag is_looking = ATOMIC_FLAG_INIT;

static uint32_t hash_of(const char *text) {
  uint32_t hash = 2166136261u;
  for (; *text; text++)
    hash = (hash ^ (uint8_t)*text) * 16777619u;
  return hash;
}

/* The range of the segments with these flags. */
static void segment_range(const struct dl_phdr_info *info, unsigned flags, uint64_t *lo, uint64_t *hi) {
  *lo = UINT64_MAX;
  *hi = 0;
  for (unsigned i = 0; i < info->dlpi_phnum; i++) {
    const ElfW(Phdr) *header = &info->dlpi_phdr[i];
    if (header->p_type != PT_LOAD || (header->p_flags & flags) != flags)
      continue;
    uint64_t begin = info->dlpi_addr + header->p_vaddr;
    *lo = begin < *lo ? begin : *lo;
    *hi = begin + header->p_memsz > *hi ? begin + header->p_memsz : *hi;
  }
}

static const uint8_t *build_id_in(const uint8_t *note, const uint8_t *end, uint32_t *size) {
  while (note + sizeof(ElfW(Nhdr)) <= end) {
    const ElfW(Nhdr) *header = (const ElfW(Nhdr) *)note;
    const uint8_t *name = note + sizeof *header;
    const uint8_t *content = name + (header->n_namesz + 3u) / 4 * 4;
    if (header->n_type == NT_GNU_BUILD_ID && header->n_namesz == 4 && memcmp(name, "GNU", 4) == 0) {
      *size = header->n_descsz;
      return content;
    }
    note = content + (header->n_descsz + 3u) / 4 * 4;
  }
  return NULL;
}

static const uint8_t *build_id_of(const struct dl_phdr_info *info, uint32_t *size) {
  *size = 0;
  for (unsigned i = 0; i < info->dlpi_phnum; i++) {
    const ElfW(Phdr) *header = &info->dlpi_phdr[i];
    if (header->p_type != PT_NOTE)
      continue;
    const uint8_t *note = (const uint8_t *)(uintptr_t)(info->dlpi_addr + header->p_vaddr);
    const uint8_t *id = build_id_in(note, note + header->p_memsz, size);
    if (id)
      return id;
  }
  return NULL;
}

static bool known_grow(void) {
  size_t room = known_room ? known_room * 2 : 256;
  struct known_module *grown = memory_new(room * sizeof *grown, false);
  if (!grown)
    return false;
  if (known) {
    memcpy(grown, known, known_count * sizeof *grown);
    sys_munmap(known, known_room * sizeof *known);
  }
  known = grown;
  known_room = room;
  return true;
}

static void write_module(struct recorder_thread *thread, const struct known_module *module,
                         const struct dl_phdr_info *info) {
  struct {
    struct snarli_module module;
    uint8_t build_id[64];
  } head = {.module = {.base = module->base, .lo = module->lo, .hi = module->hi}};
  uint32_t size;
  const uint8_t *id = build_id_of(info, &size);
  if (id && size <= sizeof head.build_id) {
    head.module.build_id_size = size;
    memcpy(head.build_id, id, size);
  }
  char *link = NULL;
  const char *path = info->dlpi_name;
  size_t path_size = strlen(path);
  if (!path_size && known_count == 1 && (link = memory_new(PAGE, false))) { /* the program itself has no name here */
    long length = sys_readlink("/proc/self/exe", link, PAGE);
    path = link;
    path_size = length > 0 ? (size_t)length : 0;
  }
  blob_append(thread, SNARLI_B_MODULE, last_look, &head, sizeof head.module + head.module.build_id_size, path,
              path_size);
  if (link)
    sys_munmap(link, PAGE);
}

struct look {
  struct recorder_thread *thread;
  bool has_counted;
};

static int look_at(struct dl_phdr_info *info, size_t size, void *argument) {
  struct look *look = argument;
  if (!look->has_counted && size > offsetof(struct dl_phdr_info, dlpi_subs)) {
    look->has_counted = true;
    if (info->dlpi_adds == seen_adds && info->dlpi_subs == seen_subs)
      return 1;
    seen_adds = info->dlpi_adds;
    seen_subs = info->dlpi_subs;
    for (size_t i = 0; i < known_count; i++)
      known[i].is_present = false;
  }
  struct known_module module = {.base = info->dlpi_addr, .name_hash = hash_of(info->dlpi_name), .is_present = true};
  segment_range(info, PF_X, &module.lo, &module.hi);
  segment_range(info, 0, &module.begin, &module.end);
  if (module.lo >= module.hi)
    return 0;
  for (size_t i = 0; i < known_count; i++)
    if (known[i].lo == module.lo && known[i].hi == module.hi && known[i].name_hash == module.name_hash) {
      known[i].is_present = true;
      return 0;
    }
  if (known_count == known_room && !known_grow())
    return 0;
  known[known_count++] = module;
  write_module(look->thread, &module, info);
  return 0;
}

static void drop_absent(struct recorder_thread *thread) {
  size_t kept = 0;
  for (size_t i = 0; i < known_count; i++) {
    if (known[i].is_present) {
      known[kept++] = known[i];
      continue;
    }
    blob_append(thread, SNARLI_B_UNLOAD, last_look, &known[i].base, sizeof known[i].base, NULL, 0);
    marks_memory_goes(known[i].begin, known[i].end);
  }
  known_count = kept;
}

void modules_update(struct recorder_thread *thread) {
  if (atomic_flag_test_and_set_explicit(&is_looking, memory_order_acquire))
    return;
  uint64_t now = clock_now(recorder.clock);
  if (!last_look)
    last_look = recorder.header->begin_ticks;
  struct look look = {.thread = thread};
  if (dl_iterate_phdr(look_at, &look) == 0)
    drop_absent(thread);
  last_look = now;
  atomic_flag_clear_explicit(&is_looking, memory_order_release);
}

void snarli_modules_changed(void) {
  struct recorder_thread *thread = thread_attach();
  if (!thread)
    return;
  uint64_t saved;
  sys_block_signals(&saved);
  modules_update(thread);
  sys_restore_signals(&saved);
}

void modules_forget(void) {
  known_count = 0;
  seen_adds = seen_subs = 0;
  last_look = 0;
  atomic_flag_clear_explicit(&is_looking, memory_order_release);
}
