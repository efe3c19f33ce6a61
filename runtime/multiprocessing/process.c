/* SPDX-License-Identifier: MIT
 *
 * Child processes. What is known of one lies in its life, on the heap, from its start until it was joined; the object
 * only names it, so that it may go when it has ended. A child is waited for by a descriptor (pidfd) and reaped once,
 * under `guard`, by whoever notices its end first: nobody signals or waits for a pid that may be another's by then.
 *
 * `guard` protects the list of lives and what is in them. Entered by any thread.
 */
#include "process.h"
#include "core/runtime.h"
#include "core/self.h"
#include "core/system.h"
#include "end.h"
#include "threading/timer.h"
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>

enum { NEW, STARTED }; /* an object's state */

struct life {
  struct life *next, *previous;
  uint64_t serial;
  snarl_process *object; /* until it has ended */
  uint32_t joiners;
  int pid, sentinel, exit_code;
  int sent; /* the signal that this process sent last */
  bool is_daemon, has_ended, is_joined;
  bool is_asked;           /* somebody was told how it ended */
  struct snarl_site *site; /* of the start */
};

static uint32_t guard;
static struct life *lives;
static uint64_t serials;
static snarl_process main_process = SNARL_PROCESS_INIT("MainProcess", NULL, NULL);
static snarl_process *current = &main_process, *parent;
static int parent_pid;

static void list_add(struct life *life) {
  life->next = lives;
  if (lives)
    lives->previous = life;
  lives = life;
}

static void list_remove(struct life *life) {
  *(life->previous ? &life->previous->next : &lives) = life->next;
  if (life->next)
    life->next->previous = life->previous;
}

/* The guard is held. NULL: it was joined, or is another process's. */
static struct life *life_of(const snarl_process *process) {
  struct life *life = lives;
  while (life && life->serial != process->serial)
    life = life->next;
  return life;
}

static void life_free(struct life *life) {
  (void)snarli_system(SYS_close, life->sentinel);
  free(life);
}

static int code_of(const siginfo_t *info) { return info->si_code == CLD_EXITED ? info->si_status : -info->si_status; }

/* The guard is held. Whether the child has ended; if so, it is a zombie no more. ECHILD: somebody else has waited for
 * it, or the program ignores SIGCHLD. */
static bool reap(struct life *life) {
  siginfo_t info = {0};
  long result = life->has_ended ? 0 : snarli_system(SYS_waitid, P_PID, life->pid, &info, WEXITED | WNOHANG, NULL);
  if (life->has_ended || (!result && !info.si_pid) || (result && result != -ECHILD))
    return life->has_ended;
  life->has_ended = true;
  life->exit_code = result ? SNARL_EXIT_NONE : code_of(&info);
  return true;
}

/* Noticed in passing, as by a waitpid with WNOHANG. */
static bool reap_noted(struct life *life, struct snarl_site *site) {
  bool was_known = life->has_ended, is_over = reap(life);
  if (is_over && !was_known && snarli_records())
    snarli_record_aux(SNARLI_R_WAIT_RETURNED, SNARLI_F_TRY | SNARLI_F_ENDED, (uint64_t)life->pid, snarli_place(site));
  return is_over;
}

/* One joiner less; the last one ends the life if it is joined. */
static void joiner_leaves(struct life *life) {
  snarli_guard(&guard);
  bool is_last = !--life->joiners && life->is_joined;
  if (is_last)
    list_remove(life);
  snarli_unguard(&guard);
  if (is_last)
    life_free(life);
}

/* The caller counts among the joiners, so that the descriptor stays. */
static int await_end(struct life *life, snarl_time timeout) {
  int64_t deadline = snarli_deadline(timeout);
  struct pollfd sentinel = {.fd = life->sentinel, .events = POLLIN};
  if (!snarli_poll(&sentinel, 1, deadline))
    return SNARL_TIMEOUT;
  snarli_guard(&guard);
  bool is_over = life->is_joined = reap(life);
  snarli_unguard(&guard);
  return is_over ? SNARL_OK : SNARL_NO_MEMORY; /* the kernel had none for the poll */
}

static int join_life(struct life *life, snarl_time timeout, int *exit_code, struct snarl_site *site) {
  bool records = snarli_records();
  uint32_t place = records ? snarli_place(site) : 0;
  unsigned flags = snarli_flags(timeout);
  uint64_t pid = (uint64_t)life->pid;
  if (records && flags != SNARLI_F_TRY)
    snarli_record_aux(SNARLI_R_WAIT_REQUESTED, flags, pid, place);
  int status = await_end(life, timeout);
  if (records && !status)
    snarli_record_aux(SNARLI_R_WAIT_RETURNED, flags | SNARLI_F_ENDED, pid, place);
  else if (records && flags != SNARLI_F_TRY)
    snarli_record_aux(SNARLI_R_WAIT_FAILED, (unsigned)snarli_errno_of(status), pid, place);
  if (!status)
    *exit_code = life->exit_code;
  joiner_leaves(life);
  return status ? status : *exit_code ? SNARL_FAILED : SNARL_OK;
}

static bool signal_send(struct life *life, int signal, struct snarl_site *site) {
  if (reap_noted(life, site))
    return true;
  bool records = snarli_records();
  uint32_t place = records ? snarli_place(site) : 0;
  if (records)
    snarli_record_aux(SNARLI_R_SIGNAL_SENT, (unsigned)signal, (uint64_t)life->pid, place);
  life->sent = signal;
  long result = snarli_system(SYS_kill, life->pid, signal);
  if (records && result)
    snarli_record_aux(SNARLI_R_SIGNAL_FAILED, (unsigned)-result, (uint64_t)life->pid, place);
  return !result;
}

/* A life that is not joined, with the caller among its joiners; NULL: none. */
static struct life *find_joinable(void) {
  snarli_guard(&guard);
  struct life *life = lives;
  while (life && life->has_ended)
    life = life->next;
  if (life)
    life->joiners++;
  snarli_unguard(&guard);
  return life;
}

/* The program ends without having asked how its child did. What it was killed with is no surprise. */
static void note_unasked(const struct life *life, int exit_code) {
  if (exit_code && exit_code != SNARL_EXIT_NONE && exit_code != -life->sent && snarli_records())
    snarli_record_aux(SNARLI_R_CHILD_UNASKED, exit_code > 0 ? (unsigned)exit_code : 0, (uint64_t)life->pid,
                      snarli_place(life->site));
}

void snarli_processes_at_exit(void) {
  snarli_guard(&guard);
  for (struct life *life = lives; life; life = life->next)
    if (!reap_noted(life, SNARL_HERE) && life->is_daemon)
      (void)signal_send(life, SIGTERM, SNARL_HERE);
    else if (life->has_ended && !life->is_asked)
      note_unasked(life, life->exit_code);
  snarli_unguard(&guard);
  for (struct life *life; (life = find_joinable());) {
    struct life known = *life;
    int exit_code, status = join_life(life, SNARL_FOREVER, &exit_code, SNARL_HERE);
    if (status == SNARL_FAILED)
      note_unasked(&known, exit_code);
    else if (status)
      return;
  }
}

/* Other streams may be held by a thread that waits for input. */
static void flush(void) {
  (void)fflush(stdout);
  (void)fflush(stderr);
}

/* The thread that goes on in the child is called as the process, in the trace and by the system. */
static void name_child(const char *name) {
  (void)snarli_system(SYS_prctl, PR_SET_NAME, name, 0, 0, 0); /* which cuts it */
  if (snarli_records())
    snarli_record_aux(SNARLI_R_THREAD_NAMED, 0, (uint64_t)pthread_self(), snarli_blob_string(name, strlen(name)));
}

static _Noreturn void child_leaves(int code, struct snarl_site *site) {
  snarli_finish();
  flush();
  if (snarli_records()) {
    snarli_record_aux(SNARLI_R_PROCESS_EXIT, 0, (uint32_t)code, snarli_place(site));
    snarli_process_end(code & 0xff);
  }
  snarli_suspend();
  _exit(code);
}

static _Noreturn void child_runs(snarl_process *process, struct snarl_site *site) {
  snarli_after_fork_in_child();
  parent = current;
  parent_pid = parent->pid = (int)getppid();
  current = process;
  process->pid = (int)getpid();
  name_child(snarl_process_name(process));
  snarli_ends_begin(process, site);
  child_leaves(process->run ? process->run(process) : process->function(process->argument), site);
}

/* The descriptor of a child that was just made. `reserved` keeps a number for it. */
static int sentinel_open(int pid, int reserved) {
  (void)snarli_system(SYS_close, reserved);
  return (int)snarli_system(SYS_pidfd_open, pid, 0);
}

static int start_failed(long error) {
  return error == -ENOMEM                       ? SNARL_NO_MEMORY
         : error == -EMFILE || error == -ENFILE ? SNARL_NO_DESCRIPTOR
                                                : SNARL_NO_PROCESS;
}

/* The shim would record it, too. The pid, 0 in the child, -errno. */
static int fork_unseen(void) {
  int saved = errno;
  snarli_suspend();
  int pid = (int)fork();
  int error = errno;
  snarli_resume();
  errno = saved;
  return pid < 0 ? -error : pid;
}

/* The child is there. It is ended again if it cannot be waited for. */
static int adopt(snarl_process *process, struct life *life, int pid, int reserved) {
  life->pid = process->pid = pid;
  life->sentinel = sentinel_open(pid, reserved);
  if (life->sentinel < 0) {
    (void)snarli_system(SYS_kill, pid, SIGKILL);
    (void)snarli_system(SYS_waitid, P_PID, pid, NULL, WEXITED, NULL);
    return start_failed(life->sentinel);
  }
  snarli_guard(&guard);
  list_add(life);
  snarli_unguard(&guard);
  return SNARL_OK;
}

static int start_life(snarl_process *process, struct life *life, int reserved, struct snarl_site *site) {
  bool records = snarli_records();
  uint32_t place = records ? snarli_place(site) : 0;
  flush();
  if (records)
    snarli_record_aux(SNARLI_R_FORK_REQUESTED, 0, 0, place);
  int pid = fork_unseen();
  if (!pid) {
    (void)snarli_system(SYS_close, reserved);
    free(life);
    child_runs(process, site);
  }
  if (records && pid < 0)
    snarli_record_aux(SNARLI_R_FORK_FAILED, (unsigned)-pid, 0, place);
  else if (records)
    snarli_record_aux(SNARLI_R_FORKED, 0, (uint64_t)pid, place);
  if (pid > 0)
    return adopt(process, life, pid, reserved);
  (void)snarli_system(SYS_close, reserved);
  return start_failed(pid);
}

static int check(const snarl_process *process, struct snarl_site *site) {
  return snarli_check((const struct snarl_object *)process, SNARLI_ALIVE(PROCESS), site);
}

static int start(snarl_process *process, struct snarl_site *site) {
  long reserved = snarli_system(SYS_openat, AT_FDCWD, "/", O_PATH | O_CLOEXEC, 0);
  if (reserved < 0)
    return start_failed(reserved);
  struct life *life = calloc(1, sizeof *life);
  if (!life) {
    (void)snarli_system(SYS_close, reserved);
    return SNARL_NO_MEMORY;
  }
  *life = (struct life){.serial = process->serial, .object = process, .is_daemon = process->is_daemon};
  life->site = site;
  int status = start_life(process, life, (int)reserved, site);
  if (status)
    free(life);
  return status;
}

int snarl_process_start_at(snarl_process *process, struct snarl_site *site) {
  int status = check(process, site);
  if (!status && !process->run && !process->function)
    status = snarli_refuse(SNARL_INVALID, process, site);
  if (!status && current->is_daemon)
    status = snarli_refuse(SNARL_DAEMON, process, site);
  uint32_t new = NEW;
  if (!status && !snarli_cas(&process->state, &new, STARTED))
    status = snarli_refuse(SNARL_STARTED, process, site);
  if (status)
    return status;
  snarli_wait_at_exit();
  process->serial = __atomic_add_fetch(&serials, 1, __ATOMIC_RELAXED);
  process->forks = snarli_forks;
  process->exit_code = SNARL_EXIT_NONE;
  (void)snprintf(process->number, sizeof process->number, "Process-%llu",
                 (unsigned long long)process->serial % 100000000u);
  status = start(process, site);
  if (status)
    snarli_store(&process->state, NEW); /* it may be tried again */
  else
    snarli_ends_given(process, site);
  return status;
}

/* SNARL_OK: it is a child of this process. */
static int check_child(const snarl_process *process, struct snarl_site *site) {
  int status = check(process, site);
  if (!status && process == current)
    status = snarli_refuse(SNARL_DEADLOCK, process, site);
  if (!status && snarli_load(&process->state) == NEW)
    status = snarli_refuse(process == &main_process ? SNARL_FORKED : SNARL_NOT_STARTED, process, site);
  if (!status && process->forks != snarli_forks)
    status = snarli_refuse(SNARL_FORKED, process, site);
  return status;
}

/* The life of a child, with the guard held; NULL: it was joined. */
static struct life *enter(const snarl_process *process) {
  snarli_guard(&guard);
  return life_of(process);
}

int snarl_process_join_at(snarl_process *process, snarl_time timeout, struct snarl_site *site) {
  int status = check_child(process, site);
  if (status)
    return status;
  struct life *life = enter(process);
  if (life)
    life->joiners++;
  snarli_unguard(&guard);
  if (!life)
    return process->exit_code ? SNARL_FAILED : SNARL_OK;
  int exit_code = SNARL_EXIT_NONE;
  status = join_life(life, timeout, &exit_code, site);
  if (!status || status == SNARL_FAILED)
    __atomic_store_n(&process->exit_code, exit_code, __ATOMIC_RELAXED);
  return status;
}

static int send(snarl_process *process, int signal, struct snarl_site *site) {
  int status = check_child(process, site);
  if (status)
    return status;
  struct life *life = enter(process);
  bool is_sent = !life || signal_send(life, signal, site);
  snarli_unguard(&guard);
  return is_sent ? SNARL_OK : SNARL_INVALID; /* it has become another user's */
}

int snarl_process_terminate_at(snarl_process *process, struct snarl_site *site) { return send(process, SIGTERM, site); }
int snarl_process_kill_at(snarl_process *process, struct snarl_site *site) { return send(process, SIGKILL, site); }

bool snarl_process_is_alive(snarl_process *process) {
  if (!process || process == current)
    return process != NULL;
  if (process == parent)
    return (int)getppid() == parent_pid;
  if (snarli_load(&process->state) == NEW || process->forks != snarli_forks)
    return false;
  struct life *life = enter(process);
  bool is_alive = life && !reap_noted(life, SNARL_HERE);
  snarli_unguard(&guard);
  return is_alive;
}

int snarl_process_exit_code(snarl_process *process) {
  if (!process || snarli_load(&process->state) == NEW || process->forks != snarli_forks)
    return SNARL_EXIT_NONE;
  struct life *life = enter(process);
  int code = !life ? process->exit_code : reap_noted(life, SNARL_HERE) ? life->exit_code : SNARL_EXIT_NONE;
  if (life)
    life->is_asked |= life->has_ended;
  snarli_unguard(&guard);
  return code;
}

int snarl_process_sentinel(snarl_process *process) {
  int status = check_child(process, NULL);
  if (status)
    return status;
  struct life *life = enter(process);
  int sentinel = life ? life->sentinel : SNARL_CLOSED;
  snarli_unguard(&guard);
  return sentinel;
}

int snarl_active_children(snarl_process **found, int room) {
  int count = 0;
  snarli_guard(&guard);
  for (struct life *life = lives; life; life = life->next)
    if (!reap_noted(life, SNARL_HERE) && count++ < room && found)
      found[count - 1] = life->object;
  snarli_unguard(&guard);
  return count;
}

static int init(snarl_process *process, const snarl_process *what, const char *name, struct snarl_site *site) {
  if (!process || (!what->run && !what->function))
    return snarli_refuse(SNARL_INVALID, process, site);
  *process = *what;
  return snarli_object_begin(&process->object, SNARLI_ALIVE(PROCESS), name, site);
}

int snarl_process_init_at(snarl_process *process, const char *name, int (*function)(void *), void *argument,
                          struct snarl_site *site) {
  return init(process, &(snarl_process){.function = function, .argument = argument}, name, site);
}

int snarl_process_init_run_at(snarl_process *process, const char *name, int (*run)(snarl_process *self),
                              struct snarl_site *site) {
  return init(process, &(snarl_process){.run = run}, name, site);
}

int snarl_process_set_daemon(snarl_process *process, bool is_daemon) {
  int status = check(process, NULL);
  if (!status && (snarli_load(&process->state) != NEW || process == current))
    status = snarli_refuse(SNARL_STARTED, process, NULL);
  if (!status)
    process->is_daemon = is_daemon;
  return status;
}

bool snarl_process_is_daemon(const snarl_process *process) { return process && process->is_daemon; }

int snarl_process_pid(const snarl_process *process) {
  if (process == &main_process && process == current)
    return (int)getpid();
  return process ? process->pid : 0;
}

const char *snarl_process_name(const snarl_process *process) {
  if (!process)
    return "";
  return process->object.name ? process->object.name : process->number;
}

snarl_process *snarl_current_process(void) { return current; }
snarl_process *snarl_parent_process(void) { return parent; }

int snarl_cpu_count(void) {
  long count = sysconf(_SC_NPROCESSORS_ONLN);
  return count > 0 ? (int)count : 1;
}

void snarli_processes_before_fork(void) {
  snarli_guard(&guard);
  snarli_ends_before_fork();
}

void snarli_processes_after_fork(void) {
  snarli_ends_after_fork();
  snarli_unguard(&guard);
}

/* Those are the parent's children. */
void snarli_processes_in_child(void) {
  for (struct life *life = lives, *next; life; life = next) {
    next = life->next;
    life_free(life);
  }
  lives = NULL;
  guard = 0;
  snarli_ends_in_child();
}
