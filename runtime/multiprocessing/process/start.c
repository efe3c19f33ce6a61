/* SPDX-License-Identifier: MIT
 *
 * What the start methods share, and the choice between them (see start.h). Entered by any thread.
 */
#include "start.h"
#include "core/system.h"
#include "entry.h"
#include "given.h"
#include "image.h"
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>

static enum snarl_start_method by_default = SNARL_START_FORK;

static bool is_method(enum snarl_start_method method) {
  return method >= SNARL_START_DEFAULT && method <= SNARL_START_FORKSERVER;
}

int snarl_set_start_method(enum snarl_start_method method) {
  if (!is_method(method))
    return snarli_refuse(SNARL_INVALID, NULL, NULL);
  __atomic_store_n(&by_default, method ? method : SNARL_START_FORK, __ATOMIC_RELAXED);
  return SNARL_OK;
}

enum snarl_start_method snarl_get_start_method(void) { return __atomic_load_n(&by_default, __ATOMIC_RELAXED); }

int snarl_process_set_start(snarl_process *process, enum snarl_start_method method) {
  int status = snarli_check((const struct snarl_object *)process, SNARLI_ALIVE(PROCESS), NULL);
  if (!status && !is_method(method))
    status = snarli_refuse(SNARL_INVALID, process, NULL);
  if (!status && (snarli_load(&process->state) || process == snarl_current_process()))
    status = snarli_refuse(SNARL_STARTED, process, NULL);
  if (!status)
    process->start = method;
  return status;
}

/* SNARL_OK: a fresh image can run it. */
static int check_image(const snarl_process *process, const struct snarl_entry *entry, struct snarl_site *site) {
  if (!entry)
    return snarli_refuse(SNARL_NOT_ENTRY, process, site);
  if (process->argument && !process->argument_size)
    return snarli_refuse(SNARL_NOT_COPIED, process, site);
  return snarli_image_is_possible() ? SNARL_OK : SNARL_NO_IMAGE;
}

static enum snarl_start_method method_of(const snarl_process *process) {
  return process->start ? process->start : process->run ? SNARL_START_FORK : snarl_get_start_method();
}

int snarli_start(snarl_process *process, struct snarli_life *life, struct snarl_site *site) {
  enum snarl_start_method method = method_of(process);
  int status = snarli_given_check(process, site);
  if (status || method == SNARL_START_FORK)
    return status ? status : snarli_start_by_fork(process, life, site);
  const struct snarl_entry *entry = process->run ? NULL : snarli_entry_of(process->function);
  status = check_image(process, entry, site);
  if (status)
    return status;
  return method == SNARL_START_SPAWN ? snarli_start_by_spawn(process, entry, life, site)
                                     : snarli_start_by_server(process, entry, life, site);
}

int snarli_start_failed(long error) {
  switch (-error) {
  case ENOMEM:
    return SNARL_NO_MEMORY;
  case EMFILE:
  case ENFILE:
    return SNARL_NO_DESCRIPTOR;
  case EAGAIN:
    return SNARL_NO_PROCESS;
  case EPIPE:
  case ECONNRESET:
    return SNARL_SERVER_ENDED;
  default:
    return SNARL_NO_IMAGE;
  }
}

int snarli_start_reserve(void) { return (int)snarli_system(SYS_openat, AT_FDCWD, "/", O_PATH | O_CLOEXEC, 0); }

int snarli_start_adopt(struct snarli_life *life, int pid, int reserved) {
  (void)snarli_system(SYS_close, reserved);
  long sentinel = snarli_system(SYS_pidfd_open, pid, 0);
  if (sentinel < 0) {
    (void)snarli_system(SYS_kill, pid, SIGKILL);
    (void)snarli_system(SYS_waitid, P_PID, pid, NULL, WEXITED, NULL);
    return snarli_start_failed(sentinel);
  }
  snarli_life_begin(life, pid, (int)sentinel);
  return SNARL_OK;
}

uint32_t snarli_start_requested(unsigned flags, struct snarl_site *site) {
  if (!snarli_records())
    return 0;
  uint32_t place = snarli_place(site);
  snarli_record_aux(SNARLI_R_FORK_REQUESTED, flags, 0, place);
  return place;
}

void snarli_start_ended(unsigned flags, int pid, uint32_t place) {
  if (snarli_records() && pid < 0)
    snarli_record_aux(SNARLI_R_FORK_FAILED, (unsigned)-pid, 0, place);
  else if (snarli_records())
    snarli_record_aux(SNARLI_R_FORKED, flags, (uint64_t)pid, place);
}
