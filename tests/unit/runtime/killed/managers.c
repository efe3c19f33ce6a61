/* SPDX-License-Identifier: MIT
 *
 * Managers with clients that are killed, in the midst of messages of several packets too, and managers that are killed
 * themselves: every value that is read is one that was set, changes are neither lost nor made twice, names in the
 * memory are found or made, and whoever outlives a manager is told.
 */
#include "killed.h"
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { KEYS = 8, LARGEST = 200 * 1024, NAMES = 200, VISIT = 16, CLIENTS = 3 };

static struct arena {
  struct counts counts;
  uint64_t asked, done; /* changes */
} * arena;

static snarl_manager manager;
static snarl_dict dict;
static const char *address;

static void start(void) {
  check_done(snarl_manager_start(&manager, "manager", NULL), "start");
  check_done(snarl_manager_dict(&manager, &dict, "dict"), "dict");
  address = snarl_manager_address(&manager);
}

static void begin(void *memory) {
  arena = memory;
  start();
}

/* [number, bytes of it] */
static snarl_any make_value(uint64_t number) {
  static unsigned char bytes[LARGEST];
  size_t size = draw(4) ? draw(200) : draw(LARGEST);
  memset(bytes, (int)(number & 0xff), size);
  snarl_any value = snarl_any_list();
  check_done(snarl_any_list_append(value, number), "value");
  check_done(snarl_any_list_append(value, snarl_any_bytes(bytes, size)), "value");
  return value;
}

static void check_whole(snarl_any value) {
  uint64_t number = (uint64_t)snarl_any_as_int(snarl_any_list_get(value, 0));
  snarl_any blob = snarl_any_list_get(value, 1);
  const unsigned char *bytes = snarl_any_as_bytes(blob);
  if (snarl_any_length(value) != 2 || !bytes)
    fail("a value is none that was set");
  for (size_t i = 0; i < snarl_any_length(blob); i++)
    if (bytes[i] != (number & 0xff))
      fail("a value is torn");
}

static snarl_any increment(snarl_any old, void *unused) {
  (void)unused;
  return snarl_any_int(snarl_any_as_int(old) + 1);
}

static int change(snarl_dict *shared) {
  __atomic_fetch_add(&arena->asked, 1, __ATOMIC_RELAXED);
  int status;
  if (draw(2)) {
    snarl_auto_any sum = snarl_dict_add(shared, "count", 1);
    status = snarl_any_status(sum);
  } else {
    status = snarl_dict_change(shared, "count", increment, NULL);
  }
  if (!status)
    __atomic_fetch_add(&arena->done, 1, __ATOMIC_RELAXED);
  return status;
}

static int exchange(snarl_dict *shared) {
  int status = snarl_dict_set(shared, draw(KEYS), make_value(draw(UINT32_MAX)));
  if (status)
    return status;
  snarl_auto_any value = snarl_dict_get(shared, draw(KEYS));
  status = snarl_any_status(value);
  if (!status)
    check_whole(value);
  return status == SNARL_NOT_FOUND ? SNARL_OK : status;
}

/* One of many locks, of which many are not there yet. */
static void use_memory(snarl_manager *of) {
  char name[32];
  (void)snprintf(name, sizeof name, "lock %u", (unsigned)draw(NAMES));
  snarl_lock *lock = snarl_manager_lock(of, name);
  if (!lock)
    fail("no lock of a name");
  int status = snarl_lock_acquire(lock, LONG);
  if (status == SNARL_RECOVERED)
    __atomic_fetch_add(&arena->counts.recovered, 1, __ATOMIC_RELAXED);
  else
    check_done(status, "a lock is not left to the next");
  check_done(snarl_lock_release(lock), "release");
}

static int work(snarl_manager *of, snarl_dict *shared) {
  int status = exchange(shared);
  if (!status)
    status = change(shared);
  use_memory(of);
  count_round();
  return status;
}

static int visit(void) {
  snarl_manager visited;
  snarl_dict shared;
  int status = snarl_manager_connect(&visited, address);
  if (status)
    return status;
  status = snarl_manager_dict(&visited, &shared, "dict");
  for (int i = 0; i < VISIT && !status; i++)
    status = work(&visited, &shared);
  check_done(snarl_manager_shutdown(&visited), "let go");
  return status;
}

static void child(unsigned place) {
  while (!is_over())
    check_done(place == 0 ? visit() : work(&manager, &dict), "a client is not served");
}

static void check(uint64_t kills) {
  (void)kills;
  snarl_auto_any count = snarl_dict_get(&dict, "count");
  uint64_t value = (uint64_t)snarl_any_as_int(count);
  if (value < arena->done || value > arena->asked)
    fail("a change is lost or was made twice");
  for (int key = 0; key < KEYS; key++) {
    snarl_auto_any item = snarl_dict_get(&dict, key);
    if (snarl_any_status(item) != SNARL_NOT_FOUND)
      check_whole(item);
  }
  check_done(snarl_manager_shutdown(&manager), "shutdown");
}

const struct traffic manager_traffics[] = {
    {.name = "manager", .begin = begin, .child = child, .check = check},
    {.name = NULL},
};

/* Until the manager is killed. */
static int survive(void) {
  int status = SNARL_OK;
  while (!status)
    status = draw(2) ? work(&manager, &dict) : visit();
  return status != SNARL_MANAGER_GONE || snarl_dict_length(&dict) != SNARL_MANAGER_GONE;
}

static void run_manager(void) {
  pid_t clients[CLIENTS];
  start();
  for (int i = 0; i < CLIENTS; i++)
    if (!(clients[i] = fork()))
      _exit(survive());
  pause_a_little(SNARL_MS(5));
  check_done(snarl_process_kill(snarl_manager_process(&manager)), "kill");
  for (int i = 0; i < CLIENTS; i++) {
    int status;
    if (waitpid(clients[i], &status, 0) != clients[i] || status)
      fail("a client is not told that its manager has ended");
  }
  if (snarl_manager_shutdown(&manager) != SNARL_MANAGER_GONE)
    fail("the creator is not told that its manager has ended");
}

uint64_t managers_kill(struct counts *shared, snarl_time deadline) {
  uint64_t kills = 0;
  for (arena = (struct arena *)shared; snarl_time_left(deadline); kills++)
    run_manager();
  return kills;
}
