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
      cmocka_unit_test(threads),
      cmocka_unit_test(counted),
      cmocka_unit_test(locks),
      cmocka_unit_test(notifications),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
