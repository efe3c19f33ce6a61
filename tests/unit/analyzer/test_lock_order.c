/* SPDX-License-Identifier: MIT
 *
 * Lock-order cycles: which are reported, which are impossible, and why. One thread.
 */
#include "story.h"
#include <string.h>

#define FEASIBLE(text, words) expect(text, "lock-order-cycle", "feasible", words)
#define UNCONFIRMED(text, words) expect(text, "lock-order-cycle", "unconfirmed", words)
#define NOTHING(text) expect(text, NULL, NULL, NULL)
#define NEST(thread, a, b)                                                                                             \
  thread " lock " a "\n" thread " lock " b "\n" thread " unlock " b "\n" thread " unlock " a "\n"

static void inversions(void **state) {
  (void)state;
  FEASIBLE(TWO NEST("1.1", "A", "B") NEST("1.2", "B", "A") TWO_END, "in opposite orders");
  FEASIBLE(TWO "1.0 start 3\n1.3 begin\n" NEST("1.1", "A", "B") NEST("1.2", "B", "C") NEST("1.3", "C", "A") TWO_END,
           "in conflicting orders");
  NOTHING(TWO NEST("1.1", "A", "B") NEST("1.2", "A", "B") TWO_END);
  NOTHING(TWO NEST("1.1", "A", "B") NEST("1.2", "B", "C") TWO_END);
  FEASIBLE(TWO "1.1 spin A\n1.1 lock B\n1.1 unlock B\n1.1 unspin A\n1.2 lock B\n1.2 spin A\n1.2 unspin A\n1.2 unlock "
               "B\n" TWO_END,
           "in opposite orders");
}

static void impossible(void **state) {
  (void)state;
  expect_impossible("process 1 app\n" NEST("1.0", "A", "B") NEST("1.0", "B", "A"), "main alone takes them");
  expect_impossible(TWO "1.1 lock G\n" NEST("1.1", "A", "B") "1.1 unlock G\n1.2 lock G\n" NEST(
                        "1.2", "B", "A") "1.2 unlock G\n" TWO_END,
                    "is held around both");
  expect_impossible(
      "process 1 app\n1.0 start 1\n1.1 begin\n" NEST(
          "1.1", "A", "B") "1.1 end\n1.0 join 1\n1.0 start 2\n1.2 begin\n" NEST("1.2", "B",
                                                                                "A") "1.2 end\n1.0 join 2\n",
      "T1 (work) was joined (story.c:9) before T2 (work) was started (story.c:10)");
  expect_impossible(
      "process 1 app\n" NEST("1.0", "A", "B") "1.0 start 1\n1.1 begin\n" NEST("1.1", "B", "A") "1.1 end\n1.0 join 1\n",
      "in one order in every run");
  NOTHING(TWO NEST("1.1", "A", "B") "1.2 lock B\n1.2 mutex-requested A try x@a.c:1\n1.2 mutex-acquired A try x@a.c:1\n"
                                    "1.2 unlock A\n1.2 unlock B\n" TWO_END); /* a try waits for nothing */
  expect_impossible(
      TWO NEST("1.1", "A", "B") "1.2 lock B\n1.2 mutex-requested A timed x@a.c:1\n1.2 mutex-acquired A timed x@a.c:1\n"
                                "1.2 unlock A\n1.2 unlock B\n" TWO_END,
      "ends by itself after a time");
  FEASIBLE(TWO NEST("1.1", "A", "B") "1.2 mutex-requested B try x@a.c:1\n1.2 mutex-acquired B try x@a.c:1\n1.2 lock A\n"
                                     "1.2 unlock A\n1.2 unlock B\n" TWO_END,
           "in opposite orders"); /* what a try got is held all the same */
}

#define OWN(thread, a, b)                                                                                              \
  thread " lock-write-requested " a " l@a.c:1\n" thread " lock-write-acquired " a " l@a.c:1\n" thread                  \
         " lock-write-acquired " b " l@a.c:2\n" thread " lock-released " b " u@a.c:3\n" thread " lock-released " a     \
         " u@a.c:4\n"

static void annotated(void **state) {
  (void)state;
  FEASIBLE(TWO OWN("1.1", "A", "B") OWN("1.2", "B", "A") TWO_END, "in opposite orders");
  NOTHING(TWO OWN("1.1", "A", "B") OWN("1.2", "A", "B") TWO_END);
  expect_impossible(TWO "1.1 lock G\n" OWN("1.1", "A", "B") "1.1 unlock G\n1.2 lock G\n" OWN(
                        "1.2", "B", "A") "1.2 unlock G\n" TWO_END,
                    "is held around both");
  /* a lock made of a mutex that lies at the same address: they are two, and keep their orders */
  FEASIBLE(TWO "1.1 lock A\n1.1 lock-write-acquired A l@a.c:1\n1.1 lock-released A l@a.c:1\n1.1 unlock A\n" NEST(
               "1.1", "A", "B") "1.1 lock-write-acquired A l@a.c:1\n1.1 lock-released A l@a.c:1\n" NEST("1.2", "B", "A")
               TWO_END,
           "in opposite orders");
  NOTHING(TWO OWN("1.1", "A", "B") NEST("1.2", "B", "A") TWO_END);
  NOTHING(TWO OWN("1.1", "A", "B") "1.1 lock-destroyed A d@a.c:1\n" OWN("1.2", "B", "A") TWO_END);
  NOTHING(TWO OWN("1.1", "A", "B") "1.1 lock-init A d@a.c:1\n" OWN("1.2", "B", "A") TWO_END);
  NOTHING(TWO OWN("1.1", "A", "B") "1.1 memory-freed A 4\n" OWN("1.2", "B", "A") TWO_END);
  /* readers */
  expect_impossible(TWO
                    "1.1 lock-read-acquired A l@a.c:1\n1.1 lock-read-acquired B l@a.c:1\n1.1 lock-released B l@a.c:1\n"
                    "1.1 lock-released A l@a.c:1\n1.2 lock-read-acquired B l@a.c:1\n1.2 lock-read-acquired A l@a.c:1\n"
                    "1.2 lock-released A l@a.c:1\n1.2 lock-released B l@a.c:1\n" TWO_END,
                    "readers do not exclude");
  /* taken twice, released at once, and once more: forgiven */
  FEASIBLE(TWO
           "1.1 lock-init A recursive i@a.c:1\n1.1 lock-write-acquired A l@a.c:1\n1.1 lock-write-acquired A l@a.c:1\n"
           "1.1 lock-released A in-wait l@a.c:1\n1.1 lock-released A l@a.c:1\n" OWN("1.1", "A", "B")
               OWN("1.2", "B", "A") TWO_END,
           "in opposite orders");
}

static void annotated_order(void **state) {
  (void)state;
#define HAND(before, after) TWO NEST("1.1", "A", "B") before after NEST("1.2", "B", "A") TWO_END
  expect_impossible(HAND("1.1 happens-before M\n", "1.2 happens-after M\n"), "in one order in every run");
  FEASIBLE(HAND("1.1 happens-before M\n", "1.2 happens-after N\n"), "nothing recorded orders them");
  FEASIBLE(HAND("", "1.2 happens-after M\n"), "nothing recorded orders them");
  /* which of two it has seen, nobody knows */
  UNCONFIRMED(HAND("1.0 happens-before M\n1.1 happens-before M\n", "1.2 happens-after M\n"), "another run may not");
  /* only the first is certain */
  UNCONFIRMED(TWO "1.1 happens-before M\n" NEST("1.1", "A", "B") "1.1 happens-before M\n1.2 happens-after M\n" NEST(
                  "1.2", "B", "A") TWO_END,
              "another run may not");
  /* another message in the same memory */
  FEASIBLE(HAND("1.1 happens-before M\n1.1 memory-freed M 8\n", "1.2 happens-after M\n"),
           "nothing recorded orders them");
  expect_impossible(HAND("1.0 happens-before M\n1.0 memory-freed M 8\n1.1 happens-before M\n", "1.2 happens-after M\n"),
                    "in one order in every run");
  /* a mutex at its address is not touched */
  expect_impossible(TWO NEST("1.1", "A", "B") "1.1 happens-before A\n1.2 happens-after A\n" NEST("1.2", "B", "A")
                        TWO_END,
                    "in one order in every run");
}

#define FIBERS "process 1 app\n1.0 start 1\n1.0 start 2\n1.0 start 3\n1.3 begin\n"
#define TO(thread, other) thread " fiber-switched-unordered " other "\n"
#define IN_TURN(thread, other) thread " fiber-switched " other "\n"
#define LEFT_MEANWHILE(to)                                                                                             \
  to("1.0", "1") "1.1 lock A\n" to("1.1", "2") to("1.2", "1") "1.1 lock B\n1.1 unlock B\n1.1 unlock A\n" to("1.1", "2")

static void fibers(void **state) {
  (void)state;
  /* one thread runs both, each to its end */
  expect_impossible(FIBERS TO("1.0", "1") NEST("1.1", "A", "B") TO("1.1", "2") NEST("1.2", "B", "A"),
                    "one thread runs T2 and T1, and leaves neither while it holds these locks");
  /* and what the thread does itself */
  expect_impossible(FIBERS NEST("1.0", "A", "B") TO("1.0", "2") NEST("1.2", "B", "A"),
                    "and leaves neither while it holds these locks");
  /* one is left while it holds a lock: the other may come in between */
  FEASIBLE(FIBERS LEFT_MEANWHILE(TO) NEST("1.2", "B", "A"), "in opposite orders");
  UNCONFIRMED(FIBERS LEFT_MEANWHILE(IN_TURN) NEST("1.2", "B", "A"), "a switch of fibers put these");
  FEASIBLE(FIBERS TO("1.0", "1") NEST("1.1", "A", "B") TO("1.1", "0") LEFT_MEANWHILE(TO) NEST("1.2", "B", "A"),
           "in opposite orders");
  /* two threads run them, or have run one of them in turn */
  FEASIBLE(FIBERS TO("1.0", "1") NEST("1.1", "A", "B") TO("1.3", "2") NEST("1.2", "B", "A"), "in opposite orders");
  FEASIBLE(FIBERS TO("1.0", "1") NEST("1.1", "A", "B") TO("1.1", "0") TO("1.3", "1") NEST("1.1", "A", "B")
               TO("1.1", "3") TO("1.0", "2") NEST("1.2", "B", "A"),
           "in opposite orders");
  /* who holds a lock may be switched to */
  NOTHING(FIBERS TO("1.0", "1") "1.1 lock A\n" TO("1.1", "2") "1.2 ask A\nkilled 1\n");
}

static void recursion(void **state) {
  (void)state;
  /* B is taken again while held: that is no order */
  NOTHING("process 1 app\n1.0 mutex-init B recursive i@a.c:1\n1.0 start 1\n1.1 begin\n"
          "1.0 lock B\n1.0 lock A\n1.0 lock B\n1.0 unlock B\n1.0 unlock A\n1.0 unlock B\n" NEST(
              "1.1", "B", "A") "1.1 end\n1.0 join 1\n");
}

static void readers(void **state) {
  (void)state;
#define READ2(thread, a, b)                                                                                            \
  thread " read " a "\n" thread " read " b "\n" thread " leave " b "\n" thread " leave " a "\n"
#define WRITE2(thread, a, b)                                                                                           \
  thread " write " a "\n" thread " write " b "\n" thread " leave " b "\n" thread " leave " a "\n"
  expect_impossible(TWO READ2("1.1", "A", "B") READ2("1.2", "B", "A") TWO_END, "readers do not exclude each other");
  FEASIBLE(TWO WRITE2("1.1", "A", "B") WRITE2("1.2", "B", "A") TWO_END, "in opposite orders");
  FEASIBLE(TWO READ2("1.1", "A", "B") WRITE2("1.2", "B", "A") TWO_END, "in opposite orders");
#define WRITERS                                                                                                        \
  "process 1 app\n1.0 rwlock-init A prefer-writer i@a.c:1\n1.0 rwlock-init B prefer-writer i@a.c:2\n1.0 start 1\n1.0 " \
  "start 2\n1.1 begin\n1.2 begin\n"
  expect_impossible(WRITERS READ2("1.1", "A", "B") READ2("1.2", "B", "A") TWO_END, "readers do not exclude each other");
  FEASIBLE(WRITERS READ2("1.1", "A", "B")
               READ2("1.2", "B", "A") "1.0 write A\n1.0 leave A\n1.0 write B\n1.0 leave B\n" TWO_END,
           "if a writer waits between the readers");
  /* a gate that is only read keeps nobody apart */
  FEASIBLE(TWO "1.1 read G\n" NEST("1.1", "A", "B") "1.1 leave G\n1.2 read G\n" NEST("1.2", "B",
                                                                                     "A") "1.2 leave G\n" TWO_END,
           "in opposite orders");
}

static void orders(void **state) {
  (void)state;
  /* a barrier between them orders them in every run */
  expect_impossible(
      "process 1 app\n1.0 barrier-init X i@a.c:1\n1.0 barrier-count X 2\n1.0 start 1\n1.0 start 2\n1.1 begin\n1.2 "
      "begin\n" NEST("1.1", "A", "B") "1.1 barrier-requested X b@a.c:2\n1.2 barrier-requested X b@a.c:2\n"
                                      "1.1 barrier-passed X b@a.c:2\n1.2 barrier-passed X b@a.c:2\n" NEST("1.2", "B",
                                                                                                          "A") TWO_END,
      "in one order in every run");
  /* a semaphore with one poster and one waiter too */
  expect_impossible(
      "process 1 app\n1.0 sem-init S i@a.c:1\n1.0 sem-value S 0\n1.0 start 1\n1.0 start 2\n1.1 begin\n1.2 begin\n" NEST(
          "1.1", "A", "B") "1.1 v S\n1.2 p S\n" NEST("1.2", "B", "A") TWO_END,
      "in one order in every run");
  /* with two posters it may be the other's post */
  UNCONFIRMED(
      "process 1 app\n1.0 sem-init S i@a.c:1\n1.0 sem-value S 0\n1.0 start 1\n1.0 start 2\n1.1 begin\n1.2 begin\n" NEST(
          "1.1", "A", "B") "1.1 v S\n1.0 v S\n1.2 p S\n" NEST("1.2", "B", "A") TWO_END,
      "another run may not");
  UNCONFIRMED(TWO "1.2 lock M\n1.2 cond-wait-requested C w@a.c:1\n1.2 mutex-released M in-wait w@a.c:1\n" NEST(
                  "1.1", "A", "B") "1.1 cond-signalled C s@a.c:2\n1.2 mutex-acquired M in-wait w@a.c:1\n"
                                   "1.2 cond-wait-returned C arg=0 w@a.c:1\n1.2 unlock M\n" NEST("1.2", "B", "A")
                                       TWO_END,
              "another run may not");
  /* the release of a lock orders nothing */
  FEASIBLE(TWO NEST("1.1", "A", "B") "1.1 lock M\n1.1 unlock M\n1.2 lock M\n1.2 unlock M\n" NEST("1.2", "B", "A")
               TWO_END,
           "nothing recorded orders them");
  /* unless its taking was ordered: the creator held it when it created the other */
  expect_impossible(
      "process 1 app\n1.0 lock M\n1.0 start 1\n1.1 begin\n" NEST(
          "1.0", "A", "B") "1.0 unlock M\n1.1 lock M\n1.1 unlock M\n" NEST("1.1", "B", "A") "1.1 end\n1.0 join 1\n",
      "in one order in every run");
  expect_impossible(
      TWO "1.1 once-requested O o@a.c:1\n1.1 once-begun O o@a.c:1\n" NEST(
          "1.1", "A",
          "B") "1.1 once-ended O o@a.c:1\n"
               "1.1 once-passed O arg=0 o@a.c:1\n1.2 once-requested O o@a.c:1\n1.2 once-passed O arg=0 o@a.c:1\n" NEST(
                   "1.2", "B", "A") TWO_END,
      "in one order in every run");
}

/* A first, unordered pair makes it feasible though a later one is ordered; and the other way round. */
static void several_times(void **state) {
  (void)state;
  FEASIBLE("process 1 app\n1.0 start 1\n1.1 begin\n" NEST("1.0", "A", "B")
               NEST("1.1", "B", "A") "1.1 end\n1.0 join 1\n" NEST("1.0", "A", "B"),
           "in opposite orders");
  FEASIBLE("process 1 app\n" NEST("1.0", "A", "B") "1.0 start 1\n1.1 begin\n" NEST("1.0", "A", "B")
               NEST("1.1", "B", "A") "1.1 end\n1.0 join 1\n",
           "in opposite orders");
}

static void condition_waits(void **state) {
  (void)state;
  /* the wait takes M again while A is held */
  FEASIBLE(
      TWO
      "1.1 lock M\n1.1 lock A\n1.1 cond-wait-requested C w@a.c:1\n1.1 mutex-released M in-wait w@a.c:1\n"
      "1.1 mutex-acquired M in-wait w@a.c:1\n1.1 cond-wait-returned C arg=0 w@a.c:1\n1.1 unlock A\n1.1 unlock M\n" NEST(
          "1.2", "M", "A") TWO_END,
      "in opposite orders");
}

static void happened(void **state) {
  (void)state;
  /* the deadlock that happened is not predicted as well */
  expect(TWO "1.1 lock A\n1.2 lock B\n1.1 ask B\n1.2 ask A\nkilled 1\n", "deadlock", "happened", "wait for each other");
}

static void folding(void **state) {
  (void)state;
  struct story story;
  /* the same two lines of code, two pairs of locks */
#define SITES(thread, a, b, f)                                                                                         \
  thread " mutex-requested " a " " f "1@s.c:1\n" thread " mutex-acquired " a " " f "1@s.c:1\n" thread                  \
         " mutex-requested " b " " f "2@s.c:2\n" thread " mutex-acquired " b " " f "2@s.c:2\n" thread                  \
         " mutex-released " b " x@s.c:3\n" thread " mutex-released " a " x@s.c:3\n"
  story_open(&story,
             TWO SITES("1.1", "A", "B", "f") SITES("1.2", "B", "A", "g") SITES("1.1", "C", "D", "f")
                 SITES("1.2", "D", "C", "g") TWO_END,
             (struct analysis_options){0});
  assert_int_equal(story.report->finding_count, 1);
  assert_int_equal(story.report->findings[0].count, 2);
  assert_int_equal(story.report->lock_order.node_count, 4);
  assert_int_equal(story.report->lock_order.edge_count, 4);
  for (size_t i = 0; i < 4; i++)
    assert_int_equal(story.report->lock_order.nodes[i].cycle, 1);
  story_close(&story);
}

/* A fingerprint survives other lines, other threads and other addresses. */
static void fingerprints(void **state) {
  (void)state;
  struct story first, second;
  char id[17];
  story_open(&first, TWO SITES("1.1", "A", "B", "f") SITES("1.2", "B", "A", "g") TWO_END, (struct analysis_options){0});
  assert_int_equal(first.report->finding_count, 1);
  strcpy(id, first.report->findings[0].id);
  story_close(&first);
  story_open(&second,
             "process 77 app\n77.0 start 5\n77.0 start 9\n77.5 begin\n77.9 begin\n77.5 lock Q\n77.5 unlock Q\n" SITES(
                 "77.9", "Y", "X", "g") SITES("77.5", "X", "Y", "f"),
             (struct analysis_options){0});
  assert_int_equal(second.report->finding_count, 1);
  assert_string_equal(second.report->findings[0].id, id);
  story_close(&second);
}

static void long_cycles(void **state) {
  (void)state;
  const char *text =
      TWO "1.0 start 3\n1.3 begin\n" NEST("1.1", "A", "B") NEST("1.2", "B", "C") NEST("1.3", "C", "A") TWO_END;
  struct story story;
  story_open(&story, text, (struct analysis_options){.cycle_length = 2});
  assert_int_equal(story.report->finding_count, 0);
  assert_int_equal(story.report->problem_count, 1); /* what is not looked for is said */
  assert_non_null(strstr(story.report->problems[0], "more than 2 locks"));
  story_close(&story);
}

/* What the program calls a thread, and what the report calls it; a gate's edges are told from those of the cycle. */
static void names_and_gates(void **state) {
  (void)state;
  struct story story;
  story_open(&story,
             "process 1 app\n1.0 start 1\n1.0 start 2\n1.1 thread-begin 1.1 work@a.c:1\n1.2 thread-begin 1.2 "
             "work@a.c:1\n1.1 lock G\n" NEST("1.1", "A", "B") "1.1 unlock G\n1.2 lock G\n" NEST(
                 "1.2", "B", "A") "1.2 unlock G\n" NEST("1.1", "C", "D") NEST("1.2", "D", "C") TWO_END,
             (struct analysis_options){.show_impossible = true});
  assert_int_equal(story.report->finding_count, 1);
  assert_int_equal(story.report->impossible_count, 1);
  for (size_t t = 0; t < 2; t++)
    assert_string_equal(story.report->findings[0].threads[t].name, "work");
  for (size_t t = 0; t < 2; t++)
    assert_non_null(strstr(story.report->findings[0].threads[t].label, " (work)"));
  const struct picture *picture = &story.report->lock_order;
  size_t edges[4] = {0};
  for (size_t i = 0; i < picture->edge_count; i++) {
    edges[picture->edges[i].emphasis]++;
    assert_true(picture->edges[i].emphasis != EMPHASIS_GATE ||
                picture->nodes[picture->edges[i].from].emphasis == EMPHASIS_GATE);
  }
  assert_int_equal(edges[EMPHASIS_CYCLE], 2);
  assert_int_equal(edges[EMPHASIS_IMPOSSIBLE], 2);
  assert_int_equal(edges[EMPHASIS_GATE], 2);
  story_close(&story);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(inversions),    cmocka_unit_test(impossible),      cmocka_unit_test(fibers),
      cmocka_unit_test(annotated),     cmocka_unit_test(annotated_order), cmocka_unit_test(recursion),
      cmocka_unit_test(readers),       cmocka_unit_test(orders),          cmocka_unit_test(names_and_gates),
      cmocka_unit_test(several_times), cmocka_unit_test(happened),        cmocka_unit_test(condition_waits),
      cmocka_unit_test(folding),       cmocka_unit_test(fingerprints),    cmocka_unit_test(long_cycles),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
