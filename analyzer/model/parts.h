/* SPDX-License-Identifier: MIT
 *
 * What the files of the model share: each family of records has a file and one entry. One thread per model.
 */
#ifndef SNARL_MODEL_PARTS_H
#define SNARL_MODEL_PARTS_H

#include "model.h"

void processes_init(struct model *model);
/* The process of this record, entered if it is its first. */
struct process *process_enter(struct model *model, const struct trace_record *record, struct event *event);
void process_step(struct model *model, struct event *event);

struct thread *thread_at(struct model *model, struct process *process, uint32_t index);
struct thread *thread_enter(struct model *model, struct process *process, const struct trace_record *record);
struct thread *thread_of_handle(struct model *model, struct process *process, uint64_t handle);
void thread_set_handle(struct model *model, struct thread *thread, uint64_t handle);
void thread_lose(struct model *model, struct thread *thread);
void thread_retire_if_over(struct model *model, struct thread *thread);
void thread_step(struct model *model, struct event *event);

/* The object at an address of the record's process, made if there is none of this family. */
struct object *object_at(struct model *model, struct process *process, uint64_t address, enum snarli_family family,
                         const struct trace_record *record);
struct object *object_find(struct model *model, struct process *process, uint64_t address, uint64_t time);
/* A new life for the object at this address. */
struct object *object_renew(struct model *model, struct process *process, uint64_t address, enum snarli_family family,
                            const struct trace_record *record);
struct object *object_copy(struct model *model, struct process *process, const struct object *original);
/* places.c. A process's place of an address, NULL: none; where in `recent` it would be. */
struct place *place_at(struct process *process, uint64_t address);
size_t place_recent_slot(uint64_t address);
void object_put(struct model *model, struct process *process, uint64_t address, struct object *object);
/* A shared object that no address names. `device` is a number that no real device has. */
struct object *object_of_identity(struct model *model, const struct event *event, enum snarli_family family,
                                  uint64_t device, uint64_t inode, uint64_t offset);
/* NULL: there is none. */
struct object *object_with_identity(const struct model *model, uint64_t device, uint64_t inode, uint64_t offset);
void object_leave(struct model *model, struct process *process, uint64_t address);
void object_retire(struct model *model, struct object *object);
/* The memory [lo, lo + size) of a process went: what lay in it is no more. */
void objects_end(struct model *model, struct process *process, uint64_t lo, uint64_t size);
void object_doubt(struct model *model, struct object *object);
void object_forget(struct model *model, struct object *object);

struct hold *hold_add(struct model *model, struct thread *thread, struct object *object, bool is_write,
                      struct origin taken);
void hold_drop(struct thread *thread, struct object *object);
void holds_clear(struct object *object); /* nobody holds it any more */

/* A new object, at no address of its own if it is a channel's. */
struct object *object_new(struct model *model, struct process *process, uint64_t address, enum snarli_family family);

/* descriptor.c */
void descriptor_open(struct model *model, struct event *event);
void descriptor_copy(struct model *model, struct process *process, uint32_t fd, uint64_t of);
void descriptor_close(struct model *model, struct process *process, uint64_t fd);
void descriptors_settle(struct model *model, struct process *process);
void endpoint_leave(struct model *model, struct endpoint *endpoint);
/* channel.c: a thread is gone, and waits for nothing. */
void channel_forget_thread(struct model *model, struct thread *thread);

void lock_step(struct model *model, struct event *event);
void sem_step(struct model *model, struct event *event);
/* What a record of a semaphore means, whoever made it; of one unit or more. */
void sem_becomes_count(struct model *model, struct object *sem);
void sem_has_value(struct model *model, struct event *event);
void sem_requested(struct model *model, struct event *event);
void sem_acquired(struct model *model, struct event *event, uint32_t units);
void sem_posted(struct model *model, struct event *event, uint32_t units);
void sem_failed(struct model *model, struct event *event);
void sysv_step(struct model *model, struct event *event);
/* The process is gone: what it asked the kernel to undo is undone. */
void sysv_lose_process(struct model *model, const struct process *process);
void cond_step(struct model *model, struct event *event);
void barrier_step(struct model *model, struct event *event);
void file_step(struct model *model, struct event *event);
void event_step(struct event *event);
void once_step(struct model *model, struct event *event);
void queue_step(struct event *event);
void future_step(struct model *model, struct event *event);
void order_step(struct event *event);
void futex_step(struct event *event);

/* names.c. OBJECT_NAMED of a name in the system, or SEM_UNLINKED; and what a thread just made, which may get one. */
void name_noted(struct model *model, struct event *event);
void name_bearer_made(struct event *event, enum snarli_family family);

/* The thread of the event begins to wait for the event's object. */
struct wait *wait_begin(struct event *event, enum wait_kind kind);
void wait_end(struct thread *thread);

static inline struct origin origin_of(const struct event *event) {
  return (struct origin){event->process->index, event->info->aux == SNARLI_AUX_STACK ? event->record->aux : 0,
                         event->record->time, event->thread->serial};
}

#endif
