/* SPDX-License-Identifier: MIT
 *
 * Connections whose other side is killed: what comes is whole, and the survivor is told and ends. Messages are larger
 * than the kernel keeps for a while, so that senders are killed in the midst of them.
 */
#include "killed.h"
#include <string.h>
#include <unistd.h>

enum { LARGEST = 400 * 1024, SMALL = 300 };

struct message {
  uint64_t number, size;
  unsigned char bytes[LARGEST];
};

static snarl_connection to, from;
static struct counts *counts;
static struct message message;

/* The bytes are those of the number, so that halves of two messages do not pass for one. */
static void fill(uint64_t number) {
  message.number = number;
  message.size = sizeof message - LARGEST + (draw(8) ? draw(SMALL) : draw(LARGEST));
  memset(message.bytes, (int)(number & 0xff), message.size - (sizeof message - LARGEST));
}

static void check_whole(uint64_t number, int64_t size) {
  if (message.number != number || (uint64_t)size != message.size)
    fail("a message is lost or torn");
  for (size_t i = 0; i < (size_t)size - (sizeof message - LARGEST); i++)
    if (message.bytes[i] != (number & 0xff))
      fail("a message is mixed up");
}

enum { A_DESCRIPTOR = 8 }; /* every so many messages */

static int send_one(uint64_t number) {
  if (number % A_DESCRIPTOR == 0)
    return snarl_connection_send_descriptor(&to, 0, LONG);
  fill(number);
  return snarl_connection_send(&to, &message, message.size, LONG);
}

static int recv_one(uint64_t number) {
  if (number % A_DESCRIPTOR) {
    int64_t size = snarl_connection_recv_into(&from, &message, sizeof message, LONG);
    if (size >= 0)
      check_whole(number, size);
    return size < 0 ? (int)size : SNARL_OK;
  }
  int descriptor = snarl_connection_recv_descriptor(&from, LONG);
  if (descriptor >= 0 && close(descriptor))
    fail("close");
  return descriptor < 0 ? descriptor : SNARL_OK;
}

/* Until the other side is killed. */
static int converse(int (*step)(uint64_t), snarl_connection *end) {
  unsigned descriptors = count_descriptors();
  int status = SNARL_OK;
  for (uint64_t number = 0; !status; number++) {
    status = step(number);
    __atomic_fetch_add(&counts->rounds, 1, __ATOMIC_RELAXED);
  }
  if (status == SNARL_TORN)
    __atomic_fetch_add(&counts->recovered, 1, __ATOMIC_RELAXED);
  else if (status != SNARL_CLOSED)
    check_done(status, "a survivor is not told");
  check_done(snarl_connection_close(end), "close");
  if (count_descriptors() != descriptors - 1)
    fail("a survivor has descriptors left");
  return 0;
}
static int sender(void *unused) { return (void)unused, converse(send_one, &to); }
static int receiver(void *unused) { return (void)unused, converse(recv_one, &from); }

static void kill_one_of(snarl_process *victim, snarl_process *survivor) {
  pause_a_little(SNARL_MS(2));
  check_done(snarl_process_kill(victim), "kill");
  if (snarl_process_join(victim, LONG) != SNARL_FAILED || snarl_process_exit_code(victim) != -9)
    fail("a child failed before it was killed");
  check_done(snarl_process_join(survivor, LONG), "a survivor hangs or failed");
}

static void run_pair(void) {
  snarl_process sends, receives;
  check_done(snarl_process_init(&sends, "sender", sender, NULL), "init");
  check_done(snarl_process_init(&receives, "receiver", receiver, NULL), "init");
  check_done(snarl_pipe(&from, &to, "pair", draw(2) ? SNARL_SIMPLEX : SNARL_DUPLEX), "pipe");
  (void)snarl_connection_give(&to, &sends);
  (void)snarl_connection_give(&from, &receives);
  check_done(snarl_process_start(&sends), "start");
  check_done(snarl_process_start(&receives), "start");
  if (draw(2))
    kill_one_of(&sends, &receives);
  else
    kill_one_of(&receives, &sends);
  check_done(snarl_connection_close(&to), "close");
  check_done(snarl_connection_close(&from), "close");
}

uint64_t connections_kill(struct counts *shared, snarl_time deadline) {
  uint64_t kills = 0;
  for (counts = shared; snarl_time_left(deadline); kills++)
    run_pair();
  return kills;
}
