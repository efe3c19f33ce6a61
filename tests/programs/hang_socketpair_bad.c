/* SPDX-License-Identifier: MIT
 *
 * Parent and child each send more than a socket holds before they receive.
 */
#include "run.h"
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TOO_MUCH = 1 << 20 }; /* for a socket */

static char bytes[TOO_MUCH];

static void send_all(int fd) {
  for (size_t done = 0; done < sizeof bytes;) {
    ssize_t sent = send(fd, bytes + done, sizeof bytes - done, 0);
    if (sent <= 0)
      abort();
    done += (size_t)sent;
  }
}

static void receive_all(int fd) {
  for (size_t done = 0; done < sizeof bytes;) {
    ssize_t received = recv(fd, bytes, sizeof bytes, 0);
    if (received <= 0)
      abort();
    done += (size_t)received;
  }
}

int main(void) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends))
    abort();
  pid_t child = fork();
  close(ends[child == 0]);
  int own = ends[child != 0];
  send_all(own);
  receive_all(own);
  if (child == 0)
    _exit(0);
  return waitpid(child, NULL, 0) != child;
}
