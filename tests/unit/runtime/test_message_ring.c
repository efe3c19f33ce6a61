/* SPDX-License-Identifier: MIT
 *
 * The ring of messages between processes: sizes and their limits, growing and giving back, waiting, closing, attaching,
 * and what the system may refuse.
 */
#include "core/seam.h"
#include "multiprocessing/queue/message_ring.h"
#include "test_runtime.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LARGE = 100 << 20, KEPT = 16 << 20 };

/* --------------------------------------------------- A system that refuses */
#define POPULATE 23
static struct { int madvise, memfd, mapping; } refused; /* errors; mapping: how many are to fail */
long __real_syscall(long number, ...);
/* Takes six arguments, however many there are, as the kernel does. */
__attribute__((no_sanitize_address)) long __wrap_syscall(long number, ...);
long __wrap_syscall(long number, ...) {
  va_list list;
  long arguments[6];
  va_start(list, number);
  for (int i = 0; i < 6; i++)
    arguments[i] = va_arg(list, long);
  va_end(list);
  int error = number == SYS_madvise && (int)arguments[2] == POPULATE ? refused.madvise
              : number == SYS_memfd_create                           ? refused.memfd
              : number == SYS_mmap && refused.mapping > 0            ? (refused.mapping--, ENOMEM)
                                                                     : 0;
  if (error)
    return errno = error, -1;
  return __real_syscall(number, arguments[0], arguments[1], arguments[2], arguments[3], arguments[4], arguments[5]);
}

/* ----------------------------------------------------------------- Helpers */
struct taken {
  char *to;
  size_t room, size;
  uint64_t number;
};

static int place(void *context, uint64_t number, size_t size, void **to) {
  struct taken *taken = context;
  taken->number = number;
  taken->size = size;
  *to = taken->to;
  return size > taken->room ? SNARL_TOO_LARGE : SNARL_OK;
}

static int put(struct snarli_message_ring *ring, const void *bytes, size_t size, snarl_time timeout) {
  struct iovec part = {(void *)(uintptr_t)bytes, size};
  return snarli_message_ring_put(ring, &part, 1, NULL, NULL, timeout);
}

static int64_t get(struct snarli_message_ring *ring, void *to, size_t room, snarl_time timeout) {
  struct taken taken = {.to = to, .room = room};
  return snarli_message_ring_get(ring, place, &taken, timeout);
}

static struct snarli_message_ring *ring_new(uint64_t limit) {
  struct snarli_message_ring *ring;
  int fd;
  assert_int_equal(snarli_message_ring_new(&ring, limit, 0, &fd), SNARL_OK);
  assert_int_equal(close(fd), 0);
  return ring;
}

static char *pattern(size_t size, unsigned seed) {
  char *bytes = malloc(size + 1);
  for (size_t i = 0; i < size; i++)
    bytes[i] = (char)(i * 7 + i / 251 + seed);
  return bytes;
}

static int in_process(int (*body)(struct snarli_message_ring *), struct snarli_message_ring *ring) {
  int status;
  pid_t child = fork();
  if (child == 0)
    _exit(body(ring));
  assert_int_equal(waitpid(child, &status, 0), child);
  assert_true(WIFEXITED(status));
  return WEXITSTATUS(status);
}

/* ------------------------------------------------------------------- Tests */
/* Every size from none to some, with what is in the ring lying over its end again and again. */
static void test_sizes(void **state) {
  (void)state;
  struct snarli_message_ring *ring = ring_new(0);
  char got[1000], *bytes = pattern(sizeof got, 1);
  for (size_t round = 0; round < 3000; round++)
    for (size_t i = 0; i < 3; i++) {
      size_t size = (round * 3 + i) % sizeof got;
      assert_int_equal(put(ring, bytes, size, SNARL_NOW), SNARL_OK);
      if (i < 2)
        continue;
      for (size_t k = 0; k < 3; k++) {
        size_t expected = (round * 3 + k) % sizeof got;
        assert_int_equal(get(ring, got, sizeof got, SNARL_NOW), expected);
        assert_memory_equal(got, bytes, expected);
      }
    }
  assert_int_equal(get(ring, got, sizeof got, SNARL_NOW), SNARL_TIMEOUT);
  free(bytes);
  snarli_message_ring_unmap(ring);
}

static void test_parts(void **state) {
  (void)state;
  struct snarli_message_ring *ring = ring_new(0);
  struct iovec parts[] = {{"one ", 4}, {NULL, 0}, {"message", 8}};
  char got[12];
  assert_int_equal(snarli_message_ring_put(ring, parts, 3, NULL, NULL, SNARL_NOW), SNARL_OK);
  struct taken taken = {.to = got, .room = 11};
  assert_int_equal(snarli_message_ring_get(ring, place, &taken, SNARL_NOW), SNARL_TOO_LARGE);
  assert_int_equal(taken.size, 12);
  assert_int_equal(snarli_message_ring_got(ring), 0);
  taken.room = 12;
  assert_int_equal(snarli_message_ring_get(ring, place, &taken, SNARL_NOW), 12);
  assert_string_equal(got, "one message");
  assert_int_equal(taken.number, 0);
  assert_int_equal(snarli_message_ring_got(ring), 1);
  snarli_message_ring_unmap(ring);
}

static size_t bytes_in_memory(struct snarli_message_ring *ring) {
  size_t pages = ring->data / 4096 + 2 * LARGE / 4096, count = 0;
  unsigned char *is_there = malloc(pages);
  assert_int_equal(mincore(ring, pages * 4096, is_there), 0);
  for (size_t i = 0; i < pages; i++)
    count += is_there[i] & 1;
  free(is_there);
  return count * 4096;
}

/* Growing keeps what is there, wherever it lies; all of it is given back when all is got. */
static void test_growing(void **state) {
  (void)state;
  struct snarli_message_ring *ring = ring_new(0);
  char *small = pattern(50000, 2), *large = pattern(LARGE, 3), *got = malloc(LARGE);
  for (int i = 0; i < 5; i++) { /* to begin somewhere */
    assert_int_equal(put(ring, small, 50000, SNARL_NOW), SNARL_OK);
    assert_int_equal(get(ring, got, LARGE, SNARL_NOW), 50000);
  }
  for (size_t i = 0; i < 30; i++)
    assert_int_equal(put(ring, small + i, 50000 - i, SNARL_NOW), SNARL_OK);
  assert_int_equal(put(ring, large, LARGE, SNARL_NOW), SNARL_OK);
  assert_true(bytes_in_memory(ring) > LARGE);
  for (size_t i = 0; i < 30; i++) {
    assert_int_equal(get(ring, got, LARGE, SNARL_NOW), 50000 - i);
    assert_memory_equal(got, small + i, 50000 - i);
  }
  assert_int_equal(get(ring, got, LARGE, SNARL_NOW), LARGE);
  assert_memory_equal(got, large, LARGE);
  assert_true(bytes_in_memory(ring) <= KEPT + 8192);
  assert_int_equal(put(ring, large, 60000, SNARL_NOW), SNARL_OK);
  assert_int_equal(get(ring, got, LARGE, SNARL_NOW), 60000);
  assert_memory_equal(got, large, 60000);
  free(small), free(large), free(got);
  snarli_message_ring_unmap(ring);
}

static void test_limit(void **state) {
  (void)state;
  struct snarli_message_ring *ring = ring_new(2);
  char got[8];
  assert_int_equal(put(ring, "a", 1, SNARL_NOW), SNARL_OK);
  assert_int_equal(put(ring, "b", 1, SNARL_NOW), SNARL_OK);
  assert_int_equal(put(ring, "c", 1, SNARL_NOW), SNARL_TIMEOUT);
  snarl_time begin = snarl_clock();
  assert_int_equal(put(ring, "c", 1, SNARL_MS(150)), SNARL_TIMEOUT);
  assert_lasted(begin, SNARL_MS(150));
  assert_int_equal(get(ring, got, 8, SNARL_NOW), 1);
  assert_int_equal(put(ring, "c", 1, SNARL_NOW), SNARL_OK);
  assert_int_equal(get(ring, got, 8, SNARL_NOW), 1);
  assert_int_equal(get(ring, got, 8, SNARL_NOW), 1);
  assert_int_equal(*got, 'c');
  begin = snarl_clock();
  assert_int_equal(get(ring, got, 8, SNARL_MS(150)), SNARL_TIMEOUT);
  assert_lasted(begin, SNARL_MS(150));
  snarli_message_ring_unmap(ring);
}

enum { MANY = 20000 };
static int puts_many(struct snarli_message_ring *ring) {
  for (uint64_t i = 0; i < MANY; i++)
    if (put(ring, &i, sizeof i, SNARL_S(20)))
      return 1;
  return snarli_message_ring_close(ring) != SNARL_OK;
}

static int gets_many(struct snarli_message_ring *ring) {
  for (uint64_t i = 0, got; i < MANY; i++)
    if (get(ring, &got, sizeof got, SNARL_S(20)) != sizeof got || got != i)
      return 1;
  uint64_t got;
  return get(ring, &got, sizeof got, SNARL_FOREVER) != SNARL_CLOSED;
}

static int puts_and_gets(struct snarli_message_ring *ring) {
  int status;
  pid_t child = fork();
  if (child == 0)
    _exit(puts_many(ring));
  bool is_good = gets_many(ring) == 0;
  return !(waitpid(child, &status, 0) == child && status == 0 && is_good);
}

static void test_processes(void **state) {
  (void)state;
  for (uint64_t limit = 0; limit < 3; limit++) {
    struct snarli_message_ring *ring = ring_new(limit);
    assert_int_equal(in_process(puts_and_gets, ring), 0);
    assert_int_equal(put(ring, "", 1, SNARL_NOW), SNARL_CLOSED);
    assert_int_equal(snarli_message_ring_close(ring), SNARL_CLOSED);
    snarli_message_ring_unmap(ring);
  }
}

/* Threads of one process, at both ends. */
static void *puts_some(void *ring) {
  for (uint64_t i = 0; i < MANY / 4; i++)
    if (put(ring, &i, sizeof i, SNARL_S(20)))
      return as_pointer(1);
  return NULL;
}
static void *gets_some(void *ring) {
  uint64_t got, sum = 0;
  while (get(ring, &got, sizeof got, SNARL_S(20)) == sizeof got)
    sum += got;
  return (void *)(uintptr_t)sum;
}
static void test_threads(void **state) {
  (void)state;
  struct snarli_message_ring *ring = ring_new(20);
  pthread_t putters[] = {begin_thread(puts_some, ring), begin_thread(puts_some, ring)};
  pthread_t getters[] = {begin_thread(gets_some, ring), begin_thread(gets_some, ring)};
  assert_null(end_thread(putters[0]));
  assert_null(end_thread(putters[1]));
  assert_int_equal(snarli_message_ring_close(ring), SNARL_OK);
  uintptr_t sum = (uintptr_t)end_thread(getters[0]);
  sum += (uintptr_t)end_thread(getters[1]);
  assert_int_equal(sum, (uint64_t)(MANY / 4) * (MANY / 4 - 1));
  assert_int_equal(snarli_message_ring_got(ring), MANY / 2);
  snarli_message_ring_unmap(ring);
}

static void *waits_for_message(void *ring) { return as_pointer((int)get(ring, NULL, 0, SNARL_FOREVER)); }
static void *waits_for_place(void *ring) { return as_pointer(put(ring, "", 1, SNARL_FOREVER)); }

static void await_sleeper(struct snarli_eventcount *sleepers) {
  while (!snarli_eventcount_has_sleepers(sleepers))
    sched_yield();
}

static void test_close(void **state) {
  (void)state;
  struct snarli_message_ring *empty = ring_new(1), *full = ring_new(1);
  assert_int_equal(put(full, "x", 1, SNARL_NOW), SNARL_OK);
  pthread_t getter = begin_thread(waits_for_message, empty), putter = begin_thread(waits_for_place, full);
  await_sleeper(&empty->messages), await_sleeper(&full->places);
  assert_int_equal(snarli_message_ring_close(empty), SNARL_OK);
  assert_int_equal(snarli_message_ring_close(full), SNARL_OK);
  assert_int_equal(as_status(end_thread(getter)), SNARL_CLOSED);
  assert_int_equal(as_status(end_thread(putter)), SNARL_CLOSED);
  char got;
  assert_int_equal(get(full, &got, 1, SNARL_FOREVER), 1);
  assert_int_equal(get(full, &got, 1, SNARL_FOREVER), SNARL_CLOSED);
  snarli_message_ring_unmap(empty);
  snarli_message_ring_unmap(full);
}

/* Who cannot take a message that it was woken for wakes another. */
static void *waits_with_room(void *ring) {
  char got[8];
  return as_pointer((int)get(ring, got, sizeof got, SNARL_FOREVER));
}
static void test_too_large_for_one(void **state) {
  (void)state;
  struct snarli_message_ring *ring = ring_new(0);
  pthread_t small = begin_thread(waits_for_message, ring);
  await_sleeper(&ring->messages);
  pthread_t large = begin_thread(waits_with_room, ring);
  assert_int_equal(put(ring, "12345", 5, SNARL_NOW), SNARL_OK);
  assert_int_equal(as_status(end_thread(large)), 5);
  assert_int_equal(put(ring, "1234", 4, SNARL_NOW), SNARL_OK);
  assert_int_equal(as_status(end_thread(small)), SNARL_TOO_LARGE);
  snarli_message_ring_unmap(ring);
}

/* Another process that knows only a descriptor. */
static int attaches(struct snarli_message_ring *given) {
  struct snarli_message_ring *ring;
  char got[3];
  int fd = *(int *)given->room;
  if (snarli_message_ring_attach(&ring, fd) || ring == given || get(ring, got, 3, SNARL_NOW) != 3)
    return 1;
  memcpy(ring->room + 5000, got, 3);
  return put(ring, "back", 4, SNARL_NOW) != SNARL_OK;
}

static void test_attach(void **state) {
  (void)state;
  struct snarli_message_ring *ring;
  int fd;
  char got[4];
  assert_int_equal(snarli_message_ring_new(&ring, 0, 5003, &fd), SNARL_OK);
  *(int *)ring->room = fd;
  assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
  assert_int_equal(put(ring, "out", 3, SNARL_NOW), SNARL_OK);
  assert_int_equal(in_process(attaches, ring), 0);
  assert_memory_equal(ring->room + 5000, "out", 3);
  assert_int_equal(get(ring, got, 4, SNARL_NOW), 4);
  assert_int_equal(close(fd), 0);
  struct snarli_message_ring *none;
  assert_int_equal(snarli_message_ring_attach(&none, fd), SNARL_INVALID);
  int zero = open("/dev/null", O_RDWR | O_CLOEXEC), other = memfd_create("other", MFD_CLOEXEC);
  assert_int_equal(snarli_message_ring_attach(&none, zero), SNARL_INVALID);
  assert_int_equal(ftruncate(other, 100), 0);
  assert_int_equal(snarli_message_ring_attach(&none, other), SNARL_INVALID);
  assert_int_equal(ftruncate(other, (off_t)ring->size), 0);
  assert_int_equal(snarli_message_ring_attach(&none, other), SNARL_INVALID);
  (void)close(zero), (void)close(other);
  snarli_message_ring_unmap(ring);
}

static void test_no_memory(void **state) {
  (void)state;
  struct snarli_message_ring *ring;
  int fd;
  refused.memfd = EMFILE;
  assert_int_equal(snarli_message_ring_new(&ring, 0, 0, &fd), SNARL_NO_DESCRIPTOR);
  refused.memfd = ENOMEM;
  assert_int_equal(snarli_message_ring_new(&ring, 0, 0, &fd), SNARL_NO_MEMORY);
  refused.memfd = 0, refused.madvise = ENOMEM;
  assert_int_equal(snarli_message_ring_new(&ring, 0, 0, &fd), SNARL_NO_MEMORY);
  refused.madvise = 0, refused.mapping = 100;
  assert_int_equal(snarli_message_ring_new(&ring, 0, 0, &fd), SNARL_NO_MEMORY);
  refused.mapping = 0;
  ring = ring_new(0);
  char *large = pattern(LARGE, 4), got[8];
  assert_int_equal(put(ring, "before", 6, SNARL_NOW), SNARL_OK);
  refused.madvise = EFAULT;
  assert_int_equal(put(ring, large, LARGE, SNARL_NOW), SNARL_NO_MEMORY);
  refused.madvise = 0;
  assert_int_equal(get(ring, got, 8, SNARL_NOW), 6);
  assert_int_equal(put(ring, large, SIZE_MAX / 2, SNARL_NOW), SNARL_NO_MEMORY);
  assert_int_equal(put(ring, large, SIZE_MAX, SNARL_NOW), SNARL_NO_MEMORY);
  assert_int_equal(put(ring, large, LARGE, SNARL_NOW), SNARL_OK);
  free(large);
  snarli_message_ring_unmap(ring);
}

/* A kernel that does not know how to fill memory in time, and one with little room among the addresses. */
static void test_old_and_narrow(void **state) {
  (void)state;
  refused.madvise = EINVAL, refused.mapping = 10;
  struct snarli_message_ring *ring = ring_new(0);
  refused.mapping = 0;
  char *large = pattern(LARGE, 5), *got = malloc(LARGE);
  assert_int_equal(ring->most, 64 << 20);
  assert_int_equal(put(ring, large, LARGE, SNARL_NOW), SNARL_NO_MEMORY);
  assert_int_equal(put(ring, large, LARGE / 2, SNARL_NOW), SNARL_OK);
  assert_int_equal(put(ring, large, LARGE / 2, SNARL_NOW), SNARL_NO_MEMORY);
  assert_int_equal(get(ring, got, LARGE, SNARL_NOW), LARGE / 2);
  assert_memory_equal(got, large, LARGE / 2);
  refused.madvise = 0;
  free(large), free(got);
  snarli_message_ring_unmap(ring);
}

static int in_little_space(struct snarli_message_ring *unused) {
  (void)unused;
  struct rlimit file = {.rlim_cur = 1 << 25, .rlim_max = 1 << 25};
  if (setrlimit(RLIMIT_FSIZE, &file))
    return 1;
  struct snarli_message_ring *ring;
  int fd;
  if (snarli_message_ring_new(&ring, 0, 0, &fd))
    return 2;
  return ring->most != 1 << 24;
}
static void test_limits_of_process(void **state) {
  (void)state;
  assert_int_equal(in_process(in_little_space, NULL), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_sizes),          cmocka_unit_test(test_parts),
      cmocka_unit_test(test_growing),        cmocka_unit_test(test_limit),
      cmocka_unit_test(test_processes),      cmocka_unit_test(test_close),
      cmocka_unit_test(test_threads),        cmocka_unit_test(test_too_large_for_one),
      cmocka_unit_test(test_attach),         cmocka_unit_test(test_no_memory),
      cmocka_unit_test(test_old_and_narrow), cmocka_unit_test(test_limits_of_process),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
