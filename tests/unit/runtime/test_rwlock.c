/* SPDX-License-Identifier: MIT
 *
 * RWLock: who may be in together, that writers come first, time limits, misuse; and `with` of every kind.
 */
#include "test_runtime.h"

#define QUEUED (1u << 31) /* in its word */

static void *try_read(void *lock) {
  int status = snarl_rwlock_acquire_read((snarl_rwlock *)lock, SNARL_NOW);
  if (!status)
    status = snarl_rwlock_release_read((snarl_rwlock *)lock);
  return as_pointer(status);
}
static void *try_write(void *lock) {
  int status = snarl_rwlock_acquire_write((snarl_rwlock *)lock, SNARL_NOW);
  if (!status)
    status = snarl_rwlock_release_write((snarl_rwlock *)lock);
  return as_pointer(status);
}
static void *release_write(void *lock) { return as_pointer(snarl_rwlock_release_write((snarl_rwlock *)lock)); }
static void *write_for_a_while(void *lock) {
  return as_pointer(snarl_rwlock_acquire_write((snarl_rwlock *)lock, SNARL_S(1)));
}
static void *keep_writing(void *lock) {
  return as_pointer(snarl_rwlock_acquire_write((snarl_rwlock *)lock, SNARL_FOREVER));
}

static void test_readers_share_and_writers_do_not(void **state) {
  (void)state;
  snarl_rwlock lock = SNARL_RWLOCK_INIT("lock");
  assert_int_equal(snarl_rwlock_acquire_read(&lock, SNARL_FOREVER), SNARL_OK);
  assert_int_equal(as_status(in_thread(try_read, &lock)), SNARL_OK);
  assert_int_equal(as_status(in_thread(try_write, &lock)), SNARL_TIMEOUT);
  assert_int_equal(snarl_rwlock_release_read(&lock), SNARL_OK);
  assert_int_equal(snarl_rwlock_acquire_write(&lock, SNARL_FOREVER), SNARL_OK);
  assert_int_equal(as_status(in_thread(try_read, &lock)), SNARL_TIMEOUT);
  assert_int_equal(as_status(in_thread(try_write, &lock)), SNARL_TIMEOUT);
  assert_int_equal(as_status(in_thread(release_write, &lock)), SNARL_NOT_OWNER);
  assert_int_equal(snarl_rwlock_release_write(&lock), SNARL_OK);
  assert_int_equal(as_status(in_thread(try_write, &lock)), SNARL_OK);
  assert_int_equal(lock.word, 0);
}

/* While a writer waits no reader gets in; when its time is over they do. */
static void test_writers_come_first(void **state) {
  (void)state;
  snarl_rwlock lock = SNARL_RWLOCK_INIT("lock");
  assert_int_equal(snarl_rwlock_acquire_read(&lock, SNARL_FOREVER), SNARL_OK);
  pthread_t writer = begin_thread(write_for_a_while, &lock);
  while (!(__atomic_load_n(&lock.word, __ATOMIC_SEQ_CST) & QUEUED))
    snarl_sleep(SNARL_US(100));
  assert_int_equal(as_status(in_thread(try_read, &lock)), SNARL_TIMEOUT);
  snarl_time begin = snarl_clock();
  assert_int_equal(snarl_rwlock_acquire_read(&lock, SNARL_S(100)), SNARL_OK);
  assert_true(snarl_clock() - begin < SNARL_S(50));
  assert_int_equal(as_status(end_thread(writer)), SNARL_TIMEOUT);
  assert_int_equal(snarl_rwlock_release_read(&lock), SNARL_OK);
  assert_int_equal(snarl_rwlock_release_read(&lock), SNARL_OK);
  assert_int_equal(lock.word, 0);
  assert_null(lock.waiters);
}

static void test_misuse_is_told(void **state) {
  (void)state;
  snarl_rwlock lock, zero = {.word = 0};
  assert_int_equal(snarl_rwlock_init(&lock, "lock"), SNARL_OK);
  assert_int_equal(snarl_rwlock_release_read(&lock), SNARL_NOT_HELD);
  assert_int_equal(snarl_rwlock_release_write(&lock), SNARL_NOT_HELD);
  assert_int_equal(snarl_rwlock_acquire_read(&lock, SNARL_FOREVER), SNARL_OK);
  assert_int_equal(snarl_rwlock_release_write(&lock), SNARL_NOT_HELD);
  assert_int_equal(snarl_rwlock_destroy(&lock), SNARL_IN_USE);
  assert_int_equal(snarl_rwlock_release_read(&lock), SNARL_OK);
  assert_int_equal(snarl_rwlock_destroy(&lock), SNARL_OK);
  assert_int_equal(snarl_rwlock_acquire_read(&lock, SNARL_NOW), SNARL_DESTROYED);
  assert_int_equal(snarl_rwlock_acquire_write(&zero, SNARL_NOW), SNARL_NOT_INITIALIZED);
  assert_int_equal(snarl_rwlock_release_write((snarl_rwlock *)NULL), SNARL_INVALID);
  snarl_rwlock full = SNARL_RWLOCK_INIT("full");
  full.word = 0x3fffffffu; /* readers */
  assert_int_equal(snarl_rwlock_acquire_read(&full, SNARL_NOW), SNARL_TIMEOUT);
}

static void test_writer_has_ended(void **state) {
  (void)state;
  snarl_rwlock lock = SNARL_RWLOCK_INIT("lock");
  assert_int_equal(as_status(in_thread(keep_writing, &lock)), SNARL_OK);
  assert_int_equal(snarl_rwlock_acquire_read(&lock, SNARL_FOREVER), SNARL_OWNER_ENDED);
  assert_int_equal(snarl_rwlock_acquire_write(&lock, SNARL_S(30)), SNARL_OWNER_ENDED);
  assert_null(lock.waiters);
}

struct pair {
  snarl_rwlock lock;
  long left, right;
};
enum { ROUNDS = 4000 };

static void *read_pair(void *argument) {
  struct pair *pair = argument;
  bool is_torn = false;
  for (int i = 0; i < ROUNDS; i++)
    snarl_with_read(&pair->lock) is_torn |= pair->left != pair->right;
  return as_pointer(is_torn);
}

static void *write_pair(void *argument) {
  struct pair *pair = argument;
  for (int i = 0; i < ROUNDS; i++) {
    int status = snarl_rwlock_acquire_write(&pair->lock, i % 2 ? SNARL_FOREVER : SNARL_US(50));
    if (status == SNARL_TIMEOUT) {
      i--;
      continue;
    }
    pair->left++;
    pair->right++;
    if (status || snarl_rwlock_release_write(&pair->lock))
      return as_pointer(-1);
  }
  return NULL;
}

static void test_contended(void **state) {
  (void)state;
  struct pair pair = {.lock = SNARL_RWLOCK_INIT("pair")};
  pthread_t threads[] = {begin_thread(read_pair, &pair), begin_thread(write_pair, &pair),
                         begin_thread(read_pair, &pair), begin_thread(write_pair, &pair)};
  for (int i = 0; i < 4; i++)
    assert_int_equal(as_status(end_thread(threads[i])), 0);
  assert_int_equal(pair.left, 2 * ROUNDS);
  assert_int_equal(pair.lock.word, 0);
  assert_int_equal(pair.lock.writers, 0);
}

static int leave_by_return(snarl_lock *lock) {
  snarl_with(lock) return snarl_lock_locked(lock);
  return -1;
}

static void test_with_gives_back(void **state) {
  (void)state;
  snarl_lock lock = SNARL_LOCK_INIT("lock");
  snarl_semaphore semaphore = SNARL_SEMAPHORE_INIT("semaphore", 1);
  snarl_rwlock rwlock = SNARL_RWLOCK_INIT("rwlock");
  snarl_event event = SNARL_EVENT_INIT("event");
  int entered = 0;
  assert_int_equal(leave_by_return(&lock), true);
  assert_false(snarl_lock_locked(&lock));
  for (int i = 0; i < 3; i++) {
    snarl_with(&lock) {
      entered++;
      if (i == 1)
        break; /* leaves the block, not the loop */
      entered++;
    }
    assert_false(snarl_lock_locked(&lock));
  }
  assert_int_equal(entered, 5);
  snarl_with(&semaphore) {
    snarl_with_for(&semaphore, SNARL_MS(1)) entered++;
    assert_int_equal(snarl_semaphore_value(&semaphore), 0);
  }
  snarl_with_write(&rwlock) assert_int_equal(as_status(in_thread(try_read, &rwlock)), SNARL_TIMEOUT);
  snarl_with_read(&rwlock) assert_int_equal(as_status(in_thread(try_read, &rwlock)), SNARL_OK);
  snarl_with(&event) entered++; /* nothing to acquire */
  assert_int_equal(entered, 5);
  assert_int_equal(snarl_acquire(&event), SNARL_INVALID);
  assert_int_equal(snarl_acquire_for(&lock, SNARL_NOW), SNARL_OK);
  assert_int_equal(snarl_release(&lock), SNARL_OK);
  assert_int_equal(snarl_release(&event), SNARL_INVALID);
  assert_int_equal(rwlock.word, 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_readers_share_and_writers_do_not),
      cmocka_unit_test(test_writers_come_first),
      cmocka_unit_test(test_misuse_is_told),
      cmocka_unit_test(test_writer_has_ended),
      cmocka_unit_test(test_contended),
      cmocka_unit_test(test_with_gives_back),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
