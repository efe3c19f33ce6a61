/* SPDX-License-Identifier: MIT
 *
 * Traces that change while they are read: a reader shows one moment, in which nothing is seen that what it depends on
 * is not, however much is written meanwhile; and a file cut under it is no crash.
 */
#include "test_reader.h"
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static struct image *two_threads(void) {
  struct image *image = image_new(1, 100);
  image_header(image)->ended = 0;
  image_record(image, 0, 1000, snarli_record_head(SNARLI_R_MUTEX_INIT, 0, 1), IMAGE_RAW, 0);
  image_record(image, 1, 1500, snarli_record_head(SNARLI_R_MUTEX_INIT, 0, 2), IMAGE_RAW, 0);
  image_record(image, 0, 2000, snarli_record_head(SNARLI_R_MUTEX_INIT, 0, 3), IMAGE_RAW, 0);
  return image;
}

static void last_into(const struct trace_record *last, void *context) {
  uint64_t *objects = context;
  assert_in_range(last->thread, 0, 1);
  objects[last->thread] = last->object;
}

static void later_records_are_not_seen(void **state) {
  struct image *image = two_threads();
  const char *path = path_in(*state, "1.snarl");
  struct trace_problem problem;
  struct trace_record record;
  uint64_t last[2] = {0};
  assert_int_equal(image_write(image, path), 0);
  struct trace *trace = trace_open(*state, &problem);
  assert_non_null(trace);
  /* Stamped before the moment, but written after it: seen, and harmless. The others are too new. */
  image_record(image, 1, 1700, snarli_record_head(SNARLI_R_MUTEX_INIT, 0, 4), IMAGE_RAW, 0);
  image_record(image, 1, 2100, snarli_record_head(SNARLI_R_MUTEX_INIT, 0, 5), IMAGE_RAW, 0);
  image_record(image, 0, 2200, snarli_record_head(SNARLI_R_MUTEX_INIT, 0, 6), IMAGE_RAW, 0);
  assert_int_equal(image_write(image, path_in(*state, "1.snarl")), 0);
  static const uint64_t expected[] = {1, 2, 4, 3};
  for (size_t i = 0; i < 4; i++) {
    assert_true(trace_next(trace, &record));
    assert_int_equal(record.object, expected[i]);
  }
  assert_false(trace_next(trace, &record));
  trace_last_records(trace, last_into, last);
  assert_int_equal(last[0], 3);
  assert_int_equal(last[1], 2);
  assert_true(trace_is_complete(trace));
  trace_close(trace);
  trace = trace_open(*state, &problem);
  for (size_t i = 0; i < 6; i++)
    assert_true(trace_next(trace, &record));
  trace_last_records(trace, last_into, last);
  assert_int_equal(last[0], 6);
  assert_int_equal(last[1], 5);
  trace_close(trace);
  image_free(image);
}

static void cut_under_the_reader(void **state) {
  struct image *image = two_threads();
  struct trace_problem problem;
  struct trace_record record;
  assert_int_equal(image_write(image, path_in(*state, "1.snarl")), 0);
  struct trace *trace = trace_open(*state, &problem);
  assert_non_null(trace);
  assert_int_equal(truncate(path_in(*state, "1.snarl"), SNARLI_HEADER_SIZE + 64), 0);
  while (trace_next(trace, &record))
    assert_in_range(record.object, 1, 3);
  trace_rewind(trace);
  assert_int_equal(unlink(path_in(*state, "1.snarl")), 0);
  while (trace_next(trace, &record))
    assert_in_range(record.object, 1, 3);
  trace_close(trace);
  image_free(image);
}

/* A recorder of two threads in one: A's n-th record comes before B's n-th, in time and in the file. Their windows are
 * one page, reserved and given their headers as the real recorder does. */
enum { WRITTEN = 400000, FILE_ROOM = WRITTEN * SNARLI_ROW * 3 };

struct half {
  char *window;
  size_t rows;
};

static void row_store(struct half *half, uint64_t head, uint32_t aux, uint32_t time) {
  struct snarli_record *row = (struct snarli_record *)(half->window + ++half->rows * SNARLI_ROW);
  row->aux = aux;
  row->time = time;
  __atomic_store_n(&row->head, head, __ATOMIC_RELEASE);
}

static void half_append(char *file, struct half *half, uint32_t thread, uint32_t time) {
  struct snarli_header *header = (struct snarli_header *)file;
  if (!half->window || half->rows + 1 >= 4096 / SNARLI_ROW) {
    half->window = file + __atomic_fetch_add(&header->next, 4096, __ATOMIC_RELAXED);
    half->rows = 0;
    struct snarli_window *window = (struct snarli_window *)half->window;
    window->size = 4096;
    window->kind = SNARLI_W_RECORDS;
    __atomic_store_n(&window->magic, SNARLI_WINDOW_MAGIC, __ATOMIC_RELEASE);
    row_store(half, snarli_record_head(SNARLI_R_OWNER, 0, 1 + thread), thread, 0);
    row_store(half, snarli_record_head(SNARLI_R_TIME, 0, 0), 0, 0);
  }
  row_store(half, snarli_record_head(SNARLI_R_MUTEX_INIT, 0, time), 0, time);
}

/* At changing speed: what the reader must see does not depend on it. */
static void write_all(char *file) {
  struct half a = {0}, b = {0};
  for (uint32_t i = 0; i < WRITTEN; i++) {
    for (unsigned spin = 0; spin < i / 1024 % 128; spin++)
      __atomic_signal_fence(__ATOMIC_SEQ_CST);
    half_append(file, &a, 0, 1000 + 2 * i);
    half_append(file, &b, 1, 1001 + 2 * i);
  }
}

static void moment_check(const char *directory) {
  struct trace_problem problem;
  struct trace_record record;
  uint64_t seen[2] = {0}, last[2] = {0};
  struct trace *trace = trace_open(directory, &problem);
  assert_non_null(trace);
  for (uint64_t time = 1000; trace_next(trace, &record); time++) {
    assert_int_equal(record.time, time); /* none is missing before one that is there */
    seen[record.thread]++;
  }
  assert_true(seen[0] == seen[1] || seen[0] == seen[1] + 1);
  trace_last_records(trace, last_into, last);
  assert_true(last[0] + 1 >= last[1] || seen[1] == 0);
  assert_int_equal(trace_problem_count(trace), 0);
  trace_close(trace);
}

/* A look at what was written since the last one finds what opening anew finds; the records stay those of the opening.
 */
static void look_again_sees_more(void **state) {
  struct image *image = image_new(1, 100);
  const char *path = path_in(*state, "1.snarl");
  image_header(image)->ended = 0;
  assert_int_equal(image_write(image, path), 0);
  image_free(image);
  int fd = open(path, O_RDWR | O_CLOEXEC);
  assert_int_equal(ftruncate(fd, FILE_ROOM), 0);
  char *file = mmap(NULL, FILE_ROOM, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  assert_ptr_not_equal(file, MAP_FAILED);
  struct half a = {0}, b = {0};
  struct trace_problem problem;
  struct trace_record record;
  struct trace *trace = NULL;
  for (uint32_t i = 0; i < 3000; i++) {
    half_append(file, &a, 0, 1000 + 2 * i);
    if (i % 3 == 0)
      half_append(file, &b, 1, 1001 + 2 * i);
    if (i == 10)
      assert_non_null(trace = trace_open(*state, &problem));
    if (i <= 10 || i % 7)
      continue;
    uint64_t last[2] = {0};
    assert_true(trace_refresh(trace));
    trace_last_records(trace, last_into, last);
    assert_int_equal(last[0], 1000 + 2 * i);
    assert_int_equal(last[1], 1001 + 2 * (i - i % 3));
  }
  trace_rewind(trace);
  for (uint64_t seen = 0; seen < 15; seen++)
    assert_true(trace_next(trace, &record));
  assert_false(trace_next(trace, &record));
  image = image_new(2, 5000);
  assert_int_equal(image_write(image, path_in(*state, "2.snarl")), 0);
  image_free(image);
  assert_false(trace_refresh(trace));
  trace_close(trace);
  munmap(file, FILE_ROOM);
  close(fd);
}

static void growing_trace_shows_one_moment(void **state) {
  struct image *image = image_new(1, 100);
  const char *path = path_in(*state, "1.snarl");
  image_header(image)->ended = 0;
  assert_int_equal(image_write(image, path), 0);
  image_free(image);
  int fd = open(path, O_RDWR | O_CLOEXEC);
  assert_int_equal(ftruncate(fd, FILE_ROOM), 0);
  char *file = mmap(NULL, FILE_ROOM, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  assert_ptr_not_equal(file, MAP_FAILED);
  pid_t writer = fork();
  if (writer == 0) {
    write_all(file);
    _exit(0);
  }
  unsigned moments = 0;
  for (; waitpid(writer, NULL, WNOHANG) == 0; moments++)
    moment_check(*state);
  moment_check(*state);
  assert_true(moments > 0);
  munmap(file, FILE_ROOM);
  close(fd);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(later_records_are_not_seen, directory_setup, directory_teardown),
      cmocka_unit_test_setup_teardown(cut_under_the_reader, directory_setup, directory_teardown),
      cmocka_unit_test_setup_teardown(look_again_sees_more, directory_setup, directory_teardown),
      cmocka_unit_test_setup_teardown(growing_trace_shows_one_moment, directory_setup, directory_teardown),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
