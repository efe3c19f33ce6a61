/* SPDX-License-Identifier: MIT
 *
 * Parent and child each send more messages than a queue holds before they receive.
 */
#include "run.h"
#include <fcntl.h>
#include <mqueue.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MESSAGES = 8, ROOM = 4 };

static mqd_t queue_make(const char *what) {
  char name[64];
  struct mq_attr attributes = {.mq_maxmsg = ROOM, .mq_msgsize = 8};
  snprintf(name, sizeof name, "/snarl-test-%s-%d", what, getpid());
  mqd_t queue = mq_open(name, O_CREAT | O_EXCL | O_RDWR, 0600, &attributes);
  if (queue < 0 || mq_unlink(name))
    abort();
  return queue;
}

static void send_all(mqd_t queue) {
  for (int i = 0; i < MESSAGES; i++)
    if (mq_send(queue, "message", 8, 0))
      abort();
}

static void receive_all(mqd_t queue) {
  char message[8];
  for (int i = 0; i < MESSAGES; i++)
    if (mq_receive(queue, message, sizeof message, NULL) != 8)
      abort();
}

int main(void) {
  mqd_t there = queue_make("there"), back = queue_make("back");
  pid_t child = fork();
  if (child == 0) {
    send_all(back);
    receive_all(there);
    _exit(0);
  }
  send_all(there);
  receive_all(back);
  return waitpid(child, NULL, 0) != child;
}
