/* SPDX-License-Identifier: MIT
 *
 * Client and server exchange more than a connection holds: the server receives first.
 */
#include "run.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

enum { TOO_MUCH = 32 << 20 }; /* for both sockets of a connection */

static struct sockaddr_in address = {.sin_family = AF_INET};
static char out[TOO_MUCH];

static void send_all(int fd) {
  for (size_t done = 0; done < sizeof out;) {
    ssize_t sent = write(fd, out + done, sizeof out - done);
    if (sent <= 0)
      abort();
    done += (size_t)sent;
  }
}

static void receive_all(int fd) {
  static _Thread_local char in[1 << 16];
  for (size_t done = 0; done < sizeof out;) {
    ssize_t received = read(fd, in, sizeof in);
    if (received <= 0)
      abort();
    done += (size_t)received;
  }
}

static void *client(void *unused) {
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address))
    abort();
  send_all(fd);
  receive_all(fd);
  close(fd);
  return unused;
}

static void *server(void *listener) {
  int fd = accept(*(int *)listener, NULL, NULL);
  if (fd < 0)
    abort();
  receive_all(fd);
  send_all(fd);
  close(fd);
  return NULL;
}

int main(void) {
  socklen_t size = sizeof address;
  int listener = socket(AF_INET, SOCK_STREAM, 0);
  pthread_t threads[2];
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (bind(listener, (struct sockaddr *)&address, size) || listen(listener, 1) ||
      getsockname(listener, (struct sockaddr *)&address, &size))
    abort();
  if (pthread_create(&threads[0], NULL, server, &listener) || pthread_create(&threads[1], NULL, client, NULL))
    abort();
  for (int i = 0; i < 2; i++)
    if (pthread_join(threads[i], NULL))
      abort();
  return 0;
}
