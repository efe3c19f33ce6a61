/* SPDX-License-Identifier: MIT
 *
 * Locks on files. Whole-file locks (flock) and record locks of one file know nothing of each other: each is a *file*
 * here. An owner is a process or an open file description, which several processes may share; locks of one owner never
 * conflict. An object stands for each range of bytes that was ever locked, and the thread that locked it holds it.
 *
 * A file is *vague* once ranges that differ overlap, or a lock turned out not to be one thread's: what its locks
 * exclude is then not known by identity, and whatever was done while holding one gives no evidence on lock orders. Who
 * waits for whom stays exact. It is *doubted* once a record contradicts the state. One thread per model.
 */
#ifndef SNARL_MODEL_FILE_H
#define SNARL_MODEL_FILE_H

#include "../algo/arena.h"
#include "../algo/map.h"
#include <stdbool.h>
#include <stdint.h>

struct model;
struct object;
struct process;
struct thread;
struct wait;

struct file_hold {
  uint64_t first, last; /* bytes */
  bool is_write;
  uint64_t owner;
  struct thread *thread; /* that took it */
  struct object *object;
};

struct file {
  uint32_t major, minor;
  uint64_t inode, birth;
  uint32_t place; /* in files.all */
  uint32_t serial;
  const char *path; /* as somebody saw it */
  bool is_flock, is_vague, is_doubted;
  bool has_descriptions; /* not all locks are traditional ones, whose circles the kernel refuses */
  VECTOR(struct file_hold) holds;
  VECTOR(struct object *) ranges; /* by their first byte; disjoint unless it is vague */
};

struct file_owner {
  uint64_t name;
  bool is_process;
  VECTOR(struct process *) sharers; /* first images */
  VECTOR(struct file *) files;      /* on which it may hold something */
};

struct files {
  VECTOR(struct file *) all;
  VECTOR(struct file *) spare; /* of them: gone */
  struct map by_identity;      /* hash -> place in `all` */
  uint32_t serials;
  VECTOR(struct file_owner) owners;
  struct map by_name; /* -> place in `owners` */
};

/* The next hold that keeps this wait from being granted, from hold number *at on; NULL: no more. */
const struct file_hold *file_conflict(const struct wait *wait, size_t *at);
/* The processes any of which can give the hold up. */
const struct file_owner *file_owner_of(const struct model *model, const struct file_hold *hold);
/* A process, by any of its images, is gone: so are its shares in what it owned. */
void files_lose_process(struct model *model, const struct process *process);
/* A forked child shares its parent's open file descriptions. */
void files_inherit(struct model *model, struct process *child);
/* Nothing is known any more of who holds locks on this file. */
void file_doubt(struct model *model, struct file *file);

#endif
