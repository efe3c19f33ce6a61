/* SPDX-License-Identifier: MIT
 *
 * Kills a process of several that use a primitive between them, at a random moment, a thousand times each for Lock,
 * Semaphore and Condition; another takes its place. Nobody may wait for long, whatever the killed one was doing, and a
 * lock's next owner is told. test-runtime-killed [SEED [SECONDS]]; the seed is printed.
 */
#include <errno.h>
#include <signal.h>
#include <snarl/snarl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CHILDREN = 4, PERMITS = 2 };
#define LONG SNARL_S(10) /* what takes that long hangs */

static struct arena {
  snarl_lock lock;
  snarl_semaphore semaphore;
  snarl_condition filled, emptied;
  int first, second, items, is_over;
  uint64_t rounds, recovered;
} * arena;

static uint64_t seed;

static uint64_t draw(uint64_t below) {
  seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
  return seed % below;
}

static void fail(const char *what) {
  fprintf(stderr, "failed: %s\n", what);
  _exit(1);
}

static bool is_over(void) { return __atomic_load_n(&arena->is_over, __ATOMIC_ACQUIRE); }

/* The two halves are equal unless an owner was killed between them. */
static void acquired(int status) {
  if (status == SNARL_RECOVERED)
    arena->recovered++, arena->second = arena->first;
  else if (status)
    fail(snarl_status_name(status));
  if (arena->first != arena->second)
    fail("a killed owner's half is shown as whole");
}

static void lock_child(void) {
  while (!is_over()) {
    acquired(snarl_lock_acquire(&arena->lock, LONG));
    __atomic_fetch_add(&arena->first, 1, __ATOMIC_RELAXED);
    arena->rounds++;
    __atomic_fetch_add(&arena->second, 1, __ATOMIC_RELAXED);
    if (snarl_lock_release(&arena->lock))
      fail("release");
  }
}

static void semaphore_child(void) {
  while (!is_over()) {
    if (snarl_semaphore_acquire(&arena->semaphore, LONG))
      fail("no permit came");
    __atomic_fetch_add(&arena->rounds, 1, __ATOMIC_RELAXED);
    if (snarl_semaphore_release(&arena->semaphore, 1))
      fail("release");
  }
}

static void condition_child(void) {
  acquired(snarl_lock_acquire(&arena->lock, LONG));
  while (!is_over()) {
    if (arena->items) {
      arena->items--;
      arena->rounds++;
      (void)snarl_condition_notify(&arena->emptied, 1);
    }
    int status = snarl_condition_wait(&arena->filled, LONG);
    if (status != SNARL_OK && status != SNARL_RECOVERED)
      fail("a waiter got no notification");
  }
  (void)snarl_lock_release(&arena->lock);
}

/* The permits of whom was killed, which may have held one; not more than there were. */
static void semaphore_tend(void) {
  (void)snarl_semaphore_release(&arena->semaphore, 1);
  while (snarl_semaphore_value(&arena->semaphore) > PERMITS)
    (void)snarl_semaphore_acquire(&arena->semaphore, SNARL_NOW);
}

/* One item for one of the waiters: another takes it if the one that was woken is killed. */
static void condition_tend(void) {
  acquired(snarl_lock_acquire(&arena->lock, LONG));
  arena->items++;
  (void)snarl_condition_notify(&arena->filled, 1);
  (void)snarl_lock_release(&arena->lock);
}

static void condition_settle(void) {
  snarl_time deadline = snarl_deadline(LONG);
  acquired(snarl_lock_acquire(&arena->lock, LONG));
  while (arena->items) { /* a child may have been killed when it was about to notify */
    (void)snarl_condition_wait(&arena->emptied, SNARL_MS(20));
    if (!snarl_time_left(deadline))
      fail("a notification was swallowed");
  }
  (void)snarl_lock_release(&arena->lock);
}

static void condition_end(void) {
  acquired(snarl_lock_acquire(&arena->lock, LONG));
  (void)snarl_condition_notify_all(&arena->filled);
  (void)snarl_lock_release(&arena->lock);
}

static void nothing(void) {}

static const struct traffic {
  const char *name;
  void (*child)(void), (*tend)(void), (*settle)(void), (*end)(void);
} traffics[] = {{"lock", lock_child, nothing, nothing, nothing},
                {"semaphore", semaphore_child, semaphore_tend, nothing, nothing},
                {"condition", condition_child, condition_tend, condition_settle, condition_end}};

static pid_t begin(const struct traffic *traffic) {
  pid_t parent = getpid(), child = fork();
  if (child < 0)
    fail("fork");
  if (child)
    return child;
  if (prctl(PR_SET_PDEATHSIG, SIGKILL) || getppid() != parent)
    _exit(1);
  traffic->child();
  _exit(0);
}

static void end(pid_t child, bool is_killed) {
  int status;
  if (waitpid(child, &status, 0) != child)
    fail("waitpid");
  bool as_meant =
      is_killed ? WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL : WIFEXITED(status) && !WEXITSTATUS(status);
  if (!as_meant)
    fail("a child failed");
}

static void pause_a_little(void) {
  snarl_time until = snarl_clock() + (snarl_time)draw(SNARL_US(300));
  while (snarl_clock() < until)
    if (draw(4) == 0)
      snarl_sleep(SNARL_US(20));
}

static uint64_t kill_some(const struct traffic *traffic, snarl_time duration, pid_t *children) {
  snarl_time deadline = snarl_deadline(duration);
  uint64_t kills = 0;
  for (; snarl_time_left(deadline); kills++) {
    pause_a_little();
    pid_t *victim = &children[draw(CHILDREN)];
    traffic->tend(); /* one is woken now, and perhaps killed on its way */
    if (kill(*victim, SIGKILL))
      fail("kill");
    end(*victim, true);
    traffic->settle();
    *victim = begin(traffic);
  }
  return kills;
}

static void run(const struct traffic *traffic, snarl_time duration) {
  pid_t children[CHILDREN];
  *arena = (struct arena){.is_over = 0};
  if (snarl_lock_init_shared(&arena->lock, "lock") ||
      snarl_semaphore_init_shared(&arena->semaphore, "permits", PERMITS) ||
      snarl_condition_init_shared_on(&arena->filled, "filled", &arena->lock) ||
      snarl_condition_init_shared_on(&arena->emptied, "emptied", &arena->lock))
    fail("init");
  for (int i = 0; i < CHILDREN; i++)
    children[i] = begin(traffic);
  uint64_t kills = kill_some(traffic, duration, children);
  __atomic_store_n(&arena->is_over, 1, __ATOMIC_RELEASE);
  traffic->end();
  for (int i = 0; i < CHILDREN; i++)
    end(children[i], false);
  printf("%s: %llu kills, %llu rounds, %llu locks recovered\n", traffic->name, (unsigned long long)kills,
         (unsigned long long)arena->rounds, (unsigned long long)arena->recovered);
  if (!kills || !arena->rounds)
    fail("nothing happened");
}

int main(int argc, char **argv) {
  seed = argc > 1 ? strtoull(argv[1], NULL, 0) : (uint64_t)snarl_clock() ^ (uint64_t)getpid();
  snarl_time duration = SNARL_S(argc > 2 ? strtod(argv[2], NULL) : 1);
  seed += !seed;
  printf("seed %llu\n", (unsigned long long)seed);
  arena = mmap(NULL, sizeof *arena, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (arena == MAP_FAILED)
    fail("mmap");
  setvbuf(stdout, NULL, _IONBF, 0);
  for (size_t i = 0; i < sizeof traffics / sizeof *traffics; i++)
    run(&traffics[i], duration);
  return 0;
}
