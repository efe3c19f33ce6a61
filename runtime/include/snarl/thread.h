/* SPDX-License-Identifier: MIT
 *
 * Thread: a function, or a struct of yours that begins with a snarl_thread and brings its own run, as a subclass would.
 *
 *   snarl_thread worker = SNARL_THREAD_INIT("worker", work, &job);
 *   snarl_thread_start(&worker);
 *   snarl_thread_join(&worker, SNARL_FOREVER);
 *
 *   struct download { snarl_thread thread; const char *url; };
 *   static void *run(snarl_thread *self) { struct download *download = (struct download *)self; ... }
 *   snarl_thread_init_run(&download.thread, "download", run);
 *
 * A thread is started once and joined as often as you like; its object lives until it has ended. When the program
 * leaves main or calls exit, it waits for all threads that are no daemons, as Python does.
 *
 * start: SNARL_OK, SNARL_STARTED, SNARL_NO_MEMORY, SNARL_NO_THREAD. join: SNARL_OK, SNARL_TIMEOUT, SNARL_NOT_STARTED,
 * SNARL_DEADLOCK (itself).
 */
#ifndef SNARL_THREAD_H
#define SNARL_THREAD_H

#include <snarl/base.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

typedef struct snarl_thread snarl_thread;

struct snarl_thread {
  struct snarl_object object;
  void *(*run)(snarl_thread *self);
  void *(*function)(void *argument);
  void *argument, *result;
  size_t stack_size;
  uint64_t handle;
  uint32_t state;
  bool is_daemon;
  char number[16]; /* what it is called without a name */
};

#define SNARL_THREAD_INIT(name, function, argument)                                                                    \
  { SNARLI_OBJECT_INIT(THREAD, name), NULL, (function), (argument), NULL, 0, 0, 0, false, "" }
#define SNARL_THREAD_INIT_RUN(name, run)                                                                               \
  { SNARLI_OBJECT_INIT(THREAD, name), (run), NULL, NULL, NULL, 0, 0, 0, false, "" }

/* The name is copied when the thread starts. */
#define snarl_thread_init(thread, name, function, argument)                                                            \
  snarl_thread_init_at((thread), (name), (function), (argument), SNARL_HERE)
#define snarl_thread_init_run(thread, name, run) snarl_thread_init_run_at((thread), (name), (run), SNARL_HERE)
#define snarl_thread_start(thread) snarl_thread_start_at((thread), SNARL_HERE)
#define snarl_thread_join(thread, timeout) snarl_thread_join_at((thread), (timeout), SNARL_HERE)
int snarl_thread_init_at(snarl_thread *thread, const char *name, void *(*function)(void *), void *argument,
                         struct snarl_site *site);
int snarl_thread_init_run_at(snarl_thread *thread, const char *name, void *(*run)(snarl_thread *self),
                             struct snarl_site *site);
int snarl_thread_start_at(snarl_thread *thread, struct snarl_site *site);
int snarl_thread_join_at(snarl_thread *thread, snarl_time timeout, struct snarl_site *site);

/* Before the start; SNARL_STARTED else. A stack of 0 bytes: the system's choice. */
int snarl_thread_set_daemon(snarl_thread *thread, bool is_daemon);
int snarl_thread_set_stack_size(snarl_thread *thread, size_t bytes);

/* Started and not ended yet. */
bool snarl_thread_is_alive(const snarl_thread *thread);
bool snarl_thread_is_daemon(const snarl_thread *thread);
/* What its function returned; NULL before its end. */
void *snarl_thread_result(const snarl_thread *thread);
/* Its name, or "Thread-1" and so on from its start on. Never NULL. */
const char *snarl_thread_name(const snarl_thread *thread);

/* The calling thread: its own object, one that stands for it if it was not started here, or the main thread's; NULL:
 * there is no room for it. */
snarl_thread *snarl_current_thread(void);
snarl_thread *snarl_main_thread(void);
/* The main thread and those started here that are alive; at most `room` into `threads`. How many there are. */
int snarl_enumerate(snarl_thread **threads, int room);
int snarl_active_count(void);
/* A number that no other thread of this process has now, never 0 (0: there is no room for it); and the kernel's. */
uint32_t snarl_get_ident(void);
uint32_t snarl_get_native_id(void);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
