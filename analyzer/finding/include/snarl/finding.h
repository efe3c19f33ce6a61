/* SPDX-License-Identifier: MIT
 *
 * A report: what the analyzer found, self-contained. The contract between analyzer/ (which fills it) and reports/
 * (which renders it); no record or model type appears here. Everything is immutable once built; all memory, strings
 * included, belongs to the report's owner (the analyzer's arena). Strings are never NULL unless said so: "" means
 * unknown.
 */
#ifndef SNARL_FINDING_H
#define SNARL_FINDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum finding_rule {
#define FINDING(NAME, id, level, title, help) RULE_##NAME,
#include <snarl/findings.def>
  RULE_COUNT
};

enum finding_level { LEVEL_NOTE, LEVEL_WARNING, LEVEL_ERROR };

/* How sure a finding is. HAPPENED: seen in this run. The others are the ladder of a predicted deadlock. */
enum finding_verdict {
  VERDICT_HAPPENED,
  VERDICT_IMPOSSIBLE,
  VERDICT_UNCONFIRMED,
  VERDICT_FEASIBLE,
  VERDICT_PROVED,
  VERDICT_REPRODUCED,
};

struct finding_rule_info {
  const char *id;
  enum finding_level level;
  const char *title, *help;
};
const struct finding_rule_info *finding_rule_info(enum finding_rule rule);
const char *finding_level_name(enum finding_level level);       /* "note", "warning", "error" */
const char *finding_verdict_name(enum finding_verdict verdict); /* "happened", "impossible", ... */

/* One frame of a call stack, innermost first; an inlined function is a frame of its own with `is_inlined`. */
struct finding_frame {
  const char *function; /* "" when unknown */
  const char *file;     /* "" when unknown */
  const char *module;   /* path of the binary or library */
  uint32_t line;        /* 0 when unknown */
  uint64_t offset;      /* of the pc in the module */
  bool is_inlined;
  bool is_internal;    /* of libc, the thread library, the C++ runtime, an interpreter or its library: may be folded in
                          text */
  bool is_interpreted; /* of a program that an interpreter runs: no module, no offset */
};

/* The function of a frame that is none: a signal came here; the handler is the next inner frame. */
#define FINDING_SIGNAL_FRAME "<signal handler called>"

struct finding_stack {
  const struct finding_frame *frames;
  size_t count;
  bool is_cut; /* deeper frames were not recorded */
};

struct finding_process {
  uint32_t pid, parent_pid;
  const char *exe, *command;
  uint32_t threads;
  bool ended;
  int exit_status; /* of an ended one */
};

struct finding_thread {
  uint32_t pid, tid;
  const char *name;             /* the name given to it, "main", its start routine, or "thread"; not unique */
  const char *label;            /* short and unique within the report: "main", "worker-1", "T3 (worker)" */
  struct finding_stack created; /* where it was started; may be empty */
  bool is_blocked;              /* one of those that cannot go on, not merely mentioned */
};

struct finding_object {
  const char *kind; /* "mutex", "rwlock", "spinlock", "semaphore", "condition", "barrier", "once", "thread", "process";
                       of libsnarl: "Lock", "RLock", "Condition", ... (kinds.def) */
  const char *name; /* given by the program, or that of the variable it lies in; "" if none */
  const char
      *label; /* short and unique within the report: its name, or kind and creation site: "mutex transfer.c:12" */
  const char *address;          /* "0x55..." ; of a shared one "8:1:1234+0x40" (device, inode, offset) */
  bool is_shared;               /* between processes */
  struct finding_stack created; /* where it was initialized or first used */
};

/* One thing that a thread did, in time order. Indices point into the finding's own threads and objects. */
struct finding_step {
  uint32_t thread;
  int32_t object;   /* -1: none */
  const char *op;   /* "acquired", "waits for", "holds", "wants", "released", ... : reads after the thread's name */
  const char *note; /* "" or an addition: "for reading", "while holding mutex B" */
  uint64_t time_ns; /* since the start of the trace */
  struct finding_stack stack;
};

struct finding {
  enum finding_rule rule;
  enum finding_level level;
  enum finding_verdict verdict;
  const char *reason;  /* why the verdict: one sentence */
  const char *title;   /* one line, with names */
  const char *message; /* one paragraph that a tired person understands */
  const char *help;
  char id[17];    /* fingerprint: 16 hex digits, stable across runs and rebuilds */
  uint64_t count; /* how often it was seen */
  const struct finding_thread *threads;
  size_t thread_count;
  const struct finding_object *objects;
  size_t object_count;
  const struct finding_step *steps;
  size_t step_count;
};

/* A picture: what the graph formats draw. Nodes and edges are already folded and labelled. */
enum picture_shape {
  SHAPE_LOCK,
  SHAPE_THREAD,
  SHAPE_PROCESS,
  SHAPE_WAITABLE, /* what is no lock and yet waited for: semaphore, condition, queue, channel, ... */
  SHAPE_DEED,     /* what a thread did */
};
enum picture_relation {
  RELATION_ORDER,    /* from was held when to was taken */
  RELATION_WAITS,    /* thread from waits for to */
  RELATION_HELD_BY,  /* object from is held by thread to */
  RELATION_ENDED_BY, /* object from could be ended by thread to (one of several) */
  RELATION_HB,       /* from happens before to, in every run */
  RELATION_HB_HERE,  /* from came before to in this run */
  RELATION_NEXT,     /* to is what the thread of from did next, of what is drawn */
};
enum picture_emphasis {
  EMPHASIS_NONE,
  EMPHASIS_CYCLE,      /* takes part in a reported finding; `cycle` says in which */
  EMPHASIS_GATE,       /* a lock that makes a cycle impossible */
  EMPHASIS_IMPOSSIBLE, /* part of a cycle that cannot happen */
};

struct picture_node {
  enum picture_shape shape;
  enum picture_emphasis emphasis;
  int32_t cycle;      /* 1, 2, ... numbers the findings of the report in their order; 0: none */
  const char *label;  /* one line */
  const char *detail; /* more, for a tooltip and a second line; may be "" */
  uint32_t folded;    /* how many objects this node stands for, at least 1 */
};
struct picture_edge {
  uint32_t from, to; /* indices of nodes */
  enum picture_relation relation;
  enum picture_emphasis emphasis;
  int32_t cycle;
  const char *label;  /* "worker-1 transfer.c:31" */
  const char *detail; /* full text for a tooltip */
  uint64_t count;
};
enum picture_kind { PICTURE_LOCK_ORDER, PICTURE_WAIT_FOR, PICTURE_HAPPENS_BEFORE };
struct picture {
  enum picture_kind kind;
  const char *title;
  const struct picture_node *nodes;
  size_t node_count;
  const struct picture_edge *edges;
  size_t edge_count;
  size_t hidden_nodes, hidden_edges; /* left out because they take part in no finding; 0 with --all */
  const uint32_t *lanes; /* PICTURE_HAPPENS_BEFORE: the column of each node. The first nodes are the heads of
                            columns 0, 1, ..., the others stand below each other in their order */
};

/* Synchronization that leaves no records which tell who holds what: nothing is said of it. */
struct finding_blind_site {
  struct finding_frame frame; /* where the program waited */
  uint64_t waits;
};
struct finding_blind_spot {
  const char *what; /* "2 waits on futexes ...", "the locks of OpenMP (libgomp.so.1 is loaded)" */
  const char *help;
  uint64_t waits;                         /* 0: they are not counted */
  const struct finding_blind_site *sites; /* by waits, most first */
  size_t site_count;
};

struct report {
  const char *trace; /* path as the user gave it */
  bool is_complete;
  uint64_t dropped;
  const char *const *problems; /* lines: what of the trace could not be read or was cut off */
  size_t problem_count;
  const struct finding_process *processes;
  size_t process_count;
  const struct finding *findings; /* by level (error first), then rule, then id */
  size_t finding_count;
  const struct finding *impossible; /* filled with --show-impossible only */
  size_t impossible_count;
  size_t impossible_hidden; /* cycles judged impossible and not shown */
  struct picture lock_order, wait_for;
  struct picture happens_before; /* without nodes unless it was asked for */
  const struct finding_blind_spot *blind_spots;
  size_t blind_spot_count;
  struct {
    uint64_t records, threads, objects, bytes;
    double seconds; /* of the traced run, first to last record */
  } stats;
};

#endif
