/* SPDX-License-Identifier: MIT
 *
 * Memory that runs out: every allocation of the primitives fails once, the call says so, and the same call works when
 * there is memory again. The linker puts the allocator below.
 */
#include "test_runtime.h"

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *memory, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *memory, size_t size);

static __thread int until_failure; /* 0: none fails; else which of the next */
static __thread int failures;

static bool fails(void) {
  if (!until_failure || --until_failure)
    return false;
  failures++;
  return true;
}

void *__wrap_malloc(size_t size) { return fails() ? NULL : __real_malloc(size); }
void *__wrap_calloc(size_t count, size_t size) { return fails() ? NULL : __real_calloc(count, size); }
void *__wrap_realloc(void *memory, size_t size) { return fails() ? NULL : __real_realloc(memory, size); }

static void *nothing(void *argument) { return argument; }

static void test_thread(void **state) {
  (void)state;
  snarl_thread thread = SNARL_THREAD_INIT("thread", nothing, NULL);
  int alive = snarl_active_count();
  failures = 0;
  until_failure = 1;
  assert_int_equal(snarl_thread_start(&thread), SNARL_NO_MEMORY);
  assert_int_equal(snarl_thread_join(&thread, SNARL_NOW), SNARL_NOT_STARTED);
  assert_int_equal(snarl_active_count(), alive);
  assert_int_equal(snarl_thread_start(&thread), SNARL_OK);
  assert_int_equal(snarl_thread_join(&thread, SNARL_FOREVER), SNARL_OK);
  assert_int_equal(failures, 1);
}

static void test_timer_thread(void **state) {
  (void)state;
  snarl_timer timer = SNARL_TIMER_INIT("timer", SNARL_NOW, (void (*)(void *))free, NULL);
  until_failure = 1;
  assert_int_equal(snarl_timer_start(&timer), SNARL_NO_MEMORY);
  assert_int_equal(snarl_timer_join(&timer, SNARL_NOW), SNARL_NOT_STARTED);
  assert_int_equal(snarl_timer_start(&timer), SNARL_OK);
  assert_int_equal(snarl_timer_join(&timer, SNARL_FOREVER), SNARL_OK);
}

/* The list of keys, the thread's table and the value: each at its first use, the first two again when they grow. */
static void test_local(void **state) {
  (void)state;
  enum { LOCALS = 40 };
  static snarl_local locals[LOCALS];
  failures = 0;
  for (int i = 0; i < LOCALS; i++) {
    assert_int_equal(snarl_local_init(&locals[i], NULL, 8, NULL, NULL), SNARL_OK);
    for (int which = 1;; which++) {
      int before = failures;
      until_failure = which;
      uint64_t *value = snarl_local_get(&locals[i]);
      until_failure = 0;
      if (failures == before) { /* it needed fewer allocations than that */
        assert_non_null(value);
        assert_int_equal(*value, 0);
        break;
      }
      assert_null(value);
    }
  }
  assert_true(failures >= LOCALS + 4);
  for (int i = 0; i < LOCALS; i++)
    assert_int_equal(snarl_local_destroy(&locals[i]), SNARL_OK);
}

/* More threads than there is room for at first: the one for which there is none can use no lock, but everything else.
 */
static snarl_lock lock = SNARL_LOCK_INIT("lock");
static snarl_rwlock rwlock = SNARL_RWLOCK_INIT("rwlock");
static snarl_condition condition = SNARL_CONDITION_INIT("condition");
static snarl_once once = SNARL_ONCE_INIT("once");
static snarl_semaphore semaphore = SNARL_SEMAPHORE_INIT("semaphore", 1);
static snarl_event go = SNARL_EVENT_INIT("go");
static uint32_t known;

static void *be_known(void *unused) {
  (void)snarl_get_ident();
  __atomic_add_fetch(&known, 1, __ATOMIC_SEQ_CST);
  (void)snarl_event_wait(&go, SNARL_FOREVER);
  return unused;
}

static void never(void *unused) { (void)unused; }

static void *have_no_room(void *unused) {
  (void)unused;
  bool is_right = true;
  for (int call = 0; call < 6; call++) {
    until_failure = 1;
    int status = call == 0   ? snarl_lock_acquire(&lock, SNARL_FOREVER)
                 : call == 1 ? snarl_rwlock_acquire_write(&rwlock, SNARL_FOREVER)
                 : call == 2 ? snarl_condition_acquire(&condition, SNARL_FOREVER)
                 : call == 3 ? snarl_once_run(&once, never, NULL)
                 : call == 4 ? (int)snarl_get_ident() + SNARL_NO_MEMORY
                             : (snarl_current_thread() ? SNARL_OK : SNARL_NO_MEMORY);
    is_right = is_right && status == SNARL_NO_MEMORY;
  }
  is_right = is_right && failures == 6 && snarl_semaphore_acquire(&semaphore, SNARL_FOREVER) == SNARL_OK &&
             snarl_semaphore_release(&semaphore, 1) == SNARL_OK;
  return as_pointer(is_right && snarl_lock_acquire(&lock, SNARL_FOREVER) == SNARL_OK && /* there is memory again */
                    snarl_lock_release(&lock) == SNARL_OK);
}

static void test_no_room_for_another_thread(void **state) {
  (void)state;
  enum { AT_FIRST = 256, MOST = AT_FIRST };
  static pthread_t threads[MOST];
  uint32_t count = 0, already = 2; /* this thread's and the timers' */
  for (; count < AT_FIRST - already; count++)
    threads[count] = begin_thread(be_known, NULL);
  while (__atomic_load_n(&known, __ATOMIC_SEQ_CST) < count)
    snarl_sleep(SNARL_US(100));
  assert_int_equal(as_status(in_thread(have_no_room, NULL)), true);
  snarl_event_set(&go);
  for (uint32_t i = 0; i < count; i++)
    (void)end_thread(threads[i]);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_timer_thread),
      cmocka_unit_test(test_no_room_for_another_thread), /* while it is known who has a place */
      cmocka_unit_test(test_thread),
      cmocka_unit_test(test_local),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
