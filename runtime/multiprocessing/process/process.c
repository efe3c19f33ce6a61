/* SPDX-License-Identifier: MIT
 *
 * Process: its object, and what may be asked of it. Entered by any thread.
 */
#include "child.h"
#include "core/self.h"
#include "multiprocessing/connection/end.h"
#include "start.h"
#include "threading/timer.h"
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { NEW, STARTED }; /* an object's state */

static uint64_t serials;

static int check(const snarl_process *process, struct snarl_site *site) {
  return snarli_check((const struct snarl_object *)process, SNARLI_ALIVE(PROCESS), site);
}

static int start(snarl_process *process, struct snarl_site *site) {
  struct snarli_life *life = snarli_life_new(process, site);
  if (!life)
    return SNARL_NO_MEMORY;
  int status = snarli_start(process, life, site);
  if (status)
    free(life);
  return status;
}

int snarl_process_start_at(snarl_process *process, struct snarl_site *site) {
  int status = check(process, site);
  if (!status && !process->run && !process->function)
    status = snarli_refuse(SNARL_INVALID, process, site);
  if (!status && snarl_current_process()->is_daemon)
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
  if (!status && process == snarl_current_process())
    status = snarli_refuse(SNARL_DEADLOCK, process, site);
  if (!status && snarli_load(&process->state) == NEW)
    status = snarli_refuse(process->function || process->run ? SNARL_NOT_STARTED : SNARL_FORKED, process, site);
  if (!status && process->forks != snarli_forks)
    status = snarli_refuse(SNARL_FORKED, process, site);
  return status;
}

int snarl_process_join_at(snarl_process *process, snarl_time timeout, struct snarl_site *site) {
  int status = check_child(process, site);
  return status ? status : snarli_life_join(process, timeout, site);
}

static int send(snarl_process *process, int signal, struct snarl_site *site) {
  int status = check_child(process, site);
  if (status)
    return status;
  struct snarli_life *life = snarli_life_enter(process);
  bool is_sent = !life || snarli_life_signal(life, signal, site);
  snarli_life_leave();
  return is_sent ? SNARL_OK : SNARL_INVALID; /* it has become another user's */
}

int snarl_process_terminate_at(snarl_process *process, struct snarl_site *site) { return send(process, SIGTERM, site); }
int snarl_process_kill_at(snarl_process *process, struct snarl_site *site) { return send(process, SIGKILL, site); }

bool snarl_process_is_alive(snarl_process *process) {
  if (!process || process == snarl_current_process())
    return process != NULL;
  if (process == snarl_parent_process())
    return snarli_parent_is_alive();
  if (snarli_load(&process->state) == NEW || process->forks != snarli_forks)
    return false;
  struct snarli_life *life = snarli_life_enter(process);
  bool is_alive = life && !snarli_life_is_over(life, SNARL_HERE);
  snarli_life_leave();
  return is_alive;
}

int snarl_process_exit_code(snarl_process *process) {
  if (!process || snarli_load(&process->state) == NEW || process->forks != snarli_forks)
    return SNARL_EXIT_NONE;
  struct snarli_life *life = snarli_life_enter(process);
  int code = !life ? process->exit_code : snarli_life_is_over(life, SNARL_HERE) ? life->exit_code : SNARL_EXIT_NONE;
  if (life)
    life->is_asked |= life->has_ended;
  snarli_life_leave();
  return code;
}

int snarl_process_sentinel(snarl_process *process) {
  int status = check_child(process, NULL);
  if (status)
    return status;
  struct snarli_life *life = snarli_life_enter(process);
  int sentinel = life ? life->sentinel : SNARL_CLOSED;
  snarli_life_leave();
  return sentinel;
}

int snarl_active_children(snarl_process **found, int room) { return snarli_lives_list(found, room); }

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
  if (!status && (snarli_load(&process->state) != NEW || process == snarl_current_process()))
    status = snarli_refuse(SNARL_STARTED, process, NULL);
  if (!status)
    process->is_daemon = is_daemon;
  return status;
}

int snarl_process_set_argument(snarl_process *process, const void *bytes, size_t size) {
  int status = check(process, NULL);
  if (!status && (snarli_load(&process->state) != NEW || process == snarl_current_process()))
    status = snarli_refuse(SNARL_STARTED, process, NULL);
  if (!status && !bytes != !size)
    status = snarli_refuse(SNARL_INVALID, process, NULL);
  if (status)
    return status;
  process->argument = (void *)(uintptr_t)bytes;
  process->argument_size = size;
  return SNARL_OK;
}

bool snarl_process_is_daemon(const snarl_process *process) { return process && process->is_daemon; }

int snarl_process_pid(const snarl_process *process) {
  if (process && process == snarl_current_process())
    return (int)getpid();
  return process ? process->pid : 0;
}

const char *snarl_process_name(const snarl_process *process) {
  if (!process)
    return "";
  return process->object.name ? process->object.name : process->number;
}

int snarl_cpu_count(void) {
  long count = sysconf(_SC_NPROCESSORS_ONLN);
  return count > 0 ? (int)count : 1;
}
