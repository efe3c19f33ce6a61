/* SPDX-License-Identifier: MIT
 *
 * The model: what the processes, threads and synchronization objects of a traced program are doing, replayed from its
 * records one by one. It judges nothing; checks look at it between records and at the end. One thread per model.
 *
 * Rules. A record that contradicts the state (a release of what nobody holds, a second owner) means that records are
 * missing or that the program did something undefined: the object is then *doubted* and gives no evidence any more.
 * A thread that comes back with any record waits no longer. Structures are used again after their thread or object is
 * gone, unless somebody pinned them; `serial` tells one life from the next and is the same in every replay of a trace.
 */
#ifndef SNARL_MODEL_H
#define SNARL_MODEL_H

#include "../algo/arena.h"
#include "../algo/map.h"
#include "file.h"
#include <snarl/trace/reader.h>

struct channel; /* channel.h */
struct descriptors;
struct endpoint;
struct watched;
struct ordering; /* what happens_before.c attaches to threads and objects */

/* Where something was done. */
struct origin {
  uint32_t process; /* whose stacks `stack` counts in */
  uint32_t stack;   /* 0: unknown */
  uint64_t time;
  uint32_t thread; /* serial */
};

struct hold {
  struct object *object;
  struct origin taken;
  uint32_t count; /* recursive acquisitions */
  uint32_t epoch; /* of happens_before.c: when it was taken */
  bool is_write;
  bool was_left; /* its holder, a fiber, was switched away from meanwhile */
};

enum wait_kind {
  WAIT_NONE,
  WAIT_LOCK,
  WAIT_SEM,
  WAIT_COND,
  WAIT_BARRIER,
  WAIT_ONCE,
  WAIT_JOIN,
  WAIT_CHILD,
  WAIT_FILE,
  WAIT_SIGNAL, /* never for good: anybody may send one */
  WAIT_FUTEX,
  WAIT_TURN, /* of a fiber: to be run again */
  WAIT_SEND,
  WAIT_RECEIVE,
  WAIT_POLL,
  WAIT_EVENT,
  WAIT_QUEUE,
  WAIT_FUTURE,
  WAIT_WORK,
  WAIT_RESULTS /* of a pool of processes, whose collector it is */
};

/* What a thread asked for and did not get yet. */
struct wait {
  enum wait_kind kind;
  bool ends; /* by itself: a try or a timed wait */
  struct origin asked;
  struct object *object; /* for most kinds */
  uint32_t object_serial;
  bool is_write; /* of a lock; of a queue: to put */

  /* WAIT_COND */
  bool gave_lock;       /* the mutex is released */
  struct object *mutex; /* what it takes again when woken */
  uint32_t mutex_serial;

  /* WAIT_JOIN; WAIT_CHILD */
  struct thread *target; /* NULL: unknown */
  uint32_t target_serial;
  uint32_t pid; /* 0: any */
  bool is_own;  /* the one that the thread spawned last */

  bool is_join;    /* WAIT_QUEUE: until all is dealt with */
  uint32_t round;  /* WAIT_BARRIER; WAIT_EVENT: how often it was set */
  uint32_t units;  /* WAIT_SEM, of System V; 0: until it is zero */
  uint64_t amount; /* WAIT_SEND: asked to be sent, and counted as sent */
  uint64_t owner;  /* WAIT_FILE */
  uint64_t futex;  /* WAIT_FUTEX: its address */
};

struct thread {
  uint32_t serial;
  uint32_t place; /* in model->threads */
  struct process *process;
  uint32_t index, tid;
  uint64_t handle;
  uint32_t carrier; /* of a fiber: serial of the thread that runs it, or did last; 0: it is a thread itself */
  const char *name; /* given by the program; NULL: none */
  uint32_t start;   /* stack of its start routine */
  struct origin created, begun, ended, joined;
  bool is_begun, is_ended, is_joined, is_detached, is_gone;
  bool has_fibers;   /* is one, or runs some */
  uint64_t blocked;  /* signals, as in SIGNAL_MASK */
  uint32_t creating; /* index of the thread it is creating */
  uint32_t sem_steps;
  struct object *works_for, *chosen; /* an executor: whose worker it is; whose the next future it submits is */
  uint32_t works_for_serial, chosen_serial;
  uint32_t held_before;      /* how many it held before its newest call that takes several semaphores */
  struct object *failed_try; /* a semaphore that a try did not get */
  uint32_t failed_try_serial, failed_try_stack;
  uint32_t pins, runs_once;
  uint32_t dependencies;    /* place in dependencies.by_thread + 1; 0: look it up */
  struct origin fork_asked; /* its newest fork */
  struct {
    uint64_t address;
    enum snarli_family family;
    struct origin origin;
  } made;                    /* what it declared or opened last */
  struct process *killing;   /* to which it sent SIGKILL last, and whether that failed is not seen yet */
  VECTOR(struct hold) holds; /* in the order taken */
  struct wait wait;
  VECTOR(struct watched) polled; /* what its newest poll waits for */
  bool polled_is_old;            /* the next one begins a new set */
  struct ordering *order;
};

enum sem_role {
  SEM_UNKNOWN, /* its first value is not known */
  SEM_LOCK,    /* first value 1, and only ever posted by the thread that acquired it last */
  SEM_COUNT,   /* everything else: a count, or a signal */
};

struct object {
  uint32_t serial;
  uint32_t place; /* in model->objects */
  uint32_t generation;
  enum snarli_family family;
  uint8_t type; /* enum snarli_object_type */
  uint8_t kind; /* enum snarli_kind of an object of libsnarl, else 0 */
  bool has_type, is_shared, is_doubted, is_gone, is_used;
  uint32_t pins, hash_next;
  const char *name;
  struct origin created;

  /* what it is known by: see object.c */
  struct process *process;        /* of a private one; of a shared one whoever saw it first */
  uint64_t address;               /* a key: see key_of_address */
  uint64_t device, inode, offset; /* of a shared one */
  bool is_sysv;                   /* a semaphore: number `offset` of set `inode` */
  bool is_closed;                 /* of a set that nobody outside of the trace knows */
  struct file *file;              /* of a lock on a file: bytes `inode` to `offset` of it */

  /* locks of all families, semaphores that serve as locks among them */
  VECTOR(struct thread *) holders;
  struct thread *orphaned_by; /* held it at the fork and does not exist in this process; pinned. NULL: nobody */
  struct origin orphaned;     /* where that one took it */
  uint32_t writer;            /* a rwlock: serial of the thread that first wanted it for writing, 0: none */
  bool has_writers;           /* more than one */

  /* semaphores; who gave and took also of channels and annotated orders */
  enum sem_role role;
  bool has_value, was_held_at_birth;
  bool was_tried; /* a failed try was not followed by a wait */
  int64_t value;
  uint32_t first_value;
  uint32_t init_thread, init_step;            /* who initialized it, and its step then */
  uint32_t poster, acquirer, posts, acquires; /* serials */
  bool has_posters, has_acquirers;            /* more than one */

  /* what threads wait at: conditions; barriers and events; onces, events, queues, executors */
  uint32_t waiters, signals;
  bool was_woken;                  /* a wait for the condition was ended by a notification */
  struct origin unheard;           /* its newest notification, if nobody waited then; time 0: none */
  uint32_t needed, arrived, round; /* of an event `round` only: how often it was set */
  bool is_done;                    /* of a once; set, closed, shut down */
  struct thread *runner;           /* of a once, or of a future's task */
  struct origin runs;              /* where that began; of a task that ended: where it did */

  /* queues, executors, futures; channels */
  uint64_t items, unfinished, limit; /* of a queue; of an executor: tasks not begun, most workers. 0: no limit */
  struct object *pool;               /* of a future: its executor, NULL: unknown */
  uint32_t pool_serial;
  bool has_failed, was_looked_at, is_queued; /* of a future's task */
  struct channel *channel;                   /* of a channel that is open, else NULL */
  struct ordering *order;
};

/* Where a process sees an object. */
struct place {
  struct object *object;
  uint32_t serial; /* of the object when it was put here */
  uint32_t version;
  uint32_t next; /* in the same page, MAP_NONE: none */
  uint64_t address;
};

#define SIGNALS 49u /* those that a SIGNAL_MASK can tell, and 0 */
/* What the kernel does to a System V semaphore when the process ends. */
struct undo {
  struct object *sem;
  uint32_t serial;
  int64_t units;
};

#define RECENT_OBJECTS 1024u
struct recent {
  uint64_t address;
  struct place place; /* object NULL: none */
};

struct process {
  uint32_t index;
  const struct trace_process *info;
  struct process *parent;           /* NULL: not in the trace */
  struct process *first;            /* the same process before its execs */
  struct thread *forker;            /* of its parent; check forker_serial */
  uint32_t forker_serial, same_pid; /* same_pid: the next image with this pid, UINT32_MAX: none */
  struct origin forked_at;          /* where its parent asked for the fork */
  bool is_bound;                    /* the forker was looked for */
  bool has_begun, is_over, is_reaped, has_execed;
  bool has_unnamed_children; /* of which nobody told the pid */
  bool is_forker_sure;       /* nobody else was forking when it began */
  bool is_killed;            /* its parent has sent it SIGKILL */
  struct map signal_senders; /* signal -> serial of the thread that sent it, 0: several */
  bool has_handlers, has_lost_children;
  bool has_unknown_waits; /* for a child that cannot be told */
  bool ignores_children;  /* at some time the system took its children away by itself */
  struct origin ended_at; /* by exit or exec */
  struct thread *over_by;
  uint32_t over_by_serial;
  struct origin reaped;
  uint64_t *handlers; /* code of the handler of each signal, SIGNALS of them; NULL: there never was one */
  struct map threads; /* index -> place in model->threads */
  VECTOR(struct thread *) near_threads; /* the same for small indices, NULL: none */
  struct map handles;
  struct map addresses; /* -> place in places */
  struct map pages;     /* number of a page -> the first of the places in it */
  struct map freed;     /* addresses at which the memory that a fork copied was freed since -> 1 */
  VECTOR(struct place) places;
  VECTOR(uint32_t) free_places;
  struct recent *recent; /* RECENT_OBJECTS places that were found lately */
  uint64_t *changes;     /* times at which its shared memory changed, ascending */
  size_t change_count, changes_seen;
  VECTOR(struct thread *) forking;
  uint64_t ipc_namespace;          /* 0: not known yet */
  VECTOR(struct undo) undos;       /* of a first image */
  struct descriptors *descriptors; /* NULL: none was told of */
};

/* Tasks submitted at one place that failed, or processes started there, and nobody asked. */
struct lost_exception {
  struct origin submitted, failed; /* of the first */
  struct thread *worker;           /* that ran it, or whose process had the child; pinned; NULL: unknown */
  struct process *child;           /* NULL: a task, or it is not known */
  bool is_child;
  uint8_t exit_code; /* of the child; 0: a signal has ended it */
  uint64_t count;
};

/* A name in the system that a process of the trace made. */
struct system_name {
  const char *text; /* without a slash before it */
  bool is_semaphore, is_removed;
  struct thread *maker; /* pinned; NULL: only seen removed */
  struct origin made, removed;
};

/* A pool of processes that was terminated without a call for that, with work left. */
struct dropped_work {
  struct object *pool;      /* pinned */
  struct thread *collector; /* pinned */
  struct origin at;
  uint8_t count; /* the most it can say: or more */
};

struct model {
  struct arena *arena;
  struct trace *trace;
  struct process *processes;
  uint32_t process_count;
  VECTOR(struct thread *) threads; /* NULL: free */
  VECTOR(uint32_t) free_threads;
  VECTOR(struct thread *) spare_threads;
  VECTOR(struct object *) objects; /* NULL: free */
  VECTOR(uint32_t) free_objects;
  VECTOR(struct object *) spare_objects;
  struct files files;
  struct map sysv_sets;      /* hash of namespace and id -> the highest number that was seen */
  struct map shared;         /* hash of an identity -> place in objects of the first with it */
  struct map pids;           /* -> its newest image */
  struct map images;         /* pid -> its first image */
  struct map handler_stacks; /* hash of (image, stack) -> 1: of a signal handler, 0: not */
  struct map fallback;       /* pcs of tries that are followed by a wait when they fail: hash of (program, pc) -> 1 */
  VECTOR(struct channel *) channels;
  VECTOR(uint32_t) free_channels;
  VECTOR(struct endpoint *) endpoints;
  VECTOR(uint32_t) free_endpoints;
  struct map channel_hash, endpoint_hash; /* hash of an identity -> place of the first with it */
  VECTOR(struct lost_exception) lost;
  VECTOR(struct system_name) names;
  struct map names_by_hash;
  VECTOR(struct dropped_work) dropped;
  uint32_t thread_serials, object_serials;
  uint32_t lost_forks; /* children by fork that are not in the trace */
  uint64_t records, first_time, last_time;
  struct thread *over; /* may be over: looked at when the next record comes */
  /* Called when an object gives no more evidence as a lock: gone, doubted, or a semaphore that is none. */
  void (*forget)(void *context, struct object *object);
  /* Called before a structure is used again. */
  void (*drop_thread)(void *context, struct thread *thread);
  void (*drop_object)(void *context, struct object *object);
  void *context;
};

/* What a record meant. */
struct event {
  const struct trace_record *record;
  const struct trace_record_info *info;
  struct process *process;
  struct thread *thread;
  struct object *object;  /* NULL: none, or doubted */
  struct object *touched; /* the same, doubted or not; NULL: none, or gone */
  struct hold *took;      /* newly held; valid until the next step */
  struct thread *other;   /* created, joined; the forking thread of a new process; NULL: none or unknown */
  struct thread *heir_of; /* the holder that ended and left the lock that was taken; NULL: none, or unknown */
  struct process *child;  /* waited for, or forked and not yet begun */
  struct process *signalled;
  uint32_t gave_epoch; /* of the hold that was given up */
  bool wants;          /* asks for `object`, `is_write`: the moment at which it may block */
  bool is_write, is_timed, is_try, gave, is_woken, is_first, is_complete;
  bool is_together; /* taken in one call with what came before it */
};

void model_init(struct model *model, struct arena *arena, struct trace *trace);
void model_step(struct model *model, const struct trace_record *record, struct event *event);

/* Notes a future whose failure nobody looked at; for those that live to the end of the trace. */
void future_note_lost(struct model *model, struct object *future);
void thread_unpin(struct model *model, struct thread *thread);
void object_unpin(struct model *model, struct object *object);
/* Somebody of this process holds it now, or gave it up, or it never was locked. */
void object_adopt(struct model *model, struct object *object);
/* The thread that lives under this serial, NULL: it is gone. Looks at all threads. */
struct thread *thread_of_serial(const struct model *model, uint32_t serial);
struct hold *thread_hold(struct thread *thread, const struct object *object);
/* The stack was walked in a signal handler. */
bool model_is_in_handler(struct model *model, const struct process *process, uint32_t stack);
/* The key in model->fallback of the call that `stack` begins with. */
uint64_t fallback_key(const struct model *model, const struct process *process, uint32_t stack);
/* `address` lies in an object of the C library, or begins an annotated lock. */
bool process_has_object_around(const struct process *process, uint64_t address);
/* The newest image with this pid, NULL. */
struct process *process_of_pid(const struct model *model, uint32_t pid);
/* The newest image of the process that this thread asked for last, by posix_spawn or what uses it; NULL: not seen. */
struct process *process_spawned_by(const struct model *model, const struct thread *thread);
/* `child` is, maybe before an exec, a child of `parent`. */
bool process_is_child(const struct process *child, const struct process *parent);

/* What annotations speak of may lie where another object lies. Bits above those of addresses keep them apart. */
#define ADDRESS_OF_KEY ((UINT64_C(1) << 48) - 1)
#define KEY_OF_LOCK (UINT64_C(1) << 62)
#define KEY_OF_ORDER (UINT64_C(1) << 63)

static inline uint64_t key_of_address(enum snarli_family family, uint64_t address) {
  return address | (family == SNARLI_LOCK ? KEY_OF_LOCK : family == SNARLI_ORDER ? KEY_OF_ORDER : 0);
}

static inline bool is_lock(const struct object *object) {
  return !object->is_doubted && !object->is_gone &&
         (object->family == SNARLI_MUTEX || object->family == SNARLI_RWLOCK || object->family == SNARLI_SPIN ||
          object->family == SNARLI_LOCK || (object->family == SNARLI_SEM && object->role == SEM_LOCK) ||
          (object->family == SNARLI_FILE && !object->file->is_vague));
}

/* Bytes that two locks of the same file have in common. */
static inline bool file_locks_overlap(const struct object *a, const struct object *b) {
  return a->file && a->file == b->file && a->inode <= b->offset && b->inode <= a->offset;
}

#endif
