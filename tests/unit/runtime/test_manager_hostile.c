/* SPDX-License-Identifier: MIT
 *
 * A Manager's clients that do not keep to the rules: garbage, truncated and endless messages, silence, replies that are
 * not fetched, and thousands of them. Each is told or left; all others are answered. The seed of the garbage is
 * printed; test-runtime-manager_hostile takes it from SNARL_SEED.
 */
#include "multiprocessing/manager/wire.h"
#include "test_runtime.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static snarl_manager manager;
static snarl_dict dict;
static uint64_t seed;

static uint64_t draw(uint64_t below) {
  seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
  return seed % below;
}

static int setup(void **state) {
  (void)state;
  if (snarl_manager_start(&manager, "manager", NULL))
    return -1;
  return snarl_manager_dict(&manager, &dict, "dict") || snarl_dict_set(&dict, "k", "v");
}

static int teardown(void **state) {
  (void)state;
  return snarl_manager_shutdown(&manager) == SNARL_OK ? 0 : -1;
}

/* Everybody else is served as ever. */
static void assert_served(void) {
  snarl_auto_any value = snarl_dict_get(&dict, "k");
  assert_int_equal(snarl_any_status(value), SNARL_OK);
  assert_string_equal(snarl_any_as_string(value), "v");
}

static int connect_raw(void) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  int length = snprintf(address.sun_path + 1, sizeof address.sun_path - 1, "snarl/%s", snarl_manager_address(&manager));
  int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
  if (fd < 0 || connect(fd, (struct sockaddr *)&address,
                        (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)length)))
    fail_msg("connect: %s", strerror(errno));
  return fd;
}

struct message {
  struct manager_request head;
  unsigned char rest[64];
};

static struct message message_of(enum manager_operation operation, const void *key, size_t key_size, const void *value,
                                 size_t value_size) {
  struct message message = {.head = {.operation = (uint8_t)operation, .object = 1, .key_size = (uint32_t)key_size}};
  memcpy(message.rest, key, key_size);
  memcpy(message.rest + key_size, value, value_size);
  message.head.size = (uint32_t)(sizeof message.head + key_size + value_size);
  return message;
}

/* The status of the reply; 1: there is none, the connection is closed. */
static int status_of_reply(int fd) {
  struct manager_reply reply;
  long size = recv(fd, &reply, sizeof reply, MSG_TRUNC);
  if (size < 0 && errno == ECONNRESET) /* it had not taken all when it left */
    size = recv(fd, &reply, sizeof reply, MSG_TRUNC);
  if (size <= 0)
    return 1;
  assert_true((size_t)size >= sizeof reply);
  return reply.status;
}

/* What is said to such a message, and whether the connection lasts. */
static void assert_says(const void *bytes, size_t size, int status, bool lasts) {
  int fd = connect_raw();
  assert_int_equal(send(fd, bytes, size, MSG_NOSIGNAL), (long)size);
  assert_int_equal(status_of_reply(fd), status);
  struct message next = message_of(MANAGER_LENGTH, "", 0, "", 0);
  (void)send(fd, &next, next.head.size, MSG_NOSIGNAL);
  assert_int_equal(status_of_reply(fd), lasts ? SNARL_OK : 1);
  (void)close(fd);
  assert_served();
}

static void test_rules(void **state) {
  (void)state;
  static const unsigned char huge_list[] = {0xdd, 0xff, 0xff, 0xff, 0xff}, key[] = {0xa1, 'x'};
  struct message message = message_of(MANAGER_SET, key, 2, huge_list, 5);
  assert_says(&message, message.head.size, SNARL_PROTOCOL, false);
  message = message_of(MANAGER_SET, huge_list, 5, key, 2);
  assert_says(&message, message.head.size, SNARL_PROTOCOL, false);
  message = message_of(MANAGER_SET, key, 2, "\xc1", 1);
  assert_says(&message, message.head.size, SNARL_PROTOCOL, false);
  message = message_of(MANAGER_SET, key, 2, "\xa2\xff\xff", 3); /* no UTF-8 */
  assert_says(&message, message.head.size, SNARL_PROTOCOL, false);
  message = message_of(MANAGER_SET, key, 2, "\x01\x02", 2); /* more behind the value */
  assert_says(&message, message.head.size, SNARL_PROTOCOL, false);
  message = message_of(MANAGER_SET, key, 2, "", 0);
  assert_says(&message, message.head.size, SNARL_PROTOCOL, false);
  message = message_of(MANAGER_GET, "", 0, "", 0);
  assert_says(&message, message.head.size, SNARL_PROTOCOL, false);
  message = message_of(MANAGER_PUSH, "", 0, "\x01", 1); /* of a list, to a dict */
  assert_says(&message, message.head.size, SNARL_PROTOCOL, false);
  message = message_of(MANAGER_OPERATIONS, "", 0, "", 0);
  assert_says(&message, message.head.size, SNARL_PROTOCOL, false);
  message = message_of(MANAGER_OPEN, key, 2, "", 0); /* of no kind */
  assert_says(&message, message.head.size, SNARL_PROTOCOL, false);
  message = message_of(MANAGER_GET, key, 2, "", 0);
  message.head.key_size = UINT32_MAX;
  assert_says(&message, message.head.size, SNARL_PROTOCOL, false);
  message = message_of(MANAGER_GET, key, 2, "", 0);
  assert_says(&message, message.head.size, SNARL_NOT_FOUND, true);
  message.head.object = UINT32_MAX;
  assert_says(&message, message.head.size, SNARL_NOT_FOUND, true);
  message = message_of(MANAGER_HELLO, "", 0, "", 0); /* another protocol */
  message.head.number = MANAGER_PROTOCOL + 1;
  assert_says(&message, message.head.size, SNARL_PROTOCOL, false);
}

/* Only its creator ends it. */
static void test_end(void **state) {
  (void)state;
  struct message message = message_of(MANAGER_END, "", 0, "", 0);
  int status;
  pid_t child = fork();
  if (!child) {
    int fd = connect_raw();
    _exit(send(fd, &message, message.head.size, 0) < 0 || status_of_reply(fd) != SNARL_PROTOCOL);
  }
  assert_int_equal(waitpid(child, &status, 0), child);
  assert_int_equal(status, 0);
  assert_served();
}

/* By one whom it has just answered, for whose next request it may be looking without a sleep. */
static void test_end_at_once(void **state) {
  (void)state;
  snarl_manager common = manager;
  struct message length = message_of(MANAGER_HELLO, "", 0, "", 0), end = message_of(MANAGER_END, "", 0, "", 0);
  length.head.number = MANAGER_PROTOCOL;
  for (int round = 0; round < 60; round++) {
    assert_int_equal(snarl_manager_start(&manager, "short", NULL), SNARL_OK);
    int fd = connect_raw();
    for (int i = 0; i < 20; i++) {
      assert_int_equal(send(fd, &length, length.head.size, MSG_NOSIGNAL), length.head.size);
      assert_int_equal(status_of_reply(fd), SNARL_OK);
    }
    assert_int_equal(send(fd, &end, end.head.size, MSG_NOSIGNAL), end.head.size);
    assert_int_equal(snarl_process_join(snarl_manager_process(&manager), SNARL_S(60)), SNARL_OK);
    (void)close(fd);
    (void)snarl_manager_shutdown(&manager);
  }
  manager = common;
}

static void test_sizes(void **state) {
  (void)state;
  struct message message = message_of(MANAGER_LENGTH, "", 0, "", 0);
  assert_says(&message, 1, SNARL_PROTOCOL, false);
  assert_says(&message, sizeof message.head - 1, SNARL_PROTOCOL, false);
  assert_says(&message, sizeof message.head + 1, SNARL_PROTOCOL, false); /* more than it said */
  message.head.size = UINT32_MAX;
  assert_says(&message, sizeof message.head, SNARL_TOO_LARGE, false);
  static char packet[MANAGER_PACKET + 1];
  memcpy(packet, &message, sizeof message);
  assert_says(packet, sizeof packet, SNARL_PROTOCOL, false);
}

/* More pieces than were promised, and a piece too few. */
static void test_pieces(void **state) {
  (void)state;
  struct message message = message_of(MANAGER_LENGTH, "", 0, "", 0);
  message.head.size = sizeof message.head + 100;
  char piece[101] = {0};
  int fd = connect_raw();
  assert_int_equal(send(fd, &message, sizeof message.head, 0), sizeof message.head);
  assert_int_equal(send(fd, piece, 101, 0), 101);
  assert_int_equal(status_of_reply(fd), SNARL_PROTOCOL);
  (void)close(fd);
  fd = connect_raw();
  assert_int_equal(send(fd, &message, sizeof message.head, 0), sizeof message.head);
  assert_int_equal(send(fd, piece, 99, 0), 99);
  assert_served();
  (void)close(fd);
  assert_served();
}

static void random_message(struct message *message) {
  unsigned char *bytes = (unsigned char *)message;
  for (size_t i = 0; i < sizeof *message; i++)
    bytes[i] = (unsigned char)draw(256);
  if (!draw(4))
    return;
  message->head.operation = (uint8_t)draw(MANAGER_OPERATIONS + 1);
  message->head.object = (uint32_t)draw(4);
  message->head.key_size = draw(8) ? (uint32_t)draw(20) : message->head.key_size;
  message->head.size = draw(8) ? (uint32_t)(sizeof message->head + draw(64)) : message->head.size;
  if (draw(2))
    message->rest[0] = (unsigned char)(0xa0 + draw(4));
  message->head.number = draw(2) ? (int64_t)draw(5) : message->head.number;
}

/* All that comes back is a whole reply. */
static void drain(int fd) {
  static unsigned char bytes[MANAGER_FIRST];
  struct pollfd polled = {.fd = fd, .events = POLLIN};
  while (poll(&polled, 1, 0) > 0) {
    long size = recv(fd, bytes, sizeof bytes, MSG_DONTWAIT | MSG_TRUNC);
    if (size <= 0)
      return;
    assert_true((size_t)size >= sizeof(struct manager_reply) && size <= MANAGER_FIRST);
  }
}

static void throw_garbage(void) {
  for (int i = 0; i < 3000; i++) {
    int fd = connect_raw();
    struct message message;
    for (uint64_t messages = draw(8); messages--;) {
      random_message(&message);
      size_t size = draw(2) && message.head.size <= sizeof message && message.head.size ? message.head.size
                                                                                        : 1 + draw(sizeof message);
      (void)send(fd, &message, size, MSG_DONTWAIT | MSG_NOSIGNAL);
      drain(fd);
    }
    (void)close(fd);
  }
}

/* From a stranger: among its garbage are requests to end, which the creator's would be right to make. */
static void test_garbage(void **state) {
  (void)state;
  print_message("seed %llu\n", (unsigned long long)seed);
  snarl_dict others;
  assert_int_equal(snarl_manager_dict(&manager, &others, NULL), SNARL_OK); /* objects 1 to 3 are for the garbage */
  snarl_list list;
  assert_int_equal(snarl_manager_list(&manager, &list, NULL), SNARL_OK);
  assert_int_equal(snarl_manager_dict(&manager, &dict, NULL), SNARL_OK);
  assert_int_equal(snarl_dict_set(&dict, "k", "v"), SNARL_OK);
  pid_t stranger = fork(), ended;
  if (!stranger) {
    throw_garbage();
    _exit(0);
  }
  int status;
  do {
    assert_served();
    ended = waitpid(stranger, &status, WNOHANG);
  } while (!ended);
  assert_true(ended == stranger && status == 0);
  assert_served();
}

/* They ask for much and fetch nothing of it. */
static void test_unfetched(void **state) {
  (void)state;
  enum { SILENT = 50, LARGE = 4 << 20 };
  int silent[SILENT];
  char *bytes = calloc(1, LARGE);
  snarl_dict large;
  assert_int_equal(snarl_manager_dict(&manager, &large, NULL), SNARL_OK);
  assert_int_equal(snarl_dict_set(&large, 1, snarl_any_bytes(bytes, LARGE)), SNARL_OK);
  free(bytes);
  struct message message = message_of(MANAGER_COPY, "", 0, "", 0);
  message.head.object = large.proxy.id;
  for (int i = 0; i < SILENT; i++) {
    silent[i] = connect_raw();
    assert_int_equal(send(silent[i], &message, message.head.size, 0), message.head.size);
    assert_served();
  }
  for (int i = 0; i < SILENT; i++) /* and one of them does after all */
    if (i == 7) {
      size_t got = 0;
      static char packet[MANAGER_PACKET];
      while (got < LARGE) {
        long size = recv(silent[i], packet, sizeof packet, 0);
        assert_true(size > 0);
        got += (size_t)size;
      }
    }
  for (int i = 0; i < SILENT; i++)
    (void)close(silent[i]);
  assert_int_equal(snarl_dict_forget(&large), SNARL_OK);
  assert_served();
}

static int count_descriptors_of(int pid) {
  char path[64];
  int count = 0;
  for (int fd = 0; fd < 200; fd++) {
    (void)snprintf(path, sizeof path, "/proc/%d/fd/%d", pid, fd);
    count += !access(path, F_OK) || errno == EACCES;
  }
  return count;
}

/* At once or soon: who has left is noticed when it is his turn. */
static void assert_has_descriptors(int pid, int count) {
  snarl_time deadline = snarl_deadline(SNARL_S(10));
  while (count_descriptors_of(pid) != count && snarl_time_left(deadline))
    snarl_sleep(SNARL_MS(1));
  assert_int_equal(count_descriptors_of(pid), count);
}

static void send_with_descriptors(int fd, const struct message *message, int count) {
  static const int given[2] = {0, 0};
  const size_t size = (size_t)count * sizeof *given;
  union {
    char bytes[CMSG_SPACE(sizeof given)];
    struct cmsghdr header;
  } passed = {.header = {CMSG_LEN(size), SOL_SOCKET, SCM_RIGHTS}};
  memcpy(CMSG_DATA(&passed.header), given, size);
  struct iovec part = {(void *)(uintptr_t)message, message->head.size};
  struct msghdr whole = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = &passed, .msg_controllen = CMSG_LEN(size)};
  assert_int_equal(sendmsg(fd, &whole, MSG_NOSIGNAL), message->head.size);
}

static void send_with_descriptor(int fd, const struct message *message) { send_with_descriptors(fd, message, 1); }

/* Descriptors that nobody asked for, with a request, two at once, with garbage, and offers without one: the server
 * keeps none. What is no queue is refused by whoever fetches it. */
static void test_descriptors(void **state) {
  (void)state;
  static const unsigned char key[] = {0xa1, 'q'};
  snarl_manager common = manager;
  snarl_dict own;
  assert_int_equal(snarl_manager_start(&manager, NULL, NULL), SNARL_OK);
  assert_int_equal(snarl_manager_dict(&manager, &own, "own"), SNARL_OK);
  int server = snarl_process_pid(snarl_manager_process(&manager));
  int before = count_descriptors_of(server), fd = connect_raw();
  struct message length = message_of(MANAGER_LENGTH, "", 0, "", 0), fetch = message_of(MANAGER_FETCH, key, 2, "", 0);
  struct message offer = message_of(MANAGER_OFFER, key, 2, "", 0), wrong = message_of(MANAGER_FETCH, "", 0, "", 0);
  send_with_descriptor(fd, &length);
  assert_int_equal(status_of_reply(fd), SNARL_OK);
  send_with_descriptor(fd, &offer);
  assert_int_equal(status_of_reply(fd), SNARL_NO_DESCRIPTOR);
  assert_int_equal(send(fd, &fetch, fetch.head.size, 0), fetch.head.size);
  assert_int_equal(status_of_reply(fd), SNARL_NOT_FOUND);
  send_with_descriptor(fd, &length);
  assert_int_equal(status_of_reply(fd), SNARL_OK);
  assert_has_descriptors(server, before + 1);
  assert_int_equal(send(fd, &fetch, fetch.head.size, 0), fetch.head.size);
  assert_int_equal(status_of_reply(fd), SNARL_NOT_FOUND);
  send_with_descriptors(fd, &length, 2);
  assert_int_equal(status_of_reply(fd), SNARL_OK);
  assert_has_descriptors(server, before + 1);
  assert_int_equal(send(fd, &fetch, fetch.head.size, 0), fetch.head.size);
  assert_int_equal(status_of_reply(fd), SNARL_NOT_FOUND);
  send_with_descriptor(fd, &wrong);
  assert_int_equal(status_of_reply(fd), SNARL_PROTOCOL);
  (void)close(fd);
  assert_has_descriptors(server, before);
  fd = connect_raw();
  assert_int_equal(send(fd, &fetch, fetch.head.size, 0), fetch.head.size);
  assert_int_equal(status_of_reply(fd), SNARL_NOT_FOUND);
  send_with_descriptor(fd, &offer);
  assert_int_equal(status_of_reply(fd), SNARL_OK);
  snarl_process_queue queue;
  assert_int_equal(snarl_manager_queue(&manager, &queue, "q", 0), SNARL_INVALID);
  (void)close(fd);
  assert_int_equal(snarl_manager_shutdown(&manager), SNARL_OK);
  manager = common;
}

static rlim_t raise_limit(void) {
  struct rlimit limit;
  assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
  limit.rlim_cur = limit.rlim_max;
  assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
  return limit.rlim_cur;
}

/* Each has its connection and uses it; a fifth of them stop in the middle of a message. */
static void test_thousands(void **state) {
  (void)state;
  enum { CLIENTS = 2500 };
  static int clients[CLIENTS];
  if (raise_limit() < CLIENTS + 50)
    skip();
  static const unsigned char key[] = {0xa1, 'n'}, one[] = {1};
  struct message message = message_of(MANAGER_ADD, key, 2, one, 1);
  snarl_dict counted;
  assert_int_equal(snarl_manager_dict(&manager, &counted, NULL), SNARL_OK);
  message.head.object = counted.proxy.id;
  for (int i = 0; i < CLIENTS; i++)
    clients[i] = connect_raw();
  int added = 0;
  for (int round = 0; round < 4; round++) {
    for (int i = 0; i < CLIENTS; i++) {
      bool is_half = round == 0 && i % 5 == 0;
      message.head.size = (uint32_t)(sizeof message.head + 3 + (is_half ? 100 : 0));
      if (round == 0 || i % 5)
        assert_int_equal(send(clients[i], &message, sizeof message.head + 3, 0), sizeof message.head + 3);
      added += i % 5 != 0;
    }
    for (int i = 0; i < CLIENTS; i++)
      if (i % 5)
        assert_int_equal(status_of_reply(clients[i]), SNARL_OK);
  }
  snarl_auto_any sum = snarl_dict_get(&counted, "n");
  assert_int_equal(snarl_any_as_int(sum), added);
  for (int i = 0; i < CLIENTS; i++)
    (void)close(clients[i]);
  assert_served();
}

/* The server has no descriptor for more: that is what they are told, and when others go they are served. */
static void test_crowd(void **state) {
  (void)state;
  enum { CLIENTS = 40 };
  static const struct rlimit few = {20, 20};
  snarl_manager common = manager;
  snarl_dict own;
  int clients[CLIENTS], refused = 0;
  assert_int_equal(snarl_manager_start(&manager, NULL, NULL), SNARL_OK);
  assert_int_equal(prlimit(snarl_process_pid(snarl_manager_process(&manager)), RLIMIT_NOFILE, &few, NULL), 0);
  for (int i = 0; i < CLIENTS; i++)
    clients[i] = connect_raw();
  assert_int_equal(snarl_manager_dict(&manager, &own, "own"), SNARL_NO_DESCRIPTOR);
  struct message message = message_of(MANAGER_LENGTH, "", 0, "", 0);
  for (int i = 0; i < CLIENTS; i++) {
    (void)send(clients[i], &message, message.head.size, MSG_NOSIGNAL);
    refused += status_of_reply(clients[i]) == SNARL_NO_DESCRIPTOR;
    (void)close(clients[i]);
  }
  assert_true(refused >= 20 && refused < CLIENTS);
  assert_int_equal(snarl_manager_dict(&manager, &own, "own"), SNARL_OK);
  assert_int_equal(snarl_manager_shutdown(&manager), SNARL_OK);
  manager = common;
}

int main(void) {
  const char *given = getenv("SNARL_SEED");
  seed = given ? strtoull(given, NULL, 0) : (uint64_t)snarl_clock() ^ (uint64_t)getpid() << 32;
  seed += !seed;
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_rules),       cmocka_unit_test(test_sizes),       cmocka_unit_test(test_end),
      cmocka_unit_test(test_pieces),      cmocka_unit_test(test_unfetched),   cmocka_unit_test(test_thousands),
      cmocka_unit_test(test_crowd),       cmocka_unit_test(test_descriptors), cmocka_unit_test(test_garbage),
      cmocka_unit_test(test_end_at_once),
  };
  return cmocka_run_group_tests(tests, setup, teardown);
}
