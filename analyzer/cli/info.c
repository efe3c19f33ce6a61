/* SPDX-License-Identifier: MIT
 *
 * snarl info: what a trace holds, counted. Memory grows with the objects, not with the records. Main thread.
 */
#include "commands.h"
#include "complain.h"

#include <errno.h>
#include <inttypes.h>
#include <snarl/analyzer.h>
#include <snarl/trace/reader.h>
#include <stdio.h>
#include <stdlib.h>

/* An address in a process and what kind of object is there. Memory that was used again counts once. */
struct place {
  uint64_t address;
  uint32_t process;
  uint32_t family; /* + 1; 0: a free slot */
};

struct census {
  uint64_t records, by_type[256], objects[UINT8_MAX + 1]; /* by family; of futexes: places of the program */
  uint64_t futex_waits;
  struct place *places;
  uint64_t used;
  size_t room;
};

static struct place *place_of(const struct census *census, struct place wanted) {
  uint64_t i = (wanted.address ^ (uint64_t)wanted.process << 40 ^ wanted.family) * 0x9e3779b97f4a7c15ull >> 20;
  for (;; i++) {
    struct place *place = &census->places[i & (census->room - 1)];
    if (!place->family ||
        (place->address == wanted.address && place->process == wanted.process && place->family == wanted.family))
      return place;
  }
}

static bool census_grow(struct census *census) {
  struct census bigger = {.room = census->room ? census->room * 2 : 1024};
  bigger.places = calloc(bigger.room, sizeof *bigger.places);
  if (!bigger.places)
    return false;
  for (size_t i = 0; i < census->room; i++)
    if (census->places[i].family)
      *place_of(&bigger, census->places[i]) = census->places[i];
  free(census->places);
  census->places = bigger.places;
  census->room = bigger.room;
  return true;
}

static bool count_place(struct census *census, struct place wanted) {
  if (census->used * 2 >= census->room && !census_grow(census))
    return false;
  struct place *place = place_of(census, wanted);
  if (place->family)
    return true;
  *place = wanted;
  census->used++;
  census->objects[wanted.family - 1]++;
  return true;
}

static bool count_object(struct census *census, const struct trace *trace, const struct trace_record *record) {
  enum snarli_family family = trace_record_info(record->type)->family;
  struct place wanted = {record->object, record->process, family + 1u};
  const struct trace_mapping *shared = trace_mapping_of(trace, record->process, record->object, record->time);
  if (shared) {
    /* One object, whatever the process. */
    wanted.address = shared->inode * 0x100000001b3ull + shared->device + shared->offset + (record->object - shared->lo);
    wanted.process = UINT32_MAX;
  }
  return count_place(census, wanted);
}

/* Both ends of a channel are one object, whatever the process. */
static bool count_channel(struct census *census, const struct trace *trace, const struct trace_record *record) {
  const struct trace_channel *channel = trace_channel(trace, record->process, record->aux);
  if (!channel || channel->what.kind == SNARLI_C_EPOLL || channel->what.kind == SNARLI_C_PIDFD)
    return true;
  const struct snarli_channel *what = &channel->what;
  uint64_t least = what->peer && what->peer < what->self ? what->peer : what->self;
  struct place wanted = {(what->device ^ what->kind) * 0x100000001b3ull + least, UINT32_MAX, SNARLI_CHANNEL + 1u};
  return count_place(census, wanted);
}

/* Counted by place, because what an address means nobody knows. */
static bool count_futex(struct census *census, const struct trace_record *record) {
  if (record->type == SNARLI_R_FUTEX_WAIT_REQUESTED) {
    census->futex_waits++;
    return count_place(census, (struct place){record->aux, record->process, SNARLI_FUTEX + 1u});
  }
  census->futex_waits -= record->arg == EAGAIN && census->futex_waits; /* it did not wait */
  return true;
}

static bool take_census(struct census *census, struct trace *trace) {
  struct trace_record record;
  while (trace_next(trace, &record)) {
    census->records++;
    census->by_type[record.type]++;
    const struct trace_record_info *info = trace_record_info(record.type);
    bool is_object = info && info->object == SNARLI_OBJECT_ADDRESS && info->family != SNARLI_META;
    if (info && info->family == SNARLI_FUTEX) {
      if (!count_futex(census, &record))
        return false;
      continue;
    }
    if (is_object && !count_object(census, trace, &record))
      return false;
    if (record.type == SNARLI_R_CHANNEL_OPENED && !count_channel(census, trace, &record))
      return false;
  }
  return true;
}

static void print_process(const struct trace *trace, uint32_t index, int depth) {
  const struct trace_process *process = trace_process_at(trace, index);
  printf("  %*s%u %s: %u thread%s, ", depth * 2, "", process->pid,
         process->command[0] ? process->command : process->exe, process->threads, process->threads == 1 ? "" : "s");
  if (process->ended)
    printf("ended with %d", process->exit_status);
  else
    printf("killed or still running");
  printf("\n");
  char loss[512];
  if (trace_print_loss(trace, index, loss, sizeof loss))
    printf("  %*s  %s\n", depth * 2, "", loss);
}

/* Children below their parents, in the order of the trace. A parent comes before its children, so this ends. */
static void print_tree(const struct trace *trace, int32_t parent, int depth) {
  for (uint32_t i = 0; i < trace_process_count(trace); i++)
    if (trace_process_at(trace, i)->parent == parent && (int32_t)i != parent) {
      print_process(trace, i, depth);
      if ((int32_t)i > parent)
        print_tree(trace, (int32_t)i, depth + 1);
    }
}

static void print_objects(const struct census *census) {
  /* One per line: each family adds its own. */
  static const char *const names[] = {
      [SNARLI_MUTEX] = "mutexes",
      [SNARLI_RWLOCK] = "rwlocks",
      [SNARLI_SPIN] = "spinlocks",
      [SNARLI_SEM] = "semaphores",
      [SNARLI_COND] = "conditions",
      [SNARLI_BARRIER] = "barriers",
      [SNARLI_ONCE] = "once-controls",
      [SNARLI_EVENT] = "events",
      [SNARLI_SHARED] = "shared variables",
      [SNARLI_TIMER] = "timers",
      [SNARLI_CHANNEL] = "channels",
      [SNARLI_LOCK] = "annotated locks",
      [SNARLI_ORDER] = "annotated orders",
      [SNARLI_QUEUE] = "queues",
      [SNARLI_FUTURE] = "futures and executors",
      [SNARLI_MANAGED] = "items of managers",
  };
  printf("objects: %" PRIu64 "\n", census->used - census->objects[SNARLI_FUTEX]);
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (names[i] && census->objects[i])
      printf("  %-26s %" PRIu64 "\n", names[i], census->objects[i]);
}

static void print_records(const struct census *census, const struct trace *trace) {
  printf("records: %" PRIu64 "\n", census->records);
  for (unsigned type = 0; type < 256; type++)
    if (census->by_type[type])
      printf("  %-26s %" PRIu64 "\n", trace_record_info(type)->text, census->by_type[type]);
  uint64_t bytes = trace_bytes(trace);
  printf("bytes: %" PRIu64, bytes);
  if (census->records)
    printf(" (%.1f per record)", (double)bytes / (double)census->records);
  printf("\nmissing records: %" PRIu64 "\n", trace_dropped(trace));
}

static void print_unseen(const struct census *census, const struct trace *trace) {
  char text[512];
  if (census->futex_waits)
    printf("not seen: who holds the locks of %" PRIu64 " wait%s on bare futexes, from %" PRIu64
           " place%s (snarl analyze tells where)\n",
           census->futex_waits, census->futex_waits == 1 ? "" : "s", census->objects[SNARLI_FUTEX],
           census->objects[SNARLI_FUTEX] == 1 ? "" : "s");
  for (size_t i = 0; analysis_blind_library(trace, i, text, sizeof text) >= 0; i++)
    if (analysis_blind_library(trace, i, text, sizeof text))
      printf("not seen: %s\n", text);
}

static void print_info(const struct trace *trace, const struct census *census, const char *name) {
  uint64_t threads = 0;
  for (uint32_t i = 0; i < trace_process_count(trace); i++)
    threads += trace_process_at(trace, i)->threads;
  printf("trace: %s\nprocesses: %u\n", name, trace_process_count(trace));
  print_tree(trace, -1, 0);
  printf("threads: %" PRIu64 "\n", threads);
  print_objects(census);
  print_records(census, trace);
  print_unseen(census, trace);
  printf("complete: %s\n", trace_is_complete(trace) ? "yes" : "no");
  for (size_t i = 0; i < trace_problem_count(trace); i++)
    printf("  %s\n", trace_problem_at(trace, i)->text);
}

int command_info(const struct options *options) {
  struct trace_problem problem = {0};
  struct trace *trace = trace_open(options->arguments[0], &problem);
  if (!trace)
    return complain("%s", problem.text), EXIT_TRACE;
  struct census census = {0};
  bool is_good = take_census(&census, trace);
  if (is_good)
    print_info(trace, &census, options->arguments[0]);
  else
    complain("out of memory");
  free(census.places);
  trace_close(trace);
  return is_good ? EXIT_OK : EXIT_FAILED;
}
