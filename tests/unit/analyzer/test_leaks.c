/* SPDX-License-Identifier: MIT
 *
 * What is left behind, and notifications that nobody heard; and what only looks so. One thread.
 */
#include "story.h"
#include <stdio.h>
#include <string.h>

#define EXIT "1.0 process-exit 0 e@a.c:1\n"
#define LEAK(text, words) expect(text, "thread-leak", "happened", words)
#define HELD(text, words) expect(text, "lock-held-at-exit", "happened", words)
#define FINE(text) expect(text, NULL, NULL, NULL)

static void threads(void **state) {
  (void)state;
  LEAK(TWO "1.1 end\n1.2 end\n1.0 join 2\n" EXIT, "T1 (work) was neither joined nor detached");
  FINE(TWO TWO_END EXIT);
  FINE(TWO "1.2 end\n1.0 join 2\n" EXIT);     /* 1 still runs */
  FINE(TWO "1.1 end\n1.2 end\n1.0 join 2\n"); /* the program was killed: it may have joined */
  FINE(TWO "1.0 thread-detached 1.1 d@a.c:1\n1.1 end\n1.2 end\n1.0 join 2\n" EXIT);
}

static void counted(void **state) {
  (void)state;
  struct story story;
  char text[4096] = "process 1 app\n";
  for (int i = 1; i <= 5; i++) {
    char line[256];
    snprintf(line, sizeof line,
             "1.0 thread-create-requested %d make@a.c:9\n1.0 thread-created 1.%d make@a.c:9\n"
             "1.%d thread-begin 1.%d work@a.c:1\n1.%d thread-end 1.%d\n",
             i, i, i, i, i, i);
    strcat(text, line);
  }
  strcat(text, EXIT);
  story_open(&story, text, (struct analysis_options){0});
  assert_int_equal(story.report->finding_count, 1); /* one place, five threads */
  assert_int_equal(story.report->findings[0].count, 5);
  story_close(&story);
}

static void locks(void **state) {
  (void)state;
  HELD(TWO "1.1 lock A\n" TWO_END EXIT, "T1 (work) ended while it held mutex");
  HELD(TWO "1.1 write A\n" TWO_END,
       "T1 (work) ended while it held rwlock"); /* the thread is over, however the rest ends */
  FINE(TWO "1.1 lock A\n1.1 unlock A\n" TWO_END EXIT);
  FINE(TWO TWO_END "1.0 lock A\n" EXIT); /* goes with the process */
  FINE(TWO "1.1 lock A\n1.1 mutex-destroyed A d@a.c:1\n" TWO_END EXIT);
  FINE(
      "process 1 app\n1.0 start 1\n1.1 begin\n1.0 mutex-init A robust i@a.c:1\n1.1 lock A\n1.1 end\n1.0 join 1\n" EXIT);
}

#define FORK "1.0 fork-requested f@a.c:1\nprocess 2 app forked-from 1\n1.0 forked 2 f@a.c:1\n"
#define CHILD "process 1 app\n" FORK
#define CHILD_EXIT "2.0 process-exit 0 x@a.c:2\n"
#define LATER "@+200000000 "

static void children(void **state) {
  (void)state;
#define ZOMBIE(text, words) expect(text, "process-leak", "happened", words)
  ZOMBIE(CHILD CHILD_EXIT LATER EXIT, "main [1] never waited for process 2");
  ZOMBIE(CHILD "2.0 exec-requested e@a.c:3\nprocess 2 other exec\n2.0 process-exit 0 x@b.c:1\n" LATER EXIT,
         "process 2");
  FINE(CHILD CHILD_EXIT "1.0 wait-returned 2 ended w@a.c:3\n" LATER EXIT);
  FINE(CHILD CHILD_EXIT "@+1000 " EXIT);                                    /* the system takes it over */
  FINE(CHILD EXIT LATER CHILD_EXIT);                                        /* and lets it live on */
  FINE(CHILD CHILD_EXIT LATER "killed 1\n");                                /* it may have waited */
  FINE(CHILD LATER EXIT "killed 2\n");                                      /* nobody knows when it ended */
  FINE(CHILD CHILD_EXIT LATER "1.0 wait-returned 77 ended w@a.c:3\n" EXIT); /* for whom? */
  FINE("process 1 app\n1.0 signal-handler 1 17 s@a.c:1\n" FORK CHILD_EXIT LATER EXIT);
  FINE("process 1 app\n1.0 signal-handler 1 17 s@a.c:1\n1.0 signal-handler 0 17 s@a.c:1\n" FORK CHILD_EXIT LATER EXIT);
  FINE(CHILD CHILD_EXIT LATER "1.0 exec-requested e@a.c:3\n"); /* another program, unseen, has the child now */
  FINE(CHILD "1.0 exec-requested e@a.c:3\nprocess 1 other exec\n" CHILD_EXIT LATER EXIT); /* it does not know of it */
  FINE(CHILD CHILD_EXIT "dropped 1 5\n" LATER EXIT);
}

static void names(void **state) {
  (void)state;
#define SHIM "module 1 /lib/libsnarl-preload.so 0 0 1000\n"
#define MADE "1.0 sem-opened S shared o@a.c:4\n1.0 sem-value S 1\n1.0 object-named S 1 \"/turn\"\n"
#define REMOVED(thread) thread " sem-unlinked \"turn\"\n"
#define MEMORY "1.0 object-declared M 48 c@a.c:5\n1.0 object-named M \"scores\"\n1.0 object-named M 1 \"scores\"\n"
#define LEFT(text, words) expect(text, "ipc-leak", "happened", words)
#define ONE "process 1 app\n" SHIM
  LEFT(ONE MADE EXIT, "semaphore \"turn\" is left in the system");
  LEFT(ONE MEMORY EXIT, "(a.c:5)");
  LEFT(ONE MADE REMOVED("1.0") MADE EXIT, "semaphore");
  LEFT(ONE MADE "1.0 object-named X 2 \"turn\"\n" EXIT, "semaphore"); /* that was memory */
  LEFT(CHILD SHIM REMOVED("2.0") CHILD_EXIT LATER "1.0 wait-returned 2 ended w@a.c:3\n" MADE EXIT, "semaphore");
  FINE(ONE MADE REMOVED("1.0") EXIT);
  FINE(ONE MEMORY "1.0 object-named X 2 \"/scores\"\n" EXIT);
  FINE("process 1 app\n" MEMORY EXIT);                /* nobody listened to its removal */
  FINE(ONE MADE);                                     /* killed, or it still runs */
  FINE(ONE "1.0 sem-opened S shared o@a.c:4\n" EXIT); /* it was there before */
  FINE(CHILD MADE REMOVED("2.0") CHILD_EXIT "1.0 wait-returned 2 ended w@a.c:3\n" EXIT);
  FINE(CHILD REMOVED("2.0") MADE CHILD_EXIT "1.0 wait-returned 2 ended w@a.c:3\n" EXIT); /* recorded late */
  FINE(CHILD MADE "killed 2\n" EXIT);                                                    /* it may have been about to */
  FINE(CHILD MADE "@+1000 " EXIT "killed 2\n");
}

static void notifications(void **state) {
  (void)state;
#define WAIT(thread)                                                                                                   \
  thread " lock M\n" thread " cond-wait-requested C w@a.c:1\n" thread " mutex-released M in-wait w@a.c:1\n"
#define WOKEN(thread)                                                                                                  \
  thread " mutex-acquired M in-wait w@a.c:1\n" thread " cond-wait-returned C w@a.c:1\n" thread " unlock M\n"
#define NOTIFY "1.2 cond-signalled C s@a.c:2\n"
  expect(TWO NOTIFY WAIT("1.1") "1.2 end\n1.0 askjoin 1\nkilled 1\n", "lost-wakeup", "happened",
         "T2 (work) notified condition");
  /* it came to wait before, and nothing was lost: the notifier just ended */
  expect(TWO WAIT("1.1") NOTIFY WOKEN("1.1") NOTIFY WAIT("1.1") "1.2 end\n1.0 askjoin 1\nkilled 1\n", "deadlock",
         "happened", "nobody is left who could signal it");
  expect(TWO WAIT("1.1") "1.2 end\n1.0 askjoin 1\nkilled 1\n", "deadlock", "happened", "nobody is left");
  FINE(TWO NOTIFY WAIT("1.1") "1.0 askjoin 1\nkilled 1\n"); /* 2 may notify again */
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(threads),  cmocka_unit_test(counted), cmocka_unit_test(locks),
      cmocka_unit_test(children), cmocka_unit_test(names),   cmocka_unit_test(notifications),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
