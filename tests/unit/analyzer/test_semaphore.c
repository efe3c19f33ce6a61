/* SPDX-License-Identifier: MIT
 *
 * Semaphores as locks and as signals, and what CPython 3.11 makes of them. One thread.
 */
#include "story.h"

#define SEM(thread, name, value) thread " sem-init " name " i@a.c:1\n" thread " sem-value " name " " value "\n"
#define NEST(thread, a, b) thread " p " a "\n" thread " p " b "\n" thread " v " b "\n" thread " v " a "\n"
#define TRY(thread, a, b) thread " try " a "\n" thread " try " b "\n" thread " v " b "\n" thread " v " a "\n"

static void as_locks(void **state) {
  (void)state;
  expect(TWO SEM("1.0", "A", "1") SEM("1.0", "B", "1") NEST("1.1", "A", "B") NEST("1.2", "B", "A") TWO_END,
         "lock-order-cycle", "feasible", "in opposite orders");
  /* a count of two excludes nobody */
  expect(TWO SEM("1.0", "A", "2") SEM("1.0", "B", "1") NEST("1.1", "A", "B") NEST("1.2", "B", "A") TWO_END, NULL, NULL,
         NULL);
  /* posted by somebody else once: a signal, even if only afterwards */
  expect(TWO SEM("1.0", "A", "1") SEM("1.0", "B", "1") NEST("1.1", "A", "B")
             NEST("1.2", "B", "A") "1.1 p A\n1.2 v A\n" TWO_END,
         NULL, NULL, NULL);
  /* its first value is unknown */
  expect(TWO NEST("1.1", "A", "B") NEST("1.2", "B", "A") TWO_END, NULL, NULL, NULL);
  /* a signal that stood among the held locks leaves the others' order standing */
  expect(TWO SEM("1.0", "S", "1") "1.1 p S\n1.1 lock A\n1.1 lock B\n1.1 unlock B\n1.1 unlock A\n1.2 v S\n"
                                  "1.2 lock B\n1.2 lock A\n1.2 unlock A\n1.2 unlock B\n" TWO_END,
         "lock-order-cycle", "feasible", "in opposite orders");
}

/* threading.Condition.wait: a fresh lock, taken, and taken again; who notifies releases it. */
#define WAITER(thread, other)                                                                                          \
  SEM(thread, "W", "1")                                                                                                \
  thread " try W\n" thread " v L\n" thread " miss W\n" thread " askp W\n" other " p L\n" other " v W\n" other          \
         " v L\n" thread " sem-acquired W w@a.c:1\n" thread " sem-destroyed W w@a.c:1\n" thread " p L\n"

static void condition_idiom(void **state) {
  (void)state;
  expect(TWO SEM("1.0", "L",
                 "1") "1.1 p L\n" WAITER("1.1", "1.2") "1.1 v L\n1.2 p L\n" WAITER("1.2", "1.1") "1.2 v L\n" TWO_END,
         NULL, NULL, NULL);
  expect(TWO SEM("1.0", "L", "1") "1.1 p L\n" SEM("1.1", "W",
                                                  "1") "1.1 try W\n1.1 v L\n1.1 miss W\n1.1 askp W\nkilled 1\n",
         NULL, NULL, NULL); /* 2 may still notify */
}

/* Every lock of CPython is tried first; that it waits when the try fails is seen at one lock and holds for all. */
static void tries(void **state) {
  (void)state;
#define LOCKS TWO SEM("1.0", "A", "1") SEM("1.0", "B", "1")
#define FALLBACK                                                                                                       \
  SEM("1.0", "X", "1") "1.1 try X\n1.2 miss X\n1.2 askp X\n1.1 v X\n1.2 sem-acquired X w@a.c:1\n1.2 v X\n"
  expect(LOCKS TRY("1.1", "A", "B") TRY("1.2", "B", "A") TWO_END, NULL, NULL, NULL); /* tries, as far as we know */
  expect(LOCKS FALLBACK TRY("1.1", "A", "B") TRY("1.2", "B", "A") TWO_END, "lock-order-cycle", "feasible",
         "in opposite orders");
  /* acquire(blocking=False) that did without: this lock's tries are tries */
  expect(LOCKS FALLBACK "1.1 try A\n1.2 miss A\n1.2 try B\n1.2 v B\n1.1 v A\n" TRY("1.1", "A", "B") TRY("1.2", "B", "A")
             TWO_END,
         NULL, NULL, NULL);
}

/* Thread._tstate_lock: held by the thread from its begin to its end; join takes it. */
#define PYTHREAD(n) "1.0 start " n "\n1." n " begin\n" SEM("1." n, "T" n, "1") "1." n " try T" n "\n"
#define STARTED(n)                                                                                                     \
  SEM("1.0", "W" n, "1")                                                                                               \
  "1.0 try W" n "\n1.0 miss W" n "\n1.0 askp W" n "\n1." n " v W" n "\n1.0 sem-acquired W" n " w@a.c:1\n"
#define PYJOIN(n) "1.0 p T" n "\n1.0 v T" n "\n"

static void joins(void **state) {
  (void)state;
#define PY "process 1 app\n" SEM("1.0", "A", "1") SEM("1.0", "B", "1")
  expect_impossible(PY PYTHREAD("1") NEST("1.1", "A", "B") "1.1 v T1\n1.1 end\n" PYJOIN("1") PYTHREAD("2")
                        NEST("1.2", "B", "A") "1.2 v T2\n1.2 end\n" PYJOIN("2"),
                    "in one order in every run");
  expect(PY PYTHREAD("1") PYTHREAD("2") NEST("1.1", "A", "B")
             NEST("1.2", "B", "A") "1.1 v T1\n1.2 v T2\n1.1 end\n1.2 end\n" PYJOIN("1") PYJOIN("2"),
         "lock-order-cycle", "feasible", "in opposite orders");
  /* main holds A and joins a thread that takes A */
  expect(PY PYTHREAD("1") "1.1 p A\n1.1 v A\n1.0 p A\n1.1 v T1\n1.1 end\n" PYJOIN("1") "1.0 v A\n", "lock-order-cycle",
         "feasible", "in opposite orders");
  expect(PY PYTHREAD("1") "1.0 p A\n1.1 askp A\n1.0 askp T1\nkilled 1\n", "deadlock", "happened",
         "wait for each other");
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(as_locks), cmocka_unit_test(condition_idiom),
                                     cmocka_unit_test(tries), cmocka_unit_test(joins)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
