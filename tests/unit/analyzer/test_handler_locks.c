/* SPDX-License-Identifier: MIT
 *
 * Locks that signal handlers take, and when that is harmless. One thread.
 */
#include "story.h"

#define USR1 "arg=10 s@a.c:1\n"
#define BEGIN "process 1 app\n1.0 signal-handler 4096 " USR1
/* In a handler that interrupted `where`. */
#define INSIDE(thread, where)                                                                                          \
  thread " mutex-acquired A h@a.c:5 < signal < " where "\n" thread " mutex-released A h@a.c:6 < signal < " where "\n"
#define HANDLER INSIDE("1.0", "main@a.c:20")
#define OUTSIDE "1.0 mutex-acquired A m@a.c:30 < main@a.c:21\n1.0 mutex-released A m@a.c:31 < main@a.c:21\n"
#define BLOCK "1.0 signal-mask 512 b@a.c:2\n" /* bit 9: signal 10 */
#define UNBLOCK "1.0 signal-mask 0 b@a.c:3\n"
#define BAD(text, words) expect(text, "lock-in-signal-handler", "happened", words)
#define FINE(text) expect(text, NULL, NULL, NULL)

static void dangerous(void **state) {
  (void)state;
  BAD(BEGIN HANDLER OUTSIDE, "takes mutex a.c:5 in a handler of SIGUSR1 and outside of it");
  BAD(BEGIN OUTSIDE HANDLER, "h runs on main when SIGUSR1 comes");
  BAD(BEGIN BLOCK OUTSIDE UNBLOCK OUTSIDE HANDLER, "(a.c:30), with the signal not blocked");
  BAD(BEGIN "1.0 signal-mask 1 b@a.c:2\n" OUTSIDE HANDLER, "SIGUSR1"); /* another one is blocked */
  BAD(BEGIN "1.0 signal-mask 512 b@a.c:2 < signal < main@a.c:9\n" OUTSIDE HANDLER, "SIGUSR1"); /* in a handler only */
  BAD(BEGIN "1.0 signal-handler 8192 arg=15 s@a.c:1\n" OUTSIDE HANDLER, "SIGUSR1 or SIGTERM");
  BAD(BEGIN "1.0 rwlock-read-acquired A h@a.c:5 < signal < main@a.c:9\n1.0 rwlock-released A h@a.c:6\n"
            "1.0 rwlock-write-acquired A m@a.c:30\n1.0 rwlock-released A m@a.c:31\n",
      "rwlock");
  BAD(BEGIN "1.0 start 1\n1.1 begin\n1.1 spin A\n1.1 unspin A\n1.1 spin-acquired A h@a.c:5 < signal < w@a.c:9\n"
            "1.1 spin-released A h@a.c:6 < signal < w@a.c:9\n1.1 end\n1.0 join 1\n",
      "h runs on T1 (work)");
  BAD("process 1 app\n1.0 signal-handler 4096 " USR1 "1.0 fork-requested f@a.c:1\nprocess 2 app forked-from 1\n"
      "1.0 forked 2 f@a.c:1\n2.0 mutex-acquired A h@a.c:5 < signal < main@a.c:9\n2.0 mutex-released A h@a.c:6\n"
      "2.0 lock A\n2.0 unlock A\n",
      "SIGUSR1"); /* a forked child has the handlers of its parent */
}

static void harmless(void **state) {
  (void)state;
  FINE(BEGIN HANDLER);                                                     /* only there */
  FINE(BEGIN OUTSIDE);                                                     /* never there */
  FINE(BEGIN BLOCK OUTSIDE UNBLOCK HANDLER);                               /* blocked */
  FINE("process 1 app\n" OUTSIDE "1.0 signal-handler 4096 " USR1 HANDLER); /* not yet installed */
  FINE(BEGIN HANDLER "1.0 signal-handler 0 " USR1 OUTSIDE);                /* not installed any more */
  FINE(BEGIN HANDLER "1.0 signal-handler 1 " USR1 OUTSIDE);
  FINE("process 1 app\n" HANDLER OUTSIDE);                                         /* which signal? */
  FINE("process 1 app\n1.0 signal-handler 4096 arg=11 s@a.c:1\n" HANDLER OUTSIDE); /* a fault */
  FINE(BEGIN INSIDE("1.0", "raise@libc.so.6:1 < main@a.c:20") OUTSIDE);
  FINE(BEGIN "1.0 start 1\n1.1 begin\n1.1 lock A\n1.1 unlock A\n1.1 end\n1.0 join 1\n" HANDLER); /* another thread */
  FINE(BEGIN BLOCK "1.0 start 1\n1.1 begin\n1.1 lock A\n1.1 unlock A\n" INSIDE(
      "1.1", "w@a.c:9") "1.1 end\n"
                        "1.0 join 1\n"); /* blocked from its creator */
  FINE(BEGIN "1.0 mutex-acquired A try h@a.c:5 < signal < main@a.c:9\n1.0 mutex-released A h@a.c:6\n" OUTSIDE);
  FINE(BEGIN "1.0 mutex-requested A timed h@a.c:5 < signal < main@a.c:9\n"
             "1.0 mutex-acquired A timed h@a.c:5 < signal < main@a.c:9\n1.0 mutex-released A h@a.c:6\n" OUTSIDE);
  FINE(BEGIN "1.0 mutex-init A recursive i@a.c:2\n" HANDLER OUTSIDE);
  FINE(BEGIN "1.0 mutex-init A errorcheck i@a.c:2\n" HANDLER OUTSIDE);
  FINE(BEGIN "1.0 rwlock-read-acquired A h@a.c:5 < signal < main@a.c:9\n1.0 rwlock-released A h@a.c:6\n"
             "1.0 rwlock-read-acquired A m@a.c:30\n1.0 rwlock-released A m@a.c:31\n");
  FINE(BEGIN HANDLER "1.0 mutex-destroyed A d@a.c:8\n1.0 mutex-init A i@a.c:9\n" OUTSIDE); /* another one there */
}

static void happened(void **state) {
  (void)state;
  expect(BEGIN HANDLER "1.0 lock A\n1.0 mutex-requested A h@a.c:5 < signal < main@a.c:20\nkilled 1\n", "self-deadlock",
         "happened", "in a signal handler");
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(dangerous), cmocka_unit_test(harmless),
                                     cmocka_unit_test(happened)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
