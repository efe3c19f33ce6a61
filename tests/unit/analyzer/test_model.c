/* SPDX-License-Identifier: MIT
 *
 * Identity across generations, forks and shared memory, several processes, and traces with gaps. One thread.
 */
#include "story.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NEST(thread, a, b)                                                                                             \
  thread " lock " a "\n" thread " lock " b "\n" thread " unlock " b "\n" thread " unlock " a "\n"
#define NOTHING(text) expect(text, NULL, NULL, NULL)

static void generations(void **state) {
  (void)state;
  NOTHING(TWO NEST("1.1", "A", "B") "1.1 mutex-destroyed A d@a.c:1\n1.1 mutex-destroyed B d@a.c:1\n" NEST("1.2", "B",
                                                                                                          "A") TWO_END);
  NOTHING(TWO NEST("1.1", "A", "B") "1.1 mutex-init A d@a.c:1\n1.1 mutex-init B d@a.c:1\n" NEST("1.2", "B", "A")
              TWO_END);
  NOTHING(TWO NEST("1.1", "A", "B") "1.1 mutex-destroyed A d@a.c:1\n" NEST("1.2", "B", "A") TWO_END);
  /* destroyed, but the cycle was closed before */
  expect(TWO NEST("1.1", "A", "B")
             NEST("1.2", "B", "A") "1.1 mutex-destroyed A d@a.c:1\n1.1 mutex-destroyed B d@a.c:1\n" TWO_END,
         "lock-order-cycle", "feasible", "in opposite orders");
  /* other things at the same address */
  NOTHING(TWO NEST("1.1", "A", "B") "1.1 rwlock-init A d@a.c:1\n1.1 read A\n1.1 leave A\n" NEST("1.2", "B", "A")
              TWO_END);
}

/* The assembler puts A at 0x550000000000, and each further name 64 bytes on. */
#define FREE_A "1.1 memory-freed A 64\n"
#define FREE_ALL "1.1 memory-freed 0x540000000000 0xffffffff\n1.1 memory-freed 0x550000000000 0x1000\n"

static void freed(void **state) {
  (void)state;
  NOTHING(TWO NEST("1.1", "A", "B") FREE_A NEST("1.2", "B", "A") TWO_END);
  NOTHING(TWO NEST("1.1", "A", "B") FREE_ALL NEST("1.2", "B", "A") TWO_END);
  expect(TWO NEST("1.1", "A", "B") "1.1 memory-freed 0x550000000080 64\n" NEST("1.2", "B", "A") TWO_END,
         "lock-order-cycle", "feasible", "in opposite orders"); /* beside them */
  expect(TWO NEST("1.1", "A", "B") NEST("1.2", "B", "A") FREE_ALL TWO_END, "lock-order-cycle", "feasible",
         "in opposite orders");
  /* held: whoever waits is not stuck, and the late release says nothing */
  NOTHING(TWO "1.1 lock A\n1.2 ask A\n" FREE_A "killed 1\n");
  NOTHING(TWO "1.1 lock A\n1.2 lock B\n1.1 ask B\n" FREE_A "1.2 ask A\nkilled 1\n");
  NOTHING(TWO "1.1 lock A\n" FREE_A "1.1 unlock A\n" NEST("1.2", "A", "B") NEST("1.1", "B", "A") TWO_END);
  /* waited for in other ways */
  NOTHING(TWO "1.1 barrier-init A i@a.c:1\n1.1 barrier-count A 2\n1.2 barrier-requested A b@a.c:1\n" FREE_A
              "killed 1\n");
  NOTHING(TWO "1.2 lock B\n1.2 cond-wait-requested A w@a.c:1\n1.2 mutex-released B in-wait w@a.c:1\n" FREE_A
              "killed 1\n");
  /* a thread that waits and, in a handler, frees, goes on waiting */
  expect(TWO "1.1 lock A\n1.2 lock B\n1.1 ask B\n1.2 ask A\n1.1 memory-freed C 64\nkilled 1\n", "deadlock", "happened",
         "wait for each other");
}

#define TWO_PROCESSES "process 1 app\nprocess 2 app forked-from 1\n"

static void shared(void **state) {
  (void)state;
  expect("shared A\nshared B\n" TWO_PROCESSES NEST("1.0", "A", "B") NEST("2.0", "B", "A"), "lock-order-cycle",
         "feasible", "in opposite orders");
  NOTHING(TWO_PROCESSES NEST("1.0", "A", "B") NEST("2.0", "B", "A")); /* private: copies */
  expect("shared A\nshared B\n" TWO_PROCESSES "1.0 lock A\n2.0 lock B\n1.0 ask B\n2.0 ask A\nkilled 1\nkilled 2\n",
         "deadlock", "happened", "main [1] and main [2] wait for each other");
  NOTHING(TWO_PROCESSES "1.0 lock A\n2.0 lock B\n1.0 ask B\n2.0 ask A\nkilled 1\nkilled 2\n");
  /* its holder's process is gone */
  expect("shared A\n" TWO_PROCESSES "2.0 lock A\n2.0 process-exit 0 x@a.c:1\n1.0 ask A\nkilled 1\nended 2 0\n",
         "deadlock", "happened", "and that process is gone");
  NOTHING("shared A\n" TWO_PROCESSES "2.0 lock A\n2.0 process-exit 0 x@a.c:1\n1.0 mutex-requested A x@a.c:1\n"
          "1.0 mutex-acquired A owner-died x@a.c:1\nkilled 1\nended 2 0\n");
}

#define FORK "1.0 fork-requested f@a.c:1\n"
#define CHILD "process 2 app forked-from 1\n1.0 forked 2 f@a.c:1\n"

static void forks(void **state) {
  (void)state;
  /* the forking thread's locks are held in the child as well: it may release them */
  NOTHING("process 1 app\n1.0 lock A\n" FORK CHILD "2.0 unlock A\n2.0 lock A\n1.0 unlock A\nkilled 1\nkilled 2\n");
  expect("process 1 app\n1.0 lock A\n" FORK CHILD "2.0 ask A\nkilled 1\nkilled 2\n", "self-deadlock", "happened",
         "which it holds itself");
  /* the parent may be quicker than the child's first record */
  NOTHING(
      "process 1 app\n1.0 lock A\n" FORK
      "1.0 forked 2 f@a.c:1\n1.0 unlock A\nprocess 2 app forked-from 1\n2.0 unlock A\n2.0 ask A\nkilled 2\nkilled 1\n");
  /* held by a thread that the child does not have */
  expect("process 1 app\n1.0 start 1\n1.1 begin\n1.1 lock A\n" FORK CHILD "2.0 ask A\nkilled 1\nkilled 2\n", "deadlock",
         "happened", "T1 (work) [1] held when this process was forked");
  NOTHING("process 1 app\n1.0 start 1\n1.1 begin\n" FORK "1.1 lock A\n" CHILD
          "2.0 ask A\nkilled 1\nkilled 2\n"); /* unknown */
  NOTHING("process 1 app\n1.0 start 1\n1.1 begin\n1.1 lock A\n" FORK CHILD
          "2.0 mutex-init A i@a.c:1\n2.0 lock A\nkilled 1\nkilled 2\n");
}

static void freed_copies(void **state) {
  (void)state;
  /* a child's copy ends where its memory is freed, and the parent's goes on */
#define COPIES(between)                                                                                                \
  "process 1 app\n1.0 mutex-init A recursive i@a.c:1\n" FORK CHILD between "2.0 lock A\n2.0 ask A\nkilled 1\nkilled "  \
  "2\n"
  NOTHING(COPIES("")); /* recursive as its original */
  expect(COPIES("2.0 memory-freed A 64\n"), "self-deadlock", "happened", "which it holds itself");
  expect("process 1 app\n1.0 start 1\n1.1 begin\n1.1 lock A\n" FORK CHILD
         "2.0 memory-freed B 64\n2.0 ask A\nkilled 1\nkilled 2\n",
         "deadlock", "happened", "held when this process was forked");
  NOTHING("process 1 app\n1.0 start 1\n1.1 begin\n1.1 lock A\n" FORK CHILD
          "2.0 memory-freed A 64\n2.0 ask A\nkilled 1\nkilled 2\n");
  /* shared memory that one process unmaps is still the other's */
  expect("shared A\nshared B\nprocess 1 app\nprocess 2 app forked-from 1\n" NEST(
             "1.0", "A", "B") "1.0 memory-freed A 64\n" NEST("2.0", "B", "A"),
         "lock-order-cycle", "feasible", "in opposite orders");
}

static void process_waits(void **state) {
  (void)state;
  expect_impossible(
      "shared A\nshared B\nprocess 1 app\n" FORK CHILD NEST(
          "2.0", "A", "B") "2.0 process-exit 0 x@a.c:1\n"
                           "1.0 wait-requested 2 w@a.c:1\n1.0 wait-returned 2 ended w@a.c:1\n" NEST("1.0", "B", "A"),
      "in one order in every run");
  expect_impossible(
      "shared A\nshared B\nprocess 1 app\n" FORK CHILD NEST(
          "2.0", "A",
          "B") "2.0 process-exit 0 x@a.c:1\n"
               "1.0 wait-requested 2 w@a.c:1\n1.0 wait-returned 2 ended w@a.c:1\n1.0 fork-requested f@a.c:1\n"
               "process 3 app forked-from 1\n1.0 forked 3 f@a.c:1\n" NEST("3.0", "B", "A"),
      "process 2 (app) had ended and been waited for");
  expect("shared A\nprocess 1 app\n" FORK CHILD
         "1.0 lock A\n2.0 ask A\n1.0 wait-requested 2 w@a.c:1\nkilled 1\nkilled 2\n",
         "deadlock", "happened", "waits for process 2 (app) to end");
  expect("shared A\nprocess 1 app\n" FORK CHILD
         "1.0 lock A\n2.0 ask A\n1.0 wait-requested any w@a.c:1\nkilled 1\nkilled 2\n",
         "deadlock", "happened", "waits for any child process to end");
  NOTHING("shared A\nprocess 1 app\n" FORK CHILD
          "1.0 lock A\n2.0 ask A\n1.0 wait-requested 2 try w@a.c:1\nkilled 1\nkilled 2\n");
  NOTHING("process 1 app\n" FORK CHILD "1.0 wait-requested 2 w@a.c:1\nkilled 1\nkilled 2\n"); /* the child runs */
#define SYSTEM(who) who " fork-requested spawn s@a.c:1\n" who " wait-requested any spawn s@a.c:1\n"
  expect("shared A\nprocess 1 app\n1.0 lock A\n" SYSTEM("1.0") "process 2 sh parent 1\n2.0 ask A\nkilled 1\nkilled 2\n",
         "deadlock", "happened", "waits for process 2 (sh) to end");
  /* a child that popen made, and that is not in the trace, may end */
  NOTHING("shared A\nprocess 1 app\n" FORK CHILD "1.0 lock A\n2.0 ask A\n1.0 fork-requested spawn s@a.c:1\n"
          "1.0 forked 0 spawn s@a.c:1\n1.0 wait-requested any w@a.c:1\nkilled 1\nkilled 2\n");
  /* it waits for that one, not for another */
  NOTHING("shared A\nprocess 1 app\n" FORK CHILD "1.0 lock A\n2.0 ask A\n" SYSTEM("1.0") "killed 1\nkilled 2\n");
  NOTHING("shared A\nprocess 1 app\n" FORK CHILD
          "1.0 lock A\n2.0 ask A\n" SYSTEM("1.0") "process 3 sh parent 1\nkilled 1\nkilled 2\nkilled 3\n");
  /* whose child it is, is not sure */
  NOTHING("shared A\nprocess 1 app\n1.0 start 1\n1.1 begin\n1.0 lock A\n" SYSTEM("1.1")
              SYSTEM("1.0") "process 2 sh parent 1\n2.0 ask A\nkilled 1\nkilled 2\n");
  NOTHING("process 1 app\n" FORK
          "1.0 forked 9 f@a.c:1\n1.0 wait-requested 9 w@a.c:1\nkilled 1\n"); /* not in the trace */
}

/* Nonsense in, no nonsense out. */
static void gaps(void **state) {
  (void)state;
  NOTHING(TWO
          "1.1 unlock A\n1.1 lock A\n1.2 lock B\n1.1 ask B\n1.2 ask A\nkilled 1\n"); /* a release of what nobody held */
  NOTHING(TWO "1.1 lock A\n1.2 lock A\n1.2 lock B\n1.1 ask B\n1.2 ask A\nkilled 1\n"); /* two owners */
  NOTHING(TWO
          "1.1 lock A\n1.2 lock B\n1.1 ask B\n1.1 dropped 3\n1.2 ask A\nkilled 1\n"); /* anything may have happened */
  /* what was asked for stands; that nothing came after it does not */
  expect(TWO "1.1 lock A\n1.2 lock B\n1.1 ask B\n1.2 ask A\ndropped 1 5 ENOSPC\nkilled 1\n", "lock-order-cycle",
         "feasible", "in opposite orders");
  NOTHING(
      "process 1 app bare\n1.3 thread-joined 1.3 j@a.c:1\n1.4 mutex-acquired A x@a.c:1\n1.4 cond-wait-returned C arg=0 "
      "x@a.c:1\n"
      "1.4 barrier-passed B x@a.c:1\n1.4 once-ended O x@a.c:1\n1.4 sem-posted S x@a.c:1\n1.4 sem-acquired S x@a.c:1\n"
      "1.4 thread-created 1.9 x@a.c:1\n1.4 wait-returned 7 ended x@a.c:1\n1.4 forked 8 x@a.c:1\nkilled 1\n");
  NOTHING(TWO "1.1 mutex-init A errorcheck i@a.c:1\n1.1 lock A\n1.2 unlock A\n1.2 mutex-release-failed A 1 "
              "x@a.c:1\n1.1 unlock A\n" TWO_END);
}

static void same_report(void **state) {
  (void)state;
  const char *text =
      TWO NEST("1.1", "A", "B") NEST("1.2", "B", "A") NEST("1.1", "C", "D") NEST("1.2", "D", "C") TWO_END;
  struct story a, b;
  story_open(&a, text, (struct analysis_options){.show_all = true});
  story_open(&b, text, (struct analysis_options){.show_all = true});
  assert_int_equal(a.report->finding_count, b.report->finding_count);
  for (size_t i = 0; i < a.report->finding_count; i++) {
    assert_string_equal(a.report->findings[i].title, b.report->findings[i].title);
    assert_string_equal(a.report->findings[i].id, b.report->findings[i].id);
  }
  assert_int_equal(a.report->lock_order.node_count, b.report->lock_order.node_count);
  for (size_t i = 0; i < a.report->lock_order.node_count; i++)
    assert_string_equal(a.report->lock_order.nodes[i].label, b.report->lock_order.nodes[i].label);
  story_close(&a);
  story_close(&b);
}

static void pictures(void **state) {
  (void)state;
  struct story story;
  const char *text = TWO NEST("1.1", "A", "B") NEST("1.2", "B", "A") NEST("1.1", "C", "D") TWO_END;
  story_open(&story, text, (struct analysis_options){0});
  assert_int_equal(story.report->lock_order.node_count, 2);
  assert_int_equal(story.report->lock_order.hidden_nodes, 2);
  assert_int_equal(story.report->lock_order.hidden_edges, 1);
  story_close(&story);
  story_open(&story, text, (struct analysis_options){.show_all = true});
  assert_int_equal(story.report->lock_order.node_count, 4);
  assert_int_equal(story.report->lock_order.hidden_nodes, 0);
  story_close(&story);
}

/* With many locks those of no finding that were created at one place become one node; those of findings never do. */
static void many_locks_fold(void **state) {
  (void)state;
  char *text;
  size_t size;
  FILE *out = open_memstream(&text, &size);
  fputs(TWO, out);
  for (unsigned i = 0; i < 100; i++)
    fprintf(out, "1.0 mutex-init M%u i@a.c:7\n", i);
  for (unsigned i = 0; i < 99; i++)
    fprintf(out, "1.1 lock M%u\n1.1 lock M%u\n1.1 unlock M%u\n1.1 unlock M%u\n", i, i + 1, i + 1, i);
  fputs("1.2 lock M51\n1.2 lock M50\n1.2 unlock M50\n1.2 unlock M51\n" TWO_END, out);
  fclose(out);
  struct story story;
  story_open(&story, text, (struct analysis_options){.show_all = true});
  const struct picture *picture = &story.report->lock_order;
  uint32_t folded[2] = {0};
  for (size_t i = 0; i < picture->node_count; i++)
    folded[picture->nodes[i].emphasis == EMPHASIS_CYCLE] += picture->nodes[i].folded;
  assert_int_equal(picture->node_count, 3);
  assert_int_equal(folded[1], 2);
  assert_int_equal(folded[0], 98);
  story_close(&story);
  free(text);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(generations),  cmocka_unit_test(freed),
                                     cmocka_unit_test(freed_copies), cmocka_unit_test(shared),
                                     cmocka_unit_test(forks),        cmocka_unit_test(process_waits),
                                     cmocka_unit_test(gaps),         cmocka_unit_test(same_report),
                                     cmocka_unit_test(pictures),     cmocka_unit_test(many_locks_fold)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
