/* SPDX-License-Identifier: MIT
 *
 * Damaged and hostile files: one precise line for each sort of damage, everything else is read, nothing crashes, hangs
 * or takes memory out of proportion. What the fuzzer finds gets its case here.
 */
#include "test_reader.h"
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const everything = "process 1 app command app -x\n"
                                      "thread 1.0 main\n"
                                      "shared S\n"
                                      "module 1 /lib/a.so 0x1000 0x1000 0x3000 0123456789abcdef\n"
                                      "unload 1 0x1000\n"
                                      "map 1 0x10000 0x20000 8 100 0 /y\n"
                                      "unmap 1 0x12000 0x13000\n"
                                      "1.0 sem-init S shared f@b.c:2 < main@a.c:1\n"
                                      "1.0 sem-value S 3\n"
                                      "1.1 thread-begin 1.1 pc:0x1800\n"
                                      "1.1 mutex-acquired A f@b.c:2\n"
                                      "1.1 thread-end 1.1\n"
                                      "handover 1.1 1.2\n"
                                      "1.2 object-named A \"a name\"\n"
                                      "@+5000000000\n"
                                      "1.2 mutex-failed A EBUSY\n"
                                      "window 1.0\n"
                                      "1.0 process-exit 0\n";
enum { RECORDS = 10 }; /* of `everything`, five of them by threads 1 and 2 */

static struct trace *open_bytes(const char *directory, const void *bytes, size_t size) {
  struct trace_problem problem = {.text = "opened"};
  bytes_write(path_in(directory, "1.snarl"), bytes, size);
  struct trace *trace = trace_open(directory, &problem);
  if (!trace)
    fail_msg("%s", problem.text);
  return trace;
}

static void refused(const char *path, enum trace_status status, const char *text) {
  struct trace_problem problem;
  assert_null(trace_open(path, &problem));
  assert_string_equal(trace_status_name(problem.status), trace_status_name(status));
  if (!strstr(problem.text, text))
    fail_msg("'%s' is not in '%s'", text, problem.text);
  assert_null(strchr(problem.text, '\n'));
}

static void refused_bytes(const char *directory, const void *bytes, size_t size, enum trace_status status,
                          const char *text) {
  bytes_write(path_in(directory, "1.snarl"), bytes, size);
  refused(path_in(directory, "1.snarl"), status, text);
  refused(directory, status, text);
}

static uint64_t read_all(struct trace *trace) {
  struct trace_record record;
  uint64_t count = 0;
  while (trace_next(trace, &record))
    count++;
  return count;
}

/* Opens, reads all, expects one problem that contains `text` and `records` records, closes. */
static void one_problem(struct trace *trace, const char *text, uint64_t records) {
  uint64_t count = read_all(trace);
  if (trace_problem_count(trace) != 1 || !has_problem(trace, text))
    for (size_t i = 0; i < trace_problem_count(trace); i++)
      print_error("problem: %s\n", trace_problem_at(trace, i)->text);
  assert_int_equal(trace_problem_count(trace), 1);
  assert_true(has_problem(trace, text));
  assert_int_equal(count, records);
  assert_false(trace_is_complete(trace));
  trace_close(trace);
}

static void not_a_trace(void **state) {
  size_t size;
  struct trace_problem problem;
  char *bytes = assembled_bytes(*state, everything, &size);
  struct snarli_header *header = (struct snarli_header *)bytes;
  refused(path_in(*state, "nothing"), TRACE_NO_FILE, "nothing: No such file");
  refused(*state, TRACE_EMPTY, "no *.snarl file in this directory");
  refused_bytes(*state, "", 0, TRACE_EMPTY, "1.snarl: the file is empty");
  refused_bytes(*state, "#!/bin/sh\necho this is something else\n", 36, TRACE_NOT_TRACE, "this is not a snarl trace");
  refused_bytes(*state, bytes, 4, TRACE_TRUNCATED, "the header is cut off after 4 of");
  refused_bytes(*state, bytes, 100, TRACE_TRUNCATED, "the header is cut off after 100 of");
  header->version = 7;
  refused_bytes(*state, bytes, size, TRACE_VERSION, "format version 7; this snarl reads version 1");
  header->version = SNARLI_VERSION;
  header->byte_order = 0x04030201;
  refused_bytes(*state, bytes, size, TRACE_VERSION, "byte order mark 0x4030201 instead of 0x1020304");
  header->magic = __builtin_bswap64(SNARLI_MAGIC);
  refused_bytes(*state, bytes, size, TRACE_VERSION, "written by a machine of the other byte order");
  memset(bytes, 0, SNARLI_HEADER_SIZE);
  refused_bytes(*state, bytes, size, TRACE_EMPTY, "the file has no header yet");
  free(bytes);
  assert_int_equal(unlink(path_in(*state, "1.snarl")), 0);
  assert_int_equal(mkdir(path_in(*state, "1.snarl"), 0700), 0);
  refused(*state, TRACE_NOT_TRACE, "this is not a regular file");
  assert_int_equal(mkfifo(path_in(*state, "2.snarl"), 0600), 0);
  refused(path_in(*state, "2.snarl"), TRACE_NOT_TRACE, "this is not a regular file"); /* and does not wait */
  assert_null(trace_open(path_in(*state, "2.snarl/x"), &problem));
  assert_int_equal(problem.status, TRACE_NO_FILE);
}

static void unreadable(void **state) {
  size_t size;
  char *bytes = assembled_bytes(*state, everything, &size);
  bytes_write(path_in(*state, "1.snarl"), bytes, size);
  free(bytes);
  assert_int_equal(chmod(path_in(*state, "1.snarl"), 0), 0);
  assert_int_equal(chmod(*state, 0711), 0);
  bool is_root = geteuid() == 0;
  if (is_root)
    assert_int_equal(seteuid(65534), 0);
  refused(path_in(*state, "1.snarl"), TRACE_NO_ACCESS, "1.snarl: Permission denied");
  if (is_root) {
    refused(*state, TRACE_NO_ACCESS, "Permission denied");
    assert_int_equal(seteuid(0), 0);
  }
  assert_int_equal(chmod(*state, 0700), 0);
}

/* What is there is read, what is not is told; a longer piece never gives fewer records. */
static void truncated_everywhere(void **state) {
  size_t size;
  char *bytes = assembled_bytes(*state, everything, &size);
  struct trace_problem problem;
  struct walk walk;
  uint64_t records = 0;
  for (size_t length = 0; length < size; length += 16) {
    bytes_write(path_in(*state, "1.snarl"), bytes, length);
    if (!trace_walk(*state, &walk, &problem)) {
      assert_true(length < sizeof(struct snarli_header));
      continue;
    }
    assert_true(length >= sizeof(struct snarli_header));
    assert_true(walk.problems > 0 && !walk.is_complete);
    assert_true(walk.records >= records);
    records = walk.records;
  }
  bytes_write(path_in(*state, "1.snarl"), bytes, size);
  assert_true(trace_walk(*state, &walk, &problem));
  assert_true(walk.is_complete && walk.records >= records);
  free(bytes);
}

static void truncation_is_measured(void **state) {
  size_t size;
  char *bytes = assembled_bytes(*state, "process 1 app\n", &size);
  struct snarli_header *header = (struct snarli_header *)bytes;
  header->next = size + 4096;
  one_problem(open_bytes(*state, bytes, size), "bytes were in use: 4096 bytes are missing", 1);
  header->stop = SNARLI_STOP_NO_SPACE; /* the file could not grow: `dropped` tells what was lost */
  struct trace *trace = open_bytes(*state, bytes, size);
  assert_int_equal(read_all(trace), 1);
  assert_true(trace_is_complete(trace));
  trace_close(trace);
  free(bytes);
}

static void garbage_lengths(void **state) {
  static const uint64_t lengths[] = {0, 1, 4095, 4097, 1ull << 60 | 8};
  size_t size;
  char *bytes = assembled_bytes(*state, everything, &size);
  for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
    ((struct snarli_header *)bytes)->next = lengths[i];
    one_problem(open_bytes(*state, bytes, size), "bytes are in use, which cannot be", RECORDS);
  }
  ((struct snarli_header *)bytes)->next = 1ull << 60;
  one_problem(open_bytes(*state, bytes, size), "but 1152921504606846976 bytes were in use", RECORDS);
  free(bytes);
}

static void flipped_headers(void **state) {
  size_t size;
  char *bytes = assembled_bytes(*state, everything, &size);
  struct trace_problem problem;
  struct walk walk;
  for (size_t i = 0; i < sizeof(struct snarli_header); i++)
    for (unsigned flip = 1; flip < 512; flip <<= 1) {
      char old = bytes[i];
      bytes[i] ^= (char)(flip == 256 ? 255 : flip);
      bytes_write(path_in(*state, "1.snarl"), bytes, size);
      bool is_identity = i < offsetof(struct snarli_header, clock);
      assert_int_equal(trace_walk(*state, &walk, &problem), !is_identity);
      bytes[i] = old;
    }
  free(bytes);
}

static void flipped_bits(void **state) {
  size_t size;
  char *bytes = assembled_bytes(*state, everything, &size);
  char *copy = malloc(size);
  struct trace_problem problem;
  struct walk walk;
  uint64_t seed = 0x9e3779b97f4a7c15ull;
  for (unsigned round = 0; round < 2000; round++) {
    memcpy(copy, bytes, size);
    for (uint64_t flips = 1 + random_next(&seed) % 6; flips-- > 0;) {
      /* Most of a window is zeros: aim at its beginning. */
      size_t page = random_next(&seed) % (size / 4096) * 4096;
      copy[page + random_next(&seed) % (random_next(&seed) % 8 ? 400 : 4096)] ^= (char)(1u << random_next(&seed) % 8);
    }
    bytes_write(path_in(*state, "1.snarl"), copy, size);
    (void)trace_walk(*state, &walk, &problem);
  }
  free(copy);
  free(bytes);
}

/* The windows of `everything`: blobs, stacks, thread 0, thread 1 (and 2), thread 0 again. */
static char *page_of(char *bytes, size_t window) { return bytes + 4096 * (window + 1); }
static struct snarli_record *rows_of(char *bytes, size_t window) {
  return (struct snarli_record *)page_of(bytes, window) + 1;
}

static void windows_without_header(void **state) {
  size_t size;
  char *bytes = assembled_bytes(*state, everything, &size);
  assert_int_equal(size, 6 * 4096);
  struct snarli_window *window = (struct snarli_window *)page_of(bytes, 3), old = *window;
  window->magic ^= 1;
  one_problem(open_bytes(*state, bytes, size),
              "no window at offset 16384: 4096 bytes skipped, reading goes on at 20480", 5);
  *window = old;
  window->size = 4096 + 48; /* ends within the next window */
  struct trace *trace = open_bytes(*state, bytes, size);
  assert_int_equal(read_all(trace), RECORDS - 1);
  assert_int_equal(trace_problem_count(trace), 2);
  assert_true(has_problem(trace, "no window at offset 20528: 4048 bytes skipped, reading goes on at 24576"));
  assert_true(has_problem(trace, "a window lies within another at offset 20480"));
  trace_close(trace);
  window->size = 8192; /* swallows the next one, whose owner is found all the same */
  one_problem(open_bytes(*state, bytes, size), "a window lies within another at offset 20480", RECORDS);
  window->size = 1 << 20;
  trace = open_bytes(*state, bytes, size);
  assert_int_equal(read_all(trace), RECORDS);
  assert_true(has_problem(trace, "the window at offset 16384 has 8192 of its 1048576 bytes"));
  trace_close(trace);
  window->size = 16; /* empty */
  one_problem(open_bytes(*state, bytes, size),
              "no window at offset 16400: 4080 bytes skipped, reading goes on at 20480", 5);
  window->size = 0; /* a loop, if it were followed */
  one_problem(open_bytes(*state, bytes, size), "no window at offset 16384: 4096 bytes skipped", 5);
  free(bytes);
}

/* Reserved space that nobody wrote to is no loss: not at the end, not between windows, not with half a header. */
static void unused_windows_are_no_loss(void **state) {
  size_t size;
  char *bytes = assembled_bytes(*state, everything, &size);
  char *longer = calloc(1, size + 3 * 4096);
  memcpy(longer, bytes, 5 * 4096);
  ((struct snarli_window *)(longer + 5 * 4096))->size = 4096;
  ((struct snarli_window *)(longer + 5 * 4096))->kind = SNARLI_W_RECORDS;
  memcpy(longer + 7 * 4096, page_of(bytes, 4), 4096);
  ((struct snarli_header *)longer)->next = size + 3 * 4096;
  struct trace *trace = open_bytes(*state, longer, size + 3 * 4096);
  assert_int_equal(read_all(trace), RECORDS);
  assert_true(trace_is_complete(trace));
  trace_close(trace);
  free(longer);
  free(bytes);
}

static void damaged_rows(void **state) {
  size_t size;
  char *bytes = assembled_bytes(*state, everything, &size);
  struct snarli_record *rows = rows_of(bytes, 3), old[8];
  memcpy(old, rows, sizeof old);
  rows[3].head = (rows[3].head & ~0xffull) | 0xfe;
  rows[4].head = (rows[4].head & ~0xffull) | 0xfe;
  one_problem(open_bytes(*state, bytes, size),
              "the record at offset 16448 is of the unknown type 0xfe: skipped (and 1 more like it)", RECORDS - 2);
  memcpy(rows, old, sizeof old);
  rows[0].head = snarli_record_head(SNARLI_R_TIME, 0, 0); /* three records are nobody's, then comes thread 2 */
  one_problem(open_bytes(*state, bytes, size),
              "the record at offset 16432 has no thread that it belongs to: skipped (and 2 more like it)", RECORDS - 3);
  memcpy(rows, old, sizeof old);
  rows[1].head = snarli_record_head(SNARLI_R_SEM_CLOSED, 0, 0);
  one_problem(open_bytes(*state, bytes, size), "no time follows the owner at offset 16400", RECORDS + 1);
  memcpy(rows, old, sizeof old);
  rows[3].head = 0;
  one_problem(open_bytes(*state, bytes, size), "a record before offset 16464 was never completed", RECORDS - 1);
  memcpy(rows, old, sizeof old);
  rows[1].head = snarli_record_head(SNARLI_R_TIME, 0, 1ull << 40);
  one_problem(open_bytes(*state, bytes, size), "the clock runs back or wild at offset 16416", RECORDS);
  free(bytes);
}

/* The first blob of `everything` is the program's path. */
static void damaged_blobs(void **state) {
  size_t size;
  char *bytes = assembled_bytes(*state, everything, &size);
  struct snarli_blob *blob = (struct snarli_blob *)(page_of(bytes, 0) + sizeof(struct snarli_window)), old = *blob;
  assert_int_equal(blob->kind, SNARLI_B_EXE);
  blob->size = UINT32_MAX;
  struct trace *trace = open_bytes(*state, bytes, size);
  assert_string_equal(trace_process_at(trace, 0)->exe, "");
  assert_string_equal(trace_process_at(trace, 0)->command, "app -x");
  one_problem(trace, "no string, module or other blob at offset 4112 (kind 7, 4294967295 bytes)", RECORDS);
  *blob = old;
  blob->kind = 77;
  one_problem(open_bytes(*state, bytes, size), "no string, module or other blob at offset 4112 (kind 77, 3 bytes)",
              RECORDS);
  blob->kind = 0; /* claimed, and the process was killed before it was written */
  trace = open_bytes(*state, bytes, size);
  assert_string_equal(trace_process_at(trace, 0)->command, "app -x");
  assert_true(trace_is_complete(trace));
  trace_close(trace);
  static const struct {
    enum snarli_blob_kind kind;
    const char *text;
  } kinds[] = {{SNARLI_B_MODULE, "the module at offset 4112 is damaged (3 bytes)"},
               {SNARLI_B_UNLOAD, "the unload at offset 4112 is damaged (3 bytes)"},
               {SNARLI_B_MAPPING, "the mapping at offset 4112 is damaged (3 bytes)"},
               {SNARLI_B_UNMAP, "the unmap at offset 4112 is damaged (3 bytes)"},
               {SNARLI_B_SYMBOL, "the symbol at offset 4112 is damaged (3 bytes)"}};
  for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
    blob->kind = kinds[i].kind;
    one_problem(open_bytes(*state, bytes, size), kinds[i].text, RECORDS);
  }
  blob->kind = SNARLI_B_STRING;
  ((char *)(blob + 1))[1] = 0;
  trace = open_bytes(*state, bytes, size);
  assert_string_equal(trace_string(trace, 0, 4112 / SNARLI_ROW), "a");
  one_problem(trace, "the string at offset 4112 contains a zero byte", RECORDS);
  free(bytes);
}

static void one_bad_process_of_two(void **state) {
  char error[256];
  struct trace_problem problem;
  assert_int_equal(trace_assemble("process 1 app\nprocess 2 app\n2.0 mutex-init A\n", *state, error, sizeof error), 0);
  bytes_write(path_in(*state, "0000001-000.snarl"), "something else that is long enough", 30);
  bytes_write(path_in(*state, "0000003-000.snarl"), "", 0);
  bytes_write(path_in(*state, "notes.txt"), "not looked at", 13);
  struct trace *trace = trace_open(*state, &problem);
  assert_non_null(trace);
  assert_int_equal(trace_process_count(trace), 1);
  assert_int_equal(trace_process_at(trace, 0)->pid, 2);
  assert_int_equal(read_all(trace), 2);
  assert_int_equal(trace_problem_count(trace), 2);
  assert_true(has_problem(trace, "0000001-000.snarl: this is not a snarl trace"));
  assert_true(has_problem(trace, "0000003-000.snarl: the file is empty"));
  assert_int_equal(trace_problem_at(trace, 0)->status, TRACE_NOT_TRACE);
  trace_close(trace);
}

/* Files that claim exabytes and have a few pages: neither time nor memory may follow the claim. */
static void sparse_files_cost_little(void **state) {
  size_t size;
  char *bytes = assembled_bytes(*state, everything, &size);
  struct rusage before, after;
  struct snarli_window *windows = (struct snarli_window *)page_of(bytes, 0);
  ((struct snarli_header *)bytes)->next = 1ull << 42;
  getrusage(RUSAGE_SELF, &before);
  for (unsigned kind = SNARLI_W_RECORDS; kind <= SNARLI_W_BLOBS; kind++) {
    struct walk walk;
    struct trace_problem problem;
    struct snarli_window huge = {.magic = SNARLI_WINDOW_MAGIC, .kind = (uint16_t)kind, .size = UINT32_MAX - 15};
    bytes_write(path_in(*state, "1.snarl"), bytes, size);
    int fd = open(path_in(*state, "1.snarl"), O_WRONLY | O_CLOEXEC);
    assert_int_equal(ftruncate(fd, 1ll << 42), 0);
    assert_int_equal(pwrite(fd, &huge, sizeof huge, (off_t)size), sizeof huge);
    assert_int_equal(pwrite(fd, &huge, sizeof huge, (off_t)(size + huge.size)), sizeof huge);
    close(fd);
    assert_true(trace_walk(*state, &walk, &problem));
    assert_int_equal(walk.records, RECORDS);
  }
  getrusage(RUSAGE_SELF, &after);
  assert_true(after.ru_maxrss - before.ru_maxrss < 100 << 10); /* KiB */
  assert_int_equal(windows->magic, SNARLI_WINDOW_MAGIC);
  free(bytes);
}

/* Millions of equal damages make one line. */
static void floods_make_one_line(void **state) {
  enum { ROWS = 1 << 18 };
  size_t size = SNARLI_HEADER_SIZE + (size_t)(ROWS + 1) * SNARLI_ROW;
  char *bytes = calloc(1, size);
  struct image *image = image_new(1, 5);
  *(struct snarli_header *)bytes = *image_header(image);
  ((struct snarli_header *)bytes)->next = size;
  *(struct snarli_window *)(bytes + 4096) =
      (struct snarli_window){.magic = SNARLI_WINDOW_MAGIC, .kind = SNARLI_W_RECORDS, .size = (ROWS + 1) * SNARLI_ROW};
  struct snarli_record *rows = (struct snarli_record *)(bytes + 4096) + 1;
  rows[0].head = snarli_record_head(SNARLI_R_OWNER, 0, 1);
  rows[1].head = snarli_record_head(SNARLI_R_TIME, 0, 0);
  rows[2].head = snarli_record_head(SNARLI_R_MUTEX_INIT, 0, 9);
  for (size_t i = 3; i < ROWS; i++)
    rows[i].head = 0xfe;
  one_problem(open_bytes(*state, bytes, size), "unknown type 0xfe: skipped (and 262,140 more like it)", 1);
  for (size_t i = 0; i < ROWS; i++) /* a new thread in each row, with a record each */
    rows[i] = (struct snarli_record){.head = snarli_record_head(i % 2 ? SNARLI_R_MUTEX_INIT : SNARLI_R_OWNER, 0, i),
                                     .aux = (uint32_t)i,
                                     .time = (uint32_t)i};
  one_problem(open_bytes(*state, bytes, size), "no time follows the owner", ROWS / 2);
  for (size_t i = 0; i < ROWS; i++)
    rows[i].head = SNARLI_R_OWNER;
  struct trace *trace = open_bytes(*state, bytes, size);
  assert_int_equal(read_all(trace), 0);
  trace_close(trace);
  image_free(image);
  free(bytes);
}

/* Found by the fuzzer: a window handed over in which the next owner's clock is earlier than what was read already. */
static void handover_back_in_time(void **state) {
  struct walk walk;
  struct trace_problem problem;
  struct image *image = image_new(1, 100);
  image_record(image, 0, 20ull << 32, snarli_record_head(SNARLI_R_MUTEX_INIT, 0, 1), IMAGE_RAW, 0);
  image_record(image, 2, 19ull << 32, snarli_record_head(SNARLI_R_MUTEX_INIT, 0, 1), IMAGE_RAW, 0);
  image_record(image, 2, 30ull << 32, snarli_record_head(SNARLI_R_MUTEX_INIT, 0, 1), IMAGE_RAW, 0);
  assert_true(image_handover(image, 0, 1));
  image_record(image, 1, 5ull << 32, snarli_record_head(SNARLI_R_MUTEX_INIT, 0, 1), IMAGE_RAW, 0);
  assert_int_equal(image_write(image, path_in(*state, "1.snarl")), 0);
  image_free(image);
  assert_true(trace_walk(*state, &walk, &problem)); /* checks that time never goes back */
  assert_int_equal(walk.records, 4);
  assert_int_equal(walk.problems, 1);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, directory_setup, directory_teardown)
  const struct CMUnitTest tests[] = {
      TEST(not_a_trace),
      TEST(unreadable),
      TEST(truncated_everywhere),
      TEST(truncation_is_measured),
      TEST(garbage_lengths),
      TEST(flipped_headers),
      TEST(flipped_bits),
      TEST(windows_without_header),
      TEST(unused_windows_are_no_loss),
      TEST(damaged_rows),
      TEST(damaged_blobs),
      TEST(one_bad_process_of_two),
      TEST(sparse_files_cost_little),
      TEST(floods_make_one_line),
      TEST(handover_back_in_time),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
