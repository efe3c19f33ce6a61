/* SPDX-License-Identifier: MIT
 *
 * The list of lives, and their ends (see life.h). `guard` protects the list and what is in it. Entered by any thread.
 */
#include "life.h"
#include "core/self.h"
#include "core/system.h"
#include "entry.h"
#include "given.h"
#include "multiprocessing/connection/end.h"
#include "multiprocessing/manager/client.h"
#include "passing.h"
#include "process.h"
#include "server.h"
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>

static uint32_t guard;
static LIST_HEAD(, snarli_life) lives;

struct snarli_life *snarli_life_new(snarl_process *process, struct snarl_site *site) {
  struct snarli_life *life = calloc(1, sizeof *life);
  if (life)
    *life = (struct snarli_life){.serial = process->serial, .object = process, .is_daemon = process->is_daemon};
  if (life)
    life->site = site, life->line = -1;
  return life;
}

void snarli_life_begin(struct snarli_life *life, int pid, int sentinel) {
  life->pid = life->object->pid = pid;
  life->sentinel = sentinel;
  snarli_guard(&guard);
  LIST_INSERT_HEAD(&lives, life, link);
  snarli_unguard(&guard);
}

static void life_free(struct snarli_life *life) {
  (void)snarli_system(SYS_close, life->sentinel);
  if (life->line >= 0)
    (void)snarli_system(SYS_close, life->line);
  free(life);
}

struct snarli_life *snarli_life_enter(const snarl_process *process) {
  snarli_guard(&guard);
  struct snarli_life *life = LIST_FIRST(&lives);
  while (life && life->serial != process->serial)
    life = LIST_NEXT(life, link);
  return life;
}

void snarli_life_leave(void) { snarli_unguard(&guard); }

static int code_of(const siginfo_t *info) { return info->si_code == CLD_EXITED ? info->si_status : -info->si_status; }

/* The guard is held. ECHILD: somebody else has waited for it, or the program ignores SIGCHLD. */
static void reap_own(struct snarli_life *life) {
  siginfo_t info = {0};
  long result = snarli_system(SYS_waitid, P_PID, life->pid, &info, WEXITED | WNOHANG, NULL);
  life->has_ended = result ? result == -ECHILD : info.si_pid != 0;
  if (life->has_ended)
    life->exit_code = result ? SNARL_EXIT_NONE : code_of(&info);
}

static bool is_ready(int fd, int64_t deadline) {
  struct pollfd polled = {.fd = fd, .events = POLLIN};
  return snarli_poll(&polled, 1, deadline) > 0;
}

/* The guard is held. A server that lives sends the code at once, one that was killed has hung up: more patience is for
 * one that is stopped. */
static void reap_servers(struct snarli_life *life) {
  struct snarli_server_code code;
  if (!is_ready(life->sentinel, SNARLI_PAST) || !is_ready(life->line, snarli_deadline(SNARL_S(1))))
    return;
  life->has_ended = true;
  int taken = snarli_take(life->line, &code, sizeof code, NULL, 0);
  life->exit_code = taken < 0 ? SNARL_EXIT_NONE : code.exit_code;
}

/* The guard is held. Whether the child has ended; if so, it is a zombie no more. */
static bool reap(struct snarli_life *life) {
  if (!life->has_ended && life->line >= 0)
    reap_servers(life);
  else if (!life->has_ended)
    reap_own(life);
  return life->has_ended;
}

bool snarli_life_is_over(struct snarli_life *life, struct snarl_site *site) {
  bool was_known = life->has_ended, is_over = reap(life);
  if (is_over && !was_known && snarli_records())
    snarli_record_aux(SNARLI_R_WAIT_RETURNED, SNARLI_F_TRY | SNARLI_F_ENDED, (uint64_t)life->pid, snarli_place(site));
  return is_over;
}

/* One joiner less; the last one ends the life if it is joined. */
static void joiner_leaves(struct snarli_life *life) {
  snarli_guard(&guard);
  bool is_last = !--life->joiners && life->is_joined;
  if (is_last)
    LIST_REMOVE(life, link);
  snarli_unguard(&guard);
  if (is_last)
    life_free(life);
}

/* A child that has ended, until it can be reaped: a debugger that traces it has the first look. By its descriptor, as
 * another joiner may reap it meanwhile. */
static void await_tracer(const struct snarli_life *life) {
  while (snarli_system(SYS_waitid, P_PIDFD, life->sentinel, NULL, WEXITED | WNOWAIT, NULL) == -EINTR)
    ;
}

/* The caller counts among the joiners, so that the descriptor stays. A server's child has ended when its code came. */
static int await_end(struct snarli_life *life, snarl_time timeout) {
  int64_t deadline = snarli_deadline(timeout);
  struct pollfd sentinel = {.fd = life->sentinel, .events = POLLIN};
  long ready = snarli_poll(&sentinel, 1, deadline);
  if (ready <= 0)
    return ready ? SNARL_NO_MEMORY : SNARL_TIMEOUT; /* the kernel had none for the poll */
  if (life->line >= 0)
    (void)is_ready(life->line, deadline);
  else
    await_tracer(life);
  snarli_guard(&guard);
  bool is_over = life->is_joined = reap(life);
  snarli_unguard(&guard);
  return is_over ? SNARL_OK : SNARL_TIMEOUT;
}

static int status_of(int exit_code, bool is_servers) {
  return !exit_code ? SNARL_OK : exit_code == SNARL_EXIT_NONE && is_servers ? SNARL_SERVER_ENDED : SNARL_FAILED;
}

/* The caller has counted itself among the joiners. */
static int join(struct snarli_life *life, snarl_time timeout, int *exit_code, struct snarl_site *site) {
  bool records = snarli_records();
  uint32_t place = records ? snarli_place(site) : 0;
  unsigned flags = snarli_flags(timeout);
  uint64_t pid = (uint64_t)life->pid;
  bool is_servers = life->line >= 0;
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
  return status ? status : status_of(*exit_code, is_servers);
}

int snarli_life_join(snarl_process *process, snarl_time timeout, struct snarl_site *site) {
  struct snarli_life *life = snarli_life_enter(process);
  if (life)
    life->joiners++;
  snarli_life_leave();
  if (!life)
    return status_of(process->exit_code, process->is_servers);
  int exit_code = SNARL_EXIT_NONE, status = join(life, timeout, &exit_code, site);
  if (status != SNARL_TIMEOUT && status != SNARL_NO_MEMORY)
    __atomic_store_n(&process->exit_code, exit_code, __ATOMIC_RELAXED);
  return status;
}

bool snarli_life_signal(struct snarli_life *life, int signal, struct snarl_site *site) {
  if (snarli_life_is_over(life, site))
    return true;
  bool records = snarli_records();
  uint32_t place = records ? snarli_place(site) : 0;
  if (records)
    snarli_record_aux(SNARLI_R_SIGNAL_SENT, (unsigned)signal, (uint64_t)life->pid, place);
  life->sent = signal;
  long result = snarli_system(SYS_pidfd_send_signal, life->sentinel, signal, NULL, 0);
  result = result == -ESRCH ? 0 : result; /* it has ended, and its server knows */
  if (records && result)
    snarli_record_aux(SNARLI_R_SIGNAL_FAILED, (unsigned)-result, (uint64_t)life->pid, place);
  return !result;
}

int snarli_lives_list(snarl_process **found, int room) {
  int count = 0;
  struct snarli_life *life;
  snarli_guard(&guard);
  LIST_FOREACH(life, &lives, link)
  if (!snarli_life_is_over(life, SNARL_HERE) && count++ < room && found)
    found[count - 1] = life->object;
  snarli_unguard(&guard);
  return count;
}

/* A life that is not joined, with the caller among its joiners; NULL: none. */
static struct snarli_life *find_joinable(void) {
  snarli_guard(&guard);
  struct snarli_life *life = LIST_FIRST(&lives);
  while (life && life->has_ended)
    life = LIST_NEXT(life, link);
  if (life)
    life->joiners++;
  snarli_unguard(&guard);
  return life;
}

/* The program ends without having asked how its child did. What it was killed with is no surprise. */
static void note_unasked(const struct snarli_life *life, int exit_code) {
  if (exit_code && exit_code != SNARL_EXIT_NONE && exit_code != -life->sent && snarli_records())
    snarli_record_aux(SNARLI_R_CHILD_UNASKED, exit_code > 0 ? (unsigned)exit_code : 0, (uint64_t)life->pid,
                      snarli_place(life->site));
}

void snarli_processes_at_exit(void) {
  struct snarli_life *each;
  snarli_guard(&guard);
  LIST_FOREACH(each, &lives, link)
  if (!snarli_life_is_over(each, SNARL_HERE) && each->is_daemon)
    (void)snarli_life_signal(each, SIGTERM, SNARL_HERE);
  else if (each->has_ended && !each->is_asked)
    note_unasked(each, each->exit_code);
  snarli_unguard(&guard);
  for (struct snarli_life *life; (life = find_joinable());) {
    struct snarli_life known = *life;
    int exit_code, status = join(life, SNARL_FOREVER, &exit_code, SNARL_HERE);
    if (status == SNARL_FAILED)
      note_unasked(&known, exit_code);
    else if (status && status != SNARL_SERVER_ENDED)
      break;
  }
  snarli_server_end();
}

void snarli_processes_before_fork(void) {
  snarli_guard(&guard);
  snarli_ends_before_fork();
  snarli_managers_before_fork();
}

void snarli_processes_after_fork(void) {
  snarli_managers_after_fork();
  snarli_ends_after_fork();
  snarli_unguard(&guard);
}

/* Those are the parent's children. */
void snarli_processes_in_child(void) {
  for (struct snarli_life *life = LIST_FIRST(&lives), *next; life; life = next) {
    next = LIST_NEXT(life, link);
    life_free(life);
  }
  LIST_INIT(&lives);
  guard = 0;
  snarli_server_in_child();
  snarli_entries_in_child();
  snarli_given_in_child();
  snarli_ends_in_child();
  snarli_managers_in_child();
}
