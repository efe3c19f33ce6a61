/* SPDX-License-Identifier: MIT
 *
 * Connections: messages of all sizes, both ways, time limits, ends that are closed, given away and cut off, waiting for
 * several, and failures of every call below.
 */
#include "test_runtime.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);

static __thread int until_failure; /* 0: none fails; else which of the next */

static bool fails(void) { return until_failure && !--until_failure; }
void *__wrap_malloc(size_t size) { return fails() ? NULL : __real_malloc(size); }
void *__wrap_calloc(size_t count, size_t size) { return fails() ? NULL : __real_calloc(count, size); }

static snarl_connection one, other;

static int descriptors(void) {
  int count = 0;
  for (int fd = 0; fd < 256; fd++)
    count += fcntl(fd, F_GETFD) != -1;
  return count;
}

static int descriptors_before;

static int open_pipe(void **state) {
  (void)state;
  descriptors_before = descriptors();
  return snarl_pipe(&one, &other, "pipe", SNARL_DUPLEX);
}

static int close_pipe(void **state) {
  (void)state;
  (void)snarl_connection_close(&one);
  (void)snarl_connection_close(&other);
  return descriptors() != descriptors_before;
}

/* The message of this size: its bytes tell where they are. */
static char *message_of(size_t size) {
  char *message = malloc(size + 1);
  for (size_t i = 0; i < size; i++)
    message[i] = (char)(i * 7 + size);
  return message;
}

static const size_t sizes[] = {0, 1, 7, 8, 4096, 65536, 1 << 20, 5000001};
enum { SIZES = sizeof sizes / sizeof *sizes };

static void *send_sizes(void *connection) {
  for (int i = 0; i < SIZES; i++) {
    char *message = message_of(sizes[i]);
    if (snarl_connection_send(connection, message, sizes[i], SNARL_S(20)))
      abort();
    free(message);
  }
  return NULL;
}

static void test_messages_of_all_sizes(void **state) {
  (void)state;
  for (int round = 0; round < 2; round++) {
    pthread_t sender = begin_thread(send_sizes, round ? &one : &other);
    for (int i = 0; i < SIZES; i++) {
      char *expected = message_of(sizes[i]), *message;
      assert_int_equal(snarl_connection_recv(round ? &other : &one, (void **)&message, SIZE_MAX, SNARL_S(20)),
                       sizes[i]);
      assert_memory_equal(message, expected, sizes[i]);
      assert_int_equal(message[sizes[i]], 0);
      free(message);
      free(expected);
    }
    (void)end_thread(sender);
  }
}

static void test_a_large_message_stays(void **state) {
  (void)state;
  char small[3], large[8] = "";
  void *message;
  assert_int_equal(snarl_connection_send(&one, "message", 7, SNARL_NOW), SNARL_OK);
  assert_int_equal(snarl_connection_send(&one, "next", 4, SNARL_NOW), SNARL_OK);
  assert_int_equal(snarl_connection_recv_into(&other, small, sizeof small, SNARL_FOREVER), SNARL_TOO_LARGE);
  assert_int_equal(snarl_connection_recv(&other, &message, 6, SNARL_NOW), SNARL_TOO_LARGE);
  assert_int_equal(snarl_connection_poll(&other, SNARL_NOW), 1);
  until_failure = 1;
  assert_int_equal(snarl_connection_recv(&other, &message, 7, SNARL_NOW), SNARL_NO_MEMORY);
  assert_int_equal(snarl_connection_recv_into(&other, large, sizeof large, SNARL_NOW), 7);
  assert_string_equal(large, "message");
  assert_int_equal(snarl_connection_recv_into(&other, large, sizeof large, SNARL_NOW), 4);
  assert_memory_equal(large, "next", 4);
}

static void test_time_limits(void **state) {
  (void)state;
  char byte, *much = calloc(1, 1 << 22);
  snarl_time begin = snarl_clock();
  assert_int_equal(snarl_connection_recv_into(&one, &byte, 1, SNARL_NOW), SNARL_TIMEOUT);
  assert_int_equal(snarl_connection_poll(&one, SNARL_NOW), 0);
  assert_int_equal(snarl_connection_recv_into(&one, &byte, 1, SNARL_MS(20)), SNARL_TIMEOUT);
  assert_int_equal(snarl_connection_poll(&one, SNARL_MS(20)), 0);
  assert_lasted(begin, SNARL_MS(40));
  int sent = 0;
  while (snarl_connection_send(&one, much, 1000, SNARL_NOW) == SNARL_OK)
    sent++;
  begin = snarl_clock();
  assert_int_equal(snarl_connection_send(&one, much, 1, SNARL_MS(20)), SNARL_TIMEOUT);
  assert_lasted(begin, SNARL_MS(20));
  for (int i = 0; i < sent; i++)
    assert_int_equal(snarl_connection_recv_into(&other, much, 1000, SNARL_NOW), 1000);
  assert_int_equal(snarl_connection_recv_into(&other, much, 1000, SNARL_NOW), SNARL_TIMEOUT);
  free(much);
}

static void test_values(void **state) {
  (void)state;
  snarl_auto_any sent = snarl_any_dict();
  assert_int_equal(snarl_any_dict_set(sent, "name", "Ada"), SNARL_OK);
  assert_int_equal(snarl_any_dict_set(sent, 1815, snarl_any_list()), SNARL_OK);
  for (int i = 0; i < 1000; i++)
    assert_int_equal(snarl_any_list_append(snarl_any_dict_get(sent, 1815), i * 1000), SNARL_OK);
  assert_int_equal(snarl_connection_send_any(&one, snarl_any_keep(sent), SNARL_NOW), SNARL_OK);
  assert_int_equal(snarl_connection_send_any(&one, 7, SNARL_NOW), SNARL_OK);
  assert_int_equal(snarl_connection_send_any(&one, SNARL_NIL, SNARL_NOW), SNARL_OK);
  snarl_auto_any first = snarl_connection_recv_any(&other, SNARL_NOW);
  assert_true(snarl_any_equal(first, sent));
  assert_int_equal(snarl_any_as_int(snarl_connection_recv_any(&other, SNARL_NOW)), 7);
  assert_true(snarl_any_is_nil(snarl_connection_recv_any(&other, SNARL_NOW)));
  assert_int_equal(snarl_any_status(snarl_connection_recv_any(&other, SNARL_NOW)), SNARL_TIMEOUT);
}

static void test_values_that_are_none(void **state) {
  (void)state;
  snarl_auto_any text = snarl_any_of("what takes memory");
  assert_int_equal(snarl_connection_send_any(&one, snarl_any_error(SNARL_NOT_FOUND), SNARL_NOW), SNARL_NOT_FOUND);
  assert_int_equal(snarl_connection_send(&one, "\xdd\xff\xff\xff\xff", 5, SNARL_NOW), SNARL_OK);
  assert_int_equal(snarl_connection_send(&one, NULL, 0, SNARL_NOW), SNARL_OK);
  assert_int_equal(snarl_connection_send_any(&one, snarl_any_keep(text), SNARL_NOW), SNARL_OK);
  assert_int_equal(snarl_any_status(snarl_connection_recv_any(&other, SNARL_NOW)), SNARL_TRUNCATED);
  assert_int_equal(snarl_any_status(snarl_connection_recv_any(&other, SNARL_NOW)), SNARL_TRUNCATED);
  until_failure = 1; /* of the message's memory: it stays */
  assert_int_equal(snarl_any_status(snarl_connection_recv_any(&other, SNARL_NOW)), SNARL_NO_MEMORY);
  snarl_auto_any again = snarl_connection_recv_any(&other, SNARL_NOW);
  assert_true(snarl_any_equal(again, text));
  assert_int_equal(snarl_connection_close(&one), SNARL_OK);
  assert_int_equal(snarl_any_status(snarl_connection_recv_any(&other, SNARL_FOREVER)), SNARL_CLOSED);
  assert_int_equal(snarl_connection_send_any(&other, snarl_any_keep(text), SNARL_NOW), SNARL_CLOSED);
  assert_int_equal(snarl_connection_send_any(NULL, "text", SNARL_NOW), SNARL_INVALID);
}

static void *recv_byte(void *connection) {
  char byte;
  return as_pointer((int)snarl_connection_recv_into(connection, &byte, 1, SNARL_FOREVER));
}

/* Who comes while another thread waits is not held up longer than it said. */
static void test_threads_take_turns(void **state) {
  (void)state;
  pthread_t first = begin_thread(recv_byte, &one), second = begin_thread(recv_byte, &one);
  char byte;
  assert_int_equal(snarl_connection_recv_into(&one, &byte, 1, SNARL_MS(20)), SNARL_TIMEOUT);
  assert_int_equal(snarl_connection_send(&other, "x", 1, SNARL_FOREVER), SNARL_OK);
  assert_int_equal(snarl_connection_send(&other, "y", 1, SNARL_FOREVER), SNARL_OK);
  assert_int_equal(as_status(end_thread(first)), 1);
  assert_int_equal(as_status(end_thread(second)), 1);
}

static void test_one_way(void **state) {
  (void)state;
  snarl_connection receiver, sender;
  char byte;
  assert_int_equal(snarl_pipe(&receiver, &sender, NULL, SNARL_SIMPLEX), SNARL_OK);
  assert_int_equal(snarl_connection_send(&receiver, "x", 1, SNARL_NOW), SNARL_INVALID);
  assert_int_equal(snarl_connection_recv_into(&sender, &byte, 1, SNARL_NOW), SNARL_INVALID);
  assert_int_equal(snarl_connection_poll(&sender, SNARL_NOW), SNARL_INVALID);
  assert_int_equal(snarl_connection_send(&sender, "x", 1, SNARL_NOW), SNARL_OK);
  assert_int_equal(snarl_connection_close(&sender), SNARL_OK);
  assert_int_equal(snarl_connection_recv_into(&receiver, &byte, 1, SNARL_FOREVER), 1);
  for (int i = 0; i < 2; i++) {
    assert_int_equal(snarl_connection_poll(&receiver, SNARL_FOREVER), 1);
    assert_int_equal(snarl_connection_recv_into(&receiver, &byte, 1, SNARL_FOREVER), SNARL_CLOSED);
  }
  assert_int_equal(snarl_connection_close(&receiver), SNARL_OK);
}

static void test_nobody_receives(void **state) {
  (void)state;
  assert_int_equal(snarl_connection_close(&other), SNARL_OK);
  assert_int_equal(snarl_connection_send(&one, "x", 1, SNARL_FOREVER), SNARL_CLOSED); /* and no SIGPIPE */
}

static void test_torn_off(void **state) {
  (void)state;
  char byte;
  uint64_t size = 10;
  assert_int_equal(write(snarl_connection_fileno(&one), &size, sizeof size), sizeof size);
  assert_int_equal(write(snarl_connection_fileno(&one), "123", 3), 3);
  assert_int_equal(snarl_connection_close(&one), SNARL_OK);
  assert_int_equal(snarl_connection_recv_into(&other, &byte, 1, SNARL_FOREVER), SNARL_TOO_LARGE);
  char ten[10];
  assert_int_equal(snarl_connection_recv_into(&other, ten, sizeof ten, SNARL_FOREVER), SNARL_TORN);
  assert_int_equal(snarl_connection_recv_into(&other, ten, sizeof ten, SNARL_FOREVER), SNARL_CLOSED);
}

static void test_descriptors_are_passed(void **state) {
  (void)state;
  int pipe_ends[2], before = descriptors();
  char byte;
  struct rlimit limit, none;
  assert_int_equal(pipe(pipe_ends), 0);
  assert_int_equal(snarl_connection_send_descriptor(&one, pipe_ends[1], SNARL_NOW), SNARL_OK);
  assert_int_equal(close(pipe_ends[1]), 0);
  assert_int_equal(snarl_connection_recv_into(&other, &byte, 1, SNARL_FOREVER), SNARL_INVALID);
  int fd = snarl_connection_recv_descriptor(&other, SNARL_FOREVER);
  assert_true(fd >= 0 && fcntl(fd, F_GETFD) & FD_CLOEXEC);
  assert_true(write(fd, "x", 1) == 1 && read(pipe_ends[0], &byte, 1) == 1 && !close(fd));
  assert_int_equal(snarl_connection_send(&one, "y", 1, SNARL_NOW), SNARL_OK);
  assert_int_equal(snarl_connection_recv_descriptor(&other, SNARL_NOW), SNARL_INVALID);
  assert_int_equal(snarl_connection_recv_into(&other, &byte, 1, SNARL_NOW), 1);
  assert_int_equal(snarl_connection_recv_descriptor(&other, SNARL_NOW), SNARL_TIMEOUT);
  assert_int_equal(snarl_connection_send_descriptor(&one, -1, SNARL_NOW), SNARL_INVALID);
  assert_int_equal(snarl_connection_send_descriptor(&one, 1000000, SNARL_NOW), SNARL_INVALID);
  assert_int_equal(snarl_connection_send_descriptor(&one, pipe_ends[0], SNARL_NOW), SNARL_OK);
  assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
  none = (struct rlimit){1, limit.rlim_max}; /* the poll is of one */
  assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
  int status = snarl_connection_recv_descriptor(&other, SNARL_NOW);
  assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
  assert_int_equal(status, SNARL_NO_DESCRIPTOR);
  assert_int_equal(snarl_connection_send_descriptor(&one, pipe_ends[0], SNARL_NOW), SNARL_OK);
  assert_int_equal(snarl_connection_recv_into(&other, &byte, 1, SNARL_NOW), SNARL_INVALID);
  assert_true(!close(pipe_ends[0]) && descriptors() == before + 1); /* which goes with the connection */
}

/* The child: has its own, and nothing of its sibling's. */
static int echo(void *unused) {
  (void)unused;
  char word[8];
  int64_t size;
  while ((size = snarl_connection_recv_into(&other, word, sizeof word, SNARL_FOREVER)) >= 0)
    if (snarl_connection_send(&other, word, (size_t)size, SNARL_FOREVER))
      return 2;
  return size == SNARL_CLOSED ? 0 : 1;
}

static int end_at_once(void *unused) {
  (void)unused;
  char byte;
  return snarl_connection_fileno(&other) == SNARL_CLOSED &&
                 snarl_connection_send(&other, "", 1, SNARL_FOREVER) == SNARL_CLOSED &&
                 snarl_connection_recv_into(&other, &byte, 1, SNARL_FOREVER) == SNARL_CLOSED
             ? 0
             : 1;
}

static void test_given_to_a_process(void **state) {
  (void)state;
  snarl_process before = SNARL_PROCESS_INIT("before", end_at_once, NULL), after = before;
  snarl_process owner = SNARL_PROCESS_INIT("owner", echo, NULL);
  char word[8];
  assert_int_equal(snarl_connection_give(&other, &owner), SNARL_OK);
  assert_int_equal(snarl_process_start(&before), SNARL_OK);
  assert_true(snarl_connection_fileno(&other) >= 0);
  assert_int_equal(snarl_process_start(&owner), SNARL_OK);
  assert_int_equal(snarl_connection_fileno(&other), SNARL_CLOSED);
  assert_int_equal(snarl_process_start(&after), SNARL_OK);
  assert_int_equal(snarl_connection_send(&one, "hello", 5, SNARL_FOREVER), SNARL_OK);
  assert_int_equal(snarl_connection_recv_into(&one, word, sizeof word, SNARL_FOREVER), 5);
  assert_memory_equal(word, "hello", 5);
  assert_int_equal(snarl_process_join(&before, SNARL_FOREVER), SNARL_OK);
  assert_int_equal(snarl_process_join(&after, SNARL_FOREVER), SNARL_OK);
  assert_int_equal(snarl_process_kill(&owner), SNARL_OK); /* it says nothing more */
  assert_int_equal(snarl_connection_recv_into(&one, word, sizeof word, SNARL_FOREVER), SNARL_CLOSED);
  assert_int_equal(snarl_process_join(&owner, SNARL_FOREVER), SNARL_FAILED);
}

static int wait_for_byte(void *unused) {
  (void)unused;
  return as_status(recv_byte(&other)) == 1 ? 0 : 1;
}

static void test_wait_for_several(void **state) {
  (void)state;
  snarl_process process = SNARL_PROCESS_INIT("process", wait_for_byte, NULL);
  snarl_connection a, b;
  char byte;
  assert_int_equal(snarl_pipe(&a, &b, "second", SNARL_DUPLEX), SNARL_OK);
  assert_int_equal(snarl_connection_give(&other, &process), SNARL_OK);
  assert_int_equal(snarl_process_start(&process), SNARL_OK);
  struct snarl_awaited awaited[] = {{.connection = &a}, {.process = &process}, {.connection = &b}};
  assert_int_equal(snarl_connection_wait(awaited, 3, SNARL_MS(5)), SNARL_TIMEOUT);
  assert_int_equal(snarl_connection_send(&a, "x", 1, SNARL_NOW), SNARL_OK);
  assert_int_equal(snarl_connection_wait(awaited, 3, SNARL_FOREVER), 1);
  assert_true(awaited[2].is_ready && !awaited[0].is_ready && !awaited[1].is_ready);
  assert_int_equal(snarl_connection_recv_into(&b, &byte, 1, SNARL_NOW), 1);
  assert_int_equal(snarl_connection_send(&one, "x", 1, SNARL_NOW), SNARL_OK);
  assert_int_equal(snarl_connection_wait(awaited, 3, SNARL_FOREVER), 1);
  assert_true(awaited[1].is_ready && !awaited[0].is_ready && !awaited[2].is_ready);
  assert_int_equal(snarl_process_join(&process, SNARL_FOREVER), SNARL_OK);
  assert_int_equal(snarl_connection_close(&a), SNARL_OK);
  assert_int_equal(snarl_connection_wait(awaited + 1, 2, SNARL_FOREVER), 2); /* joined before, closed */
  assert_int_equal(snarl_connection_wait(awaited, 3, SNARL_NOW), SNARL_DESTROYED);
  struct snarl_awaited many[20];
  for (int i = 0; i < 20; i++)
    many[i] = (struct snarl_awaited){.connection = &b};
  until_failure = 1;
  assert_int_equal(snarl_connection_wait(many, 20, SNARL_NOW), SNARL_NO_MEMORY);
  assert_int_equal(snarl_connection_wait(many, 20, SNARL_NOW), 20);
  assert_int_equal(snarl_connection_close(&b), SNARL_OK);
}

static void test_misuse_is_told(void **state) {
  (void)state;
  snarl_connection zero;
  struct snarl_awaited nothing = {.connection = NULL};
  void *message;
  memset(&zero, 0, sizeof zero);
  assert_int_equal(snarl_pipe(NULL, &zero, "x", SNARL_DUPLEX), SNARL_INVALID);
  assert_int_equal(snarl_pipe(&zero, NULL, "x", SNARL_DUPLEX), SNARL_INVALID);
  assert_int_equal(snarl_pipe(&zero, &zero, "x", SNARL_DUPLEX), SNARL_INVALID);
  assert_int_equal(snarl_connection_send(NULL, "x", 1, SNARL_NOW), SNARL_INVALID);
  assert_int_equal(snarl_connection_send(&zero, "x", 1, SNARL_NOW), SNARL_NOT_INITIALIZED);
  assert_int_equal(snarl_connection_send(&one, NULL, 1, SNARL_NOW), SNARL_INVALID);
  assert_int_equal(snarl_connection_recv_into(&one, NULL, 1, SNARL_NOW), SNARL_INVALID);
  assert_int_equal(snarl_connection_recv(&one, NULL, 1, SNARL_NOW), SNARL_INVALID);
  assert_int_equal(snarl_connection_recv(&zero, &message, 1, SNARL_NOW), SNARL_NOT_INITIALIZED);
  assert_int_equal(snarl_connection_poll(NULL, SNARL_NOW), SNARL_INVALID);
  assert_int_equal(snarl_connection_fileno(NULL), SNARL_INVALID);
  assert_int_equal(snarl_connection_give(NULL, NULL), SNARL_INVALID);
  assert_int_equal(snarl_connection_wait(NULL, 1, SNARL_NOW), SNARL_INVALID);
  assert_int_equal(snarl_connection_wait(&nothing, 0, SNARL_NOW), SNARL_INVALID);
  assert_int_equal(snarl_connection_wait(&nothing, 1, SNARL_NOW), SNARL_INVALID);
  assert_int_equal(snarl_connection_close(&zero), SNARL_NOT_INITIALIZED);
  assert_int_equal(snarl_connection_close(&one), SNARL_OK);
  assert_int_equal(snarl_connection_close(&one), SNARL_DESTROYED);
  assert_int_equal(snarl_connection_send(&one, "x", 1, SNARL_NOW), SNARL_DESTROYED);
}

static void test_failures_below(void **state) {
  (void)state;
  snarl_connection a, b;
  for (int i = 1; i <= 2; i++) {
    until_failure = i;
    assert_int_equal(snarl_pipe(&a, &b, "x", SNARL_DUPLEX), SNARL_NO_MEMORY);
  }
  struct rlimit limit, none;
  assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
  int lowest = dup(STDIN_FILENO);
  assert_true(lowest >= 0 && !close(lowest));
  none = (struct rlimit){(rlim_t)lowest + 1, limit.rlim_max}; /* room for one of two */
  assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
  int status = snarl_pipe(&a, &b, "x", SNARL_DUPLEX);
  assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
  assert_int_equal(status, SNARL_NO_DESCRIPTOR);
}

#define WITH_PIPE(test) cmocka_unit_test_setup_teardown(test, open_pipe, close_pipe)

int main(void) {
  const struct CMUnitTest tests[] = {
      WITH_PIPE(test_messages_of_all_sizes),
      WITH_PIPE(test_a_large_message_stays),
      WITH_PIPE(test_time_limits),
      WITH_PIPE(test_values),
      WITH_PIPE(test_values_that_are_none),
      WITH_PIPE(test_threads_take_turns),
      WITH_PIPE(test_one_way),
      WITH_PIPE(test_nobody_receives),
      WITH_PIPE(test_torn_off),
      WITH_PIPE(test_descriptors_are_passed),
      WITH_PIPE(test_given_to_a_process),
      WITH_PIPE(test_wait_for_several),
      WITH_PIPE(test_misuse_is_told),
      WITH_PIPE(test_failures_below),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
