/* SPDX-License-Identifier: MIT
 *
 * Records in random order, as no program would leave them: no crash, no hang, and the same report twice. One thread.
 */
#include "story.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TRACES 1000
#define RECORDS 250

static unsigned long long random_state;

static unsigned draw(unsigned below) { /* SplitMix64 */
  unsigned long long z = random_state += 0x9e3779b97f4a7c15ull;
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
  z = (z ^ z >> 27) * 0x94d049bb133111ebull;
  return (unsigned)((z ^ z >> 31) % below);
}

/* Bytes of one of three files, owned by whomever. */
static void write_file_lock(FILE *out) {
  static const char *const kinds[] = {"flock", "ofd", "process"};
  unsigned kind = draw(3), first = draw(4);
  fprintf(out, " \"%s ", kinds[kind]);
  if (kind == 2)
    fprintf(out, "-");
  else
    fprintf(out, "%x", 1 + draw(3));
  fprintf(out, " 8:1:%u:7 %u-", draw(3), first);
  if (draw(3))
    fprintf(out, "%u", first + draw(4));
  fprintf(out, " /tmp/x\"");
}

static void write_object(FILE *out, enum snarli_object object, unsigned pid) {
  static const char *const names[] = {"A", "B", "C", "X", "Y"};
  if (object == SNARLI_OBJECT_ADDRESS)
    fprintf(out, " %s", names[draw(5)]);
  else if (object == SNARLI_OBJECT_HANDLE)
    fprintf(out, " %u.%u", pid, draw(4));
  else if (object == SNARLI_OBJECT_INDEX || object == SNARLI_OBJECT_PID)
    fprintf(out, " %u", draw(4));
  else if (object == SNARLI_OBJECT_NUMBER)
    fprintf(out, " %u", draw(6000));
  else if (object == SNARLI_OBJECT_DESCRIPTOR)
    fprintf(out, " %u", draw(6));
  else if (object == SNARLI_OBJECT_TRANSFER)
    fprintf(out, " %u %u", draw(6), draw(8));
  else if (object == SNARLI_OBJECT_STRING)
    write_file_lock(out);
}

static void write_channel(FILE *out) {
  static const char *const kinds[] = {"pipe",  "fifo", "socket", "messages", "eventfd",
                                      "queue", "sysv", "epoll",  "pidfd"};
  unsigned self = draw(4);
  fprintf(out, " %s %u", kinds[draw(9)], self);
  if (draw(2))
    fprintf(out, " to %u", self ^ draw(2));
  if (draw(2))
    fprintf(out, " capacity %u content %u", draw(9), draw(3));
  fprintf(out, " f%u@n.c:%u", draw(3), 1 + draw(9));
}

/* Drawn more often than others, so that somebody holds and wants something. */
static const unsigned char asking[] = {SNARLI_R_MUTEX_ACQUIRED, SNARLI_R_MUTEX_REQUESTED,
                                       SNARLI_R_RWLOCK_WRITE_REQUESTED, SNARLI_R_SPIN_ACQUIRED,
                                       SNARLI_R_SPIN_REQUESTED};

/* What ends the evidence of much: seldom. */
static int is_upheaval(unsigned type) { return type == SNARLI_R_PROCESS_BEGIN || type == SNARLI_R_MEMORY_FREED; }

static void write_record(FILE *out, unsigned pid) {
  const struct trace_record_info *info;
  unsigned type;
  do {
    type = draw(4) ? draw(256) : asking[draw(sizeof asking)];
    info = trace_record_info(type);
  } while (!info || type == SNARLI_R_OWNER || type == SNARLI_R_TIME || (is_upheaval(type) && draw(20)));
  fprintf(out, "%u.%u %s", pid, draw(4), info->text);
  write_object(out, info->object, pid);
  if (info->arg != SNARLI_ARG_NONE)
    fprintf(out, " arg=%u", draw(3) ? draw(8) == 0 : draw(256));
  if (info->aux == SNARLI_AUX_STACK)
    fprintf(out, " f%u@n.c:%u", draw(3), 1 + draw(9));
  else if (info->aux == SNARLI_AUX_BLOB)
    fprintf(out, " \"name%u\"", draw(3));
  else if (info->aux == SNARLI_AUX_VALUE)
    fprintf(out, " %u", draw(3));
  else if (info->aux == SNARLI_AUX_CHANNEL)
    write_channel(out);
  fprintf(out, "\n");
}

static char *write_trace(void) {
  char *text;
  size_t size;
  FILE *out = open_memstream(&text, &size);
  unsigned processes = 1;
  fprintf(out, "shared X\nshared Y\nprocess 1 app\n");
  for (unsigned i = 0; i < RECORDS; i++) {
    if (processes < 3 && !draw(60)) {
      processes++;
      fprintf(out, "process %u app %s %u\n", processes, draw(2) ? "forked-from" : "parent", 1 + draw(processes - 1));
    }
    write_record(out, 1 + draw(processes));
  }
  for (unsigned p = 1; p <= processes; p++)
    if (draw(4))
      fprintf(out, "killed %u\n", p);
  fclose(out);
  return text;
}

static void random_records(void **state) {
  (void)state;
  size_t findings = 0;
  for (unsigned i = 0; i < TRACES; i++) {
    random_state = 0xa015e000ull + i;
    char *text = write_trace();
    struct story once, again;
    struct analysis_options options = {.show_impossible = i & 1, .show_all = i & 2};
    story_open(&once, text, options);
    story_open(&again, text, options);
    findings += once.report->finding_count;
    if (once.report->finding_count != again.report->finding_count)
      fail_msg("trace %u", i);
    for (size_t f = 0; f < once.report->finding_count; f++)
      if (strcmp(once.report->findings[f].message, again.report->findings[f].message) != 0)
        fail_msg("trace %u, finding %zu", i, f);
    story_close(&once);
    story_close(&again);
    free(text);
  }
  print_message("%zu findings\n", findings);
  assert_true(findings > 0); /* the noise reaches the checks */
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(random_records)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
