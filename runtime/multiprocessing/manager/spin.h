/* SPDX-License-Identifier: MIT
 *
 * How long either side of a manager looks for the other's next message before it sleeps. To be woken on another
 * processor takes 20 to 70 us, and to find a message there while looking a fiftieth of it; but who looks on the
 * processor that the other needs keeps it waiting. So each says where it runs, and looks only if that is elsewhere: as
 * long as it has paid lately, and now and then long enough for both to get out of sleeping. One thread per value.
 */
#ifndef SNARLI_MANAGER_SPIN_H
#define SNARLI_MANAGER_SPIN_H

#include <sched.h>
#include <stdbool.h>
#include <stdint.h>

enum { MANAGER_LOOKS_LEAST = 8, MANAGER_LOOKS_MOST = 256, MANAGER_PROBE = 16 };

struct manager_spin {
  uint32_t looks, misses;
};

static inline uint16_t manager_processor(void) { return (uint16_t)sched_getcpu(); }

/* How often to look now. */
static inline uint32_t manager_looks(const struct manager_spin *spin, uint16_t other) {
  if (other == manager_processor())
    return 0;
  bool is_probe = spin->misses % MANAGER_PROBE == MANAGER_PROBE - 1;
  return is_probe ? MANAGER_LOOKS_MOST : spin->looks < MANAGER_LOOKS_LEAST ? MANAGER_LOOKS_LEAST : spin->looks;
}

static inline void manager_looked(struct manager_spin *spin, bool has_paid) {
  uint32_t looks = has_paid ? spin->looks * 2 : spin->looks / 2;
  if (has_paid && spin->misses % MANAGER_PROBE == MANAGER_PROBE - 1)
    looks = MANAGER_LOOKS_MOST;
  spin->looks = looks > MANAGER_LOOKS_MOST    ? MANAGER_LOOKS_MOST
                : looks < MANAGER_LOOKS_LEAST ? MANAGER_LOOKS_LEAST
                                              : looks;
  spin->misses = has_paid ? 0 : spin->misses + 1;
}

#endif
