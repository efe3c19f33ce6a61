/* SPDX-License-Identifier: MIT
 *
 * Two threads that take turns: by a condition, and by meeting at a barrier.
 */
#include "peers.h"
#include <glib.h>
#include <snarl/snarl.h>
#include <uv.h>

static int turn;
static pthread_mutex_t posix_mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t posix_cond = PTHREAD_COND_INITIALIZER;
static pthread_barrier_t posix_barrier;
static snarl_lock snarl_mutex = SNARL_LOCK_INIT("ball");
static snarl_condition snarl_cond = SNARL_CONDITION_INIT_ON("turn", &snarl_mutex);
static snarl_barrier snarl_meeting = SNARL_BARRIER_INIT("meeting", 2);
static GMutex glib_mutex;
static GCond glib_cond;
static uv_mutex_t uv_mutex;
static uv_cond_t uv_cond;
static uv_barrier_t uv_meeting;

static void make(void) {
  turn = 0;
  pthread_barrier_init(&posix_barrier, NULL, 2);
  must(uv_mutex_init(&uv_mutex) == 0 && uv_cond_init(&uv_cond) == 0 && uv_barrier_init(&uv_meeting, 2) == 0, "uv init");
}
static void end(void) {}

#define TURNS(function, lock, wait, signal, unlock)                                                                    \
  static void function(int thread, long operations) {                                                                  \
    for (long i = 0; i < operations; i++) {                                                                            \
      lock;                                                                                                            \
      while (turn != thread)                                                                                           \
        wait;                                                                                                          \
      turn = !thread;                                                                                                  \
      signal;                                                                                                          \
      unlock;                                                                                                          \
    }                                                                                                                  \
  }
TURNS(posix, pthread_mutex_lock(&posix_mutex), pthread_cond_wait(&posix_cond, &posix_mutex),
      pthread_cond_signal(&posix_cond), pthread_mutex_unlock(&posix_mutex))
TURNS(own, (void)snarl_lock_acquire(&snarl_mutex, SNARL_FOREVER),
      (void)snarl_condition_wait(&snarl_cond, SNARL_FOREVER), (void)snarl_condition_notify(&snarl_cond, 1),
      (void)snarl_lock_release(&snarl_mutex))
TURNS(glib, g_mutex_lock(&glib_mutex), g_cond_wait(&glib_cond, &glib_mutex), g_cond_signal(&glib_cond),
      g_mutex_unlock(&glib_mutex))
TURNS(libuv, uv_mutex_lock(&uv_mutex), uv_cond_wait(&uv_cond, &uv_mutex), uv_cond_signal(&uv_cond),
      uv_mutex_unlock(&uv_mutex))

#define MEETINGS(function, meet)                                                                                       \
  static void function(int thread, long operations) {                                                                  \
    (void)thread;                                                                                                      \
    for (long i = 0; i < operations; i++)                                                                              \
      meet;                                                                                                            \
  }
MEETINGS(posix_meet, pthread_barrier_wait(&posix_barrier))
MEETINGS(own_meet, (void)snarl_barrier_wait(&snarl_meeting, SNARL_FOREVER))
MEETINGS(libuv_meet, uv_barrier_wait(&uv_meeting))

const struct peer wait_peers[] = {
    {"condition", "pthread", make, posix, 2, end},    {"condition", "snarl", make, own, 2, end},
    {"condition", "glib", make, glib, 2, end},        {"condition", "libuv", make, libuv, 2, end},
    {"barrier", "pthread", make, posix_meet, 2, end}, {"barrier", "snarl", make, own_meet, 2, end},
    {"barrier", "libuv", make, libuv_meet, 2, end},   {NULL, NULL, NULL, NULL, 0, NULL},
};
