/* SPDX-License-Identifier: MIT
 *
 * Queue between processes: statuses and edges, many processes at both ends, task_done and join, its end while somebody
 * waits, processes that attach it, and what is left behind.
 */
#include "core/seam.h"
#include "multiprocessing/queue/message_ring.h"
#include "multiprocessing/queue/process_queue.h"
#include "test_runtime.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static struct snarl_process_queue queue;

/* --------------------------------------------------- A system that refuses */
static bool is_memory_refused;
void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_malloc(size_t size) { return is_memory_refused ? NULL : __real_malloc(size); }

/* ----------------------------------------------------------------- Helpers */
static pid_t begin_process(int (*body)(int), int argument) {
  pid_t parent = getpid(), child = fork();
  assert_true(child >= 0);
  if (child)
    return child;
  if (prctl(PR_SET_PDEATHSIG, SIGKILL) || getppid() != parent)
    _exit(99);
  _exit(body(argument));
}

static int end_process(pid_t child) {
  int status;
  assert_int_equal(waitpid(child, &status, 0), child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static int in_process(int (*body)(int), int argument) { return end_process(begin_process(body, argument)); }

static int count_in(const char *path) {
  DIR *directory = opendir(path);
  int count = 0;
  while (readdir(directory))
    count++;
  (void)closedir(directory);
  return count;
}

static int count_mappings(void) {
  FILE *maps = fopen("/proc/self/maps", "re");
  int count = 0;
  for (char line[512]; fgets(line, sizeof line, maps);)
    count += strstr(line, "snarl-messages") != NULL;
  (void)fclose(maps);
  return count;
}

/* ------------------------------------------------------------------- Tests */
static void test_statuses(void **state) {
  (void)state;
  char got[8] = "";
  void *message = NULL;
  int files = count_in("/proc/self/fd"), mappings = count_mappings();
  errno = 77;
  assert_int_equal(snarl_process_queue_put(NULL, "", 0, SNARL_NOW), SNARL_INVALID);
  assert_int_equal(snarl_process_queue_put(&queue, "", 0, SNARL_NOW), SNARL_NOT_INITIALIZED);
  assert_int_equal(snarl_process_queue_init(NULL, "queue", 0), SNARL_INVALID);
  assert_int_equal(snarl_process_queue_init(&queue, "queue", SIZE_MAX), SNARL_INVALID);
  assert_int_equal(snarl_process_queue_init(&queue, "queue", 2), SNARL_OK);
  assert_true(snarl_process_queue_empty(&queue));
  assert_int_equal(snarl_process_queue_put(&queue, NULL, 1, SNARL_NOW), SNARL_INVALID);
  assert_int_equal(snarl_process_queue_get_into(&queue, NULL, 1, SNARL_NOW), SNARL_INVALID);
  assert_int_equal(snarl_process_queue_get(&queue, NULL, 1, SNARL_NOW), SNARL_INVALID);
  assert_int_equal(snarl_process_queue_put(&queue, NULL, 0, SNARL_NOW), SNARL_OK);
  assert_int_equal(snarl_process_queue_put_nowait(&queue, "hello", 5), SNARL_OK);
  assert_true(snarl_process_queue_full(&queue));
  assert_int_equal(snarl_process_queue_size(&queue), 2);
  assert_int_equal(snarl_process_queue_put_nowait(&queue, "", 1), SNARL_TIMEOUT);
  assert_int_equal(snarl_process_queue_get_into(&queue, NULL, 0, SNARL_NOW), 0);
  assert_int_equal(snarl_process_queue_get_into(&queue, got, 4, SNARL_NOW), SNARL_TOO_LARGE);
  assert_int_equal(snarl_process_queue_get(&queue, &message, 4, SNARL_NOW), SNARL_TOO_LARGE);
  is_memory_refused = true;
  assert_int_equal(snarl_process_queue_get(&queue, &message, 5, SNARL_NOW), SNARL_NO_MEMORY);
  is_memory_refused = false;
  assert_null(message);
  assert_int_equal(snarl_process_queue_get(&queue, &message, 5, SNARL_NOW), 5);
  assert_string_equal(message, "hello");
  free(message);
  assert_int_equal(snarl_process_queue_get_nowait(&queue, &message, 5), SNARL_TIMEOUT);
  assert_int_equal(snarl_process_queue_put(&queue, "last", 5, SNARL_FOREVER), SNARL_OK);
  assert_int_equal(snarl_process_queue_close(&queue), SNARL_OK);
  assert_int_equal(snarl_process_queue_close(&queue), SNARL_CLOSED);
  assert_int_equal(snarl_process_queue_put(&queue, "", 1, SNARL_FOREVER), SNARL_CLOSED);
  assert_int_equal(snarl_process_queue_get_into(&queue, got, sizeof got, SNARL_FOREVER), 5);
  assert_string_equal(got, "last");
  assert_int_equal(snarl_process_queue_get_into(&queue, got, sizeof got, SNARL_FOREVER), SNARL_CLOSED);
  assert_int_equal(snarl_process_queue_destroy(&queue), SNARL_OK);
  assert_int_equal(snarl_process_queue_destroy(&queue), SNARL_DESTROYED);
  assert_int_equal(snarl_process_queue_put(&queue, "", 1, SNARL_NOW), SNARL_DESTROYED);
  assert_int_equal(snarl_process_queue_size(&queue), 0);
  assert_int_equal(count_in("/proc/self/fd"), files);
  assert_int_equal(count_mappings(), mappings);
  assert_int_equal(errno, 77);
}

static void test_timeouts(void **state) {
  (void)state;
  char got;
  assert_int_equal(snarl_process_queue_init(&queue, NULL, 1), SNARL_OK);
  snarl_time begin = snarl_clock();
  assert_int_equal(snarl_process_queue_get_into(&queue, &got, 1, SNARL_MS(30)), SNARL_TIMEOUT);
  assert_lasted(begin, SNARL_MS(30));
  assert_int_equal(snarl_process_queue_put(&queue, "", 1, SNARL_FOREVER), SNARL_OK);
  begin = snarl_clock();
  assert_int_equal(snarl_process_queue_put(&queue, "", 1, SNARL_MS(30)), SNARL_TIMEOUT);
  assert_lasted(begin, SNARL_MS(30));
  begin = snarl_clock();
  assert_int_equal(snarl_process_queue_join(&queue, SNARL_MS(120)), SNARL_TIMEOUT);
  assert_lasted(begin, SNARL_MS(120));
  assert_int_equal(snarl_process_queue_destroy(&queue), SNARL_OK);
}

/* A message that does not fit into what there is at first, to a process that has little. */
enum { LARGE = 100 << 20 };
static int puts_large(int size) {
  char *large = malloc((size_t)size);
  memset(large, 'x', (size_t)size);
  return snarl_process_queue_put(&queue, large, (size_t)size, SNARL_NOW) != SNARL_OK;
}
static void test_large_and_gone(void **state) {
  (void)state;
  void *message;
  assert_int_equal(snarl_process_queue_init(&queue, "large", 0), SNARL_OK);
  for (int i = 0; i < 2; i++)
    assert_int_equal(in_process(puts_large, LARGE), 0); /* which has ended before anybody gets it */
  for (int i = 0; i < 2; i++) {
    assert_int_equal(snarl_process_queue_get(&queue, &message, SIZE_MAX, SNARL_NOW), LARGE);
    assert_int_equal(strspn(message, "x"), LARGE);
    free(message);
  }
  assert_int_equal(snarl_process_queue_destroy(&queue), SNARL_OK);
}

/* Several to several: each message once, and those of one sender in their order. */
enum { SIDES = 4, EACH = 5000 };
struct order {
  uint32_t sender, number;
};
static int sends(int sender) {
  for (uint32_t i = 0; i < EACH; i++) {
    struct order order = {(uint32_t)sender, i};
    if (snarl_process_queue_put(&queue, &order, sizeof order, SNARL_S(20)))
      return 1;
  }
  return 0;
}
static uint32_t (*seen)[EACH]; /* shared: how often each was got */
static int receives(int unused) {
  (void)unused;
  struct order order;
  uint32_t next[SIDES] = {0};
  int64_t size;
  while ((size = snarl_process_queue_get_into(&queue, &order, sizeof order, SNARL_S(20))) == sizeof order) {
    if (order.sender >= SIDES || order.number >= EACH || order.number < next[order.sender])
      return 1;
    next[order.sender] = order.number + 1;
    __atomic_fetch_add(&seen[order.sender][order.number], 1, __ATOMIC_RELAXED);
    if (snarl_process_queue_task_done(&queue))
      return 2;
  }
  return size != SNARL_CLOSED;
}

static void test_many(void **state) {
  (void)state;
  seen = mmap(NULL, SIDES * sizeof *seen, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  for (size_t limit = 0; limit < 12; limit += 1 + 3 * limit) {
    pid_t senders[SIDES], receivers[SIDES];
    memset(seen, 0, SIDES * sizeof *seen);
    assert_int_equal(snarl_process_queue_init(&queue, "many", limit), SNARL_OK);
    for (int i = 0; i < SIDES; i++) {
      senders[i] = begin_process(sends, i);
      receivers[i] = begin_process(receives, i);
    }
    for (int i = 0; i < SIDES; i++)
      assert_int_equal(end_process(senders[i]), 0);
    assert_int_equal(snarl_process_queue_join(&queue, SNARL_S(20)), SNARL_OK);
    assert_int_equal(snarl_process_queue_close(&queue), SNARL_OK);
    for (int i = 0; i < SIDES; i++)
      assert_int_equal(end_process(receivers[i]), 0);
    for (int i = 0; i < SIDES; i++)
      for (int k = 0; k < EACH; k++)
        assert_int_equal(seen[i][k], 1);
    assert_int_equal(snarl_process_queue_task_done(&queue), SNARL_TOO_MANY);
    assert_int_equal(snarl_process_queue_destroy(&queue), SNARL_OK);
  }
  (void)munmap(seen, SIDES * sizeof *seen);
}

/* -------------------------------------------------- Who waits, and the end */
static int waits_to_get(int expected) {
  char got;
  return snarl_process_queue_get_into(&queue, &got, 1, SNARL_FOREVER) != expected;
}
static int waits_to_join(int expected) { return snarl_process_queue_join(&queue, SNARL_FOREVER) != expected; }

static bool is_asleep(pid_t child) {
  char path[64], text[512] = "";
  (void)snprintf(path, sizeof path, "/proc/%d/stat", child);
  FILE *file = fopen(path, "re");
  (void)!fread(text, 1, sizeof text - 1, file);
  (void)fclose(file);
  return strrchr(text, ')')[2] == 'S';
}

static uint32_t count_waiting(void) {
  const char *body = (const char *)queue.body;
  return snarli_load(
      &((const struct snarli_message_ring *)(body - offsetof(struct snarli_message_ring, room)))->waiting);
}

static void await_sleep(pid_t child, uint32_t count) {
  while (count_waiting() < count || !is_asleep(child))
    snarl_sleep(SNARL_US(200));
}

static void test_waiters(void **state) {
  (void)state;
  assert_int_equal(snarl_process_queue_init(&queue, "waited for", 1), SNARL_OK);
  pid_t getters[] = {begin_process(waits_to_get, SNARL_CLOSED), begin_process(waits_to_get, SNARL_CLOSED)};
  await_sleep(getters[0], 2), await_sleep(getters[1], 2);
  assert_int_equal(snarl_process_queue_destroy(&queue), SNARL_IN_USE);
  assert_int_equal(snarl_process_queue_close(&queue), SNARL_OK);
  assert_int_equal(end_process(getters[0]), 0);
  assert_int_equal(end_process(getters[1]), 0);
  assert_int_equal(snarl_process_queue_destroy(&queue), SNARL_OK);

  assert_int_equal(snarl_process_queue_init(&queue, "joined", 1), SNARL_OK);
  assert_int_equal(snarl_process_queue_put(&queue, "", 1, SNARL_NOW), SNARL_OK);
  pid_t joiner = begin_process(waits_to_join, SNARL_OK);
  await_sleep(joiner, 1);
  assert_int_equal(snarl_process_queue_destroy(&queue), SNARL_IN_USE);
  assert_int_equal(in_process(waits_to_get, 1), 0);
  assert_int_equal(snarl_process_queue_task_done(&queue), SNARL_OK);
  assert_int_equal(end_process(joiner), 0);
  assert_int_equal(snarl_process_queue_destroy(&queue), SNARL_OK);
}

/* A waiter that was killed does not wait. */
static void test_killed_waiter(void **state) {
  (void)state;
  assert_int_equal(snarl_process_queue_init(&queue, "queue", 1), SNARL_OK);
  pid_t getter = begin_process(waits_to_get, 0);
  await_sleep(getter, 1);
  assert_int_equal(kill(getter, SIGKILL), 0);
  assert_int_equal(end_process(getter), -SIGKILL);
  assert_int_equal(snarl_process_queue_put(&queue, "x", 1, SNARL_NOW), SNARL_OK);
  assert_int_equal(in_process(waits_to_get, 1), 0);
  assert_int_equal(snarl_process_queue_destroy(&queue), SNARL_OK);
}

/* The child looks at the queue until it is not there any more. */
static int uses_destroyed(int unused) {
  (void)unused;
  char got;
  while (snarl_process_queue_size(&queue))
    snarl_sleep(SNARL_US(100));
  return snarl_process_queue_get_into(&queue, &got, 1, SNARL_FOREVER) != SNARL_DESTROYED ||
         snarl_process_queue_destroy(&queue) != SNARL_DESTROYED || snarl_process_queue_detach(&queue) != SNARL_OK ||
         snarl_process_queue_detach(&queue) != SNARL_DESTROYED;
}
static void test_destroyed_elsewhere(void **state) {
  (void)state;
  assert_int_equal(snarl_process_queue_init(&queue, "queue", 1), SNARL_OK);
  assert_int_equal(snarl_process_queue_put(&queue, "x", 1, SNARL_NOW), SNARL_OK);
  pid_t other = begin_process(uses_destroyed, 0);
  assert_int_equal(snarl_process_queue_destroy(&queue), SNARL_OK);
  assert_int_equal(end_process(other), 0);
}

static int attaches(int fd) {
  snarl_process_queue attached;
  char got[8];
  if (snarli_process_queue_attach(&attached, fd) || snarli_process_queue_descriptor(&attached) != fd)
    return 1;
  if (snarl_process_queue_get_into(&attached, got, sizeof got, SNARL_NOW) != 5 ||
      snarl_process_queue_put(&attached, "back", 4, SNARL_NOW))
    return 2;
  return snarl_process_queue_detach(&attached) != SNARL_OK;
}
static void test_attach(void **state) {
  (void)state;
  char got[8];
  assert_int_equal(snarl_process_queue_init(&queue, "attached", 0), SNARL_OK);
  int fd = snarli_process_queue_descriptor(&queue);
  assert_true(fd >= 0);
  assert_int_equal(snarl_process_queue_put(&queue, "there", 5, SNARL_NOW), SNARL_OK);
  assert_int_equal(in_process(attaches, fd), 0);
  assert_int_equal(snarl_process_queue_get_into(&queue, got, sizeof got, SNARL_NOW), 4);
  /* the number is another file's by now, which destroy leaves alone */
  int other = memfd_create("other", MFD_CLOEXEC);
  assert_int_equal(dup3(other, fd, O_CLOEXEC), fd);
  assert_int_equal(snarli_process_queue_descriptor(&queue), SNARL_INVALID);
  snarl_process_queue none;
  assert_int_equal(snarli_process_queue_attach(&none, other), SNARL_INVALID);
  assert_int_equal(snarl_process_queue_destroy(&queue), SNARL_OK);
  assert_int_equal(close(fd), 0);
  assert_int_equal(close(other), 0);
}

/* What a child puts, and what is no any. */
static int puts_anys(int unused) {
  (void)unused;
  snarl_any list = snarl_any_list();
  for (int i = 0; i < 1000; i++)
    if (snarl_any_list_append(list, i))
      return 1;
  return snarl_process_queue_put_any(&queue, "coffee", SNARL_NOW) ||
         snarl_process_queue_put_any(&queue, 3.5, SNARL_NOW) || snarl_process_queue_put_any(&queue, list, SNARL_NOW) ||
         snarl_process_queue_put(&queue, "\xc1", 1, SNARL_NOW);
}
static void test_anys(void **state) {
  (void)state;
  assert_int_equal(snarl_process_queue_init(&queue, "anys", 4), SNARL_OK);
  assert_int_equal(in_process(puts_anys, 0), 0);
  assert_int_equal(snarl_process_queue_put_any(&queue, snarl_any_list(), SNARL_NOW), SNARL_TIMEOUT);
  assert_int_equal(snarl_process_queue_put_any(&queue, snarl_any_error(SNARL_FAILED), SNARL_NOW), SNARL_FAILED);
  snarl_auto_any text = snarl_process_queue_get_any(&queue, SNARL_NOW);
  assert_string_equal(snarl_any_as_string(text), "coffee");
  assert_true(snarl_any_as_double(snarl_process_queue_get_any(&queue, SNARL_NOW)) == 3.5);
  is_memory_refused = true;
  assert_int_equal(snarl_any_status(snarl_process_queue_get_any(&queue, SNARL_NOW)), SNARL_NO_MEMORY);
  is_memory_refused = false;
  snarl_auto_any list = snarl_process_queue_get_any(&queue, SNARL_NOW);
  assert_int_equal(snarl_any_length(list), 1000);
  assert_int_equal(snarl_any_as_int(snarl_any_list_get(list, 999)), 999);
  assert_int_equal(snarl_any_status(snarl_process_queue_get_any(&queue, SNARL_NOW)), SNARL_MALFORMED);
  assert_int_equal(snarl_any_status(snarl_process_queue_get_any(&queue, SNARL_NOW)), SNARL_TIMEOUT);
  assert_int_equal(snarl_process_queue_destroy(&queue), SNARL_OK);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_statuses),
      cmocka_unit_test(test_timeouts),
      cmocka_unit_test(test_large_and_gone),
      cmocka_unit_test(test_many),
      cmocka_unit_test(test_waiters),
      cmocka_unit_test(test_killed_waiter),
      cmocka_unit_test(test_destroyed_elsewhere),
      cmocka_unit_test(test_attach),
      cmocka_unit_test(test_anys),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
