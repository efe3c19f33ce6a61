/* SPDX-License-Identifier: MIT
 *
 * The model has threads of one process only: its primitives never get here. Entered by nobody.
 */
#include "multiprocessing/sync/robust.h"
#include "multiprocessing/sync/pshared_barrier.h"
#include <stdlib.h>

int snarli_robust_init(snarl_lock *lock, uint32_t alive, const char *name, struct snarl_site *site) {
  (void)lock, (void)alive, (void)name, (void)site;
  abort();
}
int snarli_robust_acquire(snarl_lock *lock, snarl_time timeout, struct snarl_site *site) {
  (void)lock, (void)timeout, (void)site;
  abort();
}
int snarli_robust_release(snarl_lock *lock, struct snarl_site *site) {
  (void)lock, (void)site;
  abort();
}
int snarli_robust_destroy(snarl_lock *lock, struct snarl_site *site) {
  (void)lock, (void)site;
  abort();
}
bool snarli_robust_locked(const snarl_lock *lock) {
  (void)lock;
  abort();
}
snarl_lock *snarli_pshared_lock_of(snarl_condition *condition) {
  (void)condition;
  abort();
}
int snarli_pshared_condition_init(snarl_condition *condition, const char *name, struct snarl_object *lock,
                                  struct snarl_site *site) {
  (void)condition, (void)name, (void)lock, (void)site;
  abort();
}
int snarli_pshared_condition_wait(snarl_condition *condition, snarl_time timeout, struct snarl_site *site) {
  (void)condition, (void)timeout, (void)site;
  abort();
}
int snarli_pshared_condition_notify(snarl_condition *condition, int count, struct snarl_site *site) {
  (void)condition, (void)count, (void)site;
  abort();
}
int snarli_pshared_barrier_arrive(snarl_barrier *barrier, snarl_time timeout, struct snarl_site *site) {
  (void)barrier, (void)timeout, (void)site;
  abort();
}
int snarli_pshared_barrier_break(snarl_barrier *barrier, enum snarli_barrier_reason reason, struct snarl_site *site) {
  (void)barrier, (void)reason, (void)site;
  abort();
}
bool snarli_pshared_barrier_broken(const snarl_barrier *barrier) {
  (void)barrier;
  abort();
}
uint32_t snarli_pshared_barrier_arrived(const snarl_barrier *barrier) {
  (void)barrier;
  abort();
}
