/* SPDX-License-Identifier: MIT
 *
 * A dictionary that a server process has: one number set or got by each request of one client. Redis's protocol is
 * spoken to a redis-server that lives as long as the measurement and listens to a Unix socket.
 */
#include "process_peers.h"
#include <errno.h>
#include <signal.h>
#include <snarl/snarl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

enum { KEYS = 10, TRIES = 2000 };

static pid_t server;
static int connection;

static void exec_server(const char *path) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  place_worker(1);
  must(freopen("/dev/null", "w", stdout) != NULL, "freopen");
  execlp("redis-server", "redis-server", "--port", "0", "--unixsocket", path, "--save", "", "--dir", scratch, NULL);
  _exit(errno == ENOENT ? 77 : 1);
}

/* Its socket is there when it listens. */
static bool is_connected(const char *path) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  must(strlen(path) < sizeof address.sun_path, "a socket's name");
  strcpy(address.sun_path, path);
  return connect(connection, (struct sockaddr *)&address, sizeof address) == 0;
}

static void open_redis(int worker) {
  char path[64];
  int status;
  (void)worker;
  snprintf(path, sizeof path, "%s/redis", scratch);
  server = fork();
  must(server >= 0, "fork");
  if (!server)
    exec_server(path);
  connection = socket(AF_UNIX, SOCK_STREAM, 0);
  for (int i = 0; !is_connected(path); i++) {
    if (waitpid(server, &status, WNOHANG) == server)
      not_here("redis-server");
    must(i < TRIES, "redis-server's start");
    usleep(1000);
  }
}

static void close_redis(int worker) {
  (void)worker;
  kill(server, SIGKILL);
  waitpid(server, NULL, 0);
}

/* One answer is one read: it is as short as that. */
static const char *ask(const char *request, int size) {
  static char answer[64];
  must(write(connection, request, (size_t)size) == size, "write");
  ssize_t got = read(connection, answer, sizeof answer - 1);
  must(got > 2 && answer[got - 1] == '\n', "read");
  answer[got] = 0;
  return answer;
}

static int set_request(char *request, size_t room, long key, long value) {
  char text[24];
  int length = snprintf(text, sizeof text, "%ld", value);
  return snprintf(request, room, "*3\r\n$3\r\nSET\r\n$1\r\n%ld\r\n$%d\r\n%s\r\n", key, length, text);
}

static long get(long key) {
  char request[64];
  int size = snprintf(request, sizeof request, "*2\r\n$3\r\nGET\r\n$1\r\n%ld\r\n", key);
  const char *answer = ask(request, size);
  must(answer[0] == '$' && strchr(answer, '\n') != NULL, "GET");
  return atol(strchr(answer, '\n') + 1);
}

static void set_all(int worker, long operations) {
  char request[96];
  double begin = now();
  for (long i = 0; i < operations; i++)
    must(!strcmp(ask(request, set_request(request, sizeof request, i % KEYS, i)), "+OK\r\n"), "SET");
  tell(worker, begin, (uint64_t)operations, 0);
  must(get((operations - 1) % KEYS) == operations - 1, "what was set");
}

static void get_all(int worker, long operations) {
  char request[96];
  uint64_t sum = 0;
  for (long i = 0; i < KEYS; i++)
    must(!strcmp(ask(request, set_request(request, sizeof request, i, i)), "+OK\r\n"), "SET");
  double begin = now();
  for (long i = 0; i < operations; i++)
    sum += (uint64_t)get(i % KEYS);
  tell(worker, begin, (uint64_t)operations, sum);
}

static uint64_t sum_of_keys(long operations, uint64_t *sum) {
  for (long i = 0; i < operations; i++)
    *sum += (uint64_t)(i % KEYS);
  return (uint64_t)operations;
}

static snarl_manager own;
static snarl_dict numbers;

/* The server runs where its creator was. */
static void open_own(int worker) {
  place_worker(1);
  must(snarl_manager_start(&own, "manager", NULL) == SNARL_OK, "snarl_manager_start");
  place_worker(worker);
  must(snarl_manager_dict(&own, &numbers, "numbers") == SNARL_OK, "snarl_manager_dict");
}

static void close_own(int worker) {
  (void)worker;
  must(snarl_manager_shutdown(&own) == SNARL_OK, "snarl_manager_shutdown");
}

static long get_own(long key) {
  snarl_auto_any value = snarl_dict_get(&numbers, key);
  return snarl_any_as_int(value);
}

static void set_all_own(int worker, long operations) {
  double begin = now();
  for (long i = 0; i < operations; i++)
    must(snarl_dict_set(&numbers, i % KEYS, i) == SNARL_OK, "snarl_dict_set");
  tell(worker, begin, (uint64_t)operations, 0);
  must(get_own((operations - 1) % KEYS) == operations - 1, "what was set");
}

static void get_all_own(int worker, long operations) {
  uint64_t sum = 0;
  for (long i = 0; i < KEYS; i++)
    must(snarl_dict_set(&numbers, i, i) == SNARL_OK, "snarl_dict_set");
  double begin = now();
  for (long i = 0; i < operations; i++)
    sum += (uint64_t)get_own(i % KEYS);
  tell(worker, begin, (uint64_t)operations, sum);
}

const struct process_peer manager_peers[] = {
    {.subject = "manager-set", .name = "snarl", .workers = 1, .open = open_own, .run = set_all_own, .close = close_own},
    {.subject = "manager-get",
     .name = "snarl",
     .workers = 1,
     .open = open_own,
     .run = get_all_own,
     .close = close_own,
     .expected = sum_of_keys},
    {.subject = "manager-set", .name = "redis", .workers = 1, .open = open_redis, .run = set_all, .close = close_redis},
    {.subject = "manager-get",
     .name = "redis",
     .workers = 1,
     .open = open_redis,
     .run = get_all,
     .close = close_redis,
     .expected = sum_of_keys},
    {.subject = NULL},
};
