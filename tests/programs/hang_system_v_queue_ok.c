/* SPDX-License-Identifier: MIT
 *
 * Parent and child exchange more than a System V queue holds: the child receives first.
 */
#include "run.h"
#include <sys/msg.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MESSAGES = 64 }; /* of 1 KiB each: more than a queue holds */

struct message {
  long type;
  char text[1024];
};

static void send_all(int queue) {
  struct message message = {.type = 1};
  for (int i = 0; i < MESSAGES; i++)
    if (msgsnd(queue, &message, sizeof message.text, 0))
      abort();
}

static void receive_all(int queue) {
  struct message message;
  for (int i = 0; i < MESSAGES; i++)
    if (msgrcv(queue, &message, sizeof message.text, 0, 0) < 0)
      abort();
}

int main(void) {
  int there = msgget(IPC_PRIVATE, 0600), back = msgget(IPC_PRIVATE, 0600);
  if (there < 0 || back < 0)
    abort();
  pid_t child = fork();
  if (child == 0) {
    receive_all(there);
    send_all(back);
    _exit(0);
  }
  send_all(there);
  receive_all(back);
  int result = waitpid(child, NULL, 0) != child;
  msgctl(there, IPC_RMID, NULL);
  msgctl(back, IPC_RMID, NULL);
  return result;
}
