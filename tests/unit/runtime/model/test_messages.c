/* SPDX-License-Identifier: MIT
 *
 * The ring of messages between processes, and the Queue around it, under all interleavings of a few of them (see
 * model.h), and with one of them killed at any point: every message that became true is got once, by somebody or by the
 * one that was killed, nobody sleeps for ever, and the ring grows and shrinks under all that.
 */
#include "core/seam.h"
#include "kernel.h"
#include "model.h"
#define SNARLI_RING_FIRST 64
#define SNARLI_RING_IN_CACHE 64
#define SNARLI_RING_KEPT 64
#define SNARLI_RING_MOST 512
/* NOLINTBEGIN(bugprone-suspicious-include): with small rings. */
#include "multiprocessing/queue/message_ring.c"
#undef MAGIC
#include "multiprocessing/queue/process_queue.c"
/* NOLINTEND(bugprone-suspicious-include) */
#include "futures/future.h"
#include <stdio.h>

enum { SOON = 1, FIRST = 1, MESSAGES = 8, SMALL = 8, LARGE = 40, DATA = 4096 };

/* ---------------------------------------------------------------- Memory */
static _Alignas(4096) char memory[DATA + SNARLI_RING_MOST];
static size_t backed;

int snarli_message_memory_new(void **to, size_t head, uint64_t *most, int *fd) {
  model_check(head == DATA && *most == SNARLI_RING_MOST);
  memset(memory, 0, head);
  memset(memory + head, 0xee, sizeof memory - head);
  *to = memory;
  *fd = -1;
  backed = 0;
  return SNARL_OK;
}
int snarli_message_memory_attach(void **to, uint64_t *size, int fd) {
  (void)to, (void)size, (void)fd;
  return SNARL_INVALID;
}
void snarli_message_memory_unmap(void *from, uint64_t size) { (void)from, (void)size; }
bool snarli_message_memory_back(char *from, char *to) {
  model_point();
  model_check(from >= memory + DATA && from <= memory + DATA + backed && to <= memory + sizeof memory);
  backed = to > memory + DATA + backed ? (size_t)(to - memory - DATA) : backed;
  return true;
}
void snarli_message_memory_give_back(char *from, char *to) {
  model_point();
  memset(from, 0xee, (size_t)(to - from));
  backed = (size_t)(from - memory - DATA);
}

/* Of no use here. */
void snarl_sleep(snarl_time duration) { (void)duration; }
unsigned snarli_executor_workers(const snarl_executor *executor) { return executor != NULL; }
int snarli_packed_begin(struct snarli_packed *packed, snarl_any value) {
  (void)value;
  packed->bytes = NULL, packed->size = 0;
  return SNARL_INVALID;
}
void snarli_packed_end(struct snarli_packed *packed) { (void)packed; }
int snarli_any_unpack(const void *bytes, size_t size, snarl_any *value) {
  (void)bytes, (void)size;
  *value = SNARL_NIL;
  return SNARL_INVALID;
}
void snarli_any_drop(snarl_any value) { (void)value; }

/* -------------------------------------------------------------- Messages */
static struct snarli_message_ring *ring;
static snarl_process_queue queue;
static uint8_t got[MESSAGES];               /* how often, by its number in the ring */
static uint64_t at_hand[MODEL_THREADS];     /* the number that a get has placed, and one more; 0: none */
static uint8_t put_as[MESSAGES], put_count; /* who put what, by number */
static unsigned next_of[MODEL_THREADS];

static void begin_with(uint64_t limit) {
  int fd;
  kernel_begin();
  in_a_row = 0;
  memset(got, 0, sizeof got);
  memset(at_hand, 0, sizeof at_hand);
  memset(next_of, 0, sizeof next_of);
  put_count = 0;
  model_check(snarli_message_ring_new(&ring, limit, sizeof(struct snarli_process_queue_body), &fd) == SNARL_OK);
}
static void begin_unlimited(void) { begin_with(0); }
static void begin_1(void) { begin_with(1); }

struct message {
  char bytes[LARGE];
};

/* Told before anybody can get it, with the lock held: so numbers come in order, one that was killed told again. */
static void note(void *context, uint64_t number) {
  model_check(number < MESSAGES);
  put_as[number] = (uint8_t)(size_t)context;
  model_point();
}

static int puts_of_size(size_t size, snarl_time timeout) {
  struct message message;
  unsigned self = model_self();
  memset(message.bytes, (int)(self * 16 + next_of[self] + 1), sizeof message.bytes);
  struct iovec part = {message.bytes, size};
  int status = snarli_message_ring_put(ring, &part, 1, note, (void *)(size_t)(unsigned char)message.bytes[0], timeout);
  model_check(status == SNARL_OK || status == SNARL_CLOSED || (status == SNARL_TIMEOUT && timeout != SNARL_FOREVER));
  next_of[self] += status == SNARL_OK;
  return status;
}

static struct message taken[MODEL_THREADS];
static int place_message(void *context, uint64_t number, size_t size, void **to) {
  size_t room = (size_t)context;
  if (size > room)
    return SNARL_TOO_LARGE;
  *to = taken[model_self()].bytes;
  at_hand[model_self()] = number + 1;
  model_point();
  return SNARL_OK;
}

/* What comes is whole, and what was put as this number. */
static int64_t gets_of_size(size_t room, snarl_time timeout) {
  unsigned self = model_self();
  int64_t size = snarli_message_ring_get(ring, place_message, (void *)room, timeout);
  if (size < 0) {
    model_check(size == SNARL_CLOSED || size == SNARL_TOO_LARGE || (size == SNARL_TIMEOUT && timeout != SNARL_FOREVER));
    return size;
  }
  uint64_t number = at_hand[self] - 1;
  at_hand[self] = 0;
  model_check(number < MESSAGES && number < ring->gets.count);
  for (int64_t i = 0; i < size; i++)
    model_check((unsigned char)taken[self].bytes[i] == put_as[number]);
  got[number]++;
  return size;
}

static void puts_small(void) { (void)puts_of_size(SMALL, SNARL_FOREVER); }
static void puts_two(void) { puts_small(), puts_small(); }
static void puts_large(void) { (void)puts_of_size(LARGE, SNARL_FOREVER); }
static void puts_three_large(void) { puts_large(), puts_large(), puts_large(); }
/* For which there is no memory, and that is known only when there is a place. */
static void puts_huge(void) {
  struct iovec part = {NULL, SNARLI_RING_MOST + 1};
  model_check(snarli_message_ring_put(ring, &part, 1, NULL, NULL, SNARL_FOREVER) == SNARL_NO_MEMORY);
}
static void puts_soon(void) { (void)puts_of_size(SMALL, SOON); }
static void puts_and_closes(void) {
  puts_small();
  model_check(snarli_message_ring_close(ring) == SNARL_OK);
}
static void puts_two_and_closes(void) { puts_small(), puts_and_closes(); }
static void puts_large_and_closes(void) {
  puts_large();
  model_check(snarli_message_ring_close(ring) == SNARL_OK);
}
static void puts_two_large_and_closes(void) { puts_large(), puts_large_and_closes(); }
static void closes(void) { model_check(snarli_message_ring_close(ring) == SNARL_OK); }
static void gets_one(void) { model_check(gets_of_size(LARGE, SNARL_FOREVER) >= 0); }
static void gets_two(void) { gets_one(), gets_one(); }
static void gets_three(void) { gets_one(), gets_two(); }
static void puts_and_gets_large(void) { puts_three_large(), gets_three(); }
static void gets_soon(void) { (void)gets_of_size(LARGE, SOON); }
static void gets_until_closed(void) {
  while (gets_of_size(LARGE, SNARL_FOREVER) != SNARL_CLOSED)
    ;
}
static void gets_too_little(void) { (void)gets_of_size(SMALL, SOON); }

/* Every message that went through was got by somebody, or by the one that was killed. */
static void end(void) {
  unsigned missing = 0;
  model_check(kernel_lists_are_empty());
  for (uint64_t number = 0; number < ring->gets.count; number++) {
    bool was_at_hand = false;
    for (unsigned i = 0; i < MODEL_THREADS; i++)
      was_at_hand |= at_hand[i] == number + 1;
    model_check(got[number] == 1 || (!got[number] && model_has_killed() && was_at_hand));
    missing += !got[number];
  }
  model_check(missing <= 1);
  for (uint64_t number = ring->gets.count; number < MESSAGES; number++)
    model_check(!got[number]);
  model_check(behind(&ring->gets) <= behind(&ring->puts) && ring->gets.count <= ring->puts.count);
}
static void end_empty(void) {
  end();
  model_check(ring->gets.count == ring->puts.count && behind(&ring->gets) == behind(&ring->puts));
}
/* Nothing is kept of what is not in use. What a putter is about to leave is given back the next time. */
static void end_small(void) {
  end_empty();
  model_check(model_has_killed() || (ring->capacity == SNARLI_RING_FIRST && backed == SNARLI_RING_FIRST));
}

/* ------------------------------------------------------------- Task done */
static void queue_begin(void) {
  kernel_begin();
  in_a_row = 0;
  memset(memory, 0, sizeof memory);
  queue = (snarl_process_queue){.fd = -1};
  model_check(snarl_process_queue_init(&queue, "queue", 0) == SNARL_OK);
  ring = ring_of(queue.body);
}
static void queue_puts(void) { model_check(snarl_process_queue_put(&queue, NULL, 0, SNARL_FOREVER) == SNARL_OK); }
static void queue_gets(void) {
  model_check(snarl_process_queue_get_into(&queue, NULL, 0, SNARL_FOREVER) == 0);
  model_check(snarl_process_queue_task_done(&queue) == SNARL_OK);
}
static void queue_puts_and_joins(void) {
  queue_puts();
  model_check(snarl_process_queue_join(&queue, SNARL_FOREVER) == SNARL_OK);
}
static void queue_joins(void) { model_check(snarl_process_queue_join(&queue, SNARL_FOREVER) == SNARL_OK); }
static void queue_end(void) { model_check(kernel_lists_are_empty() && queue.body->done == ring->gets.count); }

static const struct {
  struct scenario scenario;
  unsigned victims;
} scenarios[] = {
    {{"two put, two get", begin_unlimited, {puts_two, puts_small, gets_two, gets_one}, end_empty, 1}, 0},
    {{"one puts, one gets", begin_unlimited, {puts_two, gets_two}, end_empty, 3}, 0},
    {{"limit, one puts", begin_1, {puts_two, gets_one, gets_one}, end_empty, 2}, 0},
    {{"limit, two put", begin_1, {puts_small, puts_two, gets_three}, end_empty, 2}, 0},
    {{"no memory for one", begin_1, {puts_two, puts_huge, gets_two}, end_empty, 2}, 0},
    {{"time limits", begin_1, {puts_soon, puts_soon, gets_soon}, end, 2}, 0},
    {{"close", begin_1, {puts_two, closes, gets_until_closed}, end_empty, 2}, 0},
    {{"close, two get", begin_unlimited, {puts_and_closes, gets_until_closed, gets_until_closed}, end_empty, 2}, 0},
    {{"too large for one", begin_unlimited, {puts_large, gets_too_little, gets_one}, end_empty, 2}, 0},
    {{"growing and shrinking", begin_unlimited, {puts_and_gets_large}, end_small, 0}, 0},
    {{"growing", begin_unlimited, {puts_three_large, gets_three}, end_empty, 2}, 0},
    {{"growing, two get", begin_unlimited, {puts_three_large, gets_one, gets_two}, end_empty, 1}, 0},
    {{"growing, two put", begin_unlimited, {puts_large, puts_three_large, gets_three, gets_one}, end_empty, 1}, 0},
    {{"a putter is killed", begin_unlimited, {puts_two, puts_and_closes, gets_until_closed}, end_empty, 1}, FIRST},
    {{"a getter is killed", begin_unlimited, {gets_until_closed, gets_until_closed, puts_and_closes}, end_empty, 1},
     FIRST},
    {{"a putter is killed at a limit", begin_1, {puts_two, puts_and_closes, gets_until_closed}, end_empty, 1}, FIRST},
    {{"a getter is killed at a limit",
      begin_1,
      {gets_until_closed, puts_two_and_closes, gets_until_closed},
      end_empty,
      1},
     FIRST},
    {{"a putter is killed while it grows",
      begin_unlimited,
      {puts_three_large, gets_until_closed, puts_large_and_closes},
      end_empty,
      1},
     FIRST},
    {{"a getter is killed while it grows",
      begin_unlimited,
      {gets_until_closed, puts_two_large_and_closes, gets_until_closed},
      end_empty,
      1},
     FIRST},
    {{"join", queue_begin, {queue_puts_and_joins, queue_gets, queue_joins}, queue_end, 2}, 0},
    {{"join, two are done", queue_begin, {queue_puts_and_joins, queue_puts, queue_gets, queue_gets}, queue_end, 1}, 0},
    {{"one that joins is killed", queue_begin, {queue_joins, queue_puts_and_joins, queue_gets}, queue_end, 1}, FIRST},
};

/* test-runtime-model-messages [PREEMPTIONS]: so many more. */
int main(int argc, char **argv) {
  unsigned more = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 0;
  setvbuf(stdout, NULL, _IOLBF, 0);
  int failures = 0;
  for (size_t i = 0; i < sizeof scenarios / sizeof *scenarios; i++) {
    struct scenario scenario = scenarios[i].scenario;
    scenario.preemptions += more;
    failures += !model_run_killing(&scenario, scenarios[i].victims);
  }
  return failures != 0;
}
