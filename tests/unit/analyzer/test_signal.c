/* SPDX-License-Identifier: MIT
 *
 * Signals: what they order, that nobody waits for one for good, and children that are killed. One thread.
 */
#include "story.h"

#define NEST(thread, a, b)                                                                                             \
  thread " lock " a "\n" thread " lock " b "\n" thread " unlock " b "\n" thread " unlock " a "\n"
#define WAIT(thread) thread " signal-wait-requested 1 w@a.c:1\n"
#define CAME(thread, pid) thread " signal-wait-returned " pid " 10 w@a.c:1\n"
#define SEND(thread, other) thread " thread-signalled " other " 10 k@a.c:2\n"

static void order(void **state) {
  (void)state;
  expect_impossible(TWO WAIT("1.2") NEST("1.1", "A", "B") SEND("1.1", "1.2") CAME("1.2", "1") NEST("1.2", "B", "A")
                        TWO_END,
                    "in one order in every run");
  /* several send it: another one's may have come */
  expect(TWO "1.0 start 3\n1.3 begin\n" SEND("1.3", "1.2") WAIT("1.2") NEST("1.1", "A", "B") SEND("1.1", "1.2")
             CAME("1.2", "1") NEST("1.2", "B", "A") TWO_END,
         "lock-order-cycle", "unconfirmed", "in this run a signal or a semaphore put these acquisitions in order");
  /* from outside, or of a process that is not in the trace */
  expect(TWO WAIT("1.2") NEST("1.1", "A", "B") SEND("1.1", "1.2") CAME("1.2", "any") NEST("1.2", "B", "A") TWO_END,
         "lock-order-cycle", "feasible", "in opposite orders");
  expect(TWO WAIT("1.2") NEST("1.1", "A", "B") SEND("1.1", "1.2") CAME("1.2", "77") NEST("1.2", "B", "A") TWO_END,
         "lock-order-cycle", "feasible", "in opposite orders");
}

static void waits(void **state) {
  (void)state;
  expect("process 1 app\n" WAIT("1.0") "killed 1\n", NULL, NULL, NULL);
  expect(TWO "1.1 lock A\n1.1 signal-wait-requested 0 w@a.c:1\n1.2 ask A\n1.0 askjoin 2\nkilled 1\n", NULL, NULL, NULL);
}

#define APPS                                                                                                           \
  "shared M\nprocess 1 app\n1.0 fork-requested\nprocess 2 app forked-from 1\n1.0 forked 2\n2.0 mutex-acquired M "      \
  "l@a.c:1\n"
#define ASKS(thread) thread " mutex-requested M l@a.c:2\n"
#define KILL "1.0 signal-sent 2 9 k@a.c:3\n"

static void killed(void **state) {
  (void)state;
  expect(APPS KILL ASKS("1.0") "killed 1\nkilled 2\n", "deadlock", "happened", "and that process is gone");
  expect(APPS ASKS("1.0") "killed 1\nkilled 2\n", NULL, NULL, NULL);
  expect(APPS KILL "1.0 signal-failed 0 EPERM\n" ASKS("1.0") "killed 1\nkilled 2\n", NULL, NULL, NULL);
  expect(APPS "1.0 signal-sent 2 10 k@a.c:3\n" ASKS("1.0") "killed 1\nkilled 2\n", NULL, NULL, NULL);
  /* by no parent of it: that process id may be another's */
  expect(APPS "process 3 other\n3.0 signal-sent 2 9 k@a.c:3\n" ASKS("1.0") "killed 1\nkilled 2\nkilled 3\n", NULL, NULL,
         NULL);
  expect(APPS "2.0 mutex-init M robust i@a.c:1\n2.0 mutex-acquired M l@a.c:1\n" KILL ASKS("1.0") "killed 1\nkilled 2\n",
         NULL, NULL, NULL);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(order), cmocka_unit_test(waits), cmocka_unit_test(killed)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
