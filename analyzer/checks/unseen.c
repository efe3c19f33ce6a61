/* SPDX-License-Identifier: MIT
 *
 * Counting and telling what could not be seen (see unseen.h). One thread per value.
 */
#include "unseen.h"
#include <errno.h>
#include <inttypes.h>
#include <snarl/analyzer.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HELP                                                                                                           \
  "Tell Snarl of these locks with <snarl/annotate.h>, or take the C library's. Until then their orders and deadlocks " \
  "are not looked at, and a thread that waits so is taken to go on."

#define HELP_OF_FREEING                                                                                                \
  "A lock that comes to lie where another lay is taken for it, and may close a cycle that is none. Destroy locks "     \
  "before their memory is freed, tell of new memory with snarl_memory_new of <snarl/annotate.h>, or run the program "  \
  "with the C library's allocator."

/* Libraries that make their system calls themselves: not even their waits are seen. */
static const struct {
  const char *name, *what;
} libraries[] = {
    {"libgomp.so", "the locks, critical sections and barriers of OpenMP"},
};

void unseen_init(struct unseen *unseen, struct arena *arena, struct model *model) {
  *unseen = (struct unseen){.arena = arena, .model = model};
}

static void count(struct unseen *unseen, struct origin origin) {
  uint64_t key = (uint64_t)origin.process << 32 | origin.stack;
  uint32_t place = map_get(&unseen->places, key);
  if (place == MAP_NONE) {
    place = (uint32_t)unseen->sites.count;
    map_put(unseen->arena, &unseen->places, key, place);
    vector_push(unseen->arena, &unseen->sites) = (struct unseen_site){.origin = origin};
  }
  unseen->sites.items[place].waits++;
}

void unseen_step(struct unseen *unseen, const struct event *event) {
  const struct trace_record *record = event->record;
  if (record->type == SNARLI_R_FREEING_UNSEEN) {
    unseen->has_own_free |= record->arg == 1;
    unseen->has_own_delete |= record->arg == 2;
  }
  if (record->type != SNARLI_R_FUTEX_WAIT_RETURNED || record->arg == EAGAIN ||
      process_has_object_around(event->process, record->object))
    return;
  count(unseen, (struct origin){record->process, record->aux, record->time, event->thread->serial});
}

/* Those that never came back. */
static void count_pending(struct unseen *unseen) {
  for (size_t i = 0; i < unseen->model->threads.count; i++) {
    const struct thread *thread = unseen->model->threads.items[i];
    if (thread && thread->wait.kind == WAIT_FUTEX && !process_has_object_around(thread->process, thread->wait.futex))
      count(unseen, thread->wait.asked);
  }
}

static bool is_same_frame(const struct finding_frame *a, const struct finding_frame *b) {
  return a->line == b->line && !strcmp(a->function, b->function) && !strcmp(a->file, b->file) &&
         !strcmp(a->module, b->module) && (*a->function || *a->file || a->offset == b->offset);
}

static int compare_sites(const void *a, const void *b) {
  const struct finding_blind_site *left = a, *right = b;
  if (left->waits != right->waits)
    return left->waits > right->waits ? -1 : 1;
  int order = strcmp(left->frame.function, right->frame.function);
  order = order ? order : strcmp(left->frame.file, right->frame.file);
  order = order ? order : strcmp(left->frame.module, right->frame.module);
  if (order)
    return order;
  uint64_t x = left->frame.line ? left->frame.line : left->frame.offset;
  uint64_t y = right->frame.line ? right->frame.line : right->frame.offset;
  return (x > y) - (x < y);
}

/* The innermost function that has a name: in a library without symbols, who called it. */
static const struct finding_frame *named_site(struct finding_stack stack) {
  for (size_t i = 0; i < stack.count; i++)
    if (!stack.frames[i].is_internal && *stack.frames[i].function)
      return &stack.frames[i];
  return describe_site(stack);
}

/* Stacks that wait at one place of the source are one site. */
static size_t find_sites(struct unseen *unseen, struct describe *describe, struct finding_blind_site *sites) {
  static const struct finding_frame unknown = {.function = "", .file = "", .module = ""};
  size_t found = 0;
  for (size_t i = 0; i < unseen->sites.count; i++) {
    const struct finding_frame *frame = named_site(describe_stack(describe, unseen->sites.items[i].origin));
    frame = frame ? frame : &unknown;
    size_t at = 0;
    while (at < found && !is_same_frame(&sites[at].frame, frame))
      at++;
    if (at == found)
      sites[found++] = (struct finding_blind_site){.frame = *frame};
    sites[at].waits += unseen->sites.items[i].waits;
  }
  qsort(sites, found, sizeof *sites, compare_sites);
  return found;
}

static struct finding_blind_spot futexes(struct unseen *unseen, struct describe *describe) {
  struct finding_blind_site *sites = arena_alloc(unseen->arena, unseen->sites.count * sizeof *sites);
  struct finding_blind_spot spot = {.sites = sites, .help = HELP};
  spot.site_count = find_sites(unseen, describe, sites);
  for (size_t i = 0; i < spot.site_count; i++)
    spot.waits += sites[i].waits;
  spot.what =
      arena_print(unseen->arena, "%" PRIu64 " wait%s on futexes that are not objects of the C library, at %zu place%s",
                  spot.waits, spot.waits == 1 ? "" : "s", spot.site_count, spot.site_count == 1 ? "" : "s");
  return spot;
}

const char *unseen_library(const struct trace *trace, const char *name) {
  for (uint32_t process = 0; process < trace_process_count(trace); process++)
    for (size_t i = 0; i < trace_module_count(trace, process); i++) {
      const char *path = trace_module_at(trace, process, i)->path, *base = path ? base_name(path) : "";
      if (!strncmp(base, name, strlen(name)))
        return base;
    }
  return NULL;
}

int analysis_blind_library(const struct trace *trace, size_t library, char *text, size_t size) {
  if (library >= sizeof libraries / sizeof *libraries)
    return -1;
  const char *name = unseen_library(trace, libraries[library].name);
  if (name)
    snprintf(text, size, "%s (%s is loaded)", libraries[library].what, name);
  return name != NULL;
}

void unseen_report(struct unseen *unseen, struct describe *describe, struct report *report) {
  struct finding_blind_spot *spots =
      arena_alloc(unseen->arena, (2 + sizeof libraries / sizeof *libraries) * sizeof *spots);
  count_pending(unseen);
  report->blind_spots = spots;
  if (unseen->sites.count)
    spots[report->blind_spot_count++] = futexes(unseen, describe);
  if (unseen->has_own_free)
    spots[report->blind_spot_count++] =
        (struct finding_blind_spot){.what = "memory that the program's own free gives back", .help = HELP_OF_FREEING};
  else if (unseen->has_own_delete)
    spots[report->blind_spot_count++] = (struct finding_blind_spot){
        .what = "memory that an allocator's own operator delete gives back", .help = HELP_OF_FREEING};
  char text[512];
  for (size_t i = 0; analysis_blind_library(unseen->model->trace, i, text, sizeof text) >= 0; i++)
    if (analysis_blind_library(unseen->model->trace, i, text, sizeof text))
      spots[report->blind_spot_count++] =
          (struct finding_blind_spot){.what = arena_copy(unseen->arena, text, strlen(text)), .help = HELP};
}
