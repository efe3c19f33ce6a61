/* SPDX-License-Identifier: MIT
 *
 * Waits for pipes, sockets, queues and sets of them: who is stuck, and what only looks so; and what messages order. One
 * thread.
 */
#include "story.h"

#define KILLED "killed 1\n"
#define STUCK(text, words) expect(text KILLED, "deadlock", "happened", words)
#define FINE(text) expect(text KILLED, NULL, NULL, NULL)
#define KNOWN "1.0 channels-known\n"
#define PIPE(in, out, name)                                                                                            \
  "1.0 channel-opened " in " receive made pipe " name " capacity 65536 p_" name "@a.c:1\n1.0 channel-opened " out      \
  " send made pipe " name " capacity 65536 p_" name "@a.c:1\n"
#define PAIR(one, two)                                                                                                 \
  "1.0 channel-opened " one " receive send made socket X to Y capacity 100000 s@a.c:2\n"                               \
  "1.0 channel-opened " two " receive send made socket Y to X capacity 100000 s@a.c:2\n"
#define ASK(thread, fd) thread " channel-receive-requested " fd " 10 r@a.c:3\n"
#define SEND(thread, fd, amount) thread " channel-sent " fd " " amount " w@a.c:4\n"
#define GET(thread, fd, amount) thread " channel-received " fd " " amount " r@a.c:5\n"
#define PUSH(thread, fd, amount) thread " channel-send-requested " fd " " amount " w@a.c:6\n"
#define BEGIN "process 1 app\n" KNOWN PIPE("3", "4", "P") PIPE("5", "6", "Q") "1.0 start 1\n1.1 begin\n"

static void receives(void **state) {
  (void)state;
  STUCK(BEGIN ASK("1.1", "3") "1.0 askjoin 1\n", "nobody sends, and the end of the stream never comes");
  STUCK(BEGIN ASK("1.1", "3") ASK("1.0", "5"), "wait, and nobody is left to wake them");
  FINE(BEGIN ASK("1.1", "3"));                                         /* main may send */
  FINE(BEGIN ASK("1.1", "3") SEND("1.0", "4", "5") "1.0 askjoin 1\n"); /* it has */
  FINE(BEGIN ASK("1.1", "3") "1.0 channel-closed 4\n1.0 askjoin 1\n"); /* the stream is at its end */
  FINE(BEGIN "1.1 channel-receive-requested 3 10 timed r@a.c:3\n1.0 askjoin 1\n");
  FINE(BEGIN ASK("1.1", "3") "1.1 channel-failed 3 EINTR\n1.0 askjoin 1\n"); /* it went on */
  STUCK(BEGIN "1.0 channel-duplicated 9 4\n1.0 channel-closed 4\n" ASK("1.1", "3") "1.0 askjoin 1\n", "is empty");
  FINE(BEGIN
       "1.0 channel-duplicated 9 4\n1.0 channel-closed 4\n1.0 channel-closed 9\n" ASK("1.1", "3") "1.0 askjoin 1\n");
  STUCK(BEGIN SEND("1.0", "4", "5") GET("1.1", "3", "5") ASK("1.1", "3") "1.0 askjoin 1\n", "is empty");
}

/* What is not known for sure ends a wait. */
static void doubts(void **state) {
  (void)state;
  FINE(BEGIN GET("1.1", "3", "5") ASK("1.1", "3") "1.0 askjoin 1\n"); /* somebody sent it who is not recorded */
  FINE(BEGIN SEND("1.0", "4", "5") GET("1.1", "3", "6") ASK("1.1", "3") "1.0 askjoin 1\n");
  FINE(BEGIN "1.0 channel-passed 4 m@a.c:1\n" ASK("1.1", "3") "1.0 askjoin 1\n");
  FINE(BEGIN "1.0 signal-handler 4096 arg=10 h@a.c:1\n" ASK("1.1", "3") "1.0 askjoin 1\n"); /* the handler may send */
  FINE("process 1 app\n" KNOWN "1.0 channel-opened 3 receive pipe P\n1.0 channel-opened 4 send pipe P\n1.0 start 1\n"
       "1.1 begin\n" ASK("1.1", "3") "1.0 askjoin 1\n"); /* they were there before */
  FINE("process 1 app\n" PIPE("3", "4", "P") "1.0 start 1\n1.1 begin\n" ASK("1.1", "3") "1.0 askjoin 1\n");
  FINE(BEGIN "1.0 channel-opened 7 receive send made fifo F\n" ASK("1.1", "7") "1.0 askjoin 1\n");
  FINE(BEGIN "1.0 fork-requested f@a.c:1\n1.0 forked 77 f@a.c:1\n" ASK("1.1", "3") "1.0 askjoin 1\n"); /* a child */
}

static void sends(void **state) {
  (void)state;
  STUCK(BEGIN SEND("1.1", "4", "65536") PUSH("1.1", "4", "10") "1.0 askjoin 1\n", "full (65536 bytes in it)");
  STUCK(BEGIN PUSH("1.1", "4", "100000") "1.0 askjoin 1\n", "only its own process could receive from");
  FINE(BEGIN PUSH("1.1", "4", "10") "1.0 askjoin 1\n"); /* it fits */
  FINE(BEGIN SEND("1.1", "4", "65536") GET("1.0", "3", "65536") PUSH("1.1", "4", "10") "1.0 askjoin 1\n");
  FINE(BEGIN PUSH("1.1", "4", "100000") "1.0 channel-closed 3\n1.0 askjoin 1\n"); /* nobody reads: it fails */
  FINE(BEGIN PUSH("1.1", "4", "100000") "1.1 channel-send-returned 4 100000 w@a.c:6\n1.0 askjoin 1\n");
}

static void sockets(void **state) {
  (void)state;
#define TWO_ENDS "process 1 app\n" KNOWN PAIR("3", "4") "1.0 start 1\n1.1 begin\n"
  STUCK(TWO_ENDS PUSH("1.1", "3", "900000") PUSH("1.0", "4", "900000"), "nobody is left to wake them");
  STUCK(TWO_ENDS ASK("1.1", "3") ASK("1.0", "4"), "nobody is left to wake them");
  FINE(TWO_ENDS SEND("1.0", "4", "5") ASK("1.1", "3") ASK("1.0", "4"));
  FINE(TWO_ENDS "1.0 channel-shut 4 send s@a.c:1\n" ASK("1.1", "3") "1.0 askjoin 1\n");
  FINE("process 1 app\n" KNOWN "1.0 channel-opened 3 receive send made socket X to Y\n1.0 start 1\n1.1 begin\n" ASK(
      "1.1", "3") "1.0 askjoin 1\n"); /* its peer is outside */
#undef TWO_ENDS
}

static void queues(void **state) {
  (void)state;
#define QUEUE                                                                                                          \
  "process 1 app\n" KNOWN "1.0 channel-opened 3 receive send made queue Q named /q capacity 2 q@a.c:1\n1.0 start 1\n"  \
  "1.1 begin\n"
  STUCK(QUEUE SEND("1.1", "3", "1") SEND("1.1", "3", "1") PUSH("1.1", "3", "1") "1.0 askjoin 1\n", "2 messages in it");
  FINE(QUEUE SEND("1.1", "3", "1") PUSH("1.1", "3", "1") "1.0 askjoin 1\n");
  FINE(QUEUE SEND("1.1", "3", "1") SEND("1.1", "3", "1") SEND("1.1", "3", "1")
           PUSH("1.1", "3", "1") "1.0 askjoin 1\n"); /* somebody else receives from it, too */
  FINE(QUEUE ASK("1.1", "3") "1.0 askjoin 1\n");     /* anybody may send to a name */
#undef QUEUE
#define SYSV(ends)                                                                                                     \
  "process 1 app\n" KNOWN "1.0 channel-opened 524288 receive send " ends " sysv 7 capacity 100 q@a.c:1\n1.0 start 1\n" \
  "1.1 begin\n"
  STUCK(SYSV("made unlinked") ASK("1.1", "524288") "1.0 askjoin 1\n", "System V message queue a.c:1, which is empty");
  FINE(SYSV("made") ASK("1.1", "524288") "1.0 askjoin 1\n"); /* anybody may find its key */
  STUCK(SYSV("made") SEND("1.1", "524288", "91") PUSH("1.1", "524288", "41") "1.0 askjoin 1\n",
        "full (90 bytes in it)");
  FINE(SYSV("made") SEND("1.1", "524288", "51") PUSH("1.1", "524288", "41") "1.0 askjoin 1\n");
  FINE(SYSV("") SEND("1.1", "524288", "91") PUSH("1.1", "524288", "41") "1.0 askjoin 1\n"); /* somebody else made it */
  FINE(SYSV("made") SEND("1.1", "524288", "91")
           PUSH("1.1", "524288", "41") "1.0 channel-closed 524288\n1.0 askjoin 1\n");
#undef SYSV
}

static void polls(void **state) {
  (void)state;
#define POLL(sets) sets "1.1 channel-poll-requested 2 p@a.c:7\n"
  STUCK(BEGIN POLL("1.1 channel-polled 3 receive\n1.1 channel-polled 5 receive\n") "1.0 askjoin 1\n",
        "waits for pipe a.c:1 or pipe a.c:1 #2, where nothing is ready");
  FINE(BEGIN POLL("1.1 channel-polled 3 receive\n1.1 channel-polled 5 receive\n")
           SEND("1.0", "6", "1") "1.0 askjoin 1\n");
  FINE(BEGIN POLL("1.1 channel-polled 3 receive\n1.1 channel-polled 6 send\n") "1.0 askjoin 1\n");   /* there is room */
  FINE(BEGIN "1.1 channel-polled 3 receive\n1.1 channel-poll-requested 2 p@a.c:7\n1.0 askjoin 1\n"); /* of one of two */
  FINE("process 1 app\n" KNOWN "1.0 channel-opened 3 receive send made eventfd E\n1.0 start 1\n1.1 begin\n" ASK(
      "1.1", "3") "1.0 askjoin 1\n"); /* nobody ever raised it: it may be the kernel's */
  STUCK("process 1 app\n" KNOWN
        "1.0 channel-opened 3 receive send made eventfd E f@a.c:1\n1.0 start 1\n1.1 begin\n" SEND("1.0", "3", "2")
            GET("1.1", "3", "2") ASK("1.1", "3") "1.0 askjoin 1\n",
        "eventfd a.c:1, which is empty");
#define EPOLL "1.0 channel-opened 8 receive send made epoll E\n1.0 channel-watched 3 8 receive\n"
#define WAIT "1.1 channel-polled 8 receive\n1.1 channel-poll-requested 1 p@a.c:7\n1.0 askjoin 1\n"
  STUCK(BEGIN EPOLL WAIT, "waits for pipe a.c:1, where nothing is ready");
  FINE(BEGIN EPOLL "1.0 channel-watched 9 8 outside\n" WAIT);
  FINE(BEGIN EPOLL SEND("1.0", "4", "1") WAIT);
  FINE(BEGIN EPOLL "1.0 channel-watched 3 8\n" WAIT); /* an empty set */
  FINE("process 1 app\n" KNOWN "1.0 fork-requested f@a.c:1\nprocess 2 app forked-from 1\n2.0 thread-begin 2.0\n"
       "1.0 forked 2 f@a.c:1\n1.0 channel-opened 3 receive made pidfd 2\n"
       "1.0 channel-polled 3 receive\n1.0 channel-poll-requested 1 p@a.c:7\nkilled 2\n"); /* the child runs */
  STUCK("process 1 app\n" KNOWN PIPE(
            "3", "4", "P") "1.0 fork-requested f@a.c:1\nprocess 2 app forked-from 1\n"
                           "1.0 forked 2 f@a.c:1\n1.0 channel-opened 5 receive made pidfd 2\n" ASK(
                               "2.0",
                               "3") "1.0 channel-polled 5 receive\n1.0 channel-poll-requested 1 p@a.c:7\nkilled 2\n",
        "waits for process 2 (app)");
#undef POLL
#undef EPOLL
#undef WAIT
}

/* Descriptors over fork and exec. */
static void processes(void **state) {
  (void)state;
#define FORK "1.0 fork-requested f@a.c:1\nprocess 2 app forked-from 1\n1.0 forked 2 f@a.c:1\n"
#define AWAIT "1.0 wait-requested 2 w@a.c:9\nkilled 2\n"
#define HAVE "process 1 app\n" KNOWN PIPE("3", "4", "P")
  STUCK(HAVE FORK ASK("2.0", "3") AWAIT, "whoever could send to it (process 1 (app) and process 2 (app))");
  STUCK(HAVE FORK "2.0 channel-closed 4\n" ASK("2.0", "3") AWAIT, "whoever could send to it (process 1 (app))");
  FINE(HAVE FORK "2.0 channel-closed 4\n1.0 channel-closed 4\n" ASK("2.0", "3") AWAIT); /* the end of the stream */
  FINE(HAVE FORK "1.0 channel-closed 3\n2.0 channel-closed 4\n" ASK("2.0", "3") "1.0 channel-sent 4 5\n" AWAIT);
  /* a third process that runs holds the end */
  FINE(HAVE
       "1.0 fork-requested f@a.c:1\nprocess 3 app forked-from 1\n1.0 forked 3 f@a.c:1\n3.0 thread-begin 3.0\n" FORK ASK(
           "2.0", "3") AWAIT "killed 3\n");
  /* one that began with exec has what it says */
  STUCK(HAVE "1.0 fork-requested spawn f@a.c:1\n1.0 forked 2 spawn f@a.c:1\nprocess 2 other parent 1\n"
             "2.0 channel-opened 0 receive pipe P\n2.0 channels-known\n" ASK("2.0", "0") AWAIT,
        "whoever could send to it (process 1 (app))");
  FINE(HAVE "1.0 fork-requested spawn f@a.c:1\n1.0 forked 2 spawn f@a.c:1\nprocess 2 other parent 1\n"
            "2.0 channel-opened 0 receive pipe P\n" ASK("2.0", "0") AWAIT); /* not everything yet */
  STUCK(HAVE FORK "2.0 exec-requested e@a.c:1\nprocess 2 other exec\n2.0 channel-opened 3 receive pipe P\n"
                  "2.0 channels-known\n" ASK("2.0", "3") AWAIT,
        "whoever could send to it (process 1 (app))");
  /* what it executed is not recorded, and has both ends */
  FINE(
      HAVE
      "1.0 fork-requested f@a.c:1\nprocess 3 app forked-from 1\n1.0 forked 3 f@a.c:1\n3.0 exec-requested e@a.c:1\n" FORK
          ASK("2.0", "3") AWAIT);
#undef FORK
#undef AWAIT
#undef HAVE
}

/* Two threads that lock A and B in opposite orders, the second after it heard from the first. */
#define FIRST "1.1 lock A\n1.1 lock B\n1.1 unlock B\n1.1 unlock A\n"
#define SECOND "1.2 lock B\n1.2 lock A\n1.2 unlock A\n1.2 unlock B\n"

static void messages_order(void **state) {
  (void)state;
#define HAVE "process 1 app\n" KNOWN PIPE("3", "4", "P") "1.0 start 1\n1.0 start 2\n1.1 begin\n1.2 begin\n"
  expect_impossible(HAVE FIRST SEND("1.1", "4", "1") GET("1.2", "3", "1") SECOND TWO_END, "order");
  expect(HAVE SEND("1.1", "4", "1") FIRST GET("1.2", "3", "1") SECOND TWO_END, "lock-order-cycle", "feasible", "");
  /* the second thread got the first byte, which was sent before */
  expect(HAVE SEND("1.1", "4", "1") FIRST SEND("1.1", "4", "1") GET("1.2", "3", "1") SECOND TWO_END, "lock-order-cycle",
         "feasible", "");
  expect_impossible(HAVE SEND("1.1", "4", "1") FIRST SEND("1.1", "4", "1") GET("1.2", "3", "2") SECOND TWO_END,
                    "order");
  /* of two senders, in another run the other's byte may come first */
  expect(HAVE FIRST SEND("1.1", "4", "1") SEND("1.0", "4", "1") GET("1.2", "3", "2") SECOND TWO_END, "lock-order-cycle",
         "unconfirmed", "");
  /* the end of the stream comes after the last close */
  expect(HAVE FIRST "1.1 channel-closed 4 c@a.c:1\n" GET("1.2", "3", "0") SECOND TWO_END, "lock-order-cycle",
         "unconfirmed", "");
  expect(HAVE "1.1 channel-closed 4 c@a.c:1\n" FIRST GET("1.2", "3", "0") SECOND TWO_END, "lock-order-cycle",
         "feasible", "");
  /* a request that became a wait counts from when it was made */
  expect_impossible(HAVE FIRST PUSH("1.1", "4", "70000") GET("1.2", "3", "5") SECOND
                    "1.1 channel-send-returned 4 70000 w@a.c:6\n" TWO_END,
                    "order");
  /* more was received than sent: nothing is known */
  expect(HAVE FIRST SEND("1.1", "4", "1") GET("1.2", "3", "2") SECOND TWO_END, "lock-order-cycle", "feasible", "");
#undef HAVE
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(receives),  cmocka_unit_test(doubts),         cmocka_unit_test(sends),
      cmocka_unit_test(sockets),   cmocka_unit_test(queues),         cmocka_unit_test(polls),
      cmocka_unit_test(processes), cmocka_unit_test(messages_order),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
