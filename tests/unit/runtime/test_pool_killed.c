/* SPDX-License-Identifier: MIT
 *
 * Kills workers of a pool at random moments, thousands of times, while work of all kinds goes through it. Every future
 * ends, with its result or with the death of its worker; no task runs twice, and none that has a result did not run; at
 * the end no process, descriptor or shared memory is left. test-runtime-pool_killed [SEED [SECONDS]]; the seed is
 * printed.
 */
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <snarl/snarl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { WORKERS = 3, TASKS = 600, BATCH = 20, TIMES = 1 << 20 };
#define LONG SNARL_S(20) /* what takes that long hangs */

static uint8_t *runs; /* of each task, by its number */
static uint32_t number;
static uint64_t seed;

static uint64_t draw(uint64_t below) {
  seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
  return seed % below;
}

static void fail(const char *what) {
  fprintf(stderr, "failed: %s\n", what);
  exit(1);
}

static int entries(const char *path) {
  int count = 0;
  DIR *directory = opendir(path);
  if (!directory)
    fail("opendir");
  while (readdir(directory))
    count++;
  (void)closedir(directory);
  return count;
}

static int pool_mappings(void) {
  char line[512];
  int count = 0;
  FILE *file = fopen("/proc/self/maps", "r");
  if (!file)
    fail("maps");
  while (fgets(line, sizeof line, file))
    count += strstr(line, "memfd:snarl-pool") != NULL;
  (void)fclose(file);
  return count;
}

/* The argument is a task's number, or a list with it and a size: such a task answers so many bytes. */
static snarl_any task(snarl_any argument) {
  bool is_list = snarl_any_is_list(argument);
  snarl_any item = is_list ? snarl_any_list_get(argument, 0) : argument;
  __atomic_fetch_add(&runs[snarl_any_as_int(item)], 1, __ATOMIC_RELAXED);
  if (!is_list)
    return argument;
  size_t size = (size_t)snarl_any_as_int(snarl_any_list_get(argument, 1));
  char *bytes = calloc(1, size + 1);
  snarl_any result = bytes ? snarl_any_bytes(bytes, size) : snarl_any_error(SNARL_NO_MEMORY);
  free(bytes);
  return result;
}

static snarl_any argument_of(uint32_t which) {
  static const size_t sizes[] = {10, 300, 20000, 200000};
  if (draw(3))
    return snarl_any_int(which);
  snarl_any list = snarl_any_list();
  (void)snarl_any_list_append(list, which);
  (void)snarl_any_list_append(list, (int64_t)sizes[draw(4)]);
  return list;
}

/* A result says that it ran once; a lost one may have been lost before it ran. */
static void check(uint32_t which, int status, int code) {
  uint8_t times = __atomic_load_n(&runs[which], __ATOMIC_RELAXED);
  if (status == SNARL_OK ? times != 1 : times > 1)
    fail(status == SNARL_OK ? "a result of a task that did not run once" : "a task ran twice");
  if (status != SNARL_OK && (status != SNARL_FAILED || code != SNARL_WORKER_DIED))
    fail(snarl_status_name(status));
}

static uint64_t kills, losses, results;

static void kill_one(snarl_pool *pool) {
  int pid = snarl_pool_worker_pid(pool, (unsigned)draw(WORKERS));
  if (pid && !kill(pid, SIGKILL))
    kills++;
}

static void pause_a_little(void) {
  snarl_time until = snarl_clock() + (snarl_time)draw(SNARL_US(200));
  while (snarl_clock() < until)
    ;
}

static void end_future(snarl_future *future, uint32_t which) {
  int status = snarl_future_result(future, LONG, NULL);
  check(which, status, status == SNARL_FAILED ? snarl_future_error(future)->code : 0);
  losses += status != SNARL_OK;
  results += status == SNARL_OK;
  snarl_future_drop(future);
}

static void by_futures(snarl_pool *pool) {
  static snarl_future *futures[TASKS];
  uint32_t first = number;
  for (int i = 0; i < TASKS; i++)
    if (snarl_pool_apply_async(pool, task, argument_of(number++), NULL, &futures[i]))
      fail("apply_async");
  for (int i = 0; i < 8; i++) {
    pause_a_little();
    kill_one(pool);
  }
  for (int i = 0; i < TASKS; i++)
    end_future(futures[i], first + (uint32_t)i);
}

static void by_imap(snarl_pool *pool) {
  snarl_any arguments[TASKS], result;
  uint32_t first = number;
  snarl_auto_pool_results all = NULL;
  for (int i = 0; i < TASKS; i++)
    arguments[i] = argument_of(number++);
  if (snarl_pool_imap(pool, task, arguments, TASKS, 1 + draw(BATCH), &all))
    fail("imap");
  for (int i = 0; i < TASKS; i++) {
    if (!draw(TASKS / 8))
      kill_one(pool);
    int status = snarl_pool_results_next(all, LONG, &result);
    check(first + (uint32_t)i, status, status == SNARL_FAILED ? snarl_pool_results_error(all)->code : 0);
    losses += status != SNARL_OK;
    results += status == SNARL_OK;
    snarl_any_drop(&result);
    snarl_any_drop(&arguments[i]);
  }
  if (snarl_pool_results_next(all, LONG, &result) != SNARL_CLOSED)
    fail("there is more");
}

/* The last deaths are in the midst of the end. */
static void run_pool(int rounds) {
  snarl_pool pool;
  struct snarl_pool_options options = {.workers = WORKERS, .max_tasks_per_child = 200};
  if (snarl_pool_init(&pool, "pool", &options))
    fail("init");
  for (int i = 0; i < rounds && number < TIMES - 2 * TASKS; i++)
    (draw(2) ? by_futures : by_imap)(&pool);
  snarl_future *last[BATCH];
  uint32_t first = number;
  for (int i = 0; i < BATCH; i++)
    if (snarl_pool_apply_async(&pool, task, argument_of(number++), NULL, &last[i]))
      fail("apply_async");
  if (snarl_pool_close(&pool))
    fail("close");
  for (int i = 0; i < WORKERS; i++)
    kill_one(&pool);
  if (snarl_pool_join(&pool, LONG) || snarl_pool_destroy(&pool))
    fail("end");
  for (int i = 0; i < BATCH; i++)
    end_future(last[i], first + (uint32_t)i);
}

int main(int argc, char **argv) {
  seed = argc > 1 ? strtoull(argv[1], NULL, 0) : (uint64_t)snarl_clock() ^ (uint64_t)getpid();
  snarl_time deadline = snarl_deadline(SNARL_S(argc > 2 ? strtod(argv[2], NULL) : 4));
  seed += !seed;
  setvbuf(stdout, NULL, _IONBF, 0);
  printf("seed %llu\n", (unsigned long long)seed);
  runs = mmap(NULL, TIMES, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (runs == MAP_FAILED)
    fail("mmap");
  int descriptors = entries("/proc/self/fd");
  while (snarl_time_left(deadline)) {
    run_pool(1 + (int)draw(8));
    if (number > TIMES - 20 * TASKS) {
      memset(runs, 0, TIMES);
      number = 0;
    }
    if (waitpid(-1, NULL, WNOHANG) != -1 || errno != ECHILD)
      fail("a process is left");
    if (entries("/proc/self/fd") != descriptors)
      fail("a descriptor is left");
    if (pool_mappings())
      fail("shared memory is left");
  }
  printf("%llu kills, %llu results, %llu tasks lost\n", (unsigned long long)kills, (unsigned long long)results,
         (unsigned long long)losses);
  return !kills || !losses || !results;
}
