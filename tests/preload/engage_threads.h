/* SPDX-License-Identifier: MIT
 *
 * The drivers of what threads do to each other; a part of engage.c.
 */

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static pthread_spinlock_t spin;
static sem_t sem;
static mtx_t mtx;
static cnd_t cnd;

#define MUTEX_LOCKED(name, records, call)                                                                              \
  DRIVE(name, records) {                                                                                               \
    struct timespec end = soon();                                                                                      \
    (void)end;                                                                                                         \
    MUST((call) == 0);                                                                                                 \
    MUST(pthread_mutex_unlock(&mutex) == 0);                                                                           \
  }
MUTEX_LOCKED(pthread_mutex_lock, "mutex-acquired", pthread_mutex_lock(&mutex))
MUTEX_LOCKED(pthread_mutex_timedlock, "mutex-requested mutex-acquired", pthread_mutex_timedlock(&mutex, &end))
MUTEX_LOCKED(pthread_mutex_clocklock, "mutex-requested mutex-acquired",
             pthread_mutex_clocklock(&mutex, CLOCK_REALTIME, &end))

DRIVE(pthread_mutex_trylock, "mutex-acquired mutex-failed") {
  MUST(pthread_mutex_trylock(&mutex) == 0);
  MUST(pthread_mutex_trylock(&mutex) == EBUSY);
  MUST(pthread_mutex_unlock(&mutex) == 0);
}
DRIVE(pthread_mutex_unlock, "mutex-released mutex-released mutex-release-failed") {
  pthread_mutex_t checked = PTHREAD_ERRORCHECK_MUTEX_INITIALIZER_NP;
  MUST(pthread_mutex_lock(&checked) == 0 && pthread_mutex_unlock(&checked) == 0);
  MUST(pthread_mutex_unlock(&checked) == EPERM);
}
DRIVE(pthread_mutex_init, "mutex-init") { MUST(pthread_mutex_init(&mutex, NULL) == 0); }
DRIVE(pthread_mutex_destroy, "mutex-destroyed") {
  MUST(pthread_mutex_destroy(&mutex) == 0);
  MUST(pthread_mutex_init(&mutex, NULL) == 0);
}

static void *lock_and_end(void *robust) {
  MUST(pthread_mutex_lock(robust) == 0);
  return NULL;
}
DRIVE(pthread_mutex_consistent, "mutex-consistent") {
  pthread_mutexattr_t attr;
  pthread_mutex_t robust;
  pthread_t thread;
  pthread_mutexattr_init(&attr);
  pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
  MUST(pthread_mutex_init(&robust, &attr) == 0);
  MUST(pthread_create(&thread, NULL, lock_and_end, &robust) == 0 && pthread_join(thread, NULL) == 0);
  MUST(pthread_mutex_lock(&robust) == EOWNERDEAD);
  MUST(pthread_mutex_consistent(&robust) == 0);
  MUST(pthread_mutex_unlock(&robust) == 0);
}

#define RWLOCK_LOCKED(name, records, call)                                                                             \
  DRIVE(name, records) {                                                                                               \
    struct timespec end = soon();                                                                                      \
    (void)end;                                                                                                         \
    MUST((call) == 0);                                                                                                 \
    MUST(pthread_rwlock_unlock(&rwlock) == 0);                                                                         \
  }
RWLOCK_LOCKED(pthread_rwlock_rdlock, "rwlock-read-acquired", pthread_rwlock_rdlock(&rwlock))
RWLOCK_LOCKED(pthread_rwlock_wrlock, "rwlock-write-acquired", pthread_rwlock_wrlock(&rwlock))
RWLOCK_LOCKED(pthread_rwlock_tryrdlock, "rwlock-read-acquired", pthread_rwlock_tryrdlock(&rwlock))
RWLOCK_LOCKED(pthread_rwlock_trywrlock, "rwlock-write-acquired", pthread_rwlock_trywrlock(&rwlock))
RWLOCK_LOCKED(pthread_rwlock_timedrdlock, "rwlock-read-requested rwlock-read-acquired",
              pthread_rwlock_timedrdlock(&rwlock, &end))
RWLOCK_LOCKED(pthread_rwlock_timedwrlock, "rwlock-write-requested rwlock-write-acquired",
              pthread_rwlock_timedwrlock(&rwlock, &end))
RWLOCK_LOCKED(pthread_rwlock_clockrdlock, "rwlock-read-requested rwlock-read-acquired",
              pthread_rwlock_clockrdlock(&rwlock, CLOCK_REALTIME, &end))
RWLOCK_LOCKED(pthread_rwlock_clockwrlock, "rwlock-write-requested rwlock-write-acquired",
              pthread_rwlock_clockwrlock(&rwlock, CLOCK_REALTIME, &end))
RWLOCK_LOCKED(pthread_rwlock_unlock, "rwlock-released", pthread_rwlock_rdlock(&rwlock))
DRIVE(pthread_rwlock_init, "rwlock-init") { MUST(pthread_rwlock_init(&rwlock, NULL) == 0); }
DRIVE(pthread_rwlock_destroy, "rwlock-destroyed") {
  MUST(pthread_rwlock_destroy(&rwlock) == 0);
  MUST(pthread_rwlock_init(&rwlock, NULL) == 0);
}

static int is_notified;
static void *notify(void *broadcast) {
  pthread_mutex_lock(&mutex);
  is_notified = 1;
  if (broadcast)
    pthread_cond_broadcast(&cond);
  else
    pthread_cond_signal(&cond);
  pthread_mutex_unlock(&mutex);
  return NULL;
}
#define WAITED "cond-wait-requested mutex-released mutex-acquired cond-wait-returned"
#define COND_WAITED(name, records, call, broadcast)                                                                    \
  DRIVE(name, records) {                                                                                               \
    pthread_t thread;                                                                                                  \
    struct timespec end = soon();                                                                                      \
    (void)end;                                                                                                         \
    pthread_mutex_lock(&mutex);                                                                                        \
    is_notified = 0;                                                                                                   \
    MUST(pthread_create(&thread, NULL, notify, broadcast) == 0);                                                       \
    while (!is_notified)                                                                                               \
      MUST((call) == 0);                                                                                               \
    pthread_mutex_unlock(&mutex);                                                                                      \
    MUST(pthread_join(thread, NULL) == 0);                                                                             \
  }
COND_WAITED(pthread_cond_wait, WAITED, pthread_cond_wait(&cond, &mutex), NULL)
COND_WAITED(pthread_cond_timedwait, WAITED, pthread_cond_timedwait(&cond, &mutex, &end), NULL)
COND_WAITED(pthread_cond_clockwait, WAITED, pthread_cond_clockwait(&cond, &mutex, CLOCK_REALTIME, &end), NULL)
COND_WAITED(pthread_cond_signal, "cond-signalled", pthread_cond_wait(&cond, &mutex), NULL)
COND_WAITED(pthread_cond_broadcast, "cond-broadcast", pthread_cond_wait(&cond, &mutex), &cond)
DRIVE(pthread_cond_init, "cond-init") { MUST(pthread_cond_init(&cond, NULL) == 0); }
DRIVE(pthread_cond_destroy, "cond-destroyed") {
  MUST(pthread_cond_destroy(&cond) == 0);
  MUST(pthread_cond_init(&cond, NULL) == 0);
}

#define SEM_TAKEN(name, records, call)                                                                                 \
  DRIVE(name, records) {                                                                                               \
    struct timespec end = soon();                                                                                      \
    (void)end;                                                                                                         \
    MUST(sem_init(&sem, 0, 1) == 0);                                                                                   \
    MUST((call) == 0);                                                                                                 \
  }
SEM_TAKEN(sem_wait, "sem-acquired", sem_wait(&sem))
SEM_TAKEN(sem_trywait, "sem-acquired", sem_trywait(&sem))
SEM_TAKEN(sem_timedwait, "sem-requested sem-acquired", sem_timedwait(&sem, &end))
SEM_TAKEN(sem_clockwait, "sem-requested sem-acquired", sem_clockwait(&sem, CLOCK_REALTIME, &end))
SEM_TAKEN(sem_post, "sem-posted", sem_post(&sem))
SEM_TAKEN(sem_init, "sem-init sem-value", 0)
SEM_TAKEN(sem_destroy, "sem-destroyed", sem_destroy(&sem))

static sem_t *named_open(void) {
  char name[64];
  snprintf(name, sizeof name, "/snarl-engage-%d", (int)getpid());
  sem_t *named = sem_open(name, O_CREAT | O_EXCL, 0600, 3);
  MUST(named != SEM_FAILED && sem_unlink(name) == 0);
  return named;
}
DRIVE(sem_open, "sem-opened sem-value shared") { MUST(sem_close(named_open()) == 0); }
DRIVE(sem_close, "sem-closed shared") { MUST(sem_close(named_open()) == 0); }
DRIVE(sem_unlink, "sem-unlinked") { MUST(sem_close(named_open()) == 0); }
DRIVE(shm_unlink, "object-named") {
  char name[64];
  snprintf(name, sizeof name, "/snarl-engage-memory-%d", (int)getpid());
  int fd = shm_open(name, O_CREAT | O_EXCL | O_RDWR, 0600);
  MUST(fd >= 0 && close(fd) == 0 && shm_unlink(name) == 0);
}
static const char *made_file(char name[static 80], const char *kind) {
  snprintf(name, 80, "/dev/shm/%ssnarl-engage-file-%d", kind, (int)getpid());
  int fd = open(name, O_CREAT | O_EXCL | O_RDWR, 0600);
  MUST(fd >= 0 && close(fd) == 0);
  return name;
}
DRIVE(unlink, "object-named") {
  char name[80];
  MUST(unlink(made_file(name, "")) == 0);
}
DRIVE(unlinkat, "sem-unlinked") {
  char name[80];
  MUST(unlinkat(AT_FDCWD, made_file(name, "sem."), 0) == 0);
}

DRIVE(pthread_spin_trylock, "spin-acquired") {
  MUST(pthread_spin_init(&spin, 0) == 0 && pthread_spin_trylock(&spin) == 0 && pthread_spin_unlock(&spin) == 0);
}
DRIVE(pthread_spin_lock, "spin-acquired") { MUST(pthread_spin_lock(&spin) == 0 && pthread_spin_unlock(&spin) == 0); }
DRIVE(pthread_spin_unlock, "spin-released") { MUST(pthread_spin_lock(&spin) == 0 && pthread_spin_unlock(&spin) == 0); }
DRIVE(pthread_spin_init, "spin-init") { MUST(pthread_spin_init(&spin, 0) == 0); }
DRIVE(pthread_spin_destroy, "spin-destroyed") { MUST(pthread_spin_destroy(&spin) == 0); }

static void use_barrier(void) {
  pthread_barrier_t barrier;
  MUST(pthread_barrier_init(&barrier, NULL, 1) == 0);
  MUST(pthread_barrier_wait(&barrier) == PTHREAD_BARRIER_SERIAL_THREAD);
  MUST(pthread_barrier_destroy(&barrier) == 0);
}
DRIVE(pthread_barrier_init, "barrier-init barrier-count") { use_barrier(); }
DRIVE(pthread_barrier_destroy, "barrier-destroyed") { use_barrier(); }
DRIVE(pthread_barrier_wait, "barrier-requested barrier-passed") { use_barrier(); }

static void nothing(void) {}
DRIVE(pthread_once, "once-requested once-begun once-ended once-passed once-passed") {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  MUST(pthread_once(&once, nothing) == 0 && pthread_once(&once, nothing) == 0);
}
DRIVE(call_once, "once-requested once-begun once-ended once-passed once-passed") {
  static once_flag once = ONCE_FLAG_INIT;
  call_once(&once, nothing);
  call_once(&once, nothing);
}

DRIVE(mtx_init, "mutex-init") { MUST(mtx_init(&mtx, mtx_timed) == thrd_success); }
DRIVE(mtx_lock, "mutex-acquired") { MUST(mtx_lock(&mtx) == thrd_success && mtx_unlock(&mtx) == thrd_success); }
DRIVE(mtx_trylock, "mutex-acquired") { MUST(mtx_trylock(&mtx) == thrd_success && mtx_unlock(&mtx) == thrd_success); }
DRIVE(mtx_unlock, "mutex-released") { MUST(mtx_lock(&mtx) == thrd_success && mtx_unlock(&mtx) == thrd_success); }
DRIVE(mtx_timedlock, "mutex-requested mutex-acquired") {
  struct timespec end = soon();
  MUST(mtx_timedlock(&mtx, &end) == thrd_success && mtx_unlock(&mtx) == thrd_success);
}
DRIVE(mtx_destroy, "mutex-destroyed") {
  mtx_destroy(&mtx);
  MUST(mtx_init(&mtx, mtx_plain) == thrd_success);
}

static int is_notified_c11;
static int notify_c11(void *broadcast) {
  mtx_lock(&mtx);
  is_notified_c11 = 1;
  if (broadcast)
    cnd_broadcast(&cnd);
  else
    cnd_signal(&cnd);
  mtx_unlock(&mtx);
  return 7;
}
#define CND_WAITED(name, records, call, broadcast)                                                                     \
  DRIVE(name, records) {                                                                                               \
    thrd_t thread;                                                                                                     \
    int result = 0;                                                                                                    \
    struct timespec end = soon();                                                                                      \
    (void)end;                                                                                                         \
    mtx_lock(&mtx);                                                                                                    \
    is_notified_c11 = 0;                                                                                               \
    MUST(thrd_create(&thread, notify_c11, broadcast) == thrd_success);                                                 \
    while (!is_notified_c11)                                                                                           \
      MUST((call) == thrd_success);                                                                                    \
    mtx_unlock(&mtx);                                                                                                  \
    MUST(thrd_join(thread, &result) == thrd_success && result == 7);                                                   \
  }
DRIVE(cnd_init, "cond-init") { MUST(cnd_init(&cnd) == thrd_success); }
CND_WAITED(cnd_signal, "cond-signalled", cnd_wait(&cnd, &mtx), NULL)
CND_WAITED(cnd_broadcast, "cond-broadcast", cnd_wait(&cnd, &mtx), &cnd)
CND_WAITED(cnd_wait, WAITED, cnd_wait(&cnd, &mtx), NULL)
CND_WAITED(cnd_timedwait, WAITED, cnd_timedwait(&cnd, &mtx, &end), NULL)
DRIVE(cnd_destroy, "cond-destroyed") {
  cnd_destroy(&cnd);
  MUST(cnd_init(&cnd) == thrd_success);
}
CND_WAITED(thrd_create, "thread-create-requested thread-created thread-begin thread-end", cnd_wait(&cnd, &mtx), NULL)
CND_WAITED(thrd_join, "thread-join-requested thread-joined", cnd_wait(&cnd, &mtx), NULL)

static int end_c11(void *unused) {
  (void)unused;
  return 0;
}
DRIVE(thrd_detach, "thread-detached") {
  thrd_t thread;
  MUST(thrd_create(&thread, end_c11, NULL) == thrd_success && thrd_detach(thread) == thrd_success);
}

static void *end_by_exit(void *unused) { pthread_exit(unused); }
static pthread_t started(void *(*routine)(void *)) {
  pthread_t thread;
  MUST(pthread_create(&thread, NULL, routine, NULL) == 0);
  return thread;
}
DRIVE(pthread_create, "thread-create-requested thread-created thread-begin thread-end") {
  MUST(pthread_join(started(end_by_exit), NULL) == 0);
}
DRIVE(pthread_join, "thread-join-requested thread-joined") { MUST(pthread_join(started(end_by_exit), NULL) == 0); }
DRIVE(pthread_tryjoin_np, "thread-joined") {
  pthread_t thread = started(end_by_exit);
  while (pthread_tryjoin_np(thread, NULL) != 0)
    sched_yield();
}
DRIVE(pthread_timedjoin_np, "thread-join-requested thread-joined") {
  struct timespec end = soon();
  MUST(pthread_timedjoin_np(started(end_by_exit), NULL, &end) == 0);
}
DRIVE(pthread_clockjoin_np, "thread-join-requested thread-joined") {
  struct timespec end = soon();
  MUST(pthread_clockjoin_np(started(end_by_exit), NULL, CLOCK_REALTIME, &end) == 0);
}
DRIVE(pthread_detach, "thread-detached") { MUST(pthread_detach(started(end_by_exit)) == 0); }
static void *pause_for_ever(void *unused) {
  for (;;)
    pause();
  return unused;
}
DRIVE(pthread_cancel, "thread-cancelled thread-end") {
  pthread_t thread = started(pause_for_ever);
  MUST(pthread_cancel(thread) == 0 && pthread_join(thread, NULL) == 0);
}
DRIVE(pthread_setname_np, "thread-named") { MUST(pthread_setname_np(pthread_self(), "driver") == 0); }
/* They leave nothing: the lock shows that recording goes on. */
DRIVE(pthread_key_create, "mutex-acquired") {
  pthread_key_t key;
  MUST(pthread_key_create(&key, NULL) == 0 && pthread_key_delete(key) == 0);
  MUST(pthread_mutex_lock(&mutex) == 0 && pthread_mutex_unlock(&mutex) == 0);
}
DRIVE(tss_create, "mutex-acquired") {
  tss_t key;
  MUST(tss_create(&key, NULL) == thrd_success);
  tss_delete(key);
  MUST(pthread_mutex_lock(&mutex) == 0 && pthread_mutex_unlock(&mutex) == 0);
}
