/* SPDX-License-Identifier: MIT
 *
 * From the model to words: labels of threads and objects that are unique within the report, symbolized stacks, and
 * findings put together from steps. Everything that it makes lives in the arena. One thread per value.
 */
#ifndef SNARL_DESCRIBE_DESCRIBE_H
#define SNARL_DESCRIBE_DESCRIBE_H

#include "../model/model.h"
#include <snarl/finding.h>
#include <symbols.h>

/* Where a finding's step lies in the trace. */
struct step_mark {
  const struct finding_step *steps; /* of the finding */
  const char *words;                /* "waits for mutex a" */
  uint32_t thread;                  /* serial */
  uint64_t time;
};

struct describe {
  struct arena *arena;
  struct model *model;
  struct symbols *symbols;
  struct map threads, objects; /* serial -> place in labels */
  struct map taken;            /* hash of a label without number -> how many have it */
  VECTOR(const char *) labels;
  bool names_processes; /* threads of several processes take part */
  VECTOR(struct step_mark) marks;
};

void describe_init(struct describe *describe, struct arena *arena, struct model *model, struct symbols *symbols);
/* A thread or process that takes part: tell all before the first label is asked for. */
void describe_announce(struct describe *describe, const struct thread *thread);

const char *describe_thread(struct describe *describe, struct thread *thread);
/* What the program calls it: its name, "main", its start routine, or "thread"; several may have the same. */
const char *describe_thread_name(struct describe *describe, const struct thread *thread);
const char *describe_object(struct describe *describe, struct object *object);
const char *describe_process(struct describe *describe, const struct process *process);
/* The global or static variable that a private object is or lies in, "lock" or "locks+0x28"; "" if none is known. */
const char *describe_variable(struct describe *describe, const struct object *object);
const char *object_kind(const struct object *object);
/* The same as the program calls it that made it at `site`: what CPython uses as a lock is one. */
const char *object_word(const struct object *object, const struct finding_frame *site);
struct finding_stack describe_stack(struct describe *describe, struct origin origin);
/* The innermost frame of the program's own, else of what an interpreter runs; NULL: none. */
const struct finding_frame *describe_site(struct finding_stack stack);
/* "transfer.c:31", "function", "" */
const char *describe_place(struct describe *describe, struct origin origin);
/* The same as an insertion, " (transfer.c:31)"; "" if it would not help. */
const char *describe_at(struct describe *describe, struct origin origin);
/* The code belongs to an interpreter: the same for everything that its programs do. */
bool is_interpreter(const struct finding_frame *frame);
const char *base_name(const char *path);

/* A finding in the making. */
struct draft_object {
  struct object *object; /* one of these three */
  struct thread *thread;
  const struct process *process;
};
struct draft_step {
  uint32_t thread;
  int32_t object;
  const char *op, *note;
  struct origin origin;
  uint32_t order; /* among steps of one time */
  bool is_block;  /* the thread stays in it */
};
struct draft {
  struct describe *describe;
  enum finding_rule rule;
  enum finding_verdict verdict;
  const char *reason, *title, *message;
  const char *help; /* NULL: the rule's */
  uint64_t count;
  VECTOR(struct thread *) threads;
  VECTOR(struct draft_object) objects;
  VECTOR(struct draft_step) steps;
};

uint32_t draft_thread(struct draft *draft, struct thread *thread);
int32_t draft_object(struct draft *draft, struct draft_object object);
void draft_step(struct draft *draft, struct thread *thread, const char *op, struct draft_object object,
                const char *note, struct origin origin);
/* The step in which the thread is blocked for good. */
void draft_block(struct draft *draft, struct thread *thread, struct draft_object object, const char *note,
                 struct origin origin);
/* "mutex A and mutex B", "A, B and C" from what has been listed so far. */
const char *draft_join(struct describe *describe, const char *const *parts, size_t count);
struct finding draft_finish(struct draft *draft);
/* Rule and sites: the same across runs and rebuilds. */
uint64_t draft_fingerprint(const struct draft *draft);

/* A finding and what it came from, until the report has its order. */
struct found {
  struct finding finding;
  int32_t core;  /* of the wait-for graph, -1: none */
  int32_t group; /* of lock-order cycles, -1: none */
};
struct found_list {
  struct found *items;
  size_t count, room;
};
/* Adds a finding, or counts it if one from place `from` on has the same sites. */
void found_merge(struct describe *describe, struct found_list *found, size_t from, struct finding finding);

#endif
