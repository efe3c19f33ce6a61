/* SPDX-License-Identifier: MIT
 *
 * The recorder: what preload/ and runtime/ call to write a trace. Lives in libsnarl-trace.so, inside strangers'
 * processes: no function here sets errno, allocates with malloc, takes a lock, is a cancellation point or ends the
 * process. All are safe in any thread, in signal handlers, before constructors, after destructors and across fork.
 *
 * The environment variable SNARL_TRACE names the trace's directory; without it nothing is recorded.
 *
 *   int pthread_mutex_unlock(pthread_mutex_t *m) {
 *     snarli_call_releasing(SNARLI_R_MUTEX_RELEASED, m, SNARLI_HERE);   // before: the true order of the object
 *     return real.pthread_mutex_unlock(m);
 *   }
 */
#ifndef SNARL_TRACE_RECORDER_H
#define SNARL_TRACE_RECORDER_H

#include <snarl/trace/format.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Where a recorded call was made: the return address of the function that takes SNARLI_HERE and the address
 * just above where that return address lies (the canonical frame address). Frames from `pc` outwards are recorded. */
struct snarli_site {
  const void *cfa;
  const void *pc;
};

#define SNARLI_HERE ((struct snarli_site){__builtin_dwarf_cfa(), __builtin_return_address(0)})

#pragma GCC visibility push(default)

/* True when this call should be recorded: a trace is open, and the caller is not the recorder itself or
 * the child of a vfork. Costs a few loads. A wrapper that finds it false calls the real function and nothing else. */
bool snarli_is_recording(void);

/* What a wrapper begins with: shall this call be recorded, and from where was it made? `stack` is the id of the call
 * stack of the site, 0 when it could not be stored. It is asked for before a lock is taken: whatever may be slow about
 * recording the call (the walk, a new window) happens now, and nobody waits for it. */
struct snarli_call {
  uint32_t stack;
  bool is_recorded;
};
struct snarli_call snarli_call(struct snarli_site site);

/* The same for a call that gives something up: its record (argument 0, the stack) is appended at once. */
struct snarli_call snarli_call_releasing(enum snarli_record_type type, uint64_t object, struct snarli_site site);

/* snarli_call for those who know that they are recording. */
uint32_t snarli_stack(struct snarli_site site);

/* Append one record whose aux is the id of a stack or blob, a value or nothing. Stamps the time at the call: call it
 * before a release and after an acquisition. A record that cannot be written is counted in the header. */
void snarli_record_aux(enum snarli_record_type type, unsigned arg, uint64_t object, uint32_t aux);

/* Store a string once more; returns its id, 0 when it could not be stored. */
uint32_t snarli_blob_string(const char *text, size_t size);

/* Store what a descriptor is an end of; returns its id, 0 when it could not be stored. */
uint32_t snarli_blob_channel(const struct snarli_channel *channel, const char *name, size_t size);

/* A call that may block and mostly does not: its request becomes the record of its outcome in place while it is the
 * thread's newest row and not long ago, so such a call leaves one row, or none. */
struct snarli_pending {
  struct snarli_record *rows; /* NULL: none were written */
  uint64_t head, time;        /* of the last of them */
  uint32_t count, aux;
};

/* Only the time is taken: the call cannot block. */
void snarli_pending_time(struct snarli_pending *pending, uint32_t aux);
/* Appends rows with these heads; the last is the request and has the `aux`. */
void snarli_pending_begin(struct snarli_pending *pending, const uint64_t *heads, uint32_t count, uint32_t aux);
/* What was sent: `whole` with the time before the call, or `later` with the time now. */
void snarli_pending_sent(struct snarli_pending *pending, uint64_t whole, uint64_t later);
/* Any other outcome, with the time now. */
void snarli_pending_end(struct snarli_pending *pending, uint64_t head);
/* Nothing came of it: leaves nothing, or `head` if the request is no longer the newest row, or old. */
void snarli_pending_drop(struct snarli_pending *pending, uint64_t head);

/* The id of a one-frame stack: a start routine, a handler. */
uint32_t snarli_stack_of(const void *pc);

/* The id of a one-frame stack that says where in the source a call stands, for callers that know it without a walk of
 * the stack. `cache` is 0 at first, belongs to this place alone and outlives the process: later calls cost a few loads.
 */
uint32_t snarli_stack_of_source(uint64_t *cache, const char *function, const char *file, uint32_t line);

/* Threads. The creator takes an index with _reserve, records THREAD_CREATE_REQUESTED with it, and the new thread calls
 * _begin before anything else, with the handle (a pthread_t) by which others will name it. THREAD_END is recorded by
 * itself, after the program's thread-specific destructors. A thread that never called _begin gets an index at its first
 * record. */
uint32_t snarli_thread_reserve(void);
void snarli_thread_begin(uint32_t index, uint64_t handle, const void *start_routine);

/* Fibers: the calling thread's records go on as those of another fiber, which readers see as a thread of its own,
 * called by the address of its structure. The thread's own is made by _native. Switching orders what was done before
 * it, by this fiber, before what the other goes on to do, if `is_ordered`. */
struct snarli_fiber {
  uint64_t image;
  uint32_t index;
};
void snarli_fiber_begin(struct snarli_fiber *fiber, uint32_t stack);
void snarli_fiber_native(struct snarli_fiber *fiber);
void snarli_fiber_switch(struct snarli_fiber *to, bool is_ordered, uint32_t stack);
void snarli_fiber_end(struct snarli_fiber *fiber);

/* For a program that wants all thread-specific keys that there are: the recorder has one, and gives it back. Ends of
 * threads are not recorded from then on. False: it has none. */
bool snarli_thread_key_give_up(void);

/* Between _suspend and _resume (nested calls count) this thread records nothing: for the child of a vfork, which runs
 * on its parent's memory, and for calls into libraries that would be recorded otherwise. */
void snarli_suspend(void);
void snarli_resume(void);

/* Moves a descriptor above the numbers that programs look at; returns the new one, or `fd` itself if it cannot be
 * moved. For descriptors that are not the program's. */
int snarli_descriptor_aside(int fd);

/* True while the recorder's stack walk runs on this thread. libunwind opens descriptors for itself then; the shim moves
 * them out of the program's way. */
bool snarli_is_walking(void);

/* Memory that may be shared with other processes appeared (its device, inode and offset are looked up) or went away. */
void snarli_mapped(const void *lo, size_t size);
void snarli_unmapped(const void *lo, size_t size);

/* Memory is about to be freed or unmapped, or its contents are about to be replaced: synchronization objects that lay
 * in it are no more. Leaves a record only if one did. */
void snarli_memory_freed(const void *lo, size_t size);
/* The same of a block of memory whose size `size_of` tells, which is asked only if there are objects near; NULL: only
 * of its first byte. */
void snarli_block_freed(void *block, size_t (*size_of)(void *));

/* Where the calling thread's stack lies, for its objects to end with their frames; call it after _begin. The range may
 * be smaller than the stack, never larger. */
void snarli_thread_stack(const void *lo, const void *hi);

/* Modules may have been unloaded: looks at once which, instead of at the next new stack. */
void snarli_modules_changed(void);

/* The process is about to end (exit, _exit) or be replaced: marks the header. An exec that fails calls it with -1 to
 * take it back. */
void snarli_process_end(int status);

/* Call in the child right after a fork that glibc's pthread_atfork handlers did not see (_Fork, clone). Harmless twice.
 */
void snarli_after_fork_in_child(void);

/* After that, in the child of a server that forks on behalf of another process: readers see an image of that one's,
 * which began as by exec, since it runs on the server's memory, not its parent's. */
void snarli_image_made_for(uint32_t parent);

/* The trace's directory, NULL when nothing is recorded. For building a child's environment. */
const char *snarli_trace_directory(void);

#pragma GCC visibility pop

#endif
