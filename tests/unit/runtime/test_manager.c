/* SPDX-License-Identifier: MIT
 *
 * A Manager's dicts, lists and namespaces: every operation and status, between threads, forks and strangers.
 */
#include "test_runtime.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static snarl_manager manager;
static snarl_dict dict;

static int in_process(int (*body)(void)) {
  int status;
  pid_t parent = getpid(), child = fork();
  if (child == 0)
    _exit(prctl(PR_SET_PDEATHSIG, SIGKILL) || getppid() != parent ? 99 : body());
  assert_true(child > 0);
  assert_int_equal(waitpid(child, &status, 0), child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static int64_t as_int(snarl_any value) {
  int64_t result = snarl_any_as_int(value);
  assert_int_equal(snarl_any_status(value), SNARL_OK);
  snarl_any_drop(&value);
  return result;
}

static int as_error(snarl_any value) {
  int status = snarl_any_status(value);
  snarl_any_drop(&value);
  return status;
}

#define assert_shows(value, text)                                                                                      \
  do {                                                                                                                 \
    snarl_auto_any shown_ = (value), words_ = snarl_any_text(shown_);                                                  \
    assert_string_equal(snarl_any_as_string(words_), (text));                                                          \
  } while (0)

static int setup(void **state) {
  (void)state;
  if (snarl_manager_start(&manager, "manager", NULL))
    return -1;
  return snarl_manager_dict(&manager, &dict, NULL);
}

static int teardown(void **state) {
  (void)state;
  return snarl_manager_shutdown(&manager) == SNARL_OK ? 0 : -1;
}

static void test_dict(void **state) {
  (void)state;
  errno = 77;
  assert_int_equal(as_error(snarl_dict_get(&dict, "a")), SNARL_NOT_FOUND);
  assert_int_equal(snarl_dict_set(&dict, "a", 1), SNARL_OK);
  assert_int_equal(snarl_dict_set(&dict, 2, "two"), SNARL_OK);
  assert_int_equal(snarl_dict_set(&dict, "a", 3), SNARL_OK);
  assert_int_equal(as_int(snarl_dict_get(&dict, "a")), 3);
  assert_int_equal(snarl_dict_contains(&dict, 2), 1);
  assert_int_equal(snarl_dict_contains(&dict, "2"), 0);
  assert_int_equal(snarl_dict_length(&dict), 2);
  assert_shows(snarl_dict_copy(&dict), "{\"a\": 3, 2: \"two\"}");
  assert_shows(snarl_dict_keys(&dict), "[\"a\", 2]");
  assert_shows(snarl_dict_pop(&dict, 2), "\"two\"");
  assert_int_equal(as_error(snarl_dict_pop(&dict, 2)), SNARL_NOT_FOUND);
  assert_int_equal(as_int(snarl_dict_setdefault(&dict, "a", 9)), 3);
  assert_int_equal(as_int(snarl_dict_setdefault(&dict, "b", 9)), 9);
  snarl_any more = snarl_any_dict();
  assert_int_equal(snarl_any_dict_set(more, "b", 10), SNARL_OK);
  assert_int_equal(snarl_any_dict_set(more, "c", snarl_any_list()), SNARL_OK);
  assert_int_equal(snarl_dict_update(&dict, more), SNARL_OK);
  assert_shows(snarl_dict_copy(&dict), "{\"a\": 3, \"b\": 10, \"c\": []}");
  assert_int_equal(snarl_dict_remove(&dict, "b"), SNARL_OK);
  assert_int_equal(snarl_dict_remove(&dict, "b"), SNARL_NOT_FOUND);
  assert_int_equal(snarl_dict_clear(&dict), SNARL_OK);
  assert_shows(snarl_dict_copy(&dict), "{}");
  assert_int_equal(errno, 77);
}

static void test_steps(void **state) {
  (void)state;
  assert_int_equal(as_int(snarl_dict_add(&dict, "n", 5)), 5);
  assert_int_equal(as_int(snarl_dict_add(&dict, "n", -7)), -2);
  assert_shows(snarl_dict_add(&dict, "n", 0.5), "-1.5");
  assert_int_equal(snarl_dict_set(&dict, "n", INT64_MAX), SNARL_OK);
  assert_int_equal(as_error(snarl_dict_add(&dict, "n", 1)), SNARL_INVALID);
  assert_int_equal(as_int(snarl_dict_get(&dict, "n")), INT64_MAX);
  assert_int_equal(as_error(snarl_dict_add(&dict, "n", "one")), SNARL_INVALID);
  assert_int_equal(snarl_dict_append(&dict, "l", 1), 1);
  assert_int_equal(snarl_dict_append(&dict, "l", snarl_any_list()), 2);
  assert_int_equal(snarl_dict_append(&dict, "n", 1), SNARL_INVALID);
  assert_shows(snarl_dict_get(&dict, "l"), "[1, []]");
  for (int i = 2; i < 70000; i++)
    assert_int_equal(snarl_dict_append(&dict, "l", 1), i + 1);
  assert_int_equal(snarl_dict_set(&dict, "s", "old"), SNARL_OK);
  assert_int_equal(snarl_dict_compare_and_set(&dict, "s", "young", "new"), SNARL_CHANGED);
  assert_int_equal(snarl_dict_compare_and_set(&dict, "s", "old", "new"), SNARL_OK);
  assert_int_equal(snarl_dict_compare_and_set(&dict, "none", "old", "new"), SNARL_NOT_FOUND);
  assert_shows(snarl_dict_get(&dict, "s"), "\"new\"");
  snarl_any one = snarl_any_dict(), other = snarl_any_dict(); /* in another order */
  assert_int_equal(snarl_any_dict_set(one, "a", 1) + snarl_any_dict_set(one, "b", 2), SNARL_OK);
  assert_int_equal(snarl_any_dict_set(other, "b", 2) + snarl_any_dict_set(other, "a", 1), SNARL_OK);
  assert_int_equal(snarl_dict_set(&dict, "d", one), SNARL_OK);
  assert_int_equal(snarl_dict_compare_and_set(&dict, "d", other, SNARL_NIL), SNARL_OK);
  assert_int_equal(snarl_dict_clear(&dict), SNARL_OK);
}

/* All boundaries at which a packed integer gets another size. */
static void test_sums(void **state) {
  (void)state;
  for (int bits = 0; bits < 63; bits++)
    for (int64_t near = -2; near <= 2; near++) {
      int64_t sum = (INT64_C(1) << bits) + near;
      assert_int_equal(snarl_dict_set(&dict, "n", sum - 1), SNARL_OK);
      assert_int_equal(as_int(snarl_dict_add(&dict, "n", 1)), sum);
      assert_int_equal(snarl_dict_compare_and_set(&dict, "n", sum, -sum), SNARL_OK);
      assert_int_equal(as_int(snarl_dict_add(&dict, "n", -1)), -sum - 1);
      assert_int_equal(snarl_dict_compare_and_set(&dict, "n", -sum - 1, 0), SNARL_OK);
    }
  assert_int_equal(snarl_dict_clear(&dict), SNARL_OK);
}

static snarl_any increment(snarl_any old, void *context) {
  (*(int *)context)++;
  return snarl_any_int(snarl_any_is_error(old) ? 1 : snarl_any_as_int(old) + 1);
}

static snarl_any give_up(snarl_any old, void *context) {
  (void)old, (void)context;
  return snarl_any_error(SNARL_CANCELLED);
}

static snarl_any remove_first(snarl_any old, void *context) {
  if ((*(int *)context)++ == 0)
    assert_int_equal(snarl_dict_remove(&dict, "n"), SNARL_OK);
  else
    assert_int_equal(snarl_any_status(old), SNARL_NOT_FOUND);
  return snarl_any_int(7);
}

static void test_change(void **state) {
  (void)state;
  int calls = 0;
  assert_int_equal(snarl_dict_change(&dict, "n", increment, &calls), SNARL_OK);
  assert_int_equal(snarl_dict_change(&dict, "n", increment, &calls), SNARL_OK);
  assert_int_equal(calls, 2);
  assert_int_equal(snarl_dict_change(&dict, "n", give_up, NULL), SNARL_CANCELLED);
  assert_int_equal(snarl_dict_change(&dict, "n", NULL, NULL), SNARL_INVALID);
  assert_int_equal(as_int(snarl_dict_get(&dict, "n")), 2);
  calls = 0;
  assert_int_equal(snarl_dict_change(&dict, "n", remove_first, &calls), SNARL_OK);
  assert_int_equal(calls, 2);
  assert_int_equal(as_int(snarl_dict_get(&dict, "n")), 7);
  assert_int_equal(snarl_dict_clear(&dict), SNARL_OK);
}

static void test_list(void **state) {
  (void)state;
  snarl_list list;
  int calls = 0;
  assert_int_equal(snarl_manager_list(&manager, &list, "list"), SNARL_OK);
  assert_int_equal(as_error(snarl_list_pop(&list, -1)), SNARL_NOT_FOUND);
  assert_int_equal(snarl_list_append(&list, 1), 1);
  assert_int_equal(snarl_list_append(&list, "two"), 2);
  assert_int_equal(snarl_list_insert(&list, -100, 0), 3);
  assert_int_equal(snarl_list_insert(&list, 100, 3), 4);
  assert_int_equal(snarl_list_insert(&list, -1, 2.5), 5);
  assert_shows(snarl_list_copy(&list), "[0, 1, \"two\", 2.5, 3]");
  assert_int_equal(snarl_list_set(&list, -1, 4), SNARL_OK);
  assert_int_equal(snarl_list_set(&list, 5, 4), SNARL_NOT_FOUND);
  assert_int_equal(snarl_list_set(&list, -6, 4), SNARL_NOT_FOUND);
  assert_int_equal(as_int(snarl_list_get(&list, 4)), 4);
  assert_int_equal(snarl_list_index(&list, "two"), 2);
  assert_int_equal(snarl_list_remove(&list, "two"), SNARL_OK);
  assert_int_equal(snarl_list_remove(&list, "two"), SNARL_NOT_FOUND);
  assert_int_equal(as_int(snarl_list_pop(&list, 0)), 0);
  assert_int_equal(as_int(snarl_list_add(&list, 0, 41)), 42);
  assert_int_equal(as_error(snarl_list_add(&list, 9, 1)), SNARL_NOT_FOUND);
  assert_int_equal(snarl_list_change(&list, 0, increment, &calls), SNARL_OK);
  assert_int_equal(snarl_list_compare_and_set(&list, 0, 43, 44), SNARL_OK);
  snarl_any more = snarl_any_list();
  assert_int_equal(snarl_any_list_append(more, (bool)true), SNARL_OK);
  assert_int_equal(snarl_any_list_append(more, SNARL_NIL), SNARL_OK);
  assert_int_equal(snarl_list_extend(&list, more), SNARL_OK);
  assert_shows(snarl_list_copy(&list), "[44, 2.5, 4, true, null]");
  assert_int_equal(snarl_list_extend(&list, snarl_any_int(1)), SNARL_INVALID);
  assert_int_equal(snarl_list_length(&list), 5);
  assert_int_equal(snarl_list_clear(&list), SNARL_OK);
  assert_int_equal(snarl_list_length(&list), 0);
}

static void test_namespace(void **state) {
  (void)state;
  snarl_namespace space, same;
  assert_int_equal(snarl_manager_namespace(&manager, &space, "space"), SNARL_OK);
  assert_int_equal(snarl_manager_namespace(&manager, &same, "space"), SNARL_OK);
  assert_int_equal(snarl_namespace_set(&space, "x", 1), SNARL_OK);
  assert_int_equal(as_int(snarl_namespace_get(&same, "x")), 1);
  assert_int_equal(as_int(snarl_namespace_add(&same, "x", 1)), 2);
  assert_int_equal(snarl_namespace_remove(&same, "x"), SNARL_OK);
  assert_int_equal(as_error(snarl_namespace_get(&space, "x")), SNARL_NOT_FOUND);
}

static void test_names(void **state) {
  (void)state;
  snarl_dict first, second;
  snarl_list list;
  char longest[300];
  memset(longest, 'x', sizeof longest);
  longest[256] = 0;
  assert_int_equal(snarl_manager_dict(&manager, &first, longest), SNARL_INVALID);
  assert_int_equal(snarl_manager_dict(&manager, &first, ""), SNARL_INVALID);
  assert_int_equal(snarl_manager_dict(&manager, &first, longest + 1), SNARL_OK);
  assert_int_equal(snarl_manager_dict(&manager, &second, longest + 1), SNARL_OK);
  assert_int_equal(snarl_manager_list(&manager, &list, longest + 1), SNARL_WRONG_KIND);
  assert_int_equal(snarl_dict_set(&first, "k", 1), SNARL_OK);
  assert_int_equal(as_int(snarl_dict_get(&second, "k")), 1);
  assert_int_equal(snarl_dict_forget(&first), SNARL_OK);
  assert_int_equal(snarl_dict_forget(&first), SNARL_DESTROYED);
  assert_int_equal(as_error(snarl_dict_get(&second, "k")), SNARL_NOT_FOUND);
  assert_int_equal(snarl_manager_dict(&manager, &first, NULL), SNARL_OK);
  assert_int_equal(snarl_manager_dict(&manager, &second, NULL), SNARL_OK);
  assert_int_equal(snarl_dict_set(&first, "k", 1), SNARL_OK);
  assert_int_equal(snarl_dict_contains(&second, "k"), 0);
}

static void test_refuses(void **state) {
  (void)state;
  snarl_dict none = {.proxy = {.id = 1}};
  snarl_manager unborn = {.inside = NULL};
  char longest[SNARL_MANAGER_ADDRESS + 1];
  memset(longest, 'x', sizeof longest);
  longest[SNARL_MANAGER_ADDRESS] = 0;
  assert_int_equal(as_error(snarl_dict_get(&none, "k")), SNARL_NOT_INITIALIZED);
  assert_int_equal(snarl_manager_dict(&unborn, &none, "x"), SNARL_NOT_INITIALIZED);
  assert_int_equal(snarl_manager_dict(NULL, &none, "x"), SNARL_INVALID);
  assert_int_equal(snarl_manager_dict(&manager, NULL, "x"), SNARL_INVALID);
  assert_int_equal(snarl_manager_start(NULL, NULL, NULL), SNARL_INVALID);
  assert_int_equal(snarl_manager_start(&unborn, NULL, ""), SNARL_INVALID);
  assert_int_equal(snarl_manager_start(&unborn, NULL, longest), SNARL_INVALID);
  assert_int_equal(snarl_manager_start(&unborn, NULL, snarl_manager_address(&manager)), SNARL_EXISTS);
  assert_int_equal(snarl_manager_connect(&unborn, "nobody"), SNARL_MANAGER_GONE);
  assert_int_equal(snarl_manager_connect(&unborn, NULL), SNARL_INVALID);
  assert_int_equal(snarl_manager_shutdown(&unborn), SNARL_NOT_INITIALIZED);
  assert_null(snarl_manager_address(&unborn));
  assert_null(snarl_manager_process(&unborn));
  snarl_auto_any key = snarl_any_list();
  assert_int_equal(snarl_dict_set(&dict, key, 1), SNARL_INVALID);
  assert_int_equal(snarl_dict_set(&dict, (char *)NULL, 1), SNARL_INVALID);
  assert_int_equal(snarl_dict_set(&dict, "k", snarl_any_error(SNARL_CANCELLED)), SNARL_CANCELLED);
  assert_int_equal(snarl_dict_update(&dict, snarl_any_list()), SNARL_INVALID);
}

static snarl_any nested(int levels) {
  snarl_any value = snarl_any_list();
  while (--levels > 0) {
    snarl_any outer = snarl_any_list();
    assert_int_equal(snarl_any_list_append(outer, value), SNARL_OK);
    value = outer;
  }
  return value;
}

static void test_depth(void **state) {
  (void)state;
  assert_int_equal(snarl_dict_set(&dict, "deep", nested(SNARL_ANY_DEPTH + 1)), SNARL_TOO_DEEP);
  assert_int_equal(snarl_dict_set(&dict, "deep", nested(SNARL_ANY_DEPTH)), SNARL_TOO_DEEP);
  assert_int_equal(snarl_dict_set(&dict, "deep", nested(SNARL_ANY_DEPTH - 1)), SNARL_OK);
  snarl_auto_any all = snarl_dict_copy(&dict);
  assert_int_equal(snarl_any_status(all), SNARL_OK);
  assert_int_equal(snarl_dict_clear(&dict), SNARL_OK);
}

/* Around the sizes of packets, and the limit. */
static void test_large(void **state) {
  (void)state;
  enum { MOST = 64 << 20 };
  static const size_t sizes[] = {3900, 4096, 4200, 65000, 65400, 65536, 65700, 131072, 200000, 5 << 20};
  char *bytes = calloc(1, MOST);
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    bytes[sizes[i] - 1] = (char)i;
    assert_int_equal(snarl_dict_set(&dict, "large", snarl_any_bytes(bytes, sizes[i])), SNARL_OK);
    snarl_auto_any back = snarl_dict_get(&dict, "large");
    assert_int_equal(snarl_any_length(back), sizes[i]);
    assert_memory_equal(snarl_any_as_bytes(back), bytes, sizes[i]);
  }
  assert_int_equal(snarl_dict_set(&dict, "large", snarl_any_bytes(bytes, MOST)), SNARL_TOO_LARGE);
  assert_int_equal(snarl_dict_set(&dict, "large", snarl_any_bytes(bytes, MOST / 2)), SNARL_OK);
  assert_int_equal(snarl_dict_set(&dict, "larger", snarl_any_bytes(bytes, MOST / 2)), SNARL_OK);
  assert_int_equal(as_error(snarl_dict_copy(&dict)), SNARL_TOO_LARGE);
  assert_int_equal(snarl_dict_length(&dict), 2);
  assert_int_equal(snarl_dict_clear(&dict), SNARL_OK);
  free(bytes);
}

enum { KEYS = 5000 };

/* Many keys that come and go, against an array. */
static void test_many_keys(void **state) {
  (void)state;
  static int there[KEYS];
  unsigned lot = 1;
  int length = 0;
  for (int i = 0; i < 4 * KEYS; i++) {
    lot = lot * 1103515245 + 12345;
    unsigned key = lot / 65536 % KEYS;
    if (lot & 256) {
      assert_int_equal(snarl_dict_set(&dict, key, i), SNARL_OK);
      length += !there[key];
      there[key] = i + 1;
    } else {
      assert_int_equal(snarl_dict_remove(&dict, key), there[key] ? SNARL_OK : SNARL_NOT_FOUND);
      length -= there[key] != 0;
      there[key] = 0;
    }
  }
  assert_int_equal(snarl_dict_length(&dict), length);
  snarl_auto_any all = snarl_dict_copy(&dict);
  for (int key = 0; key < KEYS; key++)
    assert_int_equal(snarl_any_as_int(snarl_any_dict_get(all, key)), there[key] ? there[key] - 1 : 0);
  assert_int_equal(snarl_dict_clear(&dict), SNARL_OK);
}

enum { PROCESSES = 8, INCREMENTS = 1000 };

static int increment_often(void) {
  int calls = 0;
  for (int i = 0; i < INCREMENTS; i++)
    if (snarl_dict_change(&dict, "changed", increment, &calls) || as_error(snarl_dict_add(&dict, "added", 1)) ||
        snarl_dict_append(&dict, "appended", i) < 0)
      return 1;
  return 0;
}

/* Not one is lost. */
static void test_increments(void **state) {
  (void)state;
  pid_t children[PROCESSES];
  for (int i = 0; i < PROCESSES; i++)
    if (!(children[i] = fork()))
      _exit(increment_often());
  for (int i = 0; i < PROCESSES; i++) {
    int status;
    assert_int_equal(waitpid(children[i], &status, 0), children[i]);
    assert_int_equal(status, 0);
  }
  assert_int_equal(as_int(snarl_dict_get(&dict, "changed")), PROCESSES * INCREMENTS);
  assert_int_equal(as_int(snarl_dict_get(&dict, "added")), PROCESSES * INCREMENTS);
  snarl_auto_any all = snarl_dict_get(&dict, "appended");
  assert_int_equal(snarl_any_length(all), PROCESSES * INCREMENTS);
  assert_int_equal(snarl_dict_clear(&dict), SNARL_OK);
}

static void *add_often(void *unused) {
  for (int i = 0; i < INCREMENTS; i++)
    assert_int_equal(as_error(snarl_dict_add(&dict, "threads", 1)), SNARL_OK);
  return unused;
}

static void test_threads(void **state) {
  (void)state;
  pthread_t threads[4];
  for (int i = 0; i < 4; i++)
    threads[i] = begin_thread(add_often, NULL);
  for (int i = 0; i < 4; i++)
    (void)end_thread(threads[i]);
  assert_int_equal(as_int(snarl_dict_get(&dict, "threads")), 4 * INCREMENTS);
  assert_int_equal(snarl_dict_clear(&dict), SNARL_OK);
}

static const char *address;

/* Knows the address alone. */
static int visit_as_stranger(void) {
  snarl_manager visited;
  snarl_dict named;
  if (snarl_manager_connect(&visited, address) || snarl_manager_process(&visited) ||
      snarl_manager_dict(&visited, &named, "for strangers") || snarl_dict_set(&named, "k", "v"))
    return 1;
  return snarl_manager_shutdown(&visited) != SNARL_OK;
}

static void test_strangers(void **state) {
  (void)state;
  address = snarl_manager_address(&manager);
  assert_int_equal(in_process(visit_as_stranger), 0);
  snarl_dict named;
  assert_int_equal(snarl_manager_dict(&manager, &named, "for strangers"), SNARL_OK);
  assert_shows(snarl_dict_get(&named, "k"), "\"v\"");
}

/* A fork that shuts it down lets go of it. */
static int let_go(void) { return snarl_manager_shutdown(&manager) != SNARL_OK; }

static void test_fork_lets_go(void **state) {
  (void)state;
  assert_int_equal(in_process(let_go), 0);
  assert_int_equal(snarl_dict_length(&dict), 0);
}

typedef SNARL_VALUE(int64_t) counter;
typedef SNARL_ARRAY(int32_t, 3) counters;

/* The region lies elsewhere in this process. */
static int use_as_stranger(void) {
  snarl_manager visited;
  if (snarl_manager_connect(&visited, address))
    return 1;
  snarl_lock *lock = snarl_manager_lock(&visited, "lock");
  snarl_event *event = snarl_manager_event(&visited, "event");
  counter *value = snarl_manager_value(&visited, counter, "value");
  counters *array = snarl_manager_array(&visited, counters, "array");
  snarl_condition *condition = snarl_manager_condition(&visited, "condition");
  if (!lock || !event || !value || !array || !condition)
    return 2;
  for (int i = 0; i < INCREMENTS; i++) {
    snarl_with(lock)(void) snarl_shared_write(&value->shared, snarl_shared_read(&value->shared) + 1);
    (void)snarl_array_update(array, 1, += 1);
  }
  snarl_with(condition)(void) snarl_condition_notify(condition, 1);
  if (snarl_event_set(event) || snarl_semaphore_release(snarl_manager_semaphore(&visited, "semaphore", 77), 1))
    return 3;
  return snarl_manager_shutdown(&visited) != SNARL_OK;
}

static void test_things(void **state) {
  (void)state;
  address = snarl_manager_address(&manager);
  snarl_lock *lock = snarl_manager_lock(&manager, "lock");
  snarl_rlock *rlock = snarl_manager_rlock(&manager, "rlock");
  snarl_semaphore *semaphore = snarl_manager_semaphore(&manager, "semaphore", 0);
  snarl_semaphore *bounded = snarl_manager_bounded_semaphore(&manager, "bounded", 2);
  snarl_event *event = snarl_manager_event(&manager, "event");
  snarl_barrier *barrier = snarl_manager_barrier(&manager, "barrier", 1);
  counter *value = snarl_manager_value(&manager, counter, "value");
  counters *array = snarl_manager_array(&manager, counters, "array");
  assert_true(lock && rlock && semaphore && bounded && event && barrier && value && array);
  pid_t child = fork();
  if (!child)
    _exit(use_as_stranger());
  for (int i = 0; i < INCREMENTS; i++)
    snarl_with(lock)(void) snarl_shared_write(&value->shared, snarl_shared_read(&value->shared) + 1);
  assert_int_equal(snarl_event_wait(event, SNARL_S(10)), SNARL_OK);
  assert_int_equal(snarl_semaphore_acquire(semaphore, SNARL_S(10)), SNARL_OK);
  int status;
  assert_int_equal(waitpid(child, &status, 0), child);
  assert_int_equal(status, 0);
  assert_int_equal(snarl_value_get(value), 2 * INCREMENTS);
  assert_int_equal(snarl_array_get(array, 1), INCREMENTS);
  assert_int_equal(snarl_semaphore_value(bounded), 2);
  assert_int_equal(snarl_semaphore_release(bounded, 1), SNARL_TOO_MANY);
  assert_int_equal(snarl_barrier_wait(barrier, SNARL_S(1)), 0);
  snarl_with(rlock) snarl_with(rlock) assert_true(snarl_rlock_locked(rlock));
}

static int die_with_lock(void) {
  snarl_lock *lock = snarl_manager_lock(&manager, "left behind");
  if (snarl_lock_acquire(lock, SNARL_NOW))
    return 1;
  return 0;
}

static void test_names_of_things(void **state) {
  (void)state;
  char longest[300];
  memset(longest, 'x', sizeof longest);
  longest[256] = 0;
  snarl_lock *lock = snarl_manager_lock(&manager, "lock");
  assert_ptr_equal(snarl_manager_lock(&manager, "lock"), lock);
  assert_ptr_not_equal(snarl_manager_lock(&manager, NULL), snarl_manager_lock(&manager, NULL));
  assert_null(snarl_manager_event(&manager, "lock"));
  assert_int_equal(snarl_manager_refusal(), SNARL_WRONG_KIND);
  assert_null(snarl_manager_value(&manager, SNARL_VALUE(char), "array"));
  assert_int_equal(snarl_manager_refusal(), SNARL_WRONG_KIND);
  assert_null(snarl_manager_lock(&manager, longest));
  assert_null(snarl_manager_lock(&manager, ""));
  assert_int_equal(snarl_manager_refusal(), SNARL_INVALID);
  assert_non_null(snarl_manager_lock(&manager, longest + 1));
  assert_null(snarl_manager_barrier(&manager, "none", 0));
  assert_null(snarl_manager_lock(NULL, "lock"));
  assert_int_equal(in_process(die_with_lock), 0);
  lock = snarl_manager_lock(&manager, "left behind");
  assert_int_equal(snarl_lock_acquire(lock, SNARL_S(10)), SNARL_RECOVERED);
  assert_int_equal(snarl_lock_release(lock), SNARL_OK);
}

static int answer_queue(void) {
  snarl_manager visited;
  snarl_process_queue asks, answers;
  if (snarl_manager_connect(&visited, address) || snarl_manager_queue(&visited, &asks, "asks", 0) ||
      snarl_manager_queue(&visited, &answers, "answers", 1))
    return 1;
  snarl_auto_any ask = snarl_process_queue_get_any(&asks, SNARL_S(10));
  if (snarl_process_queue_put_any(&answers, snarl_any_as_int(ask) + 1, SNARL_S(10)))
    return 2;
  return snarl_process_queue_detach(&asks) || snarl_process_queue_detach(&answers) ||
         snarl_manager_shutdown(&visited) != SNARL_OK;
}

static void test_queues(void **state) {
  (void)state;
  address = snarl_manager_address(&manager);
  snarl_process_queue asks, answers, other;
  pid_t child = fork();
  if (!child)
    _exit(answer_queue());
  assert_int_equal(snarl_manager_queue(&manager, &answers, "answers", 1), SNARL_OK);
  assert_int_equal(snarl_manager_queue(&manager, &asks, "asks", 0), SNARL_OK);
  assert_int_equal(snarl_manager_queue(&manager, &other, NULL, 0), SNARL_OK);
  assert_int_equal(snarl_manager_queue(&manager, &other, "", 0), SNARL_INVALID);
  assert_int_equal(snarl_process_queue_put_any(&asks, 41, SNARL_S(10)), SNARL_OK);
  assert_int_equal(as_int(snarl_process_queue_get_any(&answers, SNARL_S(10))), 42);
  int status;
  assert_int_equal(waitpid(child, &status, 0), child);
  assert_int_equal(status, 0);
  assert_int_equal(snarl_process_queue_detach(&asks), SNARL_OK);
  assert_int_equal(snarl_process_queue_detach(&answers), SNARL_OK);
}

typedef struct {
  snarl_rlock lock;
  char items[100 << 20];
} large;

/* Room runs out, for one; what is there stays. */
static void test_room_of_things(void **state) {
  (void)state;
  int count = 0;
  while (count < 20 && snarl_manager_array(&manager, large, NULL))
    count++;
  assert_int_equal(count, 10);
  assert_int_equal(snarl_manager_refusal(), SNARL_NO_MEMORY);
  assert_non_null(snarl_manager_lock(&manager, "one more"));
}

static int count_descriptors(void) {
  int count = 0;
  for (int fd = 0; fd < 1024; fd++)
    count += fcntl(fd, F_GETFD) >= 0;
  return count;
}

/* Addresses are the machine's, and this test may run beside itself. */
static const char *own_address(void) {
  static char address[SNARL_MANAGER_ADDRESS];
  (void)snprintf(address, sizeof address, "own-%d", (int)getpid());
  return address;
}

static void test_nothing_is_left(void **state) {
  (void)state;
  int before = count_descriptors();
  for (int i = 0; i < 3; i++) {
    snarl_manager own;
    snarl_dict named;
    assert_int_equal(snarl_manager_start(&own, NULL, own_address()), SNARL_OK); /* the address is free again at once */
    assert_int_equal(snarl_manager_dict(&own, &named, "named"), SNARL_OK);
    assert_int_equal(snarl_dict_length(&named), 0);
    assert_int_equal(snarl_manager_shutdown(&own), SNARL_OK);
    assert_int_equal(snarl_manager_shutdown(&own), SNARL_DESTROYED);
    assert_int_equal(snarl_dict_length(&named), SNARL_DESTROYED);
  }
  assert_int_equal(count_descriptors(), before);
}

static void test_killed_server(void **state) {
  (void)state;
  snarl_manager own;
  snarl_dict named;
  assert_int_equal(snarl_manager_start(&own, NULL, own_address()), SNARL_OK);
  assert_int_equal(snarl_manager_dict(&own, &named, "named"), SNARL_OK);
  assert_int_equal(snarl_process_kill(snarl_manager_process(&own)), SNARL_OK);
  assert_int_equal(snarl_process_join(snarl_manager_process(&own), SNARL_FOREVER), SNARL_FAILED);
  assert_int_equal(snarl_dict_length(&named), SNARL_MANAGER_GONE);
  assert_int_equal(snarl_dict_set(&named, "k", 1), SNARL_MANAGER_GONE);
  assert_int_equal(as_error(snarl_dict_get(&named, "k")), SNARL_MANAGER_GONE);
  assert_int_equal(snarl_manager_list(&own, (snarl_list *)&named, NULL), SNARL_MANAGER_GONE);
  assert_int_equal(snarl_manager_shutdown(&own), SNARL_MANAGER_GONE);
  assert_int_equal(snarl_manager_start(&own, NULL, own_address()), SNARL_OK);
  assert_int_equal(snarl_manager_shutdown(&own), SNARL_OK);
}

static int pipe_of_pid[2];

static int die_as_creator(void) {
  snarl_manager own;
  if (snarl_manager_start(&own, NULL, NULL))
    return 1;
  int pid = snarl_process_pid(snarl_manager_process(&own));
  if (write(pipe_of_pid[1], &pid, sizeof pid) != sizeof pid)
    return 1;
  raise(SIGKILL);
  return 1;
}

/* The server ends with its creator, and holds nothing of it open: the pipe is at its end then. */
static void test_killed_creator(void **state) {
  (void)state;
  int pid = 0;
  assert_int_equal(pipe(pipe_of_pid), 0);
  assert_int_equal(in_process(die_as_creator), -SIGKILL);
  (void)close(pipe_of_pid[1]);
  assert_int_equal(read(pipe_of_pid[0], &pid, sizeof pid), sizeof pid);
  assert_int_equal(read(pipe_of_pid[0], &pid, sizeof pid), 0);
  (void)close(pipe_of_pid[0]);
  snarl_time deadline = snarl_deadline(SNARL_S(10));
  while (kill(pid, 0) == 0) {
    assert_true(snarl_time_left(deadline) > 0);
    snarl_sleep(SNARL_MS(1));
  }
}

static int start_in_daemon(void *unused) {
  (void)unused;
  snarl_manager own;
  return snarl_manager_start(&own, NULL, NULL) != SNARL_DAEMON;
}

static void test_daemon(void **state) {
  (void)state;
  snarl_process daemon = SNARL_PROCESS_INIT("daemon", start_in_daemon, NULL);
  assert_int_equal(snarl_process_set_daemon(&daemon, true), SNARL_OK);
  assert_int_equal(snarl_process_start(&daemon), SNARL_OK);
  assert_int_equal(snarl_process_join(&daemon, SNARL_FOREVER), SNARL_OK);
}

static void test_block(void **state) {
  (void)state;
  int pid;
  {
    snarl_auto_manager own = {.inside = NULL};
    assert_int_equal(snarl_manager_start(&own, NULL, NULL), SNARL_OK);
    pid = snarl_process_pid(snarl_manager_process(&own));
    assert_int_equal(kill(pid, 0), 0);
  }
  assert_int_equal(kill(pid, 0), -1);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_dict),         cmocka_unit_test(test_steps),
      cmocka_unit_test(test_sums),         cmocka_unit_test(test_change),
      cmocka_unit_test(test_list),         cmocka_unit_test(test_namespace),
      cmocka_unit_test(test_names),        cmocka_unit_test(test_refuses),
      cmocka_unit_test(test_depth),        cmocka_unit_test(test_large),
      cmocka_unit_test(test_many_keys),    cmocka_unit_test(test_increments),
      cmocka_unit_test(test_threads),      cmocka_unit_test(test_strangers),
      cmocka_unit_test(test_fork_lets_go), cmocka_unit_test(test_killed_server),
      cmocka_unit_test(test_daemon),       cmocka_unit_test(test_killed_creator),
      cmocka_unit_test(test_block),        cmocka_unit_test(test_nothing_is_left),
      cmocka_unit_test(test_things),       cmocka_unit_test(test_names_of_things),
      cmocka_unit_test(test_queues),       cmocka_unit_test(test_room_of_things),
  };
  return cmocka_run_group_tests(tests, setup, teardown);
}
