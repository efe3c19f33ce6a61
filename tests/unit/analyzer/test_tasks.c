/* SPDX-License-Identifier: MIT
 *
 * Queues, futures and executors of libsnarl: who is stuck and what only looks so, what leaks, what is lost, and what
 * they order. One thread.
 */
#include "story.h"

#define KILLED "killed 1\n"
#define STUCK(text, words) expect(text KILLED, "deadlock", "happened", words)
#define STARVED(text, words) expect(text KILLED, "pool-starvation", "happened", words)
#define FINE(text) expect(text KILLED, NULL, NULL, NULL)

#define QUEUE "process 1 app\n1.0 queue-limit Q 1\n1.0 start 1\n1.1 begin\n"
#define GETS(thread) thread " queue-get-requested Q g@a.c:1\n"
#define PUTS(thread) thread " queue-put-requested Q p@a.c:2\n"
#define PUT(thread) thread " queue-put Q p@a.c:2\n"

static void queues(void **state) {
  (void)state;
  STUCK(QUEUE GETS("1.1") "1.0 askjoin 1\n", "and nobody is left who could put something into it");
  STUCK(QUEUE PUT("1.1") PUTS("1.1") "1.0 askjoin 1\n", "to have room, and nobody is left who could get from it");
  STUCK(QUEUE PUT("1.1") "1.1 queue-join-requested Q j@a.c:3\n1.0 askjoin 1\n", "until all is dealt with");
  STUCK(TWO "1.1 lock A\n" GETS("1.1") "1.2 ask A\n1.0 askjoin 1\n", "nobody is left who could put");
  FINE(QUEUE GETS("1.1"));                                                /* main may put */
  FINE(QUEUE GETS("1.1") PUT("1.0") "1.0 askjoin 1\n");                   /* it has */
  FINE(QUEUE GETS("1.1") "1.0 queue-closed Q c@a.c:4\n1.0 askjoin 1\n");  /* it comes back */
  FINE(QUEUE "1.1 queue-get-requested Q timed g@a.c:1\n1.0 askjoin 1\n"); /* ends by itself */
  FINE(QUEUE PUT("1.1") PUTS("1.1") "1.0 queue-got Q g@a.c:1\n1.0 askjoin 1\n");
  FINE(QUEUE PUT("1.1") "1.1 queue-join-requested Q j@a.c:3\n1.0 queue-got Q g@a.c:1\n1.0 queue-task-done Q d@a.c:5\n"
                        "1.0 askjoin 1\n");
  FINE(QUEUE PUT("1.0") GETS("1.1") "1.0 askjoin 1\n"); /* there is something */
}

/* Main, and one worker of an executor with room for `limit`. */
#define POOL(limit)                                                                                                    \
  "process 1 app\n1.0 object-declared E 35 e@a.c:1\n1.0 executor-limit E " limit                                       \
  "\n1.0 start 1\n1.1 begin\n1.1 executor-worker E\n"
#define SUBMIT(thread, future) thread " executor-chosen E s@a.c:2\n" thread " future-submitted " future " s@a.c:2\n"
#define BEGUN(thread, future) thread " task-begun " future "\n"
#define AWAIT(thread, future) thread " future-wait-requested " future " w@a.c:3\n"

static void starvation(void **state) {
  (void)state;
  STARVED(POOL("1") SUBMIT("1.0", "F") BEGUN("1.1", "F") SUBMIT("1.1", "G") AWAIT("1.1", "G") AWAIT("1.0", "F"),
          "the only worker of");
  STARVED(POOL("2") "1.0 start 2\n1.2 begin\n1.2 executor-worker E\n" SUBMIT("1.0", "F") SUBMIT("1.0", "H")
              BEGUN("1.1", "F") BEGUN("1.2", "H") SUBMIT("1.1", "G") SUBMIT("1.2", "I") AWAIT("1.1", "G")
                  AWAIT("1.2", "I") AWAIT("1.0", "F"),
          "all 2 workers of");
  /* another worker was started, or has no task */
  FINE(POOL("2") SUBMIT("1.0", "F") BEGUN("1.1", "F") "1.1 start 2\n" SUBMIT("1.1", "G") AWAIT("1.1", "G")
           AWAIT("1.0", "F"));
  FINE(POOL("2") "1.0 start 2\n1.2 begin\n1.2 executor-worker E\n1.2 executor-idle E\n" SUBMIT("1.0", "F")
           BEGUN("1.1", "F") SUBMIT("1.1", "G") AWAIT("1.1", "G") AWAIT("1.0", "F"));
  FINE(POOL("1") SUBMIT("1.0", "F") BEGUN("1.1", "F") AWAIT("1.0", "F")); /* it runs */
  /* whatever main does: only giving the task up could end it */
  STARVED(POOL("1") SUBMIT("1.0", "F") BEGUN("1.1", "F") SUBMIT("1.1", "G") AWAIT("1.1", "G"), "the only worker of");
  FINE(POOL("1") SUBMIT("1.0", "F") BEGUN("1.1", "F") SUBMIT("1.1", "G")
           AWAIT("1.1", "G") "1.0 future-cancelled G c@a.c:4\n" AWAIT("1.0", "F")); /* it is */
}

#define ENDED(thread, future) thread " task-ended " future "\n"
#define FAILED(thread, future) thread " task-ended " future " 1\n"
#define EXITS "1.1 end\n1.0 join 1\n1.0 executor-shut-down E x@a.c:6\n1.0 process-exit 0 e@a.c:9\n"

static void futures(void **state) {
  (void)state;
  /* the task needs what its waiter holds */
  STUCK(POOL("1") SUBMIT("1.0", "F") BEGUN("1.1", "F") "1.0 lock A\n1.1 ask A\n" AWAIT("1.0", "F"), "is running");
  FINE(POOL("1") SUBMIT("1.0", "F") BEGUN("1.1", "F") "1.0 lock A\n1.1 ask A\n1.0 unlock A\n" AWAIT("1.0", "F"));
  FINE(POOL("1") SUBMIT("1.0", "F") BEGUN("1.1", "F") ENDED("1.1", "F") "1.0 lock A\n1.1 ask A\n" AWAIT("1.0", "F"));
  /* cancelled, and begun after all: it runs and is awaited */
  STUCK(POOL("1") SUBMIT("1.0", "F") "1.0 future-cancelled F c@a.c:4\n" BEGUN(
            "1.1", "F") "1.0 lock A\n1.1 ask A\n" AWAIT("1.0", "F"),
        "is running");
  /* a closed executor did not take it */
  FINE(POOL("1") SUBMIT("1.0", "F") "1.0 future-ended F\n1.1 executor-idle E\n1.0 askjoin 1\n"
                                    "1.0 executor-shut-down E x@a.c:6\n");
}

static void lost_and_leaked(void **state) {
  (void)state;
#define LOST(text, words) expect(text EXITS, "lost-exception", "happened", words)
#define KEPT(text) expect(text EXITS, NULL, NULL, NULL)
  LOST(POOL("1") SUBMIT("1.0", "F") BEGUN("1.1", "F") FAILED("1.1", "F") "1.0 future-ended F\n", "a.c:2");
  LOST(POOL("1") SUBMIT("1.0", "F") BEGUN("1.1", "F") FAILED("1.1", "F")
           AWAIT("1.0", "F") "1.0 future-wait-failed F ETIMEDOUT w@a.c:3\n1.0 future-ended F\n",
       "nobody asked");
  KEPT(POOL("1") SUBMIT("1.0", "F") BEGUN("1.1", "F") FAILED("1.1", "F")
           AWAIT("1.0", "F") "1.0 future-wait-returned F 1 w@a.c:3\n1.0 future-ended F\n");
  KEPT(POOL("1") SUBMIT("1.0", "F") BEGUN("1.1", "F") ENDED("1.1", "F") "1.0 future-ended F\n");
#define CHILD(arg) "process 1 app\n1.0 child-unasked 7 " arg " s@a.c:8\n1.0 process-exit 0 e@a.c:9\n"
  expect(CHILD("3"), "lost-exception", "happened", "exit code 3");
  expect(CHILD(""), "lost-exception", "happened", "by a signal");
}

/* Submission, the task and its waiter are in order; so are a put and its get, but who else puts is not. */
#define W(thread) thread " shared-written V w@a.c:8\n"
static void order(void **state) {
  (void)state;
  expect(POOL("1") W("1.0") SUBMIT("1.0", "F") BEGUN("1.1", "F") W("1.1") ENDED("1.1", "F")
             AWAIT("1.0", "F") "1.0 future-wait-returned F w@a.c:3\n" W("1.0") KILLED,
         NULL, NULL, NULL);
  expect(POOL("1") SUBMIT("1.0", "F") W("1.0") BEGUN("1.1", "F") W("1.1") KILLED, "data-race", "happened", "writes");
  expect(POOL("1") SUBMIT("1.0", "F") BEGUN("1.1", "F") ENDED("1.1", "F")
             W("1.1") "1.0 future-wait-returned F w@a.c:3\n" W("1.0") KILLED,
         "data-race", "happened", "writes");
  expect(QUEUE W("1.1") PUT("1.1") "1.0 queue-got Q g@a.c:1\n" W("1.0") KILLED, NULL, NULL, NULL);
  expect(QUEUE PUT("1.1") W("1.1") "1.0 queue-got Q g@a.c:1\n" W("1.0") KILLED, "data-race", "happened", "writes");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(queues),          cmocka_unit_test(starvation), cmocka_unit_test(futures),
      cmocka_unit_test(lost_and_leaked), cmocka_unit_test(order),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
