/* SPDX-License-Identifier: MIT
 *
 * Kills a process of several that use a primitive between them, at a random moment, again and again for each primitive;
 * another takes its place. Nobody may wait for long, whatever the killed one was doing, a lock's next owner is told,
 * and no process, descriptor or name is left. test-runtime-killed [SEED [SECONDS]], seconds for each primitive, also by
 * the environment (SNARL_KILLED_SECONDS); the seed is printed.
 */
#include "killed.h"
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static struct counts *counts;
static uint64_t seed;

uint64_t draw(uint64_t below) {
  seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
  return seed % below;
}

void fail(const char *what) {
  fprintf(stderr, "failed: %s\n", what);
  _exit(1);
}

void check_done(int status, const char *what) {
  if (status == SNARL_OK)
    return;
  fprintf(stderr, "%s: ", snarl_status_name(status));
  fail(what);
}

bool is_over(void) { return __atomic_load_n(&counts->is_over, __ATOMIC_ACQUIRE); }
void count_round(void) { __atomic_fetch_add(&counts->rounds, 1, __ATOMIC_RELAXED); }

void pause_a_little(snarl_time most) {
  snarl_time until = snarl_clock() + (snarl_time)draw((uint64_t)most);
  while (snarl_clock() < until)
    if (draw(4) == 0)
      snarl_sleep(SNARL_US(20));
}

static unsigned count_entries(const char *folder, const char *prefix) {
  unsigned count = 0;
  DIR *entries = opendir(folder);
  for (const struct dirent *entry; entries && (entry = readdir(entries));)
    count += strncmp(entry->d_name, prefix, strlen(prefix)) == 0;
  if (!entries || closedir(entries))
    fail(folder);
  return count;
}

unsigned count_descriptors(void) { return count_entries("/proc/self/fd", ""); }

static pid_t begin(const struct traffic *traffic, unsigned place) {
  pid_t parent = getpid(), child = fork();
  if (child < 0)
    fail("fork");
  if (child)
    return child;
  seed ^= (uint64_t)getpid() << 32;
  if (prctl(PR_SET_PDEATHSIG, SIGKILL) || getppid() != parent)
    _exit(1);
  traffic->child(place);
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

static uint64_t kill_some(const struct traffic *traffic, snarl_time deadline, pid_t *children) {
  uint64_t kills = 0;
  while (snarl_time_left(deadline) && (!traffic->kills_most || kills < traffic->kills_most)) {
    pause_a_little(SNARL_US(300));
    unsigned place = (unsigned)draw(CHILDREN);
    if (traffic->tend)
      traffic->tend();
    if (kill(children[place], SIGKILL))
      fail("kill");
    end(children[place], true);
    kills++;
    if (traffic->settle)
      traffic->settle(place);
    children[place] = begin(traffic, place);
  }
  return kills;
}

static uint64_t run_once(const struct traffic *traffic, snarl_time deadline) {
  pid_t children[CHILDREN];
  struct counts before = *counts;
  memset(counts, 0, ARENA);
  *counts = before;
  counts->is_over = 0;
  traffic->begin(counts);
  for (unsigned i = 0; i < CHILDREN; i++)
    children[i] = begin(traffic, i);
  uint64_t kills = kill_some(traffic, deadline, children);
  __atomic_store_n(&counts->is_over, 1, __ATOMIC_RELEASE);
  if (traffic->end)
    traffic->end();
  for (unsigned i = 0; i < CHILDREN; i++)
    end(children[i], false);
  if (traffic->check)
    traffic->check(kills);
  return kills;
}

static void report(const char *name, uint64_t kills) {
  printf("%s: %llu kills, %llu rounds, %llu told of it\n", name, (unsigned long long)kills,
         (unsigned long long)counts->rounds, (unsigned long long)counts->recovered);
  if (!kills || !counts->rounds)
    fail("nothing happened");
  memset(counts, 0, sizeof *counts);
}

static uint64_t run_all(const struct traffic *traffics, snarl_time duration) {
  uint64_t sum = 0;
  for (const struct traffic *traffic = traffics; traffic->name; traffic++) {
    snarl_time deadline = snarl_deadline(duration);
    uint64_t kills = 0;
    while (snarl_time_left(deadline))
      kills += run_once(traffic, deadline);
    report(traffic->name, kills);
    sum += kills;
  }
  return sum;
}

static uint64_t run_connections(snarl_time duration) {
  uint64_t kills = connections_kill(counts, snarl_deadline(duration));
  report("connection", kills);
  return kills;
}

static uint64_t run_managers(snarl_time duration) {
  uint64_t kills = managers_kill(counts, snarl_deadline(duration));
  report("a manager itself", kills);
  return kills;
}

static void check_nothing_left(unsigned descriptors, const char *name) {
  if (count_descriptors() != descriptors)
    fail("descriptors are left");
  if (waitpid(-1, NULL, WNOHANG) != -1 || errno != ECHILD)
    fail("processes are left");
  if (count_entries("/dev/shm", name))
    fail("a name is left");
}

int main(int argc, char **argv) {
  seed = argc > 1 ? strtoull(argv[1], NULL, 0) : (uint64_t)snarl_clock() ^ (uint64_t)getpid();
  const char *seconds = argc > 2 ? argv[2] : getenv("SNARL_KILLED_SECONDS");
  snarl_time duration = SNARL_S(seconds ? strtod(seconds, NULL) : 0.8);
  seed += !seed;
  printf("seed %llu\n", (unsigned long long)seed);
  setvbuf(stdout, NULL, _IONBF, 0);
  unsigned descriptors = count_descriptors();
  char name[40];
  snarl_shared_memory memory;
  (void)snprintf(name, sizeof name, "snarl-killed-%d", (int)getpid());
  check_done(snarl_shared_memory_create(&memory, name, ARENA), name);
  check_done(snarl_shared_memory_unlink(&memory), name);
  counts = memory.data;
  uint64_t kills = run_all(lock_traffics, duration) + run_all(condition_traffics, duration) +
                   run_all(wait_traffics, duration) + run_all(queue_traffics, duration) + run_connections(duration) +
                   run_all(manager_traffics, duration) + run_managers(duration);
  check_done(snarl_shared_memory_close(&memory), name);
  check_nothing_left(descriptors, name);
  printf("%llu kills, nothing is left of them\n", (unsigned long long)kills);
  return 0;
}
