/* SPDX-License-Identifier: MIT
 *
 * Messages one way, from one process to one and from four to four by the same channel, and there and back. Each message
 * carries its number at both of its ends. Even workers send, odd ones receive.
 */
#include "messages.h"
#include <stdio.h>
#include <string.h>

enum { SMALL = 64, LARGE = 65536, THERE = 0, BACK = 1 };

struct subject {
  const char *name;
  size_t size;
  int pairs;
  bool answers;
};
static const struct subject subjects[] = {
    {"send-64-1x1", SMALL, 1, false},  {"send-64-4x4", SMALL, 4, false},  {"send-64K-1x1", LARGE, 1, false},
    {"send-64K-4x4", LARGE, 4, false}, {"round-trip-64", SMALL, 1, true},
};
enum { SUBJECTS = sizeof subjects / sizeof *subjects };

static const struct transport *const transports[] = {&raw_pipe,       &raw_large_pipe, &raw_socket,    &raw_queue,
                                                     &raw_futex,      &raw_spin,       &zeromq,        &nanomsg,
                                                     &own_connection, &own_queue,      &own_wide_queue};
enum { TRANSPORTS = sizeof transports / sizeof *transports };

static const struct subject *subject;
static const struct transport *transport;
static _Alignas(CACHE_LINE) unsigned char message[LARGE];

static void number(uint64_t it) {
  memcpy(message, &it, sizeof it);
  memcpy(message + subject->size - sizeof it, &it, sizeof it);
}

static uint64_t number_of(size_t size) {
  uint64_t first, last;
  must(size == subject->size, "a message's size");
  memcpy(&first, message, sizeof first);
  memcpy(&last, message + size - sizeof last, sizeof last);
  must(first == last, "a message's content");
  return first;
}

static void make(void) { transport->make(subject->answers ? 2 : 1, subject->size, subject->pairs); }

static void send_all(int worker, long operations) {
  double begin = now();
  for (long i = 0; i < operations; i++) {
    number((uint64_t)(i * subject->pairs + worker / 2));
    transport->send(THERE, message, subject->size);
  }
  tell(worker, begin, 0, 0);
}

static void receive_all(int worker, long operations) {
  uint64_t sum = 0;
  double begin = now();
  for (long i = 0; i < operations; i++)
    sum += number_of(transport->receive(THERE, message, subject->size));
  tell(worker, begin, (uint64_t)operations, sum);
}

static uint64_t received(void) {
  uint64_t all = 0;
  for (int i = 1; i < 2 * subject->pairs; i += 2)
    all += shared->accounts[i].count;
  return all;
}

/* As long as not all have received all. The end is that of the last message, not that of the vain wait after it. */
static void receive_some(int worker, long operations) {
  uint64_t wanted = (uint64_t)(operations * subject->pairs), count = 0, sum = 0;
  double begin = now(), last = begin;
  while (received() < wanted) {
    size_t size = transport->receive(THERE, message, subject->size);
    if (!size)
      continue;
    sum += number_of(size);
    shared->accounts[worker].count = ++count;
    last = now();
  }
  tell(worker, begin, count, sum);
  shared->accounts[worker].end = last;
}

static void one_way(int worker, long operations) {
  if (worker % 2 == 0)
    send_all(worker, operations);
  else if (transport->scatters && subject->pairs > 1)
    receive_some(worker, operations);
  else
    receive_all(worker, operations);
}

static void there_and_back(int worker, long operations) {
  uint64_t sum = 0;
  double begin = now();
  for (long i = 0; i < operations; i++) {
    number((uint64_t)i);
    if (worker == 0)
      transport->send(THERE, message, subject->size);
    uint64_t came = number_of(transport->receive(worker ? THERE : BACK, message, subject->size));
    must(came == (uint64_t)i, "a message's number");
    sum += came;
    if (worker)
      transport->send(BACK, message, subject->size);
  }
  tell(worker, begin, worker ? 0 : (uint64_t)operations, worker ? 0 : sum);
}

static uint64_t expected(long operations, uint64_t *sum) {
  uint64_t all = (uint64_t)operations * (uint64_t)subject->pairs;
  *sum = all * (all - 1) / 2;
  return all;
}

static bool is_fit(const struct transport *by, const struct subject *to) {
  return (to->answers || !by->answers_only) && (to->pairs == 1 || !by->one_pair);
}

void messages_list(void) {
  for (int i = 0; i < SUBJECTS; i++)
    for (int j = 0; j < TRANSPORTS; j++)
      if (is_fit(transports[j], &subjects[i]))
        printf("%s %s\n", subjects[i].name, transports[j]->name);
}

const struct process_peer *messages_find(const char *subject_name, const char *name) {
  static struct process_peer found;
  subject = NULL;
  transport = NULL;
  for (int i = 0; i < SUBJECTS; i++)
    if (!strcmp(subjects[i].name, subject_name))
      subject = &subjects[i];
  for (int i = 0; i < TRANSPORTS; i++)
    if (!strcmp(transports[i]->name, name))
      transport = transports[i];
  if (!subject || !transport || !is_fit(transport, subject))
    return NULL;
  found = (struct process_peer){.subject = subject->name,
                                .name = name,
                                .workers = 2 * subject->pairs,
                                .make = make,
                                .open = transport->listen,
                                .connect = transport->connect,
                                .run = subject->answers ? there_and_back : one_way,
                                .close = transport->close,
                                .end = transport->end,
                                .expected = expected};
  return &found;
}
