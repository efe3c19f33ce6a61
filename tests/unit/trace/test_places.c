/* SPDX-License-Identifier: MIT
 *
 * Where things are: modules and mappings over time, symbols, strings, stacks; which image came from which; nanoseconds.
 */
#include "test_reader.h"

static void text_open(struct assembled *assembled, const char *text) { assert_true(assembled_open(assembled, text)); }

static uint64_t time_at(uint64_t ns) { return 1000000000u + ns; }

static void modules_follow_time(void **state) {
  struct assembled a;
  (void)state;
  text_open(&a, "process 1 app bare\n"
                "@1000 module 1 /lib/one.so 0x10000 0x11000 0x13000 00ff10\n"
                "@1000 module 1 /lib/wide.so 0x1000 0x2000 0x20000\n"
                "@5000 unload 1 0x10000\n"
                "@7000 module 1 /lib/two.so 0x11000 0x12000 0x14000\n"
                "@9000 unload 1 0x11000\n"
                "@9000 module 1 /lib/one.so 0x10000 0x11000 0x13000\n"
                "@9500 unload 1 0x777\n");
  const struct trace *t = a.trace;
  assert_int_equal(trace_module_count(t, 0), 4);
  assert_string_equal(trace_module_of(t, 0, 0x12fff, time_at(1000))->path, "/lib/one.so");
  assert_string_equal(trace_module_of(t, 0, 0x12000, time_at(4999))->path, "/lib/one.so");
  assert_string_equal(trace_module_of(t, 0, 0x12000, time_at(7000))->path, "/lib/two.so");
  assert_string_equal(trace_module_of(t, 0, 0x12000, time_at(8999))->path, "/lib/two.so");
  assert_string_equal(trace_module_of(t, 0, 0x12000, time_at(9000))->path, "/lib/one.so");
  /* The innermost of two that overlap is the one that came last; without it, the other. */
  assert_string_equal(trace_module_of(t, 0, 0x13fff, time_at(9500))->path, "/lib/wide.so");
  assert_string_equal(trace_module_of(t, 0, 0x12000, time_at(6000))->path, "/lib/wide.so");
  /* Before any was known there: the first that came. */
  assert_string_equal(trace_module_of(t, 0, 0x2000, time_at(0))->path, "/lib/wide.so");
  assert_null(trace_module_of(t, 0, 0x1fff, time_at(2000)));
  assert_null(trace_module_of(t, 0, 0x20000, time_at(2000)));
  assert_null(trace_module_of(t, 1, 0x12000, time_at(2000)));
  const struct trace_module *one = trace_module_of(t, 0, 0x11000, time_at(1000));
  assert_int_equal(one->build_id_size, 3);
  assert_memory_equal(one->build_id, "\x00\xff\x10", 3);
  assert_int_equal(one->unloaded, time_at(5000));
  assembled_close(&a);
}

static void module_gone_is_no_module(void **state) {
  struct assembled a;
  (void)state;
  text_open(&a, "process 1 app\nmodule 1 /lib/one.so 0 0x1000 0x2000\n@+5 unload 1 0\n");
  assert_null(trace_module_of(a.trace, 0, 0x1800, time_at(900000)));
  assembled_close(&a);
}

static void mappings_follow_time(void **state) {
  struct assembled a;
  (void)state;
  text_open(&a, "process 1 app bare\n"
                "@1000 map 1 0x10000 0x20000 8 100 0x4000 /shared\n"
                "@2000 unmap 1 0x14000 0x18000\n"
                "@3000 map 1 0x1f000 0x21000 8 101 0 /other\n"
                "@4000 unmap 1 0 0xffffffffffff\n");
  const struct trace *t = a.trace;
  assert_null(trace_mapping_of(t, 0, 0x10000, time_at(999)));
  assert_int_equal(trace_mapping_of(t, 0, 0x15000, time_at(1999))->inode, 100);
  assert_null(trace_mapping_of(t, 0, 0x15000, time_at(2000)));
  const struct trace_mapping *above = trace_mapping_of(t, 0, 0x18010, time_at(2000));
  assert_non_null(above);
  assert_int_equal(above->offset + (0x18010 - above->lo), 0x4000 + 0x8010);
  assert_string_equal(above->path, "/shared");
  const struct trace_mapping *below = trace_mapping_of(t, 0, 0x13fff, time_at(3999));
  assert_int_equal(below->offset + (0x13fff - below->lo), 0x4000 + 0x3fff);
  assert_int_equal(trace_mapping_of(t, 0, 0x1f000, time_at(2999))->inode, 100);
  assert_int_equal(trace_mapping_of(t, 0, 0x1f000, time_at(3000))->inode, 101);
  assert_int_equal(trace_mapping_of(t, 0, 0x20fff, time_at(3000))->inode, 101);
  assert_int_equal(trace_mapping_of(t, 0, 0x1efff, time_at(3000))->inode, 100);
  for (uint64_t address = 0x10000; address < 0x21000; address += 0x1000)
    assert_null(trace_mapping_of(t, 0, address, time_at(4000)));
  assembled_close(&a);
}

/* Against a byte map of small addresses, one for each time. */
static void mappings_match_a_slow_map(void **state) {
  enum { ADDRESSES = 64, EVENTS = 60, TRACES = 200 };
  (void)state;
  for (uint64_t round = 1; round <= TRACES; round++) {
    uint64_t seed = round * 0x9e3779b97f4a7c15ull;
    uint64_t slow[EVENTS][ADDRESSES] = {{0}}; /* inode << 32 | offset; 0: not mapped */
    struct assembled a;
    char text[8192];
    size_t used = (size_t)snprintf(text, sizeof text, "process 1 app bare\n");
    for (uint64_t i = 1; i < EVENTS; i++) {
      uint64_t lo = random_next(&seed) % (ADDRESSES - 1), size = 1 + random_next(&seed) % (ADDRESSES - lo);
      bool is_map = random_next(&seed) % 3 != 0;
      used += (size_t)snprintf(text + used, sizeof text - used,
                               is_map ? "@%u map 1 %u %u 8 %u 1000\n" : "@%u unmap 1 %u %u\n", (unsigned)i,
                               (unsigned)lo, (unsigned)(lo + size), (unsigned)(i + 1));
      memcpy(slow[i], slow[i - 1], sizeof slow[i]);
      for (uint64_t address = lo; address < lo + size; address++)
        slow[i][address] = is_map ? (i + 1) << 32 | (1000 + address - lo) : 0;
    }
    text_open(&a, text);
    for (uint64_t i = 0; i < EVENTS; i++)
      for (uint64_t address = 0; address < ADDRESSES; address++) {
        const struct trace_mapping *m = trace_mapping_of(a.trace, 0, address, time_at(i));
        uint64_t found = m ? m->inode << 32 | (m->offset + (address - m->lo)) : 0;
        if (found != slow[i][address])
          fail_msg("round %u: address %u at %u: %#llx, not %#llx", (unsigned)round, (unsigned)address, (unsigned)i,
                   (unsigned long long)found, (unsigned long long)slow[i][address]);
      }
    assembled_close(&a);
  }
}

static void stacks_have_their_frames(void **state) {
  struct assembled a;
  struct trace_record record;
  uint64_t pcs[4];
  (void)state;
  text_open(&a, "process 1 app bare\n"
                "1.0 mutex-requested A c@x.c:3 < b@x.c:2 < a@x.c:1\n"
                "1.0 mutex-requested B c@x.c:3 < ...\n"
                "1.0 mutex-requested C\n"
                "1.0 mutex-requested C aux=7\n");
  assert_true(trace_next(a.trace, &record));
  assert_int_equal(trace_stack(a.trace, 0, record.aux, pcs, 2), 3);
  assert_string_equal(trace_symbol_of(a.trace, 0, pcs[0])->function, "c");
  assert_string_equal(trace_symbol_of(a.trace, 0, pcs[1])->function, "b");
  assert_int_equal(trace_stack(a.trace, 0, record.aux, NULL, 0), 3);
  assert_true(trace_next(a.trace, &record));
  assert_int_equal(trace_stack(a.trace, 0, record.aux, pcs, 4), 2);
  assert_int_equal(pcs[1], SNARLI_PC_CUT);
  assert_true(trace_next(a.trace, &record));
  assert_int_equal(trace_stack(a.trace, 0, record.aux, pcs, 4), 0);
  assert_true(trace_is_complete(a.trace));
  assert_true(trace_next(a.trace, &record));
  assert_int_equal(trace_stack(a.trace, 0, record.aux, pcs, 4), 0);
  assert_true(has_problem(a.trace, "the call stack at offset 112 continues at 112, where no frame is"));
  assert_int_equal(trace_stack(a.trace, 9, record.aux, pcs, 4), 0);
  assert_null(trace_symbol_of(a.trace, 0, 12345));
  assembled_close(&a);
}

/* Chains that run into a circle after `before` nodes: each node counts once. */
static void stack_loops_end(void **state) {
  for (uint32_t before = 0; before < 6; before++)
    for (uint32_t length = 1; length < 8; length++) {
      struct image *image = image_new(1, 5);
      uint32_t node = 0;
      size_t size;
      for (uint32_t i = 0; i < before + length; i++)
        node = image_node(image, 0x100 + i, node);
      image_record(image, 0, 9, snarli_record_head(SNARLI_R_MUTEX_INIT, 0, 1), IMAGE_NODE, node);
      char *bytes = image_bytes(image, &size);
      /* The chain ends in the node that was made first: make it point at the one `length` nodes before the end. */
      uint32_t first = SNARLI_HEADER_SIZE / SNARLI_ROW + 1;
      memcpy(bytes + first * SNARLI_ROW + offsetof(struct snarli_stack_node, parent), &(uint32_t){first + length - 1},
             4);
      bytes_write(path_in(*state, "1.snarl"), bytes, size);
      struct trace_problem problem;
      struct trace_record record;
      struct trace *trace = trace_open(*state, &problem);
      assert_true(trace_next(trace, &record));
      assert_int_equal(trace_stack(trace, 0, record.aux, NULL, 0), before + length);
      assert_true(has_problem(trace, "runs in a circle"));
      assert_false(trace_is_complete(trace));
      trace_close(trace);
      free(bytes);
      image_free(image);
    }
}

static void strings_are_found_by_id(void **state) {
  struct assembled a;
  struct trace_record record;
  (void)state;
  text_open(&a, "process 1 app\nprocess 2 other\n"
                "1.0 object-named A \"first\"\n"
                "1.0 object-named A \"sixteen bytes ok\"\n"
                "1.0 object-named A \"\"\n"
                "2.0 object-named A \"second process\"\n");
  static const char *const names[] = {"first", "sixteen bytes ok", "", "second process"};
  for (size_t i = 0; i < 4;) {
    assert_true(trace_next(a.trace, &record));
    if (record.type == SNARLI_R_OBJECT_NAMED)
      assert_string_equal(trace_string(a.trace, record.process, record.aux), names[i++]);
  }
  assert_null(trace_string(a.trace, 0, record.aux + 1));
  assert_null(trace_string(a.trace, 7, record.aux));
  assembled_close(&a);
}

static void images_know_their_parents(void **state) {
  struct assembled a;
  (void)state;
  text_open(&a, "process 10 shell command sh -c 'a | b'\n"
                "process 11 shell forked-from 10\n"
                "process 11 make exec\n"
                "process 12 make forked-from 11\n"
                "process 13 cc parent 11\n"
                "process 10 shell exec\n"
                "process 14 lone parent 999\n"
                "process 15 late parent 10\n"
                "ended 13 7\n"
                "killed 14\n"
                "dropped 15 1234\n");
  static const struct {
    uint32_t pid;
    int parent;
    bool forked, execed;
  } expected[] = {{10, -1, false, false}, {11, 0, true, false}, {11, 1, false, true},   {12, 2, true, false},
                  {13, 2, false, false},  {10, 0, false, true}, {14, -1, false, false}, {15, 5, false, false}};
  assert_int_equal(trace_process_count(a.trace), 8);
  for (uint32_t i = 0; i < 8; i++) {
    const struct trace_process *process = trace_process_at(a.trace, i);
    assert_int_equal(process->pid, expected[i].pid);
    assert_int_equal(process->parent, expected[i].parent);
    assert_int_equal(process->forked, expected[i].forked);
    assert_int_equal(process->execed, expected[i].execed);
  }
  assert_string_equal(trace_process_at(a.trace, 0)->command, "sh -c 'a | b'");
  assert_string_equal(trace_process_at(a.trace, 2)->exe, "make");
  assert_int_equal(trace_process_at(a.trace, 4)->exit_status, 7);
  assert_false(trace_process_at(a.trace, 6)->ended);
  assert_int_equal(trace_process_at(a.trace, 7)->dropped, 1234);
  assert_int_equal(trace_process_at(a.trace, 7)->stop, SNARLI_STOP_NO_SPACE);
  assert_int_equal(trace_dropped(a.trace), 1234);
  assert_false(trace_is_complete(a.trace));
  assert_int_equal(trace_problem_count(a.trace), 0);
  assembled_close(&a);
}

static void clock_check(const char *directory, const struct snarli_header *clock, uint64_t ticks, uint64_t expected) {
  struct image *image = image_new(1, 100);
  struct snarli_header *header = image_header(image);
  struct trace_problem problem;
  header->clock = clock->clock;
  header->begin_ticks = clock->begin_ticks;
  header->begin_ns = clock->begin_ns;
  header->ticks_per_second = clock->ticks_per_second;
  header->sync_ticks = clock->sync_ticks;
  header->sync_ns = clock->sync_ns;
  image_record(image, 0, 5000, snarli_record_head(SNARLI_R_MUTEX_INIT, 0, 1), IMAGE_RAW, 0);
  assert_int_equal(image_write(image, path_in(directory, "1.snarl")), 0);
  image_free(image);
  struct trace *trace = trace_open(directory, &problem);
  assert_int_equal(trace_ns(trace, 5000), 0);
  assert_int_equal(trace_ns(trace, 4000), 0);
  assert_int_equal(trace_ns(trace, 5000 + ticks), expected);
  trace_close(trace);
}

static void ticks_become_nanoseconds(void **state) {
  struct snarli_header clock = {.clock = SNARLI_CLOCK_TSC, .ticks_per_second = 2000000000};
  clock_check(*state, &clock, 1000, 500);
  clock_check(*state, &clock, UINT64_MAX - 5000, (UINT64_MAX - 5000) / 2);
  clock.ticks_per_second = 1;
  clock_check(*state, &clock, 3, 3000000000);
  clock_check(*state, &clock, UINT64_MAX - 5000, UINT64_MAX); /* more than fits: the largest */
  clock = (struct snarli_header){
      .clock = SNARLI_CLOCK_TSC, .begin_ticks = 100, .begin_ns = 7, .sync_ticks = 400, .sync_ns = 107};
  clock_check(*state, &clock, 3000, 1000);
  clock.sync_ns = 7; /* the two readings coincide */
  clock_check(*state, &clock, 3000, 3000);
  clock.sync_ns = 6; /* the clock went back */
  clock_check(*state, &clock, 3000, 3000);
  clock = (struct snarli_header){.clock = SNARLI_CLOCK_MONOTONIC, .sync_ticks = 400, .sync_ns = 107};
  clock_check(*state, &clock, 3000, 3000);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(modules_follow_time),
      cmocka_unit_test(module_gone_is_no_module),
      cmocka_unit_test(mappings_follow_time),
      cmocka_unit_test(mappings_match_a_slow_map),
      cmocka_unit_test(stacks_have_their_frames),
      cmocka_unit_test_setup_teardown(stack_loops_end, directory_setup, directory_teardown),
      cmocka_unit_test(strings_are_found_by_id),
      cmocka_unit_test(images_know_their_parents),
      cmocka_unit_test_setup_teardown(ticks_become_nanoseconds, directory_setup, directory_teardown),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
