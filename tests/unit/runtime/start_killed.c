/* SPDX-License-Identifier: MIT
 *
 * test-runtime-start-killed [SECONDS] [SEED]: processes of all start methods, one thread that starts and joins them,
 * and one that kills at random moments whoever is there: children, the fork server, what a server has just forked. Then
 * whole programs that start processes are killed. Every start and join comes back, with a status that it may have;
 * nobody is left, neither running nor as a zombie, and no descriptor. This process inherits the orphans, so it sees
 * them all.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <snarl/snarl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define LONG SNARL_S(20) /* what takes that long hangs */
enum { MOST = 256 };

static __thread uint64_t random_state;
static bool is_over;
static uint64_t kills, server_kills, rounds, ended_servers;

static uint64_t draw(uint64_t below) {
  random_state = random_state * 6364136223846793005u + 1442695040888963407u;
  return (random_state >> 33) % below;
}

static _Noreturn void fail(const char *what, int status) {
  printf("failed: %s: %s\n", what, snarl_status_name(status));
  exit(1); // NOLINT(concurrency-mt-unsafe)
}

static int descriptors(void) {
  int count = 0;
  for (int fd = 0; fd < MOST; fd++)
    count += fcntl(fd, F_GETFD) != -1;
  return count;
}

static int work(void *duration) {
  snarl_sleep(*(snarl_time *)duration);
  return 0;
}
SNARL_ENTRY(work);

struct seen {
  int pid, parent;
  bool is_server;
};

/* False: it is gone. */
static bool look_at(const char *pid, struct seen *seen) {
  char path[32], text[128];
  (void)snprintf(path, sizeof path, "/proc/%.10s/stat", pid);
  int file = open(path, O_RDONLY | O_CLOEXEC);
  ssize_t size = file < 0 ? -1 : read(file, text, sizeof text - 1);
  if (file >= 0)
    (void)close(file);
  text[size > 0 ? size : 0] = 0;
  const char *name = strchr(text, '('), *end = strrchr(text, ')');
  if (!name || !end)
    return false;
  seen->pid = (int)strtol(pid, NULL, 10);
  seen->parent = (int)strtol(end + 4, NULL, 10);
  seen->is_server = !strncmp(name, "(forkserver)", 12);
  return true;
}

/* This process's children, and theirs. */
static int family(struct seen *found) {
  static struct seen all[4096];
  int count = 0, related = 0;
  DIR *folder = opendir("/proc");
  for (struct dirent *entry; folder && (entry = readdir(folder)) && count < 4096;) // NOLINT(concurrency-mt-unsafe)
    count += *entry->d_name >= '1' && *entry->d_name <= '9' && look_at(entry->d_name, &all[count]);
  if (folder)
    (void)closedir(folder);
  for (int i = 0; i < count && related < MOST; i++)
    for (int j = 0; j < count; j++)
      if (all[i].parent == getpid() || (all[j].pid == all[i].parent && all[j].parent == getpid())) {
        found[related++] = all[i];
        break;
      }
  return related;
}

static void *kill_them(void *seed) {
  struct seen found[MOST];
  random_state = (uint64_t)(uintptr_t)seed;
  while (!__atomic_load_n(&is_over, __ATOMIC_RELAXED)) {
    int count = family(found);
    snarl_sleep((snarl_time)draw(SNARL_MS(2)));
    const struct seen *victim = count ? &found[draw((uint64_t)count)] : NULL;
    if (victim && !kill(victim->pid, SIGKILL)) {
      __atomic_add_fetch(&kills, 1, __ATOMIC_RELAXED);
      server_kills += victim->is_server;
    }
  }
  return NULL;
}

/* Some end by themselves soon, some are killed. */
static void start_and_join(void) {
  snarl_time duration = draw(2) ? (snarl_time)draw(SNARL_MS(2)) : SNARL_S(3600);
  snarl_process process = SNARL_PROCESS_INIT("victim", work, NULL);
  (void)snarl_process_set_start(&process, (enum snarl_start_method)(1 + draw(2) + draw(2)));
  (void)snarl_process_set_argument(&process, &duration, sizeof duration);
  int status = snarl_process_start(&process);
  if (status == SNARL_SERVER_ENDED)
    return;
  if (status)
    fail("start", status);
  snarl_sleep((snarl_time)draw(SNARL_MS(1)));
  if (duration > SNARL_S(1)) {
    (void)snarl_process_kill(&process);
    __atomic_add_fetch(&kills, 1, __ATOMIC_RELAXED);
  }
  status = snarl_process_join(&process, LONG);
  if (status && status != SNARL_FAILED && status != SNARL_SERVER_ENDED)
    fail("join", status);
  ended_servers += status == SNARL_SERVER_ENDED;
  if (snarl_process_is_alive(&process))
    fail("it is alive", status);
}

/* Whoever is left ends soon. */
static void await_all(void) {
  snarl_time deadline = snarl_deadline(LONG);
  int result;
  while ((result = waitpid(-1, NULL, WNOHANG)) >= 0 && snarl_time_left(deadline) > 0)
    if (!result)
      snarl_sleep(SNARL_MS(1));
  struct seen left[MOST];
  if (result >= 0 || errno != ECHILD || family(left))
    fail("somebody is left", result);
}

/* Orphans of a server that was killed are zombies until here. */
static void reap_orphans(void) {
  while (waitpid(-1, NULL, WNOHANG) > 0)
    ;
}

static void kill_children(uint64_t seed, snarl_time deadline) {
  pthread_t killer;
  int before = descriptors();
  if (pthread_create(&killer, NULL, kill_them, (void *)(uintptr_t)seed)) // NOLINT(performance-no-int-to-ptr)
    abort();
  for (; snarl_time_left(deadline) > 0; rounds++) {
    start_and_join();
    reap_orphans();
  }
  __atomic_store_n(&is_over, true, __ATOMIC_RELAXED);
  (void)pthread_join(killer, NULL);
  struct seen left[MOST];
  int count = family(left); /* a server, perhaps, which has two descriptors here */
  if (count > 1 || (count && !left[0].is_server) || descriptors() > before + 2)
    fail("descriptors or processes are left", descriptors() - before);
}

static _Noreturn void be_killed(void) {
  for (;;)
    start_and_join();
}

static void kill_programs(snarl_time deadline) {
  for (; snarl_time_left(deadline) > 0; kills++) {
    (void)fflush(stdout);
    random_state++;
    int pid = fork();
    if (!pid)
      be_killed();
    snarl_sleep((snarl_time)draw(SNARL_MS(40)));
    if (pid < 0 || kill(pid, SIGKILL))
      abort();
    /* Those that would sleep for an hour are orphans now, as those of any program that is killed. */
    struct seen left[MOST];
    for (int count; (count = family(left)) > 0 && snarl_time_left(deadline) > -LONG; reap_orphans())
      for (int i = 0; i < count; i++)
        if (!left[i].is_server && left[i].pid != pid)
          (void)kill(left[i].pid, SIGKILL);
    await_all();
  }
}

int main(int argc, char **argv) {
  double seconds = argc > 1 ? strtod(argv[1], NULL) : 8;
  uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 10) : (uint64_t)snarl_clock() ^ (uint64_t)getpid();
  random_state = seed;
  printf("seed %llu\n", (unsigned long long)seed);
  if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0))
    return 1;
  /* In a process of its own, with a server of its own, which ends with it. */
  (void)fflush(stdout);
  int pid = fork();
  if (!pid) {
    if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0))
      return 1;
    kill_children(seed + 1, snarl_deadline(SNARL_S(seconds * 0.7)));
    printf("%llu starts, %llu kills, %llu of them of servers, %llu joins without an exit code\n",
           (unsigned long long)rounds, (unsigned long long)kills, (unsigned long long)server_kills,
           (unsigned long long)ended_servers);
    return kills ? 0 : 1;
  }
  int status = 0;
  if (waitpid(pid, &status, 0) != pid || status)
    return 1;
  await_all();
  kill_programs(snarl_deadline(SNARL_S(seconds * 0.3)));
  printf("%llu programs killed\n", (unsigned long long)kills);
  return kills ? 0 : 1;
}
