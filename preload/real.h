/* SPDX-License-Identifier: MIT
 *
 * The functions behind the wrappers: one slot per row of wrapped.def, filled by the constructor, or by the first call
 * that comes before it. Entered by any thread in any context.
 */
#ifndef SNARLI_REAL_H
#define SNARLI_REAL_H

#include <dirent.h>
#include <fcntl.h>
#include <mqueue.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/pidfd.h>
#include <sys/resource.h>
#include <sys/sem.h>
#include <sys/sendfile.h>
#include <sys/shm.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <threads.h>
#include <unistd.h>

struct snarli_real {
#define WRAP(body, result, object, ret, name, params, args, version) ret(*name) params;
#include "wrapped.def"
};

extern struct snarli_real snarli_real_slots;
extern bool snarli_real_is_ready;

/* Fills the slots. Harmless twice and by several threads at once: all store the same. */
void snarli_real_resolve(void);

static inline const struct snarli_real *snarli_real(void) {
  /* Acquire pairs with the release in snarli_real_resolve: the slots are filled. */
  if (__builtin_expect(!__atomic_load_n(&snarli_real_is_ready, __ATOMIC_ACQUIRE), 0))
    snarli_real_resolve();
  return &snarli_real_slots;
}

#endif
