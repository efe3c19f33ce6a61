/* SPDX-License-Identifier: MIT
 *
 * The order of records against a slow, obvious merge, on random traces: several processes, threads in many windows,
 * windows handed from ended threads to new ones, equal times, clocks that cross into the next upper half, rows out of
 * order as signal handlers leave them, holes. The seed of a failing trace is printed; SNARL_SEED=... runs it alone.
 */
#include "test_reader.h"
#include <inttypes.h>

enum { PROCESSES = 3, THREADS = 6, TRACES = 1000 };

struct expected {
  uint64_t time;
  uint64_t object;
  unsigned type;
};

struct written_thread {
  struct expected *records;
  size_t count, next;
  uint64_t time;  /* never goes back */
  unsigned since; /* records since its window was changed by force */
};

struct written {
  struct image *images[PROCESSES];
  struct written_thread threads[PROCESSES][THREADS];
  bool is_over[PROCESSES][THREADS], is_known[PROCESSES][THREADS];
  size_t processes;
  uint64_t now, objects;
  bool has_hole, is_hole_pending;
};

static void record_write(struct written *written, size_t process, size_t thread, uint64_t *seed) {
  static const unsigned types[] = {SNARLI_R_MUTEX_RELEASED, SNARLI_R_MUTEX_REQUESTED, SNARLI_R_MUTEX_ACQUIRED,
                                   SNARLI_R_MUTEX_FAILED, SNARLI_R_MUTEX_INIT};
  struct written_thread *of = &written->threads[process][thread];
  unsigned type = types[random_next(seed) % 5];
  uint64_t object = ++written->objects;
  /* Segments are ordered by their first record, so that one must not be overtaken. */
  uint64_t early = random_next(seed) % 16 == 0 && of->since >= 2 ? random_next(seed) % 3 : 0;
  uint64_t stamp = written->now - early;
  if (stamp >> 32 != written->now >> 32)
    stamp = written->now; /* the recorder keeps a row within its upper half */
  image_record(written->images[process], (uint32_t)thread, stamp, snarli_record_head(type, 0, object), IMAGE_RAW, 0);
  of->time = stamp > of->time ? stamp : of->time;
  of->since++;
  of->records = realloc(of->records, (of->count + 1) * sizeof *of->records);
  assert_non_null(of->records);
  of->records[of->count++] = (struct expected){of->time, object, type};
  written->is_known[process][thread] = true;
}

static void hand_over(struct written *written, size_t process, size_t from, size_t to) {
  if (written->is_known[process][to] || !written->is_known[process][from] || written->is_over[process][from])
    return;
  if (!image_handover(written->images[process], (uint32_t)from, (uint32_t)to))
    return;
  written->is_over[process][from] = true;
  written->threads[process][to].since = 0;
  written->now += 4; /* longer than a record can be early */
}

static void step(struct written *written, uint64_t *seed) {
  size_t process = random_next(seed) % written->processes, thread = random_next(seed) % THREADS;
  unsigned what = random_next(seed) % 64;
  written->now += random_next(seed) % 3;
  if (what == 0) {
    written->now += (1ull << 31) + random_next(seed) % 7;
  } else if (what == 1) {
    image_window(written->images[process], (uint32_t)thread);
    written->threads[process][thread].since = 0;
  } else if (what == 2) {
    hand_over(written, process, thread, random_next(seed) % THREADS);
  }
  if (written->is_over[process][thread])
    return;
  if (what == 3 && written->is_known[process][thread]) {
    image_hole(written->images[process], (uint32_t)thread);
    written->has_hole = true;
  }
  record_write(written, process, thread, seed);
}

static void trace_write(struct written *written, const char *directory, uint64_t *seed) {
  memset(written, 0, sizeof *written);
  written->processes = 1 + random_next(seed) % PROCESSES;
  written->now = 1000;
  for (size_t i = 0; i < written->processes; i++)
    written->images[i] = image_new((uint32_t)(10 + i), 10 + i);
  size_t steps = 1 + random_next(seed) % (random_next(seed) % 8 == 0 ? 4000 : 300);
  while (steps-- > 0)
    step(written, seed);
  for (size_t i = 0; i < written->processes; i++) {
    char name[32];
    snprintf(name, sizeof name, "%zu.snarl", 9 - i); /* names must not matter */
    image_header(written->images[i])->ended = random_next(seed) % 2;
    assert_int_equal(image_write(written->images[i], path_in(directory, name)), 0);
    image_free(written->images[i]);
  }
}

/* The least of all heads, by time, phase, process, thread. */
static bool slow_next(struct written *written, size_t *process, size_t *thread) {
  const struct expected *least = NULL;
  for (size_t i = 0; i < written->processes; i++)
    for (size_t j = 0; j < THREADS; j++) {
      const struct written_thread *of = &written->threads[i][j];
      const struct expected *head = of->next < of->count ? &of->records[of->next] : NULL;
      if (!head || (least && least->time < head->time))
        continue;
      if (least && least->time == head->time &&
          trace_record_info(least->type)->phase <= trace_record_info(head->type)->phase)
        continue;
      least = head;
      *process = i;
      *thread = j;
    }
  if (least)
    written->threads[*process][*thread].next++;
  return least != NULL;
}

static void compare_order(struct trace *trace, struct written *written) {
  struct trace_record record;
  size_t process, thread;
  for (size_t i = 0; slow_next(written, &process, &thread); i++) {
    const struct written_thread *of = &written->threads[process][thread];
    assert_true(trace_next(trace, &record));
    assert_int_equal(record.object, of->records[of->next - 1].object);
    assert_int_equal(record.time, of->records[of->next - 1].time);
    assert_int_equal(record.type, of->records[of->next - 1].type);
    assert_int_equal(record.process, process);
    assert_int_equal(record.thread, thread);
    assert_int_equal(record.tid, thread ? (10 + process) * 100 + thread : 10 + process);
  }
  assert_false(trace_next(trace, &record));
}

static const struct expected *next_kept(struct written_thread *of) {
  while (of->next < of->count && of->records[of->next].object % 5)
    of->next++;
  return of->next < of->count ? &of->records[of->next++] : NULL;
}

/* Once more, narrowed to every fifth address. Of equal times another thread may come first than without. */
static void compare_narrowed(struct trace *trace, struct written *written) {
  struct trace_record record;
  size_t kept = 0;
  uint64_t *addresses = calloc(written->objects / 5 + 1, sizeof *addresses), time = 0;
  assert_non_null(addresses);
  for (uint64_t object = 5; object <= written->objects; object += 5)
    addresses[kept++] = object;
  trace_narrow(trace, addresses, kept, false);
  free(addresses);
  trace_rewind(trace);
  for (size_t i = 0; i < PROCESSES; i++)
    for (size_t j = 0; j < THREADS; j++)
      written->threads[i][j].next = 0;
  for (size_t i = 0; i < kept; i++) {
    assert_true(trace_next(trace, &record));
    const struct expected *next = next_kept(&written->threads[record.process][record.thread]);
    assert_non_null(next);
    assert_int_equal(record.object, next->object);
    assert_int_equal(record.time, next->time);
    assert_true(record.time >= time);
    time = record.time;
  }
  assert_false(trace_next(trace, &record));
  assert_int_equal(trace_passed_over(trace), written->objects - kept);
}

struct seen {
  struct written *written;
  const struct trace *trace;
  size_t count;
};

static void last_seen(const struct trace_record *last, void *context) {
  struct seen *seen = context;
  const struct written_thread *of = &seen->written->threads[last->process][last->thread];
  assert_true(of->count > 0);
  assert_int_equal(last->object, of->records[of->count - 1].object);
  assert_int_equal(last->time, of->records[of->count - 1].time);
  seen->count++;
}

static void compare_last(struct trace *trace, struct written *written) {
  struct seen seen = {written, trace, 0};
  size_t expected = 0;
  for (size_t i = 0; i < written->processes; i++)
    for (size_t j = 0; j < THREADS && !trace_process_at(trace, (uint32_t)i)->ended; j++)
      expected += written->threads[i][j].count > 0;
  trace_last_records(trace, last_seen, &seen);
  assert_int_equal(seen.count, expected);
}

static void trace_check(const char *directory, uint64_t seed) {
  struct written written;
  struct trace_problem problem;
  trace_write(&written, directory, &seed);
  struct trace *trace = trace_open(directory, &problem);
  assert_non_null(trace);
  assert_int_equal(trace_process_count(trace), written.processes);
  compare_last(trace, &written);
  compare_order(trace, &written);
  for (size_t i = 0; i < trace_problem_count(trace); i++)
    assert_non_null(strstr(trace_problem_at(trace, i)->text, "was never completed"));
  assert_true(written.has_hole || trace_is_complete(trace));
  trace_rewind(trace);
  for (size_t i = 0; i < PROCESSES; i++)
    for (size_t j = 0; j < THREADS; j++)
      written.threads[i][j].next = 0;
  compare_order(trace, &written);
  compare_narrowed(trace, &written);
  trace_close(trace);
  for (size_t i = 0; i < PROCESSES; i++)
    for (size_t j = 0; j < THREADS; j++)
      free(written.threads[i][j].records);
  directory_clear(directory);
}

static uint64_t seed_now; /* 0: no trace is checked */

static void order_is_that_of_a_slow_merge(void **state) {
  const char *alone = getenv("SNARL_SEED");
  for (uint64_t i = 0; i < TRACES; i++) {
    uint64_t seed = alone ? strtoull(alone, NULL, 0) : (i + 1) * 0x9e3779b97f4a7c15ull;
    seed_now = seed;
    trace_check(*state, seed);
    if (alone)
      break;
  }
  seed_now = 0;
}

static int seed_tell(void **state) {
  if (seed_now)
    fprintf(stderr, "failed with SNARL_SEED=%#" PRIx64 "\n", seed_now);
  return directory_teardown(state);
}

static void equal_times_follow_phases(void **state) {
  struct assembled assembled;
  struct trace_record record;
  (void)state;
  assert_true(assembled_open(&assembled, "process 1 app bare\n"
                                         "@5000 1.0 mutex-acquired A\n"
                                         "@5000 1.1 mutex-requested A\n"
                                         "@5000 1.2 mutex-init A\n"
                                         "@5000 1.3 mutex-released A\n"
                                         "@5000 1.4 mutex-failed A EBUSY\n"));
  static const uint32_t threads[] = {3, 2, 1, 4, 0};
  for (size_t i = 0; i < 5; i++) {
    assert_true(trace_next(assembled.trace, &record));
    assert_int_equal(record.thread, threads[i]);
  }
  assembled_close(&assembled);
}

static void many_threads_merge(void **state) {
  enum { MANY = 3000, EACH = 40 };
  struct image *image = image_new(1, 5);
  struct trace_problem problem;
  struct trace_record record;
  for (uint64_t i = 0; i < (uint64_t)MANY * EACH; i++)
    image_record(image, (uint32_t)(i * 7919 % MANY), 1000 + i, snarli_record_head(SNARLI_R_MUTEX_INIT, 0, i), IMAGE_RAW,
                 0);
  assert_int_equal(image_write(image, path_in(*state, "1.snarl")), 0);
  image_free(image);
  struct trace *trace = trace_open(*state, &problem);
  assert_non_null(trace);
  for (uint64_t i = 0; i < (uint64_t)MANY * EACH; i++) {
    assert_true(trace_next(trace, &record));
    assert_int_equal(record.object, i);
  }
  assert_false(trace_next(trace, &record));
  trace_close(trace);
}

/* More images than the reader keeps open at a time. */
static void many_processes_merge(void **state) {
  enum { MANY = 700 };
  struct trace_problem problem;
  struct trace_record record;
  char name[32];
  for (uint32_t i = 0; i < MANY; i++) {
    struct image *image = image_new(i + 1, 10 + i);
    image_record(image, 0, 5000 - i, snarli_record_head(SNARLI_R_MUTEX_INIT, 0, i), IMAGE_RAW, 0);
    image_record(image, 0, 9000 + i, snarli_record_head(SNARLI_R_MUTEX_INIT, 0, i), IMAGE_RAW, 0);
    snprintf(name, sizeof name, "%u.snarl", i);
    assert_int_equal(image_write(image, path_in(*state, name)), 0);
    image_free(image);
  }
  struct trace *trace = trace_open(*state, &problem);
  assert_non_null(trace);
  for (uint32_t i = 0; i < 2 * MANY; i++) {
    assert_true(trace_next(trace, &record));
    assert_int_equal(record.object, i < MANY ? MANY - 1 - i : i - MANY);
  }
  assert_false(trace_next(trace, &record));
  assert_true(trace_is_complete(trace));
  trace_close(trace);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(order_is_that_of_a_slow_merge, directory_setup, seed_tell),
      cmocka_unit_test(equal_times_follow_phases),
      cmocka_unit_test_setup_teardown(many_threads_merge, directory_setup, directory_teardown),
      cmocka_unit_test_setup_teardown(many_processes_merge, directory_setup, directory_teardown),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
