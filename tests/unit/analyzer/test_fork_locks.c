/* SPDX-License-Identifier: MIT
 *
 * Locks that were held by another thread at a fork, and what children may do with them. One thread.
 */
#include "story.h"

#define BEGIN "process 1 app\n1.0 start 1\n1.1 begin\n"
#define FORK "1.0 fork-requested f@a.c:1\nprocess 2 app forked-from 1\n1.0 forked 2 f@a.c:1\n"
#define END "1.1 end\n1.0 join 1\n"
#define MISS "2.0 mutex-failed A EBUSY t@a.c:5\n"
#define BAD(text, words) expect(text, "fork-holding-lock", "happened", words)
#define FINE(text) expect(text, NULL, NULL, NULL)

static void missed(void **state) {
  (void)state;
  BAD(BEGIN "1.1 lock A\n" FORK MISS "1.1 unlock A\n" END, "T1 (work) [1] held it at the fork");
  BAD(BEGIN "1.1 lock A\n" FORK MISS MISS "1.1 unlock A\n" END, "asked for it in vain (a.c:5)");
  BAD(BEGIN "1.1 lock A\n" FORK "2.0 mutex-requested A timed t@a.c:5\n2.0 mutex-failed A ETIMEDOUT t@a.c:5\n"
            "1.1 unlock A\n" END,
      "stays locked for ever");
  BAD(BEGIN "1.1 write A\n" FORK "2.0 rwlock-failed A EBUSY t@a.c:5\n1.1 leave A\n" END, "rwlock");
  BAD(BEGIN "1.1 lock A\n" FORK "2.0 start 1\n2.1 begin\n2.1 mutex-failed A EBUSY t@a.c:5\n1.1 unlock A\n" END,
      "T1 (work) [2] cannot have mutex story.c:4");
  /* A child that waits, and is killed by somebody who lost patience */
  BAD(BEGIN "1.1 lock A\n" FORK "2.0 ask A\n1.0 wait-requested 2 w@a.c:1\n1.0 wait-returned 2 ended w@a.c:1\n"
            "1.1 unlock A\n" END "killed 2\n",
      "asked for it in vain");
}

static void happened(void **state) {
  (void)state;
  expect(BEGIN "1.1 lock A\n" FORK
               "2.0 ask A\n1.0 wait-requested 2 w@a.c:1\n1.1 unlock A\n1.1 end\nkilled 2\nkilled 1\n",
         "deadlock", "happened", "T1 (work) [1] held when this process was forked");
}

static void harmless(void **state) {
  (void)state;
  FINE(BEGIN "1.1 lock A\n" FORK "1.1 unlock A\n" END);                                /* left alone */
  FINE(BEGIN "1.1 lock A\n" FORK "2.0 exec-requested e@a.c:1\n1.1 unlock A\n" END);    /* forgotten by exec */
  FINE(BEGIN "1.1 lock A\n" FORK MISS "2.0 mutex-init A i@a.c:1\n1.1 unlock A\n" END); /* made anew */
  FINE(BEGIN "1.1 lock A\n" FORK MISS "2.0 unlock A\n1.1 unlock A\n" END);             /* unlocked for the other */
  FINE(BEGIN "1.1 lock A\n" FORK MISS "2.0 lock A\n2.0 unlock A\n1.1 unlock A\n" END); /* overwritten */
  FINE(BEGIN "1.0 lock A\n" FORK "1.0 unlock A\n2.0 unlock A\n" END);                  /* the forking thread's */
  FINE(BEGIN FORK "1.1 lock A\n" MISS "1.1 unlock A\n" END);                           /* taken after the fork */
  FINE(BEGIN "1.1 lock A\n1.0 fork-requested f@a.c:1\n1.1 unlock A\n1.0 lock A\nprocess 2 app forked-from 1\n"
             "1.0 forked 2 f@a.c:1\n2.0 unlock A\n1.0 unlock A\n" END);   /* a handler of pthread_atfork took it */
  FINE("shared A\n" BEGIN "1.1 lock A\n" FORK MISS "1.1 unlock A\n" END); /* the same lock, released by its owner */
  FINE(BEGIN "1.1 lock A\n1.0 fork-requested vfork f@a.c:1\nprocess 2 app parent 1\n1.0 forked 2 vfork f@a.c:1\n" MISS
             "1.1 unlock A\n" END); /* a program of its own */
}

static void children_of_one_place(void **state) {
  (void)state;
  struct story story;
  story_open(&story,
             BEGIN "1.1 lock A\n" FORK MISS "1.0 fork-requested f@a.c:1\nprocess 3 app forked-from 1\n"
                   "1.0 forked 3 f@a.c:1\n3.0 mutex-failed A EBUSY t@a.c:5\n1.1 unlock A\n" END,
             (struct analysis_options){0});
  assert_int_equal(story.report->finding_count, 1);
  assert_int_equal(story.report->findings[0].count, 2);
  assert_int_equal(story.report->findings[0].level, LEVEL_WARNING);
  assert_int_equal(story.report->findings[0].step_count, 3);
  story_close(&story);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(missed), cmocka_unit_test(happened), cmocka_unit_test(harmless),
                                     cmocka_unit_test(children_of_one_place)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
