/* SPDX-License-Identifier: MIT
 *
 * Acquiring and releasing: by one thread of several (the others do not touch the lock), and by two that compete.
 */
#include "peers.h"
#include <apr_general.h>
#include <apr_thread_mutex.h>
#include <glib.h>
#include <semaphore.h>
#include <snarl/snarl.h>
#include <uv.h>

static volatile unsigned long counter;

static pthread_mutex_t posix_mutex = PTHREAD_MUTEX_INITIALIZER, posix_recursive;
static pthread_rwlock_t posix_rwlock = PTHREAD_RWLOCK_INITIALIZER;
static sem_t posix_semaphore;
static snarl_lock snarl_plain = SNARL_LOCK_INIT("lock");
static snarl_rlock snarl_recursive = SNARL_RLOCK_INIT("rlock");
static snarl_rwlock snarl_shared_lock = SNARL_RWLOCK_INIT("rwlock");
static snarl_semaphore snarl_permits = SNARL_SEMAPHORE_INIT("semaphore", 1);
static GMutex glib_mutex;
static GRecMutex glib_recursive;
static GRWLock glib_rwlock;
static uv_mutex_t uv_plain, uv_recursive;
static uv_rwlock_t uv_shared;
static uv_sem_t uv_permits;
static apr_pool_t *apr_pool;
static apr_thread_mutex_t *apr_mutex;

static void make(void) {
  pthread_mutexattr_t attr;
  pthread_mutexattr_init(&attr);
  pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_RECURSIVE);
  pthread_mutex_init(&posix_recursive, &attr);
  sem_init(&posix_semaphore, 0, 1);
  must(uv_mutex_init(&uv_plain) == 0 && uv_mutex_init_recursive(&uv_recursive) == 0, "uv_mutex_init");
  must(uv_rwlock_init(&uv_shared) == 0 && uv_sem_init(&uv_permits, 1) == 0, "uv_rwlock_init");
  must(apr_initialize() == 0 && apr_pool_create(&apr_pool, NULL) == 0, "apr_initialize");
  must(apr_thread_mutex_create(&apr_mutex, APR_THREAD_MUTEX_DEFAULT, apr_pool) == 0, "apr_thread_mutex_create");
}
static void end(void) {}

#define PEER(function, acquire, release)                                                                               \
  static void function(int thread, long operations) {                                                                  \
    (void)thread;                                                                                                      \
    for (long i = 0; i < operations; i++) {                                                                            \
      acquire;                                                                                                         \
      counter++;                                                                                                       \
      release;                                                                                                         \
    }                                                                                                                  \
  }
PEER(posix, pthread_mutex_lock(&posix_mutex), pthread_mutex_unlock(&posix_mutex))
PEER(own, (void)snarl_lock_acquire(&snarl_plain, SNARL_FOREVER), (void)snarl_lock_release(&snarl_plain))
PEER(glib, g_mutex_lock(&glib_mutex), g_mutex_unlock(&glib_mutex))
PEER(libuv, uv_mutex_lock(&uv_plain), uv_mutex_unlock(&uv_plain))
PEER(apr, apr_thread_mutex_lock(apr_mutex), apr_thread_mutex_unlock(apr_mutex))
PEER(posix_rlock, pthread_mutex_lock(&posix_recursive), pthread_mutex_unlock(&posix_recursive))
PEER(own_rlock, (void)snarl_rlock_acquire(&snarl_recursive, SNARL_FOREVER), (void)snarl_rlock_release(&snarl_recursive))
PEER(glib_rlock, g_rec_mutex_lock(&glib_recursive), g_rec_mutex_unlock(&glib_recursive))
PEER(libuv_rlock, uv_mutex_lock(&uv_recursive), uv_mutex_unlock(&uv_recursive))
PEER(posix_read, pthread_rwlock_rdlock(&posix_rwlock), pthread_rwlock_unlock(&posix_rwlock))
PEER(own_read, (void)snarl_rwlock_acquire_read(&snarl_shared_lock, SNARL_FOREVER),
     (void)snarl_rwlock_release_read(&snarl_shared_lock))
PEER(glib_read, g_rw_lock_reader_lock(&glib_rwlock), g_rw_lock_reader_unlock(&glib_rwlock))
PEER(libuv_read, uv_rwlock_rdlock(&uv_shared), uv_rwlock_rdunlock(&uv_shared))
PEER(posix_write, pthread_rwlock_wrlock(&posix_rwlock), pthread_rwlock_unlock(&posix_rwlock))
PEER(own_write, (void)snarl_rwlock_acquire_write(&snarl_shared_lock, SNARL_FOREVER),
     (void)snarl_rwlock_release_write(&snarl_shared_lock))
PEER(posix_sem, sem_wait(&posix_semaphore), sem_post(&posix_semaphore))
PEER(own_sem, (void)snarl_semaphore_acquire(&snarl_permits, SNARL_FOREVER),
     (void)snarl_semaphore_release(&snarl_permits, 1))
PEER(libuv_sem, uv_sem_wait(&uv_permits), uv_sem_post(&uv_permits))

const struct peer lock_peers[] = {
    {"lock", "pthread", make, posix, 1, end},
    {"lock", "snarl", make, own, 1, end},
    {"lock", "glib", make, glib, 1, end},
    {"lock", "libuv", make, libuv, 1, end},
    {"lock", "apr", make, apr, 1, end},
    {"lock-contended", "pthread", make, posix, 2, end},
    {"lock-contended", "snarl", make, own, 2, end},
    {"lock-contended", "glib", make, glib, 2, end},
    {"lock-contended", "libuv", make, libuv, 2, end},
    {"lock-contended", "apr", make, apr, 2, end},
    {"rlock", "pthread", make, posix_rlock, 1, end},
    {"rlock", "snarl", make, own_rlock, 1, end},
    {"rlock", "glib", make, glib_rlock, 1, end},
    {"rlock", "libuv", make, libuv_rlock, 1, end},
    {"read-lock", "pthread", make, posix_read, 1, end},
    {"read-lock", "snarl", make, own_read, 1, end},
    {"read-lock", "glib", make, glib_read, 1, end},
    {"read-lock", "libuv", make, libuv_read, 1, end},
    {"write-lock", "pthread", make, posix_write, 1, end},
    {"write-lock", "snarl", make, own_write, 1, end},
    {"semaphore", "pthread", make, posix_sem, 1, end},
    {"semaphore", "snarl", make, own_sem, 1, end},
    {"semaphore", "libuv", make, libuv_sem, 1, end},
    {NULL, NULL, NULL, NULL, 0, NULL},
};
