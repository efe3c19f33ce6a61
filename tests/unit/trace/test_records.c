/* SPDX-License-Identifier: MIT
 *
 * Every row of records.def goes from text through a file to the reader and to `snarl dump`'s line.
 */
#include "test_reader.h"
#include <errno.h>

static const struct {
  unsigned type;
  const char *text;
} rows[] = {
#define RECORD(id, NAME, text, family, phase, arg, object, aux) {id, text},
#include <snarl/trace/records.def>
};

enum { ROWS = sizeof rows / sizeof rows[0] };

static bool is_stream(unsigned type) { return type == SNARLI_R_OWNER || type == SNARLI_R_TIME; }

static const char *object_words(enum snarli_object kind) {
  switch (kind) {
  case SNARLI_OBJECT_ADDRESS:
    return "0x1230";
  case SNARLI_OBJECT_HANDLE:
    return "1.3";
  case SNARLI_OBJECT_INDEX:
    return "7";
  case SNARLI_OBJECT_PID:
    return "4711";
  case SNARLI_OBJECT_NUMBER:
    return "99";
  case SNARLI_OBJECT_DESCRIPTOR:
    return "5";
  case SNARLI_OBJECT_TRANSFER:
    return "5 4096";
  case SNARLI_OBJECT_STRING:
    return "\"some bytes\"";
  case SNARLI_OBJECT_NONE:
    return "";
  }
  return "";
}

static const char *object_shown(enum snarli_object kind) {
  static const char *const shown[] = {[SNARLI_OBJECT_ADDRESS] = " 0x1230",
                                      [SNARLI_OBJECT_HANDLE] = " 0x7e0000003000",
                                      [SNARLI_OBJECT_INDEX] = " thread 7",
                                      [SNARLI_OBJECT_PID] = " pid 4711",
                                      [SNARLI_OBJECT_NUMBER] = " 99",
                                      [SNARLI_OBJECT_NONE] = "",
                                      [SNARLI_OBJECT_DESCRIPTOR] = " 5",
                                      [SNARLI_OBJECT_TRANSFER] = " 5 4096",
                                      [SNARLI_OBJECT_STRING] = " \"some bytes\""};
  return shown[kind];
}

static const char *argument_words(enum snarli_arg kind) {
  static const char *const words[] = {[SNARLI_ARG_NONE] = "",
                                      [SNARLI_ARG_FLAGS] = " try timed in-wait owner-died detached vfork spawn ended",
                                      [SNARLI_ARG_ERRNO] = " ETIMEDOUT",
                                      [SNARLI_ARG_TYPE] =
                                          " recursive errorcheck adaptive robust shared prefer-writer priority c11",
                                      [SNARLI_ARG_COUNT] = " 5",
                                      [SNARLI_ARG_ENDS] = " receive send made outside unlinked",
                                      [SNARLI_ARG_UNITS] = " try timed undo together units=9"};
  return words[kind];
}

static unsigned argument_value(enum snarli_arg kind) {
  static const unsigned values[] = {0, 255, ETIMEDOUT, 255, 5, 31, 0x9f};
  return values[kind];
}

static const char *aux_words(enum snarli_aux kind) {
  static const char *const words[] = {[SNARLI_AUX_NONE] = "",
                                      [SNARLI_AUX_STACK] = " inner@a.c:1 < outer@b.c:2",
                                      [SNARLI_AUX_BLOB] = " \"two words\"",
                                      [SNARLI_AUX_VALUE] = " 12",
                                      [SNARLI_AUX_CHANNEL] = (" socket 77 to 78 named \"a b\" capacity 9 content 8 "
                                                              "inner@a.c:1")};
  return words[kind];
}

static void text_build(char *text, size_t size) {
  size_t used = (size_t)snprintf(text, size, "process 1 app bare\n");
  for (size_t i = 0; i < ROWS; i++) {
    const struct trace_record_info *info = trace_record_info(rows[i].type);
    if (!is_stream(rows[i].type))
      used += (size_t)snprintf(text + used, size - used, "1.2 %s %s%s%s\n", info->text, object_words(info->object),
                               argument_words(info->arg), aux_words(info->aux));
    assert_true(used < size);
  }
}

static void check_aux(const struct trace *trace, const struct trace_record *record, enum snarli_aux kind) {
  uint64_t pcs[4];
  if (kind == SNARLI_AUX_STACK) {
    assert_int_equal(trace_stack(trace, 0, record->aux, pcs, 4), 2);
    assert_string_equal(trace_symbol_of(trace, 0, pcs[0])->function, "inner");
    assert_string_equal(trace_symbol_of(trace, 0, pcs[1])->file, "b.c");
    assert_int_equal(trace_symbol_of(trace, 0, pcs[1])->line, 2);
  } else if (kind == SNARLI_AUX_BLOB) {
    assert_string_equal(trace_string(trace, 0, record->aux), "two words");
  } else if (kind == SNARLI_AUX_CHANNEL) {
    const struct trace_channel *channel = trace_channel(trace, 0, record->aux);
    assert_int_equal(channel->what.kind, SNARLI_C_STREAM);
    assert_int_equal(channel->what.self, 77);
    assert_int_equal(trace_stack(trace, 0, channel->what.stack, pcs, 4), 1);
    assert_string_equal(trace_symbol_of(trace, 0, pcs[0])->function, "inner");
  } else {
    assert_int_equal(record->aux, kind == SNARLI_AUX_VALUE ? 12 : 0);
  }
}

static void check_line(const struct trace *trace, const struct trace_record *record) {
  const struct trace_record_info *info = trace_record_info(record->type);
  char line[512], expected[512], aux[64] = "";
  if (info->aux == SNARLI_AUX_STACK)
    snprintf(aux, sizeof aux, " stack=%u", record->aux);
  else if (info->aux == SNARLI_AUX_CHANNEL)
    snprintf(aux, sizeof aux, " socket 77 to 78 \"a b\" capacity=9 content=8 stack=%u",
             trace_channel(trace, 0, record->aux)->what.stack);
  else if (info->aux != SNARLI_AUX_NONE)
    snprintf(aux, sizeof aux, "%s", info->aux == SNARLI_AUX_BLOB ? " \"two words\"" : " value=12");
  snprintf(expected, sizeof expected, "%12llu 1.2 (102) %s%s%s%s", (unsigned long long)trace_ns(trace, record->time),
           info->text, object_shown(info->object), argument_words(info->arg), aux);
  assert_int_equal(trace_print_record(trace, record, line, sizeof line), strlen(expected));
  assert_string_equal(line, expected);
}

static void every_record_survives(void **state) {
  char text[32768];
  struct assembled assembled;
  struct trace_record record;
  (void)state;
  text_build(text, sizeof text);
  assert_true(assembled_open(&assembled, text));
  for (size_t i = 0, count = 0; i < ROWS; i++) {
    if (is_stream(rows[i].type))
      continue;
    const struct trace_record_info *info = trace_record_info(rows[i].type);
    assert_true(trace_next(assembled.trace, &record));
    assert_int_equal(record.type, rows[i].type);
    assert_int_equal(record.arg, argument_value(info->arg));
    assert_int_equal(record.thread, 2);
    assert_int_equal(record.tid, 102);
    assert_int_equal(trace_ns(assembled.trace, record.time), count++ * 1000);
    check_aux(assembled.trace, &record, info->aux);
    check_line(assembled.trace, &record);
  }
  assert_false(trace_next(assembled.trace, &record));
  assert_true(trace_is_complete(assembled.trace));
  assembled_close(&assembled);
}

static void names_are_unique(void **state) {
  (void)state;
  for (size_t i = 0; i < ROWS; i++) {
    assert_int_equal(trace_record_type(rows[i].text), rows[i].type);
    assert_string_equal(trace_record_info(rows[i].type)->text, rows[i].text);
  }
  assert_int_equal(trace_record_type("mutex-lock"), -1);
  assert_null(trace_record_info(0));
  assert_null(trace_record_info(0xff));
  assert_null(trace_record_info(0x123));
}

static void statuses_have_sentences(void **state) {
  (void)state;
#define STATUS(NAME, value, sentence)                                                                                  \
  assert_int_equal(TRACE_##NAME, value);                                                                               \
  assert_string_equal(trace_status_name(TRACE_##NAME), #NAME);                                                         \
  assert_string_equal(trace_status_sentence(TRACE_##NAME), sentence);
#include <snarl/trace/status.def>
  assert_string_equal(trace_status_name((enum trace_status)5), "UNKNOWN");
}

static void odd_values_print(void **state) {
  (void)state;
  static const struct {
    const char *line, *shown;
  } cases[] = {
      {"1.0 mutex-failed 0x10 250", "mutex-failed 0x10 errno=250"},
      {"1.0 mutex-failed 0x10 0", "mutex-failed 0x10"},
      {"1.0 mutex-destroyed 0x10 arg=3", "mutex-destroyed 0x10 arg=3"},
      {"1.0 object-named 0x10 \"a\\b\tc\"", "object-named 0x10 0 \"a\\\\b\\x09c\""},
      {"1.0 object-named 0x10 aux=5", "object-named 0x10 0 string=5?"},
      {"1.0 thread-end 1.0 aux=5", "thread-end 0x7e0000000000 aux=5"},
      {"1.0 wait-requested any", "wait-requested pid 0"},
      {"shared S\n1.0 sem-posted S", "sem-posted 0x7f0010000000 (shared 23:100+0)"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    struct assembled assembled;
    struct trace_record record;
    char text[256], line[256];
    snprintf(text, sizeof text, "process 1 app bare\n%s\n", cases[i].line);
    assert_true(assembled_open(&assembled, text));
    assert_true(trace_next(assembled.trace, &record));
    trace_print_record(assembled.trace, &record, line, sizeof line);
    assert_string_equal(strstr(line, "(1) ") + 4, cases[i].shown);
    assembled_close(&assembled);
  }
}

static void bad_text_names_its_line(void **state) {
  static const struct {
    const char *text, *error;
  } cases[] = {
      {"1.0 mutex-init A", "line 1: there is no process 1 before this line"},
      {"process 1 a\n\n1.0 mutex-lock A", "line 3: unknown record 'mutex-lock'"},
      {"process 1 a\n1.0 mutex-requested", "line 2: 'mutex-requested' needs an object"},
      {"process 1 a\n1.0 mutex-requested A f@x:1 <", "line 2: a frame is missing after '<'"},
      {"process 1 a\n1.0 mutex-requested A f@x:y", "line 2: 'f@x:y': the line is no number"},
      {"process 1 a\n1.0 mutex-requested A tri",
       "line 2: 'tri' is neither an argument nor a frame (function@file:line)"},
      {"process 1 a\n1.0 sem-value A 1 2", "line 2: '2' is not understood here"},
      {"process 1 a forked-from 2", "line 1: there is no process 2 to fork from"},
      {"process 1 a quick", "line 1: unknown option 'quick' of a process"},
      {"process 1 a\n@x", "line 2: '@x' is no time (@NS or @+NS)"},
      {"process 1 a\nhandover 1.0 1.1\nhandover 1.5 1.1",
       "line 3: the first thread has nothing left over for the second"},
      {"begin", "line 1: unknown line 'begin'"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    char error[256];
    assert_int_equal(trace_assemble(cases[i].text, *state, error, sizeof error), -1);
    assert_string_equal(error, cases[i].error);
  }
}

/* The specification lists what records.def holds. */
static void specification_lists_every_record(void **state) {
  static const char *const families[] = {"meta", "thread",  "mutex", "rwlock", "spin",   "sem",     "cond", "barrier",
                                         "once", "process", "event", "shared", "timer",  "channel", "lock", "order",
                                         "file", "sysv",    "futex", "queue",  "future", "managed"};
  static const char *const phases[] = {"release", "note", "request", "fail", "acquire"};
  static const char *const arguments[] = {"none", "flags", "errno", "type", "count", "ends", "units"};
  static const char *const objects[] = {"none",   "address",    "handle",   "index", "pid",
                                        "number", "descriptor", "transfer", "string"};
  static const char *const auxes[] = {"none", "stack", "blob", "value", "channel"};
  (void)state;
  size_t size;
  char *page = bytes_read(SPECIFICATION, &size), line[256];
  page[size] = 0;
  for (size_t i = 0; i < ROWS; i++) {
    const struct trace_record_info *info = trace_record_info(rows[i].type);
    snprintf(line, sizeof line, "\n| 0x%02x | %s | %s | %s | %s | %s | %s |\n", rows[i].type, info->text,
             families[info->family], phases[info->phase], arguments[info->arg], objects[info->object],
             auxes[info->aux]);
    if (!strstr(page, line))
      fail_msg("the specification lacks this row: %s", line);
  }
  free(page);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_record_survives),
      cmocka_unit_test(names_are_unique),
      cmocka_unit_test(specification_lists_every_record),
      cmocka_unit_test(statuses_have_sentences),
      cmocka_unit_test(odd_values_print),
      cmocka_unit_test_setup_teardown(bad_text_names_its_line, directory_setup, directory_teardown),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
