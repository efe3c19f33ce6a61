/* SPDX-License-Identifier: MIT
 *
 * System V semaphores: locks, counts, calls on several at once, what the kernel undoes, and what others may know. One
 * thread.
 */
#include "story.h"

#define APPS "process 1 app\n1.0 fork-requested\nprocess 2 app forked-from 1\n1.0 forked 2\n"
#define HUNG "killed 1\nkilled 2\n"
#define STUCK(text, words) expect(APPS text HUNG, "deadlock", "happened", words)
#define FINE(text) expect(APPS text HUNG, NULL, NULL, NULL)

/* Set 1 has semaphores 65536, 65537 ... */
#define A "65536"
#define B "65537"
#define VALUE(how, sem, value) "1.0 sysv-value " sem " " how " " value "\n"
#define NEW(sem, value) VALUE("2", sem, "0") VALUE("1", sem, value)
#define P(who, sem, how) who " sysv-acquired " sem how " p@a.c:1\n"
#define V(who, sem, how) who " sysv-posted " sem how " v@a.c:2\n"
#define ASK(who, sem, how) who " sysv-requested " sem how " p@a.c:3\n"
#define LOCKS NEW(A, "1") NEW(B, "1")

static void locks(void **state) {
  (void)state;
  STUCK(LOCKS P("1.0", A, "") P("2.0", B, "") ASK("1.0", B, "") ASK("2.0", A, ""),
        "main [1] holds System V semaphore 1[0] and waits for System V semaphore 1[1], which main [2] holds");
  FINE(LOCKS P("1.0", A, "") ASK("2.0", A, ""));
  expect(APPS LOCKS P("1.0", A, "") P("1.0", B, "") V("1.0", B, "") V("1.0", A, "") P("2.0", B, "") P("2.0", A, "")
             V("2.0", A, "") V("2.0", B, ""),
         "lock-order-cycle", "feasible", "in opposite orders");
  /* both at once */
#define BOTH(who, a, b) P(who, a, "") P(who, b, " together") V(who, a, "") V(who, b, " together")
  expect(APPS LOCKS BOTH("1.0", A, B) BOTH("2.0", B, A), NULL, NULL, NULL);
  /* but both while a third is held */
#define THIRD "65538"
  expect(APPS LOCKS NEW(THIRD, "1") P("1.0", THIRD, "") BOTH("1.0", A, B) V("1.0", THIRD, "") P("2.0", B, "")
             P("2.0", THIRD, "") V("2.0", THIRD, "") V("2.0", B, ""),
         "lock-order-cycle", "feasible", "in opposite orders");
  /* two units are no lock's, an unknown number tells nothing */
  FINE(LOCKS P("1.0", A, "") V("1.0", A, " units=2") P("1.0", A, "") P("2.0", B, "") ASK("1.0", B, "")
           ASK("2.0", A, ""));
  FINE(LOCKS P("1.0", A, " units=15") ASK("1.0", B, "") P("2.0", B, "") ASK("2.0", A, ""));
}

#define CHILD_WAITS ASK("2.0", A, "") "1.0 wait-requested 2 w@a.c:9\n"
static void counts(void **state) {
  (void)state;
  STUCK(NEW(A, "0") CHILD_WAITS, "and nobody is left who could post it");
  STUCK(NEW(A, "3") ASK("2.0", A, " units=4") "1.0 wait-requested 2 w@a.c:9\n", "nobody is left who could post it");
  FINE(NEW(A, "4") ASK("2.0", A, " units=4") "1.0 wait-requested 2 w@a.c:9\n");
  STUCK(NEW(A, "1") ASK("2.0", A, " units=0") "1.0 wait-requested 2 w@a.c:9\n", "to become zero");
  FINE(NEW(A, "0") ASK("2.0", A, " units=0") "1.0 wait-requested 2 w@a.c:9\n");
  FINE(NEW(A, "0") ASK("2.0", A, " timed") "1.0 wait-requested 2 w@a.c:9\n");
  /* whoever knows its key may post; what was found may have changed */
  FINE(VALUE("0", A, "0") CHILD_WAITS);
  FINE(ASK("2.0", A, "") "1.0 wait-requested 2 w@a.c:9\n");
  /* of two it waits for the one that it cannot have */
  STUCK(NEW(A, "1") NEW(B, "0") ASK("2.0", A, "") ASK("2.0", B, " together") "1.0 wait-requested 2 w@a.c:9\n", "1[1]");
  STUCK(NEW(A, "0") NEW(B, "1") ASK("2.0", A, "") ASK("2.0", B, " together") "1.0 wait-requested 2 w@a.c:9\n", "1[0]");
  /* set again, or removed: whoever waits is told */
  FINE(NEW(A, "0") CHILD_WAITS VALUE("1", A, "1"));
  FINE(NEW(A, "0") CHILD_WAITS "1.0 sysv-removed 65536\n1.0 wait-requested 2 w@a.c:9\n");
}

static void ends(void **state) {
  (void)state;
#define ENDS "2.0 process-exit 0\n" ASK("1.0", A, "")
  expect(APPS LOCKS P("2.0", A, "") ENDS "killed 1\n", "deadlock", "happened", "and that process is gone");
  expect(APPS LOCKS P("2.0", A, " undo") ENDS "killed 1\n", NULL, NULL, NULL);
  expect(APPS NEW(A, "0") V("2.0", A, " undo") P("1.0", A, "") ENDS "killed 1\n", NULL, NULL, NULL);
  expect(APPS NEW(A, "2") P("2.0", A, " undo units=2") V("2.0", A, " undo") ENDS "killed 1\n", NULL, NULL, NULL);
}

/* The same id in another namespace is another set. */
static void namespaces(void **state) {
  (void)state;
#define CROSS P("1.0", A, "") P("2.0", B, "") ASK("1.0", B, "") ASK("2.0", A, "")
  STUCK("1.0 sysv-namespace 7\n" LOCKS CROSS, "wait for each other");
  FINE("1.0 sysv-namespace 7\n2.0 sysv-namespace 8\n" LOCKS CROSS);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(locks), cmocka_unit_test(counts), cmocka_unit_test(ends),
                                     cmocka_unit_test(namespaces)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
