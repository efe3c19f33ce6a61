/* SPDX-License-Identifier: MIT
 *
 * The recorder's state, shared by its files; nothing of it is visible outside libsnarl-trace.so.
 *
 * Life of a process image:  UNSTARTED -> ACTIVE (a file is open) -> STOPPED (it cannot grow any more)
 *                                     -> OFF (SNARL_TRACE unset or its directory unusable)
 * A fork wipes `life` (process.c) and every struct recorder_thread (MADV_WIPEONFORK), so that the child finds out at
 * its next record, even if it was made by a raw clone, and begins a file of its own.
 *
 * Nothing here is guarded by a lock. A struct recorder_thread belongs to its thread (and to signal handlers on it);
 * struct recorder is written while the image begins, its atomics by anybody.
 */
#ifndef SNARLI_RECORDER_STATE_H
#define SNARLI_RECORDER_STATE_H

#include "window.h"
#include <snarl/trace/recorder.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum { PAGE = 4096 };

enum recorder_phase { RECORDER_UNSTARTED, RECORDER_ACTIVE, RECORDER_STOPPED, RECORDER_OFF };

struct recorder {
  _Atomic enum recorder_phase phase;
  bool has_python; /* CPython is in this process, and its frames can be read */
  enum snarli_clock clock;
  struct snarli_header *header;
  uint64_t image;  /* header->image, for the child to name its parent */
  uint32_t images; /* begun so far: what was stored for an earlier one is not in this one's file */
  int pid;
  int fd; /* of the file, kept above the numbers that programs look at; -1 if lost */
  uint64_t device, inode;
  char directory[PAGE];
  char path[PAGE + 64];
};

/* What a thread records with. */
struct recorder_thread {
  uint64_t turn; /* turn.h */
  struct recorder_window records;
  uint64_t upper;      /* of the last TIME row */
  uint64_t mark_depth; /* ~ of the lowest marked address on its own stack; 0: none, as after a fork */
  struct stack_cache *cache;
  struct recorder_window stacks, blobs;
  struct python_thread *python;
  void *scratch; /* a stack for the unwinder to run on */
  uint32_t index, tid;
  struct recorder_thread *next; /* among the free ones */
};

extern struct recorder recorder;

/* Where the calling thread stands. Initial-exec: reading them calls nobody. */
#define RECORDER_TLS __thread __attribute__((tls_model("initial-exec")))
extern RECORDER_TLS struct recorder_thread *recorder_self;
extern RECORDER_TLS unsigned recorder_suspended;
/* The same state as long as nothing is out of the ordinary, else that of nobody, whose turn never comes. */
extern RECORDER_TLS struct recorder_thread *recorder_ready;
extern struct recorder_thread recorder_nobody;

/* process.c */
bool process_ensure(void); /* begins the image if needed; true if records can be written */
void process_stop(enum snarli_stop why, int error);
void process_drop(uint64_t records);

/* file.c: the mapped file */
bool file_create(void);                          /* a new file with its header page; fills recorder.header */
char *file_map(uint32_t size, uint64_t *offset); /* the next `size` bytes (a multiple of PAGE); NULL: stopped */
void file_leave(void);                           /* in a forked child: the file is the parent's */
void file_sync_clock(void);

/* thread.c */
struct recorder_thread *thread_attach(void); /* the calling thread's state; NULL: nothing can be recorded */
struct recorder_thread *thread_self(void);   /* the same, which is the child's after a fork */
/* After a fork: begins the child's image and its first thread; false: cannot record. */
bool thread_ready(struct recorder_thread *thread);
void thread_keys_create(void);
uint32_t thread_native_index(void); /* of the calling thread, whichever of its fibers runs */
void thread_forget_all(void);       /* after fork: the other threads are gone */
void thread_become_first(void);     /* the calling thread begins an image: it is thread 0 */

/* fibers.c: the thread ends, whichever of its fibers runs */
void fibers_leave(struct recorder_thread *thread);

/* stacks.c: (parent, pc) -> id. Signals are blocked. */
uint32_t stack_node(struct recorder_thread *thread, uint32_t parent, uint64_t pc);
void stack_nodes_forget(void);

/* stack_cache.c: by the slow way, which finds out what is new */
uint32_t stack_of_site(struct recorder_thread *thread, struct snarli_site site);
uint32_t stack_of_pc(struct recorder_thread *thread, const void *pc); /* one frame */

/* unwind.c */
struct unwound_frame {
  uint64_t pc;
  const uint64_t *slot; /* where the return address lies */
};
/* The frames of a stack, the site's own first; which of them begin an outer part that was there in the last walk, too.
 */
enum { STACK_FRAMES = 512 };
struct unwound_stack {
  uint32_t count;
  uint32_t shared; /* the frames from this one on are the last walk's; count: none */
  bool is_cut;     /* there were more */
  struct unwound_frame frames[STACK_FRAMES];
  uint32_t ids[STACK_FRAMES]; /* of the stacks that begin with each frame; known of the shared ones */
};
void unwind_open(void);
/* Walks the stack of the calling thread from `site` outwards. */
void unwind_walk(struct recorder_thread *thread, struct snarli_site site, const struct unwound_stack *last,
                 struct unwound_stack *stack);
void unwind_before_fork(void);
void unwind_after_fork(void);

/* modules.c, mappings.c, blobs.c */
void modules_update(struct recorder_thread *thread);
void modules_forget(void);
void mappings_after_fork(struct recorder_thread *thread);
/* Appends a blob made of two parts; its id, 0 if it could not be stored. */
uint32_t blob_append(struct recorder_thread *thread, enum snarli_blob_kind kind, uint64_t time, const void *head,
                     size_t head_size, const void *tail, size_t tail_size);

/* marks.c: where synchronization objects lie. A region covers 256 MiB of addresses, all of them what user space has. */
enum { MARK_REGION_SHIFT = 28, MARK_REGIONS = 1 << (47 - MARK_REGION_SHIFT) };
struct mark_region {
  _Atomic uint64_t pages[1 << (MARK_REGION_SHIFT - 12 - 6)]; /* a bit per page that had a mark */
  _Atomic uint64_t words[1 << (MARK_REGION_SHIFT - 3 - 6)];  /* a bit per 8 bytes */
};
struct mark_place {
  uint64_t word, bit;
};
extern struct mark_region *_Atomic recorder_marks[MARK_REGIONS];

static inline struct mark_region *mark_region_of(uint64_t address) {
  uint64_t number = address >> MARK_REGION_SHIFT;
  return number < MARK_REGIONS ? atomic_load_explicit(&recorder_marks[number], memory_order_acquire) : NULL;
}

static inline struct mark_place mark_place_of(uint64_t address) {
  uint64_t granule = address % (1ull << MARK_REGION_SHIFT) / 8;
  return (struct mark_place){granule / 64, 1ull << granule % 64};
}

static inline bool mark_is_set(uint64_t address) {
  struct mark_region *region = mark_region_of(address);
  struct mark_place at = mark_place_of(address);
  return region && atomic_load_explicit(&region->words[at.word], memory_order_relaxed) & at.bit;
}

void mark_set(uint64_t address);
void mark_clear(uint64_t address);
/* A record is made from a frame above marked addresses on the calling thread's stack: those frames have returned. */
static inline bool marks_are_below(const struct recorder_thread *thread, const void *cfa) {
  return ~(uint64_t)(uintptr_t)cfa < thread->mark_depth;
}
void marks_pop_frames(struct recorder_thread *thread, const void *cfa);
void marks_thread_end(void);
/* The end of the calling thread's stack if the address lies on it and that is known, else 0. */
uint64_t marks_stack_end(uint64_t address);
/* What is marked in [lo, hi) is no more. */
void marks_memory_goes(uint64_t lo, uint64_t hi);

/* Private zeroed memory that the kernel gives page by page; NULL if it has none. */
void *memory_new(size_t size, bool is_wiped_by_fork);

#endif
