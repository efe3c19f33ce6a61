/* SPDX-License-Identifier: MIT
 *
 * What is stuck at the end of a trace, for each kind of wait, and what only looks so. One thread.
 */
#include "story.h"
#include <stdio.h>
#include <string.h>

#define KILLED "killed 1\n"
#define STUCK(text, words) expect(text KILLED, "deadlock", "happened", words)
#define SELF(text, words) expect(text KILLED, "self-deadlock", "happened", words)
#define FINE(text) expect(text KILLED, NULL, NULL, NULL)

static void mutexes(void **state) {
  (void)state;
  STUCK(TWO "1.1 lock A\n1.2 lock B\n1.1 ask B\n1.2 ask A\n1.0 askjoin 1\n", "Also blocked, because of this: main");
  STUCK(TWO "1.1 lock A\n1.2 lock B\n1.1 ask B\n1.2 ask A\n",
        "T1 (work) holds mutex story.c:6 and waits for mutex story.c:7, which T2 (work) holds");
  STUCK(TWO "1.0 start 3\n1.3 begin\n1.1 lock A\n1.2 lock B\n1.3 lock C\n1.1 ask B\n1.2 ask C\n1.3 ask A\n",
        "T1 (work), T2 (work) and T3 (work) wait for each other");
  FINE(TWO "1.1 lock A\n1.2 ask A\n");                          /* the holder runs */
  FINE(TWO "1.1 lock A\n1.2 ask A\n1.1 unlock A\n1.1 ask B\n"); /* given up, not yet taken */
  FINE(TWO "1.1 lock A\n1.2 lock B\n1.1 mutex-requested B timed\n1.2 ask A\n1.1 mutex-failed B ETIMEDOUT\n");
  FINE(TWO "1.1 lock A\n1.2 lock B\n1.1 mutex-requested B timed x@a.c:1\n1.2 ask A\n"); /* ends by itself */
}

static void relocking(void **state) {
  (void)state;
  SELF("process 1 app\n1.0 lock A\n1.0 ask A\n", "main waits for mutex story.c:2, which it holds itself");
  SELF("process 1 app\n1.0 mutex-init A init@a.c:1\n1.0 lock A\n1.0 ask A\n", "which it holds itself");
  FINE("process 1 app\n1.0 mutex-init A recursive init@a.c:1\n1.0 lock A\n1.0 ask A\n");
  FINE("process 1 app\n1.0 mutex-init A errorcheck init@a.c:1\n1.0 lock A\n1.0 ask A\n");
  FINE("process 1 app\n1.0 lock A\n1.0 lock A\n1.0 unlock A\n1.0 ask A\n"); /* statically recursive */
  SELF("process 1 app\n1.0 spin A\n1.0 askspin A\n", "which it holds itself");
  SELF("process 1 app\n1.0 read A\n1.0 askwrite A\n", "which it holds itself");
  SELF("process 1 app\n1.0 once-requested A o@a.c:1\n1.0 once-begun A o@a.c:1\n1.0 once-requested A o@a.c:2\n",
       "which it is running itself");
}

static void rwlocks(void **state) {
  (void)state;
  STUCK(TWO "1.1 read A\n1.2 read B\n1.1 askwrite B\n1.2 askwrite A\n", "wait for each other");
  STUCK(TWO "1.1 read A\n1.2 lock B\n1.1 ask B\n1.2 askwrite A\n", "wait for each other");
  FINE(TWO "1.1 read A\n1.2 write B\n1.1 askread B\n1.2 askread A\n"); /* the second reader gets in */
  STUCK("process 1 app\n1.0 rwlock-init R prefer-writer i@a.c:1\n1.0 start 1\n1.0 start 2\n1.1 begin\n1.2 begin\n"
        "1.1 read R\n1.2 askwrite R\n1.1 askread R\n",
        "where T2 (work) is already waiting to write");
  FINE(TWO "1.1 read R\n1.2 askwrite R\n1.1 askread R\n"); /* readers first: it will be let in */
  STUCK(TWO "1.1 spin A\n1.2 spin B\n1.1 askspin B\n1.2 askspin A\n", "wait for each other");
}

static void joins(void **state) {
  (void)state;
  STUCK(TWO "1.1 lock A\n1.2 ask A\n1.1 askjoin 2\n", "T1 (work) holds mutex story.c:6 and waits for T2 (work) to end");
  STUCK(TWO "1.1 askjoin 2\n1.2 askjoin 1\n", "wait for each other");
  FINE(TWO "1.1 lock A\n1.2 ask A\n1.1 askjoin 2\n1.2 end\n");
  FINE(TWO "1.0 askjoin 1\n"); /* it runs */
  STUCK(TWO "1.1 lock A\n1.1 end\n1.0 join 1\n1.2 ask A\n", "which T1 (work) never released before it ended");
}

static void conditions(void **state) {
  (void)state;
#define WAIT(thread)                                                                                                   \
  thread " lock M\n" thread " cond-wait-requested C w@a.c:1\n" thread " mutex-released M in-wait w@a.c:1\n"
  STUCK(TWO WAIT("1.1") "1.0 askjoin 1\n1.2 end\n", "nobody is left who could signal it");
  FINE(TWO WAIT("1.1") "1.0 askjoin 1\n");                                        /* 2 may signal */
  FINE(TWO WAIT("1.1") "1.2 cond-signalled C s@a.c:2\n1.2 end\n1.0 askjoin 1\n"); /* it has */
  FINE("process 1 app\n1.0 start 1\n1.1 begin\n" WAIT("1.1") "1.0 cond-broadcast C s@a.c:2\n1.0 askjoin 1\n");
  STUCK(
      "process 1 app\n1.0 start 1\n1.1 begin\n" WAIT("1.1") "1.0 lock M\n1.0 cond-signalled C s@a.c:2\n1.0 askjoin 1\n",
      "which was signalled, but its mutex never comes free");
  FINE("process 1 app\n1.0 start 1\n1.1 begin\n1.1 lock M\n1.1 cond-wait-requested C timed w@a.c:1\n"
       "1.1 mutex-released M in-wait w@a.c:1\n1.0 askjoin 1\n");
  FINE("process 1 app\n1.0 lock M\n1.0 cond-wait-requested C w@a.c:1\n"); /* not yet asleep */
#undef WAIT
}

static void semaphores(void **state) {
  (void)state;
#define SEM(name, value) "1.0 sem-init " name " i@a.c:1\n1.0 sem-value " name " " value "\n"
  STUCK(TWO SEM("S", "1") SEM("U", "1") "1.1 p S\n1.2 p U\n1.1 askp U\n1.2 askp S\n", "wait for each other");
  STUCK("process 1 app\n1.0 start 1\n1.1 begin\n" SEM("S", "0") "1.1 askp S\n1.0 askjoin 1\n",
        "nobody is left who could post it");
  FINE("process 1 app\n1.0 start 1\n1.1 begin\n" SEM("S", "0") "1.1 askp S\n");
  FINE("process 1 app\n1.0 start 1\n1.1 begin\n" SEM("S", "0") "1.0 v S\n1.1 askp S\n1.0 askjoin 1\n");
  FINE("process 1 app\n1.0 start 1\n1.1 begin\n1.1 askp S\n1.0 askjoin 1\n"); /* its value is unknown */
  FINE("process 1 app\n1.0 signal-handler 4096 arg=10 h@a.c:1\n1.0 start 1\n1.1 begin\n" SEM(
      "S", "0") "1.1 askp S\n1.0 askjoin 1\n"); /* a handler may post */
  STUCK("process 1 /usr/bin/python3\n1.0 signal-handler 4096 arg=2 h@a.c:1\n1.0 start 1\n1.1 begin\n" SEM(
            "S", "0") "1.1 askp S\n1.0 askjoin 1\n",
        "nobody is left who could post it");
  /* relocking what behaves as a lock: another thread may still post */
  FINE(TWO SEM("S", "1") "1.1 p S\n1.1 askp S\n");
  STUCK("process 1 app\n" SEM("S", "1") "1.0 p S\n1.0 askp S\n", "nobody is left who could post it");
}

static void barriers(void **state) {
  (void)state;
#define BARRIER                                                                                                        \
  "process 1 app\n1.0 barrier-init B i@a.c:1\n1.0 barrier-count B 3\n1.0 start 1\n1.0 start 2\n1.1 begin\n1.2 begin\n"
  STUCK(BARRIER "1.1 barrier-requested B b@a.c:1\n1.2 barrier-requested B b@a.c:1\n1.0 askjoin 1\n",
        "which needs 3 threads: 2 arrived");
  FINE(BARRIER "1.1 barrier-requested B b@a.c:1\n1.2 barrier-requested B b@a.c:1\n");
  FINE(BARRIER "1.1 barrier-requested B b@a.c:1\n1.2 barrier-requested B b@a.c:1\n1.0 barrier-requested B b@a.c:1\n"
               "1.0 barrier-passed B b@a.c:1\n1.0 askjoin 1\n"); /* the others are on their way out */
#undef BARRIER
}

static void onces(void **state) {
  (void)state;
  STUCK(TWO
        "1.1 once-requested O o@a.c:1\n1.1 once-begun O o@a.c:1\n1.2 lock A\n1.2 once-requested O o@a.c:1\n1.1 ask A\n",
        "which T1 (work) is running");
  FINE(TWO "1.1 once-requested O o@a.c:1\n1.1 once-begun O o@a.c:1\n1.2 lock A\n1.2 once-requested O o@a.c:1\n"
           "1.1 once-ended O o@a.c:1\n1.1 ask A\n");
}

static void cores(void **state) {
  (void)state;
  struct story story;
  story_open(&story,
             TWO "1.0 start 3\n1.0 start 4\n1.3 begin\n1.4 begin\n1.1 lock A\n1.2 lock B\n1.3 lock C\n1.4 lock D\n"
                 "1.1 ask B\n1.2 ask A\n1.3 ask D\n1.4 ask C\n1.0 askjoin 1\n" KILLED,
             (struct analysis_options){.only_blocked = true});
  assert_int_equal(story.report->finding_count, 2);
  for (size_t i = 0; i < 2; i++) {
    assert_int_equal(story.report->findings[i].thread_count, 2);
    assert_int_equal(story.report->findings[i].step_count, 4);
    for (size_t s = 1; s < 4; s++)
      assert_true(story.report->findings[i].steps[s - 1].time_ns <= story.report->findings[i].steps[s].time_ns);
  }
  assert_int_equal(story.report->wait_for.node_count, 9); /* five threads, four locks */
  story_close(&story);
}

static void ended_programs(void **state) {
  (void)state;
  const char *exited = TWO "1.1 lock A\n1.2 lock B\n1.1 ask B\n1.2 ask A\n1.0 process-exit 0 e@a.c:1\n";
  expect(exited, "deadlock", "happened", "wait for each other");
  expect(TWO "1.1 lock A\n1.2 ask A\n1.1 process-exit 0 e@a.c:1\n", NULL, NULL, NULL);
  expect("process 1 app\n1.0 start 1\n1.1 begin\n1.1 sem-init S i@a.c:1\n1.1 sem-value S 0\n1.1 askp S\n"
         "1.0 process-exit 0 e@a.c:1\n",
         NULL, NULL, NULL); /* an idle worker of a program that is over */
}

#define FIBERS "process 1 app\n1.0 start 1\n1.0 start 2\n1.0 start 3\n1.3 begin\n"
#define TO(thread, other) thread " fiber-switched " other "\n"

static void fibers(void **state) {
  (void)state;
  /* the thread waits for what its own other fiber holds, and nobody else could run that */
  STUCK(FIBERS TO("1.0", "1") "1.1 lock A\n" TO("1.1", "2") "1.2 ask A\n1.3 end\n",
        "T1 holds mutex story.c:7 and waits for T2, which runs in its place");
  FINE(FIBERS TO("1.0", "1") "1.1 lock A\n" TO("1.1", "2") "1.2 ask A\n"); /* thread 3 could */
  FINE(FIBERS TO("1.0", "1") "1.1 lock A\n1.1 unlock A\n" TO("1.1", "2") "1.2 ask A\n1.3 end\n");
  /* it was run again by another */
  FINE(FIBERS TO("1.0", "1") "1.1 lock A\n" TO("1.1", "2") "1.2 ask A\n" TO("1.3", "1"));
  /* a lock that runs others until it is free: the thread goes on, its fibers do not */
  STUCK(FIBERS TO("1.0", "1") "1.1 lock A\n" TO("1.1", "2") "1.2 lock B\n1.2 lock-write-requested L l@a.c:1\n" TO(
            "1.2", "1") "1.1 lock-write-acquired L l@a.c:1\n1.1 ask B\n" TO("1.1", "0"),
        "wait for each other");
}

/* The one thing that cannot be seen, and how often. */
static void expect_unseen(const char *text, uint64_t waits, size_t sites) {
  struct story story;
  story_open(&story, text, (struct analysis_options){0});
  assert_int_equal(story.report->blind_spot_count, waits != 0);
  if (waits) {
    assert_int_equal(story.report->blind_spots[0].waits, waits);
    assert_int_equal(story.report->blind_spots[0].site_count, sites);
  }
  story_close(&story);
}

#define FUTEX(thread, name, error)                                                                                     \
  thread " futex-wait-requested " name " w@a.c:1\n" thread " futex-wait-returned " name " arg=" error " w@a.c:1\n"

static void futexes(void **state) {
  (void)state;
  /* a thread that waits on a futex may go on, and signal */
  FINE(TWO "1.1 lock M\n1.1 cond-wait-requested C w@a.c:1\n1.1 mutex-released M in-wait w@a.c:1\n"
           "1.2 futex-wait-requested F w@a.c:2\n1.0 askjoin 1\n");
  FINE(TWO "1.1 lock A\n1.2 ask A\n1.1 futex-wait-requested F w@a.c:2\n");
  /* but it holds up nobody else's deadlock */
  STUCK(TWO "1.0 futex-wait-requested F w@a.c:2\n1.1 lock A\n1.2 lock B\n1.1 ask B\n1.2 ask A\n",
        "wait for each other");
  /* counted by place; EAGAIN (11) did not wait */
  expect_unseen(TWO FUTEX("1.1", "F", "0") FUTEX("1.2", "G", "110") FUTEX("1.2", "G", "11") TWO_END, 2, 1);
  expect_unseen(TWO FUTEX("1.1", "F", "0") "1.2 futex-wait-requested F w@b.c:1\nkilled 1\n", 2, 2);
  expect_unseen(TWO FUTEX("1.1", "F", "11") TWO_END, 0, 0);
  expect_unseen(TWO "1.1 lock A\n1.1 unlock A\n" TWO_END, 0, 0);
  struct story story; /* both said, told once */
  story_open(&story, "process 1 app\n1.0 freeing-unseen arg=1\n1.0 freeing-unseen arg=2\n",
             (struct analysis_options){0});
  assert_int_equal(story.report->blind_spot_count, 1);
  assert_non_null(strstr(story.report->blind_spots[0].what, "own free"));
  story_close(&story);
  /* the word of a mutex, of an annotated lock, and just behind a mutex (A lies at 0x550000000000) */
  expect_unseen(TWO "1.1 lock A\n1.1 unlock A\n" FUTEX("1.1", "A", "0") FUTEX("1.1", "0x550000000024", "0") TWO_END, 0,
                0);
  expect_unseen(TWO "1.1 lock A\n1.1 unlock A\n" FUTEX("1.1", "0x550000000028", "0") TWO_END, 1, 1);
  expect_unseen(TWO "1.1 lock-write-acquired L l@a.c:1\n1.1 lock-released L l@a.c:1\n" FUTEX("1.1", "L", "0") TWO_END,
                0, 0);
}

/* What to do about it fits what it is. */
static void advice(void **state) {
  (void)state;
  static const struct {
    const char *story, *advice;
  } cases[] = {
      {TWO "1.1 lock A\n1.2 lock B\n1.1 ask B\n1.2 ask A\n", "in one order"},
      {TWO "1.1 lock A\n1.1 end\n1.0 join 1\n1.2 ask A\n", "on every way out"},
      {"process 1 app\n1.0 start 1\n1.1 begin\n1.0 sem-init S i@a.c:1\n1.0 sem-value S 0\n1.1 askp S\n"
       "1.0 askjoin 1\n",
       "nothing more will come"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    struct story story;
    char text[512];
    snprintf(text, sizeof text, "%s" KILLED, cases[i].story);
    story_open(&story, text, (struct analysis_options){.only_blocked = true});
    assert_int_equal(story.report->finding_count, 1);
    assert_non_null(strstr(story.report->findings[0].help, cases[i].advice));
    story_close(&story);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(futexes),        cmocka_unit_test(fibers),     cmocka_unit_test(mutexes),
      cmocka_unit_test(relocking),      cmocka_unit_test(rwlocks),    cmocka_unit_test(joins),
      cmocka_unit_test(conditions),     cmocka_unit_test(semaphores), cmocka_unit_test(barriers),
      cmocka_unit_test(onces),          cmocka_unit_test(cores),      cmocka_unit_test(advice),
      cmocka_unit_test(ended_programs),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
