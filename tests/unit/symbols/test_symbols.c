/* SPDX-License-Identifier: MIT
 *
 * Symbols against a library whose functions and lines are known: as built, stripped, with its debug information in a
 * file of its own, replaced by another build, cut off at many places, and gone. The trace behind it is made up here:
 * these are the reader's functions that symbols/ calls. One thread.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "symbols.h"

#include <dlfcn.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct trace {
  struct trace_module modules[2];
  size_t module_count;
  const uint64_t *pcs;
  size_t pc_count;
};

uint32_t trace_process_count(const struct trace *trace) {
  (void)trace;
  return 1;
}
size_t trace_module_count(const struct trace *trace, uint32_t process) {
  (void)process;
  return trace->module_count;
}
const struct trace_module *trace_module_at(const struct trace *trace, uint32_t process, size_t i) {
  (void)process;
  return &trace->modules[i];
}
const struct trace_module *trace_module_of(const struct trace *trace, uint32_t process, uint64_t pc, uint64_t time) {
  (void)process;
  for (size_t i = 0; i < trace->module_count; i++) {
    const struct trace_module *module = &trace->modules[i];
    if (pc >= module->lo && pc < module->hi && time >= module->loaded && time < module->unloaded)
      return module;
  }
  return NULL;
}
const struct trace_symbol *trace_symbol_of(const struct trace *trace, uint32_t process, uint64_t pc) {
  (void)trace, (void)process;
  static const struct trace_symbol known[] = {
      {SNARLI_PC_SYMBOL | 5, "work", "/src/jobs.py", 31},
      {SNARLI_PC_SYMBOL | 6, "Thread.run", "/usr/lib/python3.11/threading.py", 9}};
  return pc == known[0].pc ? &known[0] : pc == known[1].pc ? &known[1] : NULL;
}
size_t trace_stack(const struct trace *trace, uint32_t process, uint32_t stack, uint64_t *pcs, size_t room) {
  (void)process, (void)stack;
  for (size_t i = 0; i < trace->pc_count && i < room; i++)
    pcs[i] = trace->pcs[i];
  return trace->pc_count;
}

static struct {
  char directory[64];
  char copy[96]; /* the path under which the trace knows the fixture */
  struct trace_module module;
  uint64_t call;  /* return address of the call in innermost() */
  uint64_t start; /* entry of fixture_start */
  uint64_t third; /* address of bank::accounts[2], eight bytes each */
} fixture;

__attribute__((noinline)) static void note(void) { fixture.call = (uint64_t)(uintptr_t)__builtin_return_address(0); }

static int find_module(struct dl_phdr_info *info, size_t size, void *context) {
  (void)size, (void)context;
  if (!strstr(info->dlpi_name, "symbols-fixture"))
    return 0;
  struct trace_module *module = &fixture.module;
  module->base = info->dlpi_addr;
  module->unloaded = UINT64_MAX;
  for (int i = 0; i < info->dlpi_phnum; i++) {
    const ElfW(Phdr) *header = &info->dlpi_phdr[i];
    if (header->p_type == PT_LOAD && header->p_flags & PF_X) {
      module->lo = info->dlpi_addr + header->p_vaddr;
      module->hi = module->lo + header->p_memsz;
    }
    if (header->p_type == PT_NOTE) {
      const ElfW(Nhdr) *at = (const void *)(info->dlpi_addr + header->p_vaddr);
      for (const char *end = (const char *)at + header->p_memsz; (const char *)at < end;
           at = (const void *)((const char *)(at + 1) + ((at->n_namesz + 3u) & ~3u) + ((at->n_descsz + 3u) & ~3u)))
        if (at->n_type == 3) {
          module->build_id = (const uint8_t *)(at + 1) + ((at->n_namesz + 3u) & ~3u);
          module->build_id_size = at->n_descsz;
        }
    }
  }
  return 1;
}

static int set_up(void **state) {
  (void)state;
  void *library = dlopen(SYMBOLS_FIXTURE, RTLD_NOW);
  assert_non_null(library);
  *(void (**)(void))dlsym(library, "fixture_note") = note;
  ((void (*)(void))dlsym(library, "fixture_enter"))();
  fixture.start = (uint64_t)(uintptr_t)dlsym(library, "fixture_start");
  fixture.third = (uint64_t)(uintptr_t) * (void **)dlsym(library, "fixture_third_account");
  dl_iterate_phdr(find_module, NULL);
  assert_int_not_equal(fixture.module.build_id_size, 0);
  strcpy(fixture.directory, "/tmp/snarl-symbols-XXXXXX");
  assert_non_null(mkdtemp(fixture.directory));
  snprintf(fixture.copy, sizeof fixture.copy, "%s/fixture.so", fixture.directory);
  fixture.module.path = fixture.copy;
  return 0;
}

static int run(const char *format, const char *argument) {
  char command[512];
  snprintf(command, sizeof command, format, fixture.directory, argument);
  return system(command);
}

static int tear_down(void **state) {
  (void)state;
  return run("rm -rf %s%s", "");
}

static struct finding_stack ask(struct symbols **symbols, struct trace *trace, const uint64_t *pcs, size_t count) {
  trace->modules[0] = fixture.module;
  trace->module_count = 1;
  trace->pcs = pcs;
  trace->pc_count = count;
  *symbols = symbols_new(trace);
  assert_non_null(*symbols);
  return symbols_stack(*symbols, 0, 7, 5);
}

/* The line of fixture.cc that carries `mark`. */
static uint32_t line_of(const char *mark) {
  char text[256], wanted[64];
  uint32_t line = 0, found = 0;
  FILE *source = fopen(SYMBOLS_SOURCE, "r");
  assert_non_null(source);
  snprintf(wanted, sizeof wanted, "LINE %s ", mark);
  while (fgets(text, sizeof text, source)) {
    line++;
    if (strstr(text, wanted))
      found = line;
  }
  fclose(source);
  assert_int_not_equal(found, 0);
  return found;
}

static void expect_frame(const struct finding_frame *frame, const char *function, const char *mark, bool is_inlined) {
  assert_string_equal(frame->function, function);
  assert_non_null(strstr(frame->file, "fixture.cc"));
  assert_int_equal(frame->line, line_of(mark));
  assert_int_equal(frame->is_inlined, is_inlined);
  assert_false(frame->is_internal);
  assert_string_equal(frame->module, fixture.copy);
}

static void expect_all_frames(void) {
  struct symbols *symbols;
  struct trace trace;
  struct finding_stack stack = ask(&symbols, &trace, &fixture.call, 1);
  assert_int_equal(stack.count, 3);
  expect_frame(&stack.frames[0], "bank::innermost()", "innermost", true);
  expect_frame(&stack.frames[1], "bank::middle()", "middle", true);
  expect_frame(&stack.frames[2], "bank::transfer(int)", "transfer", false);
  assert_int_equal(stack.frames[0].offset, fixture.call - fixture.module.base);
  assert_int_equal(symbols_problem_count(symbols), 0);
  struct finding_stack again = symbols_stack(symbols, 0, 7, 6);
  assert_ptr_equal(again.frames, stack.frames);
  symbols_free(symbols);
}

static void expect_offset_only(const char *problem) {
  struct symbols *symbols;
  struct trace trace;
  struct finding_stack stack = ask(&symbols, &trace, &fixture.call, 1);
  assert_int_equal(stack.count, 1);
  assert_string_equal(stack.frames[0].function, "");
  assert_string_equal(stack.frames[0].module, fixture.copy);
  assert_int_equal(stack.frames[0].offset, fixture.call - fixture.module.base);
  assert_int_equal(symbols_problem_count(symbols), problem ? 1 : 0);
  if (problem)
    assert_non_null(strstr(symbols_problem_at(symbols, 0), problem));
  symbols_free(symbols);
}

static void test_inlined_frames(void **state) {
  (void)state;
  assert_int_equal(run("cp %2$s %1$s/fixture.so", SYMBOLS_FIXTURE), 0);
  expect_all_frames();
}

static void test_variables(void **state) {
  (void)state;
  struct symbols *symbols;
  struct trace trace;
  uint64_t offset = 0;
  assert_int_equal(run("cp %2$s %1$s/fixture.so", SYMBOLS_FIXTURE), 0);
  ask(&symbols, &trace, &fixture.call, 1);
  assert_string_equal(symbols_variable(symbols, 0, fixture.third, 5, &offset), "bank::accounts");
  assert_int_equal(offset, 16);
  assert_string_equal(symbols_variable(symbols, 0, fixture.start, 5, &offset), ""); /* a function is none */
  assert_string_equal(symbols_variable(symbols, 0, fixture.module.base - 8, 5, &offset), "");
  assert_string_equal(symbols_variable(symbols, 0, fixture.module.base + (1ull << 40), 5, &offset), "");
  symbols_free(symbols);
}

static void test_without_address_ranges(void **state) {
  (void)state;
  assert_int_equal(run("objcopy -R .debug_aranges %2$s %1$s/fixture.so", SYMBOLS_FIXTURE), 0);
  expect_all_frames();
}

static void test_separate_debug_file(void **state) {
  (void)state;
  assert_int_equal(run("cd %1$s && objcopy --only-keep-debug %2$s fixture.debug && "
                       "objcopy -S --add-gnu-debuglink=fixture.debug %2$s fixture.so",
                       SYMBOLS_FIXTURE),
                   0);
  expect_all_frames();
}

static void test_symbol_table_only(void **state) {
  (void)state;
  assert_int_equal(run("rm -f %1$s/fixture.debug; objcopy -g %2$s %1$s/fixture.so", SYMBOLS_FIXTURE), 0);
  struct symbols *symbols;
  struct trace trace;
  struct finding_stack stack = ask(&symbols, &trace, &fixture.call, 1);
  assert_int_equal(stack.count, 1);
  assert_string_equal(stack.frames[0].function, "bank::transfer(int)");
  assert_string_equal(stack.frames[0].file, "");
  symbols_free(symbols);
}

static void test_entry_of_start_routine(void **state) {
  (void)state;
  assert_int_equal(run("cp %2$s %1$s/fixture.so", SYMBOLS_FIXTURE), 0);
  struct symbols *symbols;
  struct trace trace;
  struct finding_stack stack = ask(&symbols, &trace, &fixture.start, 1);
  assert_int_equal(stack.count, 1);
  assert_string_equal(stack.frames[0].function, "fixture_start");
  symbols_free(symbols);
}

static void test_cut_stack(void **state) {
  (void)state;
  uint64_t pcs[] = {fixture.call, SNARLI_PC_CUT};
  struct symbols *symbols;
  struct trace trace;
  struct finding_stack stack = ask(&symbols, &trace, pcs, 2);
  assert_true(stack.is_cut);
  assert_int_equal(stack.count, 3);
  symbols_free(symbols);
}

static void test_reloaded_module(void **state) {
  (void)state;
  struct trace trace;
  struct symbols *symbols;
  trace.modules[0] = fixture.module;
  trace.modules[0].unloaded = 10;
  trace.modules[1] = fixture.module;
  trace.modules[1].path = "/nowhere/libother.so";
  trace.modules[1].loaded = 11;
  trace.module_count = 2;
  trace.pcs = &fixture.call;
  trace.pc_count = 1;
  symbols = symbols_new(&trace);
  assert_string_equal(symbols_stack(symbols, 0, 7, 5).frames[2].function, "bank::transfer(int)");
  assert_string_equal(symbols_stack(symbols, 0, 7, 12).frames[0].module, "/nowhere/libother.so");
  assert_string_equal(symbols_stack(symbols, 0, 7, 9).frames[2].function, "bank::transfer(int)");
  symbols_free(symbols);
}

static void test_recorder_frames_are_left_out(void **state) {
  (void)state;
  uint64_t pcs[] = {0x1010, fixture.call};
  struct trace trace;
  trace.modules[0] = fixture.module;
  trace.modules[1] =
      (struct trace_module){.lo = 0x1000, .hi = 0x2000, .unloaded = UINT64_MAX, .path = "/nowhere/libsnarl-preload.so"};
  trace.module_count = 2;
  trace.pcs = pcs;
  trace.pc_count = 2;
  struct symbols *symbols = symbols_new(&trace);
  struct finding_stack stack = symbols_stack(symbols, 0, 7, 5);
  assert_int_equal(stack.count, 3);
  assert_string_equal(stack.frames[0].function, "bank::innermost()");
  symbols_free(symbols);
}

static void test_changed_file(void **state) {
  (void)state;
  static const uint8_t other[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20};
  struct trace_module kept = fixture.module;
  assert_int_equal(run("cp %2$s %1$s/fixture.so", SYMBOLS_FIXTURE), 0);
  fixture.module.build_id = other;
  expect_offset_only("changed since the recording (build id 010203040506 then");
  fixture.module = kept;
}

static void test_missing_file(void **state) {
  (void)state;
  run("rm -f %1$s/fixture.so%2$s", "");
  expect_offset_only("No such file or directory");
}

static void test_kernel_module(void **state) {
  (void)state;
  struct symbols *symbols;
  struct trace trace;
  fixture.module.path = "linux-vdso.so.1";
  struct finding_stack stack = ask(&symbols, &trace, &fixture.call, 1);
  fixture.module.path = fixture.copy;
  assert_int_equal(stack.count, 1);
  assert_true(stack.frames[0].is_internal);
  assert_int_equal(symbols_problem_count(symbols), 0);
  symbols_free(symbols);
}

static void test_interpreted_frames(void **state) {
  (void)state;
  struct symbols *symbols;
  struct trace trace;
  const uint64_t pcs[] = {fixture.call, SNARLI_PC_SYMBOL | 5, SNARLI_PC_SYMBOL | 6, SNARLI_PC_SYMBOL | 7};
  fixture.module.path = "/usr/bin/python3.11";
  struct finding_stack stack = ask(&symbols, &trace, pcs, 4);
  fixture.module.path = fixture.copy;
  assert_int_equal(stack.count, 4);
  assert_true(stack.frames[0].is_internal);
  assert_false(stack.frames[0].is_interpreted);
  assert_string_equal(stack.frames[1].function, "work");
  assert_string_equal(stack.frames[1].file, "/src/jobs.py");
  assert_int_equal(stack.frames[1].line, 31);
  assert_int_equal(stack.frames[1].offset, 0);
  assert_string_equal(stack.frames[1].module, "");
  assert_true(stack.frames[1].is_interpreted);
  assert_false(stack.frames[1].is_internal);
  assert_true(stack.frames[2].is_internal);          /* of Python's own library */
  assert_string_equal(stack.frames[3].function, ""); /* its symbol was lost */
  symbols_free(symbols);
}

/* A file cut off anywhere must end in an answer, whatever it is. */
static void test_truncated_files(void **state) {
  (void)state;
  for (long size = 0; size < 40000; size += 613) {
    char number[32];
    snprintf(number, sizeof number, "%ld", size);
    assert_int_equal(run("cp " SYMBOLS_FIXTURE " %1$s/fixture.so && truncate -s %2$s %1$s/fixture.so", number), 0);
    struct symbols *symbols;
    struct trace trace;
    struct finding_stack stack = ask(&symbols, &trace, &fixture.call, 1);
    assert_true(stack.count >= 1);
    symbols_free(symbols);
  }
}

/* The same with bytes overwritten: 64 files, each with a run of bytes inverted somewhere else. */
static void test_damaged_files(void **state) {
  (void)state;
  static unsigned char bytes[1 << 20];
  FILE *in = fopen(SYMBOLS_FIXTURE, "rb");
  assert_non_null(in);
  size_t size = fread(bytes, 1, sizeof bytes, in);
  fclose(in);
  fixture.module.build_id_size = 0; /* otherwise most of them are refused at once */
  for (size_t i = 0; i < 64; i++) {
    size_t at = size * i / 64;
    for (size_t j = at; j < at + 24 && j < size; j++)
      bytes[j] ^= 0xff;
    FILE *out = fopen(fixture.copy, "wb");
    assert_int_equal(fwrite(bytes, 1, size, out), size);
    fclose(out);
    for (size_t j = at; j < at + 24 && j < size; j++)
      bytes[j] ^= 0xff;
    struct symbols *symbols;
    struct trace trace;
    assert_true(ask(&symbols, &trace, &fixture.call, 1).count >= 1);
    symbols_free(symbols);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_variables),
      cmocka_unit_test(test_inlined_frames),
      cmocka_unit_test(test_without_address_ranges),
      cmocka_unit_test(test_separate_debug_file),
      cmocka_unit_test(test_symbol_table_only),
      cmocka_unit_test(test_entry_of_start_routine),
      cmocka_unit_test(test_cut_stack),
      cmocka_unit_test(test_reloaded_module),
      cmocka_unit_test(test_recorder_frames_are_left_out),
      cmocka_unit_test(test_changed_file),
      cmocka_unit_test(test_missing_file),
      cmocka_unit_test(test_kernel_module),
      cmocka_unit_test(test_interpreted_frames),
      cmocka_unit_test(test_truncated_files),
      cmocka_unit_test(test_damaged_files),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
