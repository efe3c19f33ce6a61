/* SPDX-License-Identifier: MIT
 *
 * The reader: opens a trace (a directory, or one file of it), checks it, and hands out its records merged into
 * one order. Static library; not thread-safe: one thread per struct trace. A trace may still be growing: a reader sees
 * what was written when it was opened.
 *
 *   struct trace_problem problem;
 *   struct trace *trace = trace_open("app.trace", &problem);      // NULL: problem.status, problem.text
 *   struct trace_record record;
 *   while (trace_next(trace, &record)) ...
 *   trace_close(trace);
 *
 * Damage never ends the reading: what is whole is handed out, what is not is skipped, counted and told by
 * trace_problem_count / trace_problem_at. Only a trace of which nothing can be read fails to open.
 */
#ifndef SNARL_TRACE_READER_H
#define SNARL_TRACE_READER_H

#include <snarl/trace/format.h>
#include <snarl/trace/status.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct trace;

struct trace_problem {
  enum trace_status status;
  char text[512]; /* one line: what, where (file and offset), how much was lost */
};

/* A process image: a program from its start, fork or exec to its exit or exec. Strings belong to the trace. */
struct trace_process {
  uint32_t pid, parent_pid;
  int32_t parent; /* index of the image that forked or spawned it, or that exec replaced; -1: not in the trace */
  bool forked;    /* began with fork and runs its parent's program */
  bool execed;    /* `parent` is the same process before an exec */
  bool ended;     /* reached exit or exec; false: killed, or still running */
  int exit_status;
  uint64_t begin; /* record clock */
  const char *exe;
  const char *command; /* argv joined by spaces */
  const char *file;
  uint32_t threads;
  uint64_t dropped; /* records the recorder could not write */
  uint64_t dropped_at;
  enum snarli_stop stop;
  int stop_errno;
  uint64_t bytes; /* of the file in use */
};

/* A module of a process: while loaded, [lo, hi) is its code. `base` is the load bias. */
struct trace_module {
  uint64_t base, lo, hi;
  uint64_t loaded, unloaded; /* record clock; unloaded UINT64_MAX while loaded */
  const char *path;
  const uint8_t *build_id;
  uint32_t build_id_size;
};

/* Memory shared between processes: address a in [lo, hi) is (device, inode, offset + (a - lo)). */
struct trace_mapping {
  uint64_t lo, hi;
  uint64_t device, inode, offset;
  uint64_t since, until;
  const char *path;
};

/* A symbol that the trace itself carries. */
struct trace_symbol {
  uint64_t pc;
  const char *function, *file;
  uint32_t line;
};

/* What a descriptor is an end of: see struct snarli_channel. */
struct trace_channel {
  struct snarli_channel what;
  const char *name; /* a path, an address, a key; "": none */
};

struct trace_record {
  uint64_t time;    /* record clock, of one scale for all processes of a machine */
  uint64_t object;  /* address, handle, pid or number: see records.def */
  uint32_t process; /* index of the image */
  uint32_t thread;  /* index within the image, 0 is its first thread */
  uint32_t tid;     /* the kernel's id of the thread */
  uint32_t aux;
  uint8_t type; /* enum snarli_record_type; never OWNER or TIME */
  uint8_t arg;
};

/* How a record type is laid out and called, from records.def. NULL for a byte that is no record type. */
struct trace_record_info {
  const char *text;
  enum snarli_family family;
  enum snarli_phase phase;
  enum snarli_arg arg;
  enum snarli_object object;
  enum snarli_aux aux;
};
const struct trace_record_info *trace_record_info(unsigned type);
/* The type called `text`, -1 if none. */
int trace_record_type(const char *text);

struct trace *trace_open(const char *path, struct trace_problem *problem);
void trace_close(struct trace *trace);

uint32_t trace_process_count(const struct trace *trace);
const struct trace_process *trace_process_at(const struct trace *trace, uint32_t process);
size_t trace_module_count(const struct trace *trace, uint32_t process);
const struct trace_module *trace_module_at(const struct trace *trace, uint32_t process, size_t i);
/* The module that held `pc` at `time`, NULL if none did. */
const struct trace_module *trace_module_of(const struct trace *trace, uint32_t process, uint64_t pc, uint64_t time);
size_t trace_mapping_count(const struct trace *trace, uint32_t process);
const struct trace_mapping *trace_mapping_at(const struct trace *trace, uint32_t process, size_t i);
/* The shared mapping that held `address` at `time`, NULL: the address is private to the process. */
const struct trace_mapping *trace_mapping_of(const struct trace *trace, uint32_t process, uint64_t address,
                                             uint64_t time);
const struct trace_symbol *trace_symbol_of(const struct trace *trace, uint32_t process, uint64_t pc);

/* The next record in the trace's order: by time, at equal times by phase (see records.def), then process, thread,
 * position. Within a thread always in the order it was written. False at the end. */
bool trace_next(struct trace *trace, struct trace_record *record);
void trace_rewind(struct trace *trace);

/* From the next trace_rewind on, records on locks, semaphores, barriers, onces and (unless `with_conditions`) condition
 * variables that lie at none of these addresses, in whatever process, are passed over; but not in memory that
 * processes share. Threads, processes, channels, memory: as before. */
void trace_narrow(struct trace *trace, const uint64_t *addresses, size_t count, bool with_conditions);
/* How many records were passed over since trace_rewind. */
uint64_t trace_passed_over(const struct trace *trace);

/* One record as one line without its end: nanoseconds, process.thread (kernel id), record, object, argument and aux by
 * name. Like snprintf: returns the size of the whole line, and cuts what does not fit. */
int trace_print_record(const struct trace *trace, const struct trace_record *record, char *buf, size_t size);

/* The frames of a stack, innermost first, at most `room` of them written to `pcs`; returns how many there are (loops
 * and dangling ids end the walk). A last pc of SNARLI_PC_CUT says that deeper frames were not recorded, one of
 * SNARLI_PC_SIGNAL that what is inside of it is a signal handler. */
size_t trace_stack(const struct trace *trace, uint32_t process, uint32_t stack, uint64_t *pcs, size_t room);
/* A string blob, NULL if `id` names none. Belongs to the trace. */
const char *trace_string(const struct trace *trace, uint32_t process, uint32_t id);

/* A channel blob, NULL if `id` names none. Belongs to the trace. */
const struct trace_channel *trace_channel(const struct trace *trace, uint32_t process, uint32_t id);
const char *trace_channel_kind(enum snarli_channel_kind kind); /* in words */

/* Nanoseconds since the trace's first record. */
uint64_t trace_ns(const struct trace *trace, uint64_t time);

/* The newest record of each thread of a trace, without reading the records before: what is it doing now?
 * Calls `visit` once per thread of each image that has not ended. */
void trace_last_records(struct trace *trace, void (*visit)(const struct trace_record *last, void *context),
                        void *context);

/* Looks again at a trace that grows: trace_last_records tells what is newest now. The records handed out stay those of
 * the moment at which it was opened. False: only opening it anew can tell more, as when a process has begun. */
bool trace_refresh(struct trace *trace);

/* Why and since when records of a process are missing, as one line; like snprintf. 0: none are. */
int trace_print_loss(const struct trace *trace, uint32_t process, char *buf, size_t size);

size_t trace_problem_count(const struct trace *trace);
const struct trace_problem *trace_problem_at(const struct trace *trace, size_t i);
uint64_t trace_bytes(const struct trace *trace);
uint64_t trace_dropped(const struct trace *trace);
bool trace_is_complete(const struct trace *trace); /* no problem and nothing dropped */

#endif
