/* SPDX-License-Identifier: MIT
 *
 * Memory that runs out in a Manager: every allocation fails once, of the server for each operation and of a client for
 * each call. Who asked is told, nothing has changed then, and the same works when there is memory again. And memory
 * that a thread has just given back when another forks. The linker puts the allocator below.
 */
#include "any/pack.h"
#include "multiprocessing/manager/store.h"
#include "test_runtime.h"
#include <malloc.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *memory, size_t size);
void __real_free(void *memory);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *memory, size_t size);
void __wrap_free(void *memory);

static int until_failure; /* 0: none fails; else which of the next */
static int failures;

static bool fails(void) {
  if (!until_failure || --until_failure)
    return false;
  failures++;
  return true;
}

void *__wrap_malloc(size_t size) { return fails() ? NULL : __real_malloc(size); }
void *__wrap_calloc(size_t count, size_t size) { return fails() ? NULL : __real_calloc(count, size); }
void *__wrap_realloc(void *memory, size_t size) { return fails() ? NULL : __real_realloc(memory, size); }

enum { LARGE = 400000 }; /* more than a connection keeps */
static __thread bool stops;
static sem_t has_freed, has_forked;

/* The next large piece that a thread which `stops` gives back is followed by a fork. */
void __wrap_free(void *memory) {
  bool is_large = stops && memory && malloc_usable_size(memory) >= LARGE;
  __real_free(memory);
  if (!is_large)
    return;
  stops = false;
  (void)sem_post(&has_freed);
  (void)sem_wait(&has_forked);
}

static struct manager_store store;
static struct packed_buffer reply;

static int ask(enum manager_operation operation, uint32_t object, int64_t number, snarl_any key, snarl_any value,
               int which) {
  unsigned char message[4096];
  struct manager_request request = {.operation = (uint8_t)operation, .object = object, .number = number};
  size_t at = sizeof request;
  request.key_size = snarl_any_is_nil(key) ? 0 : (uint32_t)snarli_any_pack(key, message + at, sizeof message - at);
  at += request.key_size;
  at += snarl_any_is_nil(value) ? 0 : (size_t)snarli_any_pack(value, message + at, sizeof message - at);
  request.size = (uint32_t)at;
  memcpy(message, &request, sizeof request);
  snarli_pack_free(&reply);
  until_failure = which;
  bool is_answered = snarli_manager_answer(&store, message, at, &reply);
  until_failure = 0;
  struct manager_reply head = {.status = SNARL_NO_MEMORY};
  if (is_answered)
    memcpy(&head, reply.bytes, sizeof head);
  assert_true(!is_answered || head.size == reply.size);
  return head.status;
}

/* All that an object holds, as text. */
static snarl_any show(uint32_t object) {
  snarl_auto_any all = SNARL_NIL;
  assert_int_equal(ask(MANAGER_COPY, object, 0, SNARL_NIL, SNARL_NIL, 0), SNARL_OK);
  assert_int_equal(
      snarli_any_unpack(reply.bytes + sizeof(struct manager_reply), reply.size - sizeof(struct manager_reply), &all),
      SNARL_OK);
  return snarl_any_text(all);
}

/* Fails at each of its allocations, and then does it. `is_whole`: it is done as a whole or not at all. */
static void exhaust(enum manager_operation operation, uint32_t object, int64_t number, snarl_any key, snarl_any value,
                    bool is_whole) {
  for (int which = 1;; which++) {
    int before = failures;
    snarl_auto_any old = object ? show(object) : snarl_any_string("");
    int status = ask(operation, object, number, key, value, which);
    if (failures == before) {
      assert_int_equal(status, SNARL_OK);
      return;
    }
    snarl_auto_any new = object ? show(object) : snarl_any_string("");
    assert_int_equal(status, SNARL_NO_MEMORY);
    if (is_whole)
      assert_string_equal(snarl_any_as_string(old), snarl_any_as_string(new));
  }
}

static void test_server(void **state) {
  (void)state;
  snarl_auto_any key = snarl_any_string("a key that is not short"),
                 text = snarl_any_string("a value that is not short");
  snarl_auto_any list = snarl_any_list(), dict = snarl_any_dict();
  for (int i = 0; i < 40; i++) {
    assert_int_equal(snarl_any_list_append(list, i), SNARL_OK);
    assert_int_equal(snarl_any_dict_set(dict, i, snarl_any_keep(text)), SNARL_OK);
  }
  for (int64_t kind = MANAGER_DICT; kind <= MANAGER_NAMESPACE; kind++) {
    snarl_auto_any name = snarl_any_stringf("a long name, of kind %d", (int)kind);
    exhaust(MANAGER_OPEN, 0, kind, name, SNARL_NIL, true);
  }
  exhaust(MANAGER_SET, 1, 0, key, text, true);
  exhaust(MANAGER_SET, 1, 0, key, list, true);
  exhaust(MANAGER_APPEND, 1, 0, key, text, true);
  exhaust(MANAGER_GET, 1, 0, key, SNARL_NIL, true);
  exhaust(MANAGER_TAKE, 1, 0, key, SNARL_NIL, true);
  exhaust(MANAGER_SETDEFAULT, 1, 0, key, text, true);
  exhaust(MANAGER_SETDEFAULT, 1, 0, key, text, true);
  exhaust(MANAGER_UPDATE, 1, 0, SNARL_NIL, dict, false);
  exhaust(MANAGER_KEYS, 1, 0, SNARL_NIL, SNARL_NIL, true);
  exhaust(MANAGER_CLEAR, 1, 0, SNARL_NIL, SNARL_NIL, true);
  exhaust(MANAGER_ADD, 1, 0, key, snarl_any_double(1), true);
  exhaust(MANAGER_PUSH, 2, 0, SNARL_NIL, text, true);
  exhaust(MANAGER_INSERT, 2, 0, SNARL_NIL, text, true);
  exhaust(MANAGER_SET, 2, -1, SNARL_NIL, list, true);
  exhaust(MANAGER_UPDATE, 2, 0, SNARL_NIL, list, false);
  exhaust(MANAGER_TAKE, 2, 0, SNARL_NIL, SNARL_NIL, true);
  exhaust(MANAGER_FORGET, 1, 0, SNARL_NIL, SNARL_NIL, false);
  assert_true(failures > 30);
  snarli_manager_store_free(&store);
  snarli_pack_free(&reply);
}

static snarl_any increment(snarl_any old, void *unused) {
  (void)unused;
  return snarl_any_int(snarl_any_as_int(old) + 1);
}

static snarl_manager manager;
static snarl_dict dict;

static int start(void) { return snarl_manager_start(&manager, NULL, NULL); }
static int open(void) { return snarl_manager_dict(&manager, &dict, "dict"); }
static int change(void) { return snarl_dict_change(&dict, "a key that is not short", increment, NULL); }
static int lock(void) { return snarl_manager_lock(&manager, "lock") ? SNARL_OK : snarl_manager_refusal(); }
static int set(void) {
  snarl_any list = snarl_any_list();
  for (int i = 0; i < 300; i++)
    (void)snarl_any_list_append(list, i);
  if (snarl_any_status(list) || snarl_any_length(list) < 300) {
    snarl_any_drop(&list);
    return SNARL_NO_MEMORY;
  }
  return snarl_dict_set(&dict, "list", list);
}
static int get(void) {
  snarl_auto_any list = snarl_dict_get(&dict, "list");
  return snarl_any_status(list);
}
static int stop(void) { return snarl_manager_shutdown(&manager); }

static void exhaust_client(int (*call)(void)) {
  for (int which = 1;; which++) {
    int before = failures;
    until_failure = which;
    int status = call();
    until_failure = 0;
    if (status == SNARL_OK)
      return;
    assert_int_equal(status, SNARL_NO_MEMORY);
    assert_int_equal(failures, before + 1);
  }
}

static void test_client(void **state) {
  (void)state;
  assert_int_equal(start(), SNARL_OK);
  exhaust_client(open);
  exhaust_client(change);
  exhaust_client(set);
  exhaust_client(get);
  exhaust_client(lock);
  assert_int_equal(stop(), SNARL_OK);
}

static void *get_and_stop(void *unused) {
  (void)unused;
  stops = true;
  snarl_auto_any large = snarl_dict_get(&dict, "large");
  return as_pointer(snarl_any_status(large));
}

/* The child leaves alone what another thread was in the midst of, and asks by a connection of its own. */
static void test_fork_in_call(void **state) {
  (void)state;
  char *text = calloc(1, LARGE + 1);
  memset(text, 'x', LARGE);
  assert_int_equal(sem_init(&has_freed, 0, 0) | sem_init(&has_forked, 0, 0), 0);
  assert_int_equal(start(), SNARL_OK);
  assert_int_equal(open(), SNARL_OK);
  assert_int_equal(snarl_dict_set(&dict, "large", text), SNARL_OK);
  pthread_t other = begin_thread(get_and_stop, NULL);
  assert_int_equal(sem_wait(&has_freed), 0);
  int status, pid = fork();
  if (!pid)
    _exit(snarl_dict_length(&dict) != 1);
  assert_int_equal(sem_post(&has_forked), 0);
  assert_int_equal(waitpid(pid, &status, 0), pid);
  assert_int_equal(status, 0);
  assert_int_equal(as_status(end_thread(other)), SNARL_OK);
  assert_int_equal(stop(), SNARL_OK);
  free(text);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_server), cmocka_unit_test(test_client),
                                     cmocka_unit_test(test_fork_in_call)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
