/* SPDX-License-Identifier: MIT
 *
 * What can be wrong with memory that processes share: there is too little, it is left from another run, made by one
 * that was killed, cut, or holds other objects than expected. Each is a status, never a signal.
 */
#include "test_runtime.h"
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

enum { KIB = 1024, NOT_PERMITTED = 77 };

static char name[64];

static int in_process(int (*body)(void)) {
  int status;
  pid_t child = fork();
  if (child == 0)
    _exit(body());
  assert_true(child > 0);
  assert_int_equal(waitpid(child, &status, 0), child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

#define MUST(holds)                                                                                                    \
  if (!(holds))                                                                                                        \
  return __LINE__ % 256

/* In a namespace of its own, where /dev/shm has 64 KiB. */
static int use_little(void) {
  snarl_shared_memory first, second;
  if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
      mount("tmpfs", "/dev/shm", "tmpfs", 0, "size=64k"))
    return NOT_PERMITTED;
  MUST(snarl_shared_memory_create(&first, name, 1024 * KIB) == SNARL_NO_MEMORY);
  MUST(snarl_shared_memory_attach(&first, name) == SNARL_NOT_FOUND);
  MUST(snarl_shared_memory_create(&first, name, 48 * KIB) == SNARL_OK);
  memset(first.data, 1, first.size);
  MUST(snarl_shared_memory_create(&second, "another", 48 * KIB) == SNARL_NO_MEMORY);
  MUST(snarl_shared_memory_unlink(&first) == SNARL_OK && snarl_shared_memory_close(&first) == SNARL_OK);
  MUST(snarl_shared_memory_create(&second, "another", 48 * KIB) == SNARL_OK); /* the rest was given back */
  memset(second.data, 1, second.size);
  MUST(snarl_shared_memory_close(&second) == SNARL_OK);
  MUST(umount("/dev/shm") == 0);
  MUST(mount("proc", "/dev/shm", "proc", 0, NULL) == 0); /* nothing can be made there */
  int status = snarl_shared_memory_create(&first, name, KIB);
  MUST(status != SNARL_OK && status != SNARL_EXISTS);
  return 0;
}

static void test_there_is_little(void **state) {
  (void)state;
  int result = in_process(use_little);
  if (result == NOT_PERMITTED)
    skip();
  assert_int_equal(result, 0);
}

/* The beginning of a program that finds what an earlier run left. */
static int take_over(snarl_shared_memory *memory, size_t size) {
  int status = snarl_shared_memory_create(memory, name, size);
  if (status != SNARL_EXISTS)
    return status;
  if (!snarl_shared_memory_attach(memory, name)) {
    (void)snarl_shared_memory_unlink(memory);
    (void)snarl_shared_memory_close(memory);
  }
  return snarl_shared_memory_create(memory, name, size);
}

static int leave_a_name(void) {
  snarl_shared_memory memory;
  MUST(snarl_shared_memory_create(&memory, name, 2 * KIB) == SNARL_OK);
  MUST(snarl_lock_init_shared((snarl_lock *)memory.data, "left") == SNARL_OK);
  return raise(SIGKILL);
}

static void test_a_name_is_left(void **state) {
  (void)state;
  snarl_shared_memory memory;
  assert_int_equal(in_process(leave_a_name), -SIGKILL);
  assert_int_equal(snarl_shared_memory_create(&memory, name, KIB), SNARL_EXISTS);
  assert_int_equal(snarl_shared_memory_attach(&memory, name), SNARL_OK);
  assert_int_equal(memory.size, 2 * KIB);
  snarl_lock *lock = (snarl_lock *)memory.data;
  assert_int_equal(snarl_lock_init_shared(lock, "mine"), SNARL_EXISTS);
  assert_int_equal(snarl_lock_acquire(lock, SNARL_NOW), SNARL_OK); /* it is as good as before */
  assert_int_equal(snarl_lock_release(lock), SNARL_OK);
  assert_int_equal(snarl_shared_memory_close(&memory), SNARL_OK);
  assert_int_equal(take_over(&memory, KIB), SNARL_OK);
  assert_int_equal(memory.size, KIB);
  assert_int_equal(snarl_lock_init_shared((snarl_lock *)memory.data, "mine"), SNARL_OK);
  assert_int_equal(snarl_shared_memory_unlink(&memory), SNARL_OK);
  assert_int_equal(snarl_shared_memory_close(&memory), SNARL_OK);
}

enum { LARGE = 512 * KIB };

static int make_again_and_again(void) {
  snarl_shared_memory memory;
  for (;;) {
    MUST(snarl_shared_memory_create(&memory, name, LARGE) == SNARL_OK);
    MUST(snarl_shared_memory_unlink(&memory) == SNARL_OK && snarl_shared_memory_close(&memory) == SNARL_OK);
  }
}

/* A name is that of whole memory, whenever its maker is killed. */
static void test_the_maker_is_killed(void **state) {
  (void)state;
  int found = 0;
  for (int i = 0; i < 60; i++) {
    snarl_shared_memory memory;
    pid_t child = fork();
    if (child == 0)
      _exit(make_again_and_again());
    snarl_sleep(SNARL_US(200 + 37 * i));
    assert_int_equal(kill(child, SIGKILL), 0);
    int ended;
    assert_int_equal(waitpid(child, &ended, 0), child);
    assert_true(WIFSIGNALED(ended));
    int status = snarl_shared_memory_attach(&memory, name);
    assert_true(status == SNARL_OK || status == SNARL_NOT_FOUND);
    if (status)
      continue;
    found++;
    assert_int_equal(memory.size, LARGE);
    assert_int_equal(((char *)memory.data)[LARGE - 1], 0);
    assert_int_equal(snarl_shared_memory_unlink(&memory), SNARL_OK);
    assert_int_equal(snarl_shared_memory_close(&memory), SNARL_OK);
  }
  print_message("%d of 60 left a name\n", found);
}

static void test_it_is_cut(void **state) {
  (void)state;
  snarl_shared_memory memory, again;
  char path[sizeof name + 1];
  snprintf(path, sizeof path, "/%s", name);
  assert_int_equal(snarl_shared_memory_create(&memory, name, 64 * KIB), SNARL_OK);
  int fd = shm_open(path, O_RDWR, 0);
  assert_int_equal(ftruncate(fd, KIB), 0);
  assert_int_equal(snarl_shared_memory_attach(&again, name), SNARL_OK);
  assert_int_equal(again.size, KIB);
  assert_int_equal(snarl_shared_memory_close(&again), SNARL_OK);
  assert_int_equal(ftruncate(fd, 0), 0);
  assert_int_equal(snarl_shared_memory_attach(&again, name), SNARL_NOT_FOUND);
  assert_int_equal(close(fd), 0);
  assert_int_equal(snarl_shared_memory_unlink(&memory), SNARL_OK);
  assert_int_equal(snarl_shared_memory_close(&memory), SNARL_OK);
  assert_int_equal(snarl_shared_memory_create(&memory, name, SIZE_MAX), SNARL_NO_MEMORY);
  assert_int_equal(snarl_shared_memory_create(&memory, NULL, SIZE_MAX), SNARL_NO_MEMORY);
  assert_int_equal(snarl_shared_memory_create(&memory, NULL, (size_t)1 << 60), SNARL_NO_MEMORY);
}

/* Each of these lives, is refused a second life, ends, and may live again. */
#define LIVES_ONCE(object, init, destroy)                                                                              \
  do {                                                                                                                 \
    assert_int_equal(init, SNARL_OK);                                                                                  \
    assert_int_equal(init, SNARL_EXISTS);                                                                              \
    assert_int_equal(destroy, SNARL_OK);                                                                               \
    assert_int_equal(destroy, SNARL_DESTROYED);                                                                        \
    assert_int_equal(init, SNARL_OK);                                                                                  \
    assert_int_equal(destroy, SNARL_OK);                                                                               \
  } while (0)

static void test_something_lives_there(void **state) {
  (void)state;
  snarl_shared_memory memory;
  assert_int_equal(snarl_shared_memory_create(&memory, NULL, 4 * KIB), SNARL_OK);
  snarl_lock *lock = memory.data;
  snarl_rlock *rlock = memory.data;
  snarl_semaphore *semaphore = memory.data;
  snarl_event *event = memory.data;
  snarl_condition *condition = memory.data;
  snarl_barrier *barrier = memory.data;
  LIVES_ONCE(lock, snarl_lock_init_shared(lock, "lock"), snarl_lock_destroy(lock));
  LIVES_ONCE(rlock, snarl_rlock_init_shared(rlock, "rlock"), snarl_rlock_destroy(rlock));
  LIVES_ONCE(semaphore, snarl_semaphore_init_shared(semaphore, "s", 1), snarl_semaphore_destroy(semaphore));
  LIVES_ONCE(semaphore, snarl_bounded_semaphore_init_shared(semaphore, "s", 1), snarl_semaphore_destroy(semaphore));
  LIVES_ONCE(event, snarl_event_init_shared(event, "event"), snarl_event_destroy(event));
  LIVES_ONCE(condition, snarl_condition_init_shared(condition, "condition"), snarl_condition_destroy(condition));
  LIVES_ONCE(barrier, snarl_barrier_init_shared(barrier, "barrier", 2), snarl_barrier_destroy(barrier));
  assert_int_equal(snarl_event_init_shared(event, "event"), SNARL_OK);
  assert_int_equal(snarl_lock_init_shared(lock, "lock"), SNARL_EXISTS); /* of any kind */
  assert_int_equal(snarl_lock_acquire(lock, SNARL_NOW), SNARL_NOT_INITIALIZED);
  assert_int_equal(snarl_barrier_wait(barrier, SNARL_NOW), SNARL_NOT_INITIALIZED);
  event->object.kind ^= 0x1000; /* as another version would call it */
  assert_int_equal(snarl_event_set(event), SNARL_NOT_INITIALIZED);
  assert_int_equal(snarl_event_wait(event, SNARL_FOREVER), SNARL_NOT_INITIALIZED);
  assert_int_equal(snarl_event_init_shared(event, "event"), SNARL_OK);
  assert_int_equal(snarl_shared_memory_close(&memory), SNARL_OK);
}

int main(void) {
  snprintf(name, sizeof name, "snarl-test-memory-%d", (int)getpid());
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_there_is_little),       cmocka_unit_test(test_a_name_is_left),
      cmocka_unit_test(test_the_maker_is_killed),   cmocka_unit_test(test_it_is_cut),
      cmocka_unit_test(test_something_lives_there),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
