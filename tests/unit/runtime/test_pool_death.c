/* SPDX-License-Identifier: MIT
 *
 * Workers of pools that die: in each phase of their lives, by signals and by exits, where another takes the place and
 * where the pool breaks; initializers that fail; forks that fail. Whatever happens, every future ends and no process or
 * descriptor is left.
 */
#include "test_runtime.h"
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static struct arena {
  snarl_semaphore begun, go;
  uint32_t calls, begins;
} * arena;

static int descriptors(void) {
  int count = 0;
  DIR *directory = opendir("/proc/self/fd");
  if (!directory)
    return -1;
  while (readdir(directory))
    count++;
  (void)closedir(directory);
  return count;
}

static int begin_test(void **state) {
  *state = as_pointer(descriptors());
  *arena = (struct arena){.calls = 0};
  return snarl_semaphore_init_shared(&arena->begun, "begun", 0) || snarl_semaphore_init_shared(&arena->go, "go", 0);
}
static int end_test(void **state) {
  int status;
  assert_int_equal(waitpid(-1, &status, WNOHANG), -1);
  assert_int_equal(errno, ECHILD);
  assert_int_equal(descriptors(), as_status(*state));
  return 0;
}

static int forks_allowed = -1; /* so many more; -1: all */
pid_t __real_fork(void);
pid_t __wrap_fork(void);
pid_t __wrap_fork(void) {
  int allowed = __atomic_load_n(&forks_allowed, __ATOMIC_ACQUIRE);
  if (!allowed) {
    errno = EAGAIN;
    return -1;
  }
  if (allowed > 0)
    __atomic_fetch_sub(&forks_allowed, 1, __ATOMIC_ACQ_REL);
  return __real_fork();
}
static void allow_forks(int count) { __atomic_store_n(&forks_allowed, count, __ATOMIC_RELEASE); }

static snarl_any same(snarl_any value) {
  __atomic_fetch_add(&arena->calls, 1, __ATOMIC_RELAXED);
  return value;
}
static snarl_any waiting(snarl_any number) {
  (void)snarl_semaphore_release(&arena->begun, 1);
  (void)snarl_semaphore_acquire(&arena->go, SNARL_S(20));
  return number;
}
static snarl_any killed(snarl_any number) {
  (void)kill(getpid(), SIGKILL);
  return number;
}
static snarl_any exits(snarl_any code) { _exit((int)snarl_any_as_int(code)); }
static snarl_any crashes(snarl_any number) {
  (void)signal(SIGSEGV, SIG_DFL);
  (void)raise(SIGSEGV);
  return number;
}
static snarl_any fifth_exits(snarl_any number) { return snarl_any_as_int(number) == 5 ? exits(number) : same(number); }

static void begin(snarl_pool *pool, unsigned workers, enum snarl_worker_death on_worker_death) {
  struct snarl_pool_options options = {.workers = workers, .on_worker_death = on_worker_death};
  assert_int_equal(snarl_pool_init(pool, "pool", &options), SNARL_OK);
}
static void end(snarl_pool *pool) {
  assert_int_equal(snarl_pool_close(pool), SNARL_OK);
  assert_int_equal(snarl_pool_join(pool, SNARL_S(20)), SNARL_OK);
  assert_int_equal(snarl_pool_destroy(pool), SNARL_OK);
}

/* It has failed with this code, for a reason in which all these words are. */
static void assert_error(snarl_future *future, int code, const char *const *words) {
  assert_int_equal(snarl_future_result(future, SNARL_S(20), NULL), SNARL_FAILED);
  const struct snarl_error *error = snarl_future_error(future);
  assert_int_equal(error->code, code);
  for (; *words; words++)
    if (!strstr(error->message, *words))
      fail_msg("no '%s' in '%s'", *words, error->message);
}
#define assert_failed(future, code, ...) assert_error((future), (code), (const char *const[]){__VA_ARGS__, NULL})

static void test_replaced(void **state) {
  (void)state;
  static const struct {
    snarl_process_task *task;
    int argument;
    const char *end;
  } deaths[] = {{killed, 0, "was killed by signal 9"},
                {crashes, 0, "was killed by signal 11"},
                {exits, 0, "ended by itself with exit code 0"},
                {exits, 77, "ended by itself with exit code 77"}};
  snarl_pool pool;
  begin(&pool, 1, SNARL_WORKER_DEATH_DEFAULT);
  for (size_t i = 0; i < sizeof deaths / sizeof *deaths; i++) {
    char pid[16];
    snarl_future *before, *victim, *after;
    (void)snprintf(pid, sizeof pid, "(%d)", snarl_pool_worker_pid(&pool, 0));
    assert_int_equal(snarl_pool_apply_async(&pool, same, snarl_any_int(1), NULL, &before), SNARL_OK);
    assert_int_equal(snarl_pool_apply_async(&pool, deaths[i].task, snarl_any_int(deaths[i].argument), NULL, &victim),
                     SNARL_OK);
    assert_int_equal(snarl_pool_apply_async(&pool, same, snarl_any_int(2), NULL, &after), SNARL_OK);
    assert_int_equal(snarl_future_result(before, SNARL_S(20), NULL), SNARL_OK);
    assert_failed(victim, SNARL_WORKER_DIED, "pool-0", pid, deaths[i].end, "in its task");
    assert_int_equal(snarl_future_result(after, SNARL_S(20), NULL), SNARL_OK);
    snarl_future_drop(before);
    snarl_future_drop(victim);
    snarl_future_drop(after);
  }
  assert_int_equal(arena->calls, 8);
  end(&pool);
}

/* All items of the chunk are lost with the worker, no others. */
static void test_map_replaced(void **state) {
  (void)state;
  snarl_pool pool;
  snarl_any arguments[20], results[20];
  begin(&pool, 2, SNARL_REPLACE);
  for (int i = 0; i < 20; i++)
    arguments[i] = snarl_any_int(i);
  for (int chunk = 1; chunk <= 20; chunk++) {
    assert_int_equal(snarl_pool_map(&pool, fifth_exits, arguments, 20, (size_t)chunk, results, SNARL_S(20)),
                     SNARL_FAILED);
    for (int i = 0; i < 20; i++)
      assert_true(i / chunk == 5 / chunk ? snarl_any_is_nil(results[i]) : snarl_any_as_int(results[i]) == i);
  }
  snarl_auto_future future = NULL;
  assert_int_equal(snarl_pool_map_async(&pool, fifth_exits, arguments, 20, 4, NULL, &future), SNARL_OK);
  assert_failed(future, SNARL_WORKER_DIED, "exit code 5", "item 5 of a map");
  snarl_auto_pool_results imap = NULL;
  assert_int_equal(snarl_pool_imap(&pool, fifth_exits, arguments, 20, 1, &imap), SNARL_OK);
  for (int i = 0; i < 20; i++)
    assert_int_equal(snarl_pool_results_next(imap, SNARL_S(20), &results[i]), i == 5 ? SNARL_FAILED : SNARL_OK);
  end(&pool);
}

/* Killed while it has nothing to do. */
static void test_idle_replaced(void **state) {
  (void)state;
  snarl_pool pool;
  snarl_any result;
  begin(&pool, 1, SNARL_REPLACE);
  for (int i = 0; i < 5; i++) {
    int pid = snarl_pool_worker_pid(&pool, 0);
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(snarl_pool_apply(&pool, same, snarl_any_int(i), &result, SNARL_S(20)), SNARL_OK);
    assert_int_equal(snarl_any_as_int(result), i);
    assert_int_not_equal(snarl_pool_worker_pid(&pool, 0), pid);
  }
  end(&pool);
}

static void test_broken(void **state) {
  (void)state;
  enum { WAITING = 3000 };
  static snarl_future *futures[WAITING];
  snarl_process_executor executor;
  snarl_future *sent, *victim, *running;
  assert_int_equal(snarl_process_executor_init(&executor, "executor", &(struct snarl_pool_options){.workers = 2}),
                   SNARL_OK);
  assert_int_equal(snarl_process_executor_submit(&executor, same, snarl_any_int(4), &sent), SNARL_OK);
  assert_int_equal(snarl_future_result(sent, SNARL_S(20), NULL), SNARL_OK);
  assert_int_equal(snarl_process_executor_submit(&executor, waiting, SNARL_NIL, &victim), SNARL_OK);
  assert_int_equal(snarl_process_executor_submit(&executor, waiting, SNARL_NIL, &running), SNARL_OK);
  for (int i = 0; i < 2; i++)
    assert_int_equal(snarl_semaphore_acquire(&arena->begun, SNARL_S(20)), SNARL_OK);
  for (int i = 0; i < WAITING; i++)
    assert_int_equal(snarl_process_executor_submit(&executor, same, snarl_any_int(i), &futures[i]), SNARL_OK);
  char pid[16];
  (void)snprintf(pid, sizeof pid, "(%d)", snarl_process_executor_worker_pid(&executor, 1));
  assert_int_equal(kill(snarl_process_executor_worker_pid(&executor, 1), SIGKILL), 0);
  assert_failed(victim, SNARL_BROKEN_POOL, "executor-1", pid, "signal 9", "in its task");
  assert_failed(running, SNARL_BROKEN_POOL, "executor-1", pid);
  for (int i = 0; i < WAITING; i++) {
    assert_failed(futures[i], SNARL_BROKEN_POOL, "executor-1", pid, "signal 9");
    snarl_future_drop(futures[i]);
  }
  snarl_any argument = SNARL_NIL, result;
  assert_int_equal(snarl_process_executor_submit(&executor, same, argument, NULL), SNARL_BROKEN_POOL);
  assert_int_equal(snarl_process_executor_map(&executor, same, &argument, 1, 1, &result, SNARL_FOREVER),
                   SNARL_BROKEN_POOL);
  assert_int_equal(snarl_future_result(sent, SNARL_NOW, NULL), SNARL_OK);
  assert_int_equal(arena->calls, 1);
  snarl_future_drop(sent);
  snarl_future_drop(victim);
  snarl_future_drop(running);
  assert_int_equal(snarl_process_executor_destroy(&executor), SNARL_OK);
}

static void test_idle_breaks(void **state) {
  (void)state;
  snarl_pool pool;
  snarl_any result;
  begin(&pool, 2, SNARL_BREAK);
  assert_int_equal(kill(snarl_pool_worker_pid(&pool, 0), SIGKILL), 0);
  int status;
  do /* it is noticed some time */
    status = snarl_pool_apply(&pool, same, SNARL_NIL, &result, SNARL_S(20));
  while (status == SNARL_OK);
  assert_true(status == SNARL_BROKEN_POOL || status == SNARL_FAILED);
  end(&pool);
}

static void fails(void *unused) {
  (void)unused;
  snarl_fail(12, "there is no %s", "database");
  __atomic_fetch_add(&arena->begins, 1, __ATOMIC_RELAXED);
}
static void dies(void *unused) {
  (void)unused;
  __atomic_fetch_add(&arena->begins, 1, __ATOMIC_RELAXED);
  (void)kill(getpid(), SIGKILL);
}
static void second_dies(void *unused) {
  if (__atomic_load_n(&arena->begins, __ATOMIC_RELAXED))
    dies(unused);
  __atomic_fetch_add(&arena->begins, 1, __ATOMIC_RELAXED);
}

/* It does not go round in circles. */
static void check_initializer(void (*initializer)(void *), enum snarl_worker_death on_worker_death, const char *word) {
  struct snarl_pool_options options = {
      .workers = 2, .initializer = initializer, .on_worker_death = on_worker_death, .max_tasks_per_child = 1};
  snarl_pool pool;
  arena->begins = 0;
  assert_int_equal(snarl_pool_init(&pool, "pool", &options), SNARL_OK);
  snarl_future *future;
  int status = SNARL_OK;
  for (int i = 0; i < 1000 && !status; i++) {
    status = snarl_pool_apply_async(&pool, same, SNARL_NIL, NULL, &future);
    if (status)
      break;
    if (snarl_future_result(future, SNARL_S(20), NULL) == SNARL_FAILED) {
      assert_failed(future, SNARL_BROKEN_POOL, "initializer", "pool-", word);
      status = SNARL_FAILED;
    }
    snarl_future_drop(future);
  }
  assert_true(status == SNARL_BROKEN_POOL || status == SNARL_FAILED);
  assert_true(arena->begins <= 4);
  end(&pool);
}
static void test_initializer(void **state) {
  (void)state;
  check_initializer(fails, SNARL_REPLACE, "code 12: there is no database");
  check_initializer(fails, SNARL_BREAK, "code 12: there is no database");
  check_initializer(dies, SNARL_REPLACE, "was killed by signal 9");
  check_initializer(dies, SNARL_BREAK, "was killed by signal 9");
  check_initializer(second_dies, SNARL_REPLACE, "was killed by signal 9");
}

static void test_no_process(void **state) {
  (void)state;
  for (int allowed = 0; allowed < 3; allowed++) {
    snarl_pool pool;
    allow_forks(allowed);
    assert_int_equal(snarl_pool_init(&pool, "pool", &(struct snarl_pool_options){.workers = 3}), SNARL_NO_PROCESS);
    assert_int_equal(snarl_pool_close(&pool), SNARL_NOT_INITIALIZED);
  }
  allow_forks(-1);
}

/* One goes on alone, and others come as soon as they can. */
static void test_fewer(void **state) {
  (void)state;
  snarl_pool pool;
  snarl_any result;
  begin(&pool, 2, SNARL_REPLACE);
  allow_forks(0);
  assert_int_equal(snarl_pool_apply(&pool, killed, SNARL_NIL, &result, SNARL_S(20)), SNARL_FAILED);
  for (int i = 0; i < 10; i++)
    assert_int_equal(snarl_pool_apply(&pool, same, SNARL_NIL, &result, SNARL_S(20)), SNARL_OK);
  allow_forks(-1);
  snarl_future *both[2];
  for (int i = 0; i < 2; i++)
    assert_int_equal(snarl_pool_apply_async(&pool, waiting, SNARL_NIL, NULL, &both[i]), SNARL_OK);
  for (int i = 0; i < 2; i++) /* at the same time */
    assert_int_equal(snarl_semaphore_acquire(&arena->begun, SNARL_S(20)), SNARL_OK);
  (void)snarl_semaphore_release(&arena->go, 2);
  for (int i = 0; i < 2; i++) {
    assert_int_equal(snarl_future_result(both[i], SNARL_S(20), NULL), SNARL_OK);
    snarl_future_drop(both[i]);
  }
  end(&pool);
}

static void test_none_left(void **state) {
  (void)state;
  snarl_pool pool;
  snarl_any result;
  begin(&pool, 1, SNARL_REPLACE);
  snarl_auto_future victim = NULL;
  snarl_auto_future next = NULL;
  allow_forks(0);
  assert_int_equal(snarl_pool_apply_async(&pool, killed, SNARL_NIL, NULL, &victim), SNARL_OK);
  int status = snarl_pool_apply_async(&pool, same, SNARL_NIL, NULL, &next);
  assert_failed(victim, SNARL_WORKER_DIED, "signal 9");
  if (status == SNARL_OK)
    assert_failed(next, SNARL_BROKEN_POOL, "no worker left", "no room for another process");
  while ((status = snarl_pool_apply(&pool, same, SNARL_NIL, &result, SNARL_S(20))) == SNARL_FAILED)
    ;
  assert_int_equal(status, SNARL_BROKEN_POOL);
  allow_forks(-1);
  end(&pool);
}

/* Its results are large, and it is killed in the midst of them. */
static snarl_any large(snarl_any number) {
  static char bytes[300000];
  memset(bytes, (int)snarl_any_as_int(number), sizeof bytes);
  return snarl_any_bytes(bytes, sizeof bytes);
}
static void test_killed_with_results(void **state) {
  (void)state;
  enum { ROUNDS = 100 };
  snarl_pool pool;
  int ended = 0;
  begin(&pool, 2, SNARL_REPLACE);
  for (int i = 0; i < ROUNDS; i++) {
    snarl_future *futures[8];
    for (int j = 0; j < 8; j++)
      assert_int_equal(snarl_pool_apply_async(&pool, large, snarl_any_int(j), NULL, &futures[j]), SNARL_OK);
    int pid = snarl_pool_worker_pid(&pool, (unsigned)i % 2);
    if (pid)
      (void)kill(pid, SIGKILL);
    for (int j = 0; j < 8; j++) {
      void *value = NULL;
      int status = snarl_future_result(futures[j], SNARL_S(20), &value);
      assert_true(status == SNARL_OK || status == SNARL_FAILED);
      if (status == SNARL_OK) {
        const char *bytes = snarl_any_as_bytes(*(snarl_any *)value);
        assert_true(snarl_any_length(*(snarl_any *)value) == 300000 && bytes[0] == j && bytes[299999] == j);
      } else
        assert_int_equal(snarl_future_error(futures[j])->code, SNARL_WORKER_DIED);
      ended += status == SNARL_OK;
      snarl_future_drop(futures[j]);
    }
  }
  assert_true(ended >= ROUNDS * 7);
  end(&pool);
}

/* A task that forks and comes back twice counts once. */
static snarl_any forks(snarl_any number) {
  pid_t child = __real_fork();
  if (child > 0)
    (void)waitpid(child, NULL, 0);
  return number;
}
static void test_forking_task(void **state) {
  (void)state;
  snarl_pool pool;
  snarl_any result;
  begin(&pool, 1, SNARL_REPLACE);
  for (int i = 0; i < 3; i++) {
    assert_int_equal(snarl_pool_apply(&pool, forks, snarl_any_int(i), &result, SNARL_S(20)), SNARL_OK);
    assert_int_equal(snarl_any_as_int(result), i);
  }
  end(&pool);
}

/* The workers of a pool whose process is killed go away by themselves. */
static int hold_pool(void *context) {
  int *pids = context;
  snarl_pool pool;
  if (snarl_pool_init(&pool, "orphaned", &(struct snarl_pool_options){.workers = 2}))
    return 1;
  for (unsigned i = 0; i < 2; i++)
    __atomic_store_n(&pids[i], snarl_pool_worker_pid(&pool, i), __ATOMIC_RELEASE);
  (void)snarl_semaphore_release(&arena->begun, 1);
  (void)snarl_semaphore_acquire(&arena->go, SNARL_FOREVER);
  return 0;
}
static void test_orphans(void **state) {
  (void)state;
  int *pids = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  snarl_process parent = SNARL_PROCESS_INIT("parent", hold_pool, pids);
  assert_int_equal(snarl_process_start(&parent), SNARL_OK);
  assert_int_equal(snarl_semaphore_acquire(&arena->begun, SNARL_S(20)), SNARL_OK);
  assert_int_equal(snarl_process_kill(&parent), SNARL_OK);
  assert_int_equal(snarl_process_join(&parent, SNARL_S(20)), SNARL_FAILED);
  snarl_time deadline = snarl_deadline(SNARL_S(20));
  for (int i = 0; i < 2; i++)
    while (!kill(pids[i], 0) && snarl_time_left(deadline)) {
      char path[40], line[256] = "";
      (void)snprintf(path, sizeof path, "/proc/%d/stat", pids[i]);
      FILE *file = fopen(path, "r");
      if (file && fgets(line, sizeof line, file) && strstr(line, ") Z ")) { /* whoever has it now does not reap it */
        (void)fclose(file);
        break;
      }
      if (file)
        (void)fclose(file);
      snarl_sleep(SNARL_MS(5));
    }
  assert_true(snarl_time_left(deadline) > 0);
  (void)munmap(pids, 4096);
}

int main(void) {
  arena = mmap(NULL, sizeof *arena, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (arena == MAP_FAILED)
    return 1;
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin_test, end_test)
  const struct CMUnitTest tests[] = {
      TEST(test_replaced),    TEST(test_map_replaced), TEST(test_idle_replaced),       TEST(test_broken),
      TEST(test_idle_breaks), TEST(test_initializer),  TEST(test_no_process),          TEST(test_fewer),
      TEST(test_none_left),   TEST(test_forking_task), TEST(test_killed_with_results), TEST(test_orphans),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
