/* SPDX-License-Identifier: MIT
 *
 * The happens-before picture: which deeds and arrows it has. One thread.
 */
#include "story.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NEST(thread, a, b)                                                                                             \
  thread " lock " a "\n" thread " lock " b "\n" thread " unlock " b "\n" thread " unlock " a "\n"

static void open_picture(struct story *story, const char *text, bool show_all) {
  story_open(story, text, (struct analysis_options){.show_order = true, .show_all = show_all});
  const struct picture *picture = &story->report->happens_before;
  assert_int_equal(picture->kind, PICTURE_HAPPENS_BEFORE);
  uint32_t columns = 0;
  for (size_t i = 0; i < picture->node_count; i++) {
    bool is_head = picture->nodes[i].shape == SHAPE_THREAD;
    assert_true(is_head ? picture->lanes[i] == columns++ : picture->lanes[i] < columns);
  }
  for (size_t i = 0; i < picture->edge_count; i++) {
    const struct picture_edge *edge = &picture->edges[i];
    assert_true(edge->from < edge->to); /* downwards */
    assert_true((edge->relation == RELATION_NEXT) == (picture->lanes[edge->from] == picture->lanes[edge->to]));
  }
}

static size_t count_edges(const struct story *story, enum picture_relation relation, const char *label) {
  size_t count = 0;
  for (size_t i = 0; i < story->report->happens_before.edge_count; i++) {
    const struct picture_edge *edge = &story->report->happens_before.edges[i];
    count += edge->relation == relation && strcmp(edge->label, label) == 0;
  }
  return count;
}

static size_t count_steps(const struct story *story, int32_t cycle) {
  size_t count = 0;
  for (size_t i = 0; i < story->report->happens_before.node_count; i++)
    count += story->report->happens_before.nodes[i].cycle == cycle;
  return count;
}

static void steps_and_what_leads_to_them(void **state) {
  (void)state;
  struct story story;
  open_picture(&story,
               TWO NEST("1.1", "X", "Y") NEST("1.1", "A", "B") NEST("1.2", "B", "A") NEST("1.2", "X", "Y") TWO_END,
               false);
  assert_int_equal(count_steps(&story, 1), story.report->findings[0].step_count);
  assert_int_equal(count_edges(&story, RELATION_HB, "start"), 2);
  assert_int_equal(count_edges(&story, RELATION_HB, "join"), 2);
  assert_int_equal(count_edges(&story, RELATION_HB_HERE, "lock passed on"), 1); /* B, on which T2's first step waits */
  story_close(&story);
}

static void every_family(void **state) {
  (void)state;
  struct story story;
  open_picture(
      &story,
      "process 1 app\n1.0 sem-init S i@a.c:1\n1.0 sem-value S 0\n1.0 barrier-init X i@a.c:1\n1.0 barrier-count X "
      "2\n1.0 start 1\n1.0 start 2\n1.1 begin\n1.2 begin\n1.1 v S\n1.2 p S\n1.1 barrier-requested X b@a.c:2\n"
      "1.2 barrier-requested X b@a.c:2\n1.1 barrier-passed X b@a.c:2\n1.2 barrier-passed X b@a.c:2\n1.2 lock "
      "M\n1.2 cond-wait-requested C w@a.c:1\n1.2 mutex-released M in-wait w@a.c:1\n1.1 cond-signalled C "
      "s@a.c:2\n1.2 mutex-acquired M in-wait w@a.c:1\n1.2 cond-wait-returned C arg=0 w@a.c:1\n1.2 unlock M\n" TWO_END,
      true);
  assert_int_equal(count_edges(&story, RELATION_HB, "post"), 1);
  assert_int_equal(count_edges(&story, RELATION_HB, "barrier"), 1);
  assert_int_equal(count_edges(&story, RELATION_HB_HERE, "signal"), 1);
  story_close(&story);
}

static void nothing_without_findings(void **state) {
  (void)state;
  struct story story;
  open_picture(&story, TWO NEST("1.1", "A", "B") NEST("1.2", "A", "B") TWO_END, false);
  assert_int_equal(story.report->happens_before.node_count, 0);
  story_close(&story);
  story_open(&story, TWO NEST("1.1", "A", "B") NEST("1.2", "B", "A") TWO_END, (struct analysis_options){0});
  assert_int_equal(story.report->happens_before.node_count, 0); /* it was not asked for */
  story_close(&story);
}

static size_t count_deeds(const struct story *story, const char *label) {
  size_t count = 0;
  for (size_t i = 0; i < story->report->happens_before.node_count; i++)
    count += strcmp(story->report->happens_before.nodes[i].label, label) == 0;
  return count;
}

static void deeds_speak_as_findings_do(void **state) {
  (void)state;
  struct story story;
  open_picture(&story,
               TWO "1.1 lock A\n1.2 rwlock-write-acquired R w@a.c:2\n1.1 rwlock-write-requested R w@a.c:1\n1.2 ask A\n",
               false);
  assert_int_equal(count_deeds(&story, "acquired rwlock a.c:2"), 1);
  assert_int_equal(count_deeds(&story, "wants rwlock a.c:2"), 1);
  story_close(&story);
}

static void too_much_is_told(void **state) {
  (void)state;
  char *text;
  size_t size;
  FILE *out = open_memstream(&text, &size);
  fputs(TWO, out);
  for (unsigned i = 0; i < 300; i++)
    fputs("1.1 lock A\n1.1 unlock A\n1.2 lock A\n1.2 unlock A\n", out);
  fputs(TWO_END, out);
  fclose(out);
  struct story story;
  open_picture(&story, text, true);
  assert_in_range(story.report->happens_before.node_count, 390, 410);
  assert_in_range(story.report->happens_before.hidden_edges, 300, 700);
  story_close(&story);
  free(text);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(steps_and_what_leads_to_them), cmocka_unit_test(every_family),
                                     cmocka_unit_test(nothing_without_findings),
                                     cmocka_unit_test(deeds_speak_as_findings_do), cmocka_unit_test(too_much_is_told)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
