/* SPDX-License-Identifier: MIT
 *
 * Threads. What a thread needs to run and to be joined lies in its life, on the heap; the object only names it, so that
 * it may go as soon as the thread has ended. Every life ends by a real join, by whoever joins first, or in passing when
 * it was a daemon: who has joined has seen all of the thread's end, thread-local destructors included.
 *
 * `guard` protects the list of lives. Entered by any thread.
 */
#include "core/self.h"
#include "multiprocessing/pool/exit.h"
#include "multiprocessing/process/process.h"
#include "timer.h"
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <snarl/thread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { RUNNING, ENDED, JOINING, JOINED }; /* a life's state, which joiners sleep on */
enum { NEW, STARTED };                    /* an object's */

#define OUR_HANDLE (1ull << 47) /* in the trace; no pthread_t, those are addresses */

struct life {
  uint32_t state, joiners;
  uint32_t index; /* in the trace; 0: not recorded */
  uint64_t handle;
  pthread_t pthread;
  snarl_thread *object; /* while it runs */
  LIST_ENTRY(life) link;
  bool is_daemon;
  char name[];
};

static uint32_t guard;
static LIST_HEAD(, life) lives;
static uint64_t handles;
static uint32_t main_ident, has_exit_handler;
static snarl_thread main_object = SNARL_THREAD_INIT("MainThread", NULL, NULL);

/* The guard is held. NULL: it was joined. */
static struct life *life_of(const snarl_thread *thread) {
  struct life *life = LIST_FIRST(&lives);
  while (life && life->handle != thread->handle)
    life = LIST_NEXT(life, link);
  return life;
}

/* One joiner less; the last one ends the life if it is joined. */
static void joiner_leaves(struct life *life) {
  snarli_guard(&guard);
  bool is_last = !--life->joiners && snarli_load(&life->state) == JOINED;
  if (is_last)
    LIST_REMOVE(life, link);
  snarli_unguard(&guard);
  if (is_last)
    free(life);
}

/* Exactly one gets this right for a life that has ended. */
static bool may_join(struct life *life) {
  uint32_t ended = ENDED;
  return snarli_cas(&life->state, &ended, JOINING);
}

static void join_for_real(struct life *life) {
  snarli_suspend();
  (void)pthread_join(life->pthread, NULL);
  snarli_resume();
  snarli_store(&life->state, JOINED);
  snarli_unpark(&life->state, INT_MAX);
}

/* The caller counts among the joiners. The time limit is for the thread's function; what comes after it is short. */
static int await_end(struct life *life, snarl_time timeout) {
  int64_t deadline = snarli_deadline(timeout);
  for (uint32_t state; (state = snarli_load(&life->state)) != JOINED;) {
    if (may_join(life))
      join_for_real(life);
    else if (!snarli_park(&life->state, state, state == RUNNING ? deadline : SNARLI_NEVER))
      return SNARL_TIMEOUT;
  }
  return SNARL_OK;
}

static int join_life(struct life *life, snarl_time timeout, struct snarl_site *site) {
  uint64_t handle = life->handle;
  bool records = snarli_records() && life->index;
  uint32_t place = records ? snarli_place(site) : 0;
  unsigned flags = snarli_flags(timeout);
  if (records)
    snarli_record_aux(SNARLI_R_THREAD_JOIN_REQUESTED, flags, handle, place);
  int status = await_end(life, timeout);
  if (records && status)
    snarli_record_aux(SNARLI_R_THREAD_JOIN_FAILED, (unsigned)snarli_errno_of(status), handle, place);
  else if (records)
    snarli_record_aux(SNARLI_R_THREAD_JOINED, flags, handle, place);
  joiner_leaves(life);
  return status;
}

/* A life that `is_wanted`, with the caller among its joiners; NULL: none. */
static struct life *find_joinable(bool (*is_wanted)(const struct life *)) {
  snarli_guard(&guard);
  struct life *life = LIST_FIRST(&lives);
  while (life && !is_wanted(life))
    life = LIST_NEXT(life, link);
  if (life)
    life->joiners++;
  snarli_unguard(&guard);
  return life;
}

static bool is_ended_daemon(const struct life *life) { return life->is_daemon && snarli_load(&life->state) == ENDED; }

/* Daemons that have ended and that nobody joins: they would keep their stacks. */
static void reap_daemons(void) {
  for (struct life *life; (life = find_joinable(is_ended_daemon));) {
    if (may_join(life))
      join_for_real(life);
    joiner_leaves(life);
  }
}

static bool is_waited_for_at_exit(const struct life *life) {
  return !life->is_daemon && snarli_load(&life->state) == RUNNING && life->object != snarl_current_thread();
}

void snarli_finish(void) {
  for (struct life *life; (life = find_joinable(is_waited_for_at_exit));)
    (void)join_life(life, SNARL_FOREVER, SNARL_HERE);
  snarli_timers_drain();
  snarli_pools_at_exit();
  snarli_processes_at_exit();
  reap_daemons();
}

void snarli_wait_at_exit(void) {
  uint32_t no = 0;
  if (snarli_cas(&has_exit_handler, &no, 1))
    (void)atexit(snarli_finish);
}

static void life_ends(struct life **where) {
  struct life *life = *where;
  struct snarli_self *self = snarli_self();
  if (self)
    self->thread = NULL;
  (void)snarli_swap(&life->state, ENDED); /* from here on it may be joined, but not for real before we are gone */
  snarli_unpark(&life->state, INT_MAX);
}

static void name_to_system(const char *name) {
  char cut[16]; /* what the system takes */
  (void)snprintf(cut, sizeof cut, "%s", name);
  snarli_suspend();
  (void)pthread_setname_np(pthread_self(), cut);
  snarli_resume();
}

/* The life also ends when the function leaves by pthread_exit. */
static void *trampoline(void *argument) {
  __attribute__((cleanup(life_ends))) struct life *life = argument;
  snarl_thread *object = life->object;
  if (life->index)
    snarli_thread_begin(life->index, life->handle,
                        object->run ? (const void *)object->run : (const void *)object->function);
  struct snarli_self *self = snarli_self();
  if (self)
    self->thread = object;
  name_to_system(life->name);
  object->result = object->run ? object->run(object) : object->function(object->argument);
  return NULL;
}

static int thread_create(struct life *life, size_t stack_size) {
  pthread_attr_t attr;
  int error = pthread_attr_init(&attr);
  if (error)
    return error;
  if (stack_size)
    error = pthread_attr_setstacksize(&attr, stack_size);
  snarli_suspend();
  if (!error)
    error = pthread_create(&life->pthread, &attr, trampoline, life);
  snarli_resume();
  (void)pthread_attr_destroy(&attr);
  return error;
}

static struct life *life_new(snarl_thread *thread) {
  const char *name = snarl_thread_name(thread);
  size_t size = strlen(name) + 1;
  struct life *life = calloc(1, sizeof *life + size);
  if (!life)
    return NULL;
  memcpy(life->name, name, size);
  life->object = thread;
  life->is_daemon = thread->is_daemon;
  life->handle = thread->handle;
  return life;
}

static void note_created(struct life *life, const char *name, uint32_t place) {
  snarli_record_aux(SNARLI_R_THREAD_CREATED, life->is_daemon ? SNARLI_F_DETACHED : 0, life->handle, place);
  if (name)
    snarli_record_aux(SNARLI_R_THREAD_NAMED, 0, life->handle, snarli_blob_string(name, strlen(name)));
}

/* The new thread may have ended, and its object may be gone, as soon as it is created: but not its life, of which we
 * are a joiner here. */
static int start_life(snarl_thread *thread, struct life *life, struct snarl_site *site) {
  const char *name = thread->object.name;
  bool records = snarli_records();
  uint32_t place = records ? snarli_place(site) : 0;
  life->index = records ? snarli_thread_reserve() : 0;
  life->joiners = 1;
  if (records)
    snarli_record_aux(SNARLI_R_THREAD_CREATE_REQUESTED, 0, life->index, place);
  snarli_guard(&guard);
  LIST_INSERT_HEAD(&lives, life, link);
  snarli_unguard(&guard);
  int error = thread_create(life, thread->stack_size);
  if (error)
    life->state = JOINED; /* nobody else has seen it: its object is not started */
  if (records && error)
    snarli_record_aux(SNARLI_R_THREAD_CREATE_FAILED, (unsigned)error, life->index, place);
  else if (records)
    note_created(life, name, place);
  joiner_leaves(life);
  return error ? SNARL_NO_THREAD : SNARL_OK;
}

static int check(const snarl_thread *thread, struct snarl_site *site) {
  return snarli_check((const struct snarl_object *)thread, SNARLI_ALIVE(THREAD), site);
}

int snarl_thread_start_at(snarl_thread *thread, struct snarl_site *site) {
  int status = check(thread, site);
  if (!status && !thread->run && !thread->function)
    status = snarli_refuse(SNARL_INVALID, thread, site);
  uint32_t new = NEW;
  if (!status && !snarli_cas(&thread->state, &new, STARTED))
    status = snarli_refuse(SNARL_STARTED, thread, site);
  if (status)
    return status;
  snarli_wait_at_exit();
  reap_daemons();
  uint64_t number = __atomic_add_fetch(&handles, 1, __ATOMIC_RELAXED);
  thread->handle = OUR_HANDLE | number;
  (void)snprintf(thread->number, sizeof thread->number, "Thread-%llu", (unsigned long long)number % 100000000u);
  struct life *life = life_new(thread);
  status = life ? start_life(thread, life, site) : SNARL_NO_MEMORY;
  if (status)
    snarli_store(&thread->state, NEW); /* it may be tried again */
  return status;
}

int snarl_thread_join_at(snarl_thread *thread, snarl_time timeout, struct snarl_site *site) {
  int status = check(thread, site);
  if (!status && snarli_load(&thread->state) == NEW)
    status = snarli_refuse(SNARL_NOT_STARTED, thread, site);
  if (!status && snarl_current_thread() == thread)
    status = snarli_refuse(SNARL_DEADLOCK, thread, site);
  if (status)
    return status;
  snarli_guard(&guard);
  struct life *life = life_of(thread);
  if (life)
    life->joiners++;
  snarli_unguard(&guard);
  return life ? join_life(life, timeout, site) : SNARL_OK;
}

static int init(snarl_thread *thread, const snarl_thread *what, const char *name, struct snarl_site *site) {
  if (!thread || (!what->run && !what->function))
    return snarli_refuse(SNARL_INVALID, thread, site);
  *thread = *what;
  return snarli_object_begin(&thread->object, SNARLI_ALIVE(THREAD), name, site);
}

int snarl_thread_init_at(snarl_thread *thread, const char *name, void *(*function)(void *), void *argument,
                         struct snarl_site *site) {
  return init(thread, &(snarl_thread){.function = function, .argument = argument}, name, site);
}

int snarl_thread_init_run_at(snarl_thread *thread, const char *name, void *(*run)(snarl_thread *self),
                             struct snarl_site *site) {
  return init(thread, &(snarl_thread){.run = run}, name, site);
}

/* SNARL_OK: it is a thread that has not been started. */
static int check_new(const snarl_thread *thread) {
  int status = check(thread, NULL);
  return !status && snarli_load(&thread->state) != NEW ? snarli_refuse(SNARL_STARTED, thread, NULL) : status;
}

int snarl_thread_set_daemon(snarl_thread *thread, bool is_daemon) {
  int status = check_new(thread);
  if (!status)
    thread->is_daemon = is_daemon;
  return status;
}

int snarl_thread_set_stack_size(snarl_thread *thread, size_t bytes) {
  size_t page = (size_t)sysconf(_SC_PAGESIZE), least = (size_t)sysconf(_SC_THREAD_STACK_MIN);
  int status = check_new(thread);
  if (!status && bytes && (bytes < least || bytes > SIZE_MAX / 2))
    status = snarli_refuse(SNARL_INVALID, thread, NULL);
  if (!status)
    thread->stack_size = (bytes + page - 1) / page * page;
  return status;
}

bool snarl_thread_is_alive(const snarl_thread *thread) {
  if (!thread || snarli_load(&thread->state) == NEW)
    return thread == &main_object;
  snarli_guard(&guard);
  const struct life *life = life_of(thread);
  bool is_alive = life && snarli_load(&life->state) == RUNNING;
  snarli_unguard(&guard);
  return is_alive;
}

bool snarl_thread_is_daemon(const snarl_thread *thread) { return thread && thread->is_daemon; }
void *snarl_thread_result(const snarl_thread *thread) {
  return thread && !snarl_thread_is_alive(thread) ? thread->result : NULL;
}
const char *snarl_thread_name(const snarl_thread *thread) {
  if (!thread)
    return "";
  return thread->object.name ? thread->object.name : thread->number;
}

/* One that stands for a thread that was not started here. */
static snarl_thread *stand_in(struct snarli_self *self) {
  snarl_thread *thread = &self->stand_in;
  if (!thread->object.kind) {
    (void)snprintf(thread->number, sizeof thread->number, "Dummy-%u", self->slot);
    thread->object.kind = SNARLI_ALIVE(THREAD);
    thread->is_daemon = true;
  }
  return thread;
}

snarl_thread *snarl_current_thread(void) {
  struct snarli_self *self = snarli_self();
  if (!self)
    return NULL;
  if (self->ident == main_ident)
    return &main_object;
  return self->thread ? self->thread : stand_in(self);
}

snarl_thread *snarl_main_thread(void) { return &main_object; }

int snarl_enumerate(snarl_thread **found, int room) {
  int count = 0;
  if (count++ < room && found)
    found[0] = &main_object;
  snarli_guard(&guard);
  const struct life *life;
  LIST_FOREACH(life, &lives, link)
  if (snarli_load(&life->state) == RUNNING && count++ < room && found)
    found[count - 1] = life->object;
  snarli_unguard(&guard);
  return count;
}

int snarl_active_count(void) { return snarl_enumerate(NULL, 0); }
uint32_t snarl_get_ident(void) { return snarli_ident(); }
uint32_t snarl_get_native_id(void) {
  struct snarli_self *self = snarli_self();
  return self ? self->tid : (uint32_t)syscall(SYS_gettid);
}

void snarli_threads_before_fork(void) {
  snarli_guard(&guard);
  snarli_timers_before_fork();
  snarli_processes_before_fork();
}

void snarli_threads_after_fork(void) {
  snarli_processes_after_fork();
  snarli_timers_after_fork();
  snarli_unguard(&guard);
}

/* The others are gone: a join returns at once, and nobody waits for them at the exit. The forking thread is the main
 * thread now; if it was started here it still ends its life some time. */
void snarli_threads_in_child(struct snarli_self *forker) {
  for (struct life *life = LIST_FIRST(&lives), *next; life; life = next) {
    next = LIST_NEXT(life, link);
    if (!forker || life->object != forker->thread)
      free(life);
  }
  LIST_INIT(&lives);
  guard = 0;
  main_ident = snarli_ident();
  snarli_timers_in_child();
  snarli_processes_in_child();
}

void snarli_threads_open(void) {
  if (syscall(SYS_gettid) == getpid())
    main_ident = snarli_ident();
}
