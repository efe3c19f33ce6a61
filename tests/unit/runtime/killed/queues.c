/* SPDX-License-Identifier: MIT
 *
 * Queues between processes, of which two put and two get, and are killed: no message comes twice or torn, those of a
 * sender come in their order, and each killed process takes along one message at most.
 */
#include "killed.h"
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

enum { SENDERS = 2, NUMBERS = 1 << 22, LARGEST = 300000, WORDS = NUMBERS / 64 };

/* What each number of each sender has come to: given to put, put for sure, got. */
static struct book {
  uint64_t given[SENDERS];
  uint64_t put[SENDERS][WORDS], got[SENDERS][WORDS];
} * book;
static snarl_process_queue queue;
static bool has_large; /* and no limit */
static struct counts *counts;

struct message {
  uint64_t sender, number, size;
  char rest[LARGEST];
};
enum { HEAD = offsetof(struct message, rest) };

static bool mark(uint64_t *words, uint64_t number) {
  return __atomic_fetch_or(&words[number / 64], 1ull << number % 64, __ATOMIC_RELAXED) >> number % 64 & 1;
}

static void begin(void *memory) {
  counts = memory;
  book = mmap(NULL, sizeof *book, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (book == MAP_FAILED)
    fail("mmap");
  check_done(snarl_process_queue_init(&queue, "queue", has_large ? 0 : 3), "init");
}
static void begin_small(void *memory) {
  has_large = false;
  begin(memory);
}
static void begin_large(void *memory) {
  has_large = true;
  begin(memory);
}

static char pattern(const struct message *message) { return (char)(message->number * 5 + message->sender); }

static uint64_t draw_size(void) {
  if (has_large && draw(50) == 0)
    return HEAD + draw(LARGEST);
  return HEAD + draw(100);
}

static void send_all(uint64_t sender) {
  static struct message message;
  message.sender = sender;
  while (!is_over() && book->given[sender] < NUMBERS) {
    message.number = book->given[sender]++;
    message.size = draw_size();
    memset(message.rest, pattern(&message), message.size - HEAD);
    int status = snarl_process_queue_put(&queue, &message, message.size, LONG);
    if (status == SNARL_CLOSED)
      return;
    check_done(status, "no place came");
    (void)mark(book->put[sender], message.number);
    while (has_large && !is_over() && snarl_process_queue_size(&queue) > 100)
      snarl_sleep(SNARL_US(50));
  }
}

static void check_message(const struct message *message, int64_t size, uint64_t *next) {
  if (size < HEAD || (uint64_t)size != message->size || message->sender >= SENDERS)
    fail("a message is torn");
  for (int64_t i = 0; i < size - HEAD; i++)
    if (message->rest[i] != pattern(message))
      fail("a message is torn");
  if (message->number < next[message->sender] || message->number >= book->given[message->sender])
    fail("messages of a sender come in another order");
  next[message->sender] = message->number + 1;
  if (mark(book->got[message->sender], message->number))
    fail("a message came twice");
}

static void receive_all(void) {
  static struct message message;
  uint64_t next[SENDERS] = {0};
  int64_t size;
  while ((size = snarl_process_queue_get_into(&queue, &message, sizeof message, LONG)) >= 0) {
    check_message(&message, size, next);
    check_done(snarl_process_queue_task_done(&queue), "task_done");
    count_round();
  }
  if (size != SNARL_CLOSED)
    check_done((int)size, "no message came");
}

static void child(unsigned place) {
  if (place < SENDERS)
    send_all(place);
  else
    receive_all();
}

static void end(void) { check_done(snarl_process_queue_close(&queue), "close"); }

/* What was put and not got was in the hands of one that was killed; what was got and not said to be put, too. */
static void check(uint64_t kills) {
  uint64_t lost = 0, unsaid = 0;
  for (unsigned i = 0; i < SENDERS; i++)
    for (size_t k = 0; k < WORDS; k++) {
      lost += (uint64_t)__builtin_popcountll(book->put[i][k] & ~book->got[i][k]);
      unsaid += (uint64_t)__builtin_popcountll(book->got[i][k] & ~book->put[i][k]);
    }
  if (lost + unsaid > kills)
    fail("more was lost than killed processes had");
  counts->recovered += lost;
  if (snarl_process_queue_size(&queue))
    fail("something is left");
  check_done(snarl_process_queue_destroy(&queue), "destroy");
  (void)munmap(book, sizeof *book);
}

const struct traffic queue_traffics[] = {
    {.name = "queue", .begin = begin_small, .child = child, .end = end, .check = check},
    {.name = "queue of large messages", .begin = begin_large, .child = child, .end = end, .check = check},
    {.name = NULL}};
