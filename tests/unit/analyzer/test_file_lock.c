/* SPDX-License-Identifier: MIT
 *
 * Locks on files: who owns them, which bytes conflict, how they are lost, and when nothing is said. One thread.
 */
#include "story.h"

#define APPS "process 1 app\n1.0 fork-requested\nprocess 2 app forked-from 1\n1.0 forked 2\n"
#define HUNG "killed 1\nkilled 2\n"
#define STUCK(text, words) expect(APPS text HUNG, "deadlock", "happened", words)
#define FINE(text) expect(APPS text HUNG, NULL, NULL, NULL)
#define CYCLE(text) expect(APPS text, "lock-order-cycle", "feasible", "in opposite orders")
#define NO_CYCLE(text) expect(APPS text, NULL, NULL, NULL)

/* Line LINE of a story: WHO does WHAT to FILE[BYTES] as OWNER. */
#define LOCK(who, what, kind, owner, file, bytes, at)                                                                  \
  who " file-" what " \"" kind " " owner " 8:1:" file ":7 " bytes " /tmp/" file "\" " at "\n"
#define FLOCK(who, what, owner, file) LOCK(who, what, "flock", owner, file, "0-", "f@a.c:1")
#define OFD(who, what, owner, bytes) LOCK(who, what, "ofd", owner, "5", bytes, "f@a.c:2")
#define BYTES(who, what, bytes) LOCK(who, what, "process", "-", "5", bytes, "f@a.c:3")
#define TAKE(who, owner, file) FLOCK(who, "write-acquired", owner, file)
#define ASK(who, owner, file) FLOCK(who, "write-requested", owner, file)
#define DROP(who, owner, file) FLOCK(who, "lock-released", owner, file)

static void whole_files(void **state) {
  (void)state;
#define CROSS TAKE("1.0", "a1", "5") TAKE("2.0", "b1", "6") ASK("1.0", "b2", "6") ASK("2.0", "a2", "5")
  STUCK(CROSS, "main [1] holds file lock 5 and waits for file lock 6, which main [2] holds");
  FINE(TAKE("1.0", "a1", "5") ASK("2.0", "a2", "5"));
  expect(APPS CROSS FLOCK("1.0", "lock-failed", "b2", "6") HUNG, "lock-order-cycle", "feasible", "in opposite orders");
  FINE(TAKE("1.0", "a1", "5") TAKE("2.0", "b1", "6") DROP("1.0", "a1", "5") ASK("1.0", "b2", "6")
           ASK("2.0", "a2", "5"));
  /* shared ones exclude exclusive ones only */
#define SHARED(what)                                                                                                   \
  FLOCK("1.0", "read-acquired", "a1", "5")                                                                             \
  TAKE("2.0", "b1", "6") ASK("1.0", "b2", "6") FLOCK("2.0", what "-requested", "a2", "5")
  STUCK(SHARED("write"), "wait for each other");
  FINE(SHARED("read"));
  expect("process 1 app\n" TAKE("1.0", "a1", "5") ASK("1.0", "a2", "5") "killed 1\n", "self-deadlock", "happened",
         "main waits for file lock 5, which it holds itself through another descriptor");
  expect("process 1 app\n" TAKE("1.0", "a1", "5") ASK("1.0", "a1", "5") "killed 1\n", NULL, NULL, NULL);
  /* another thread of the process may unlock it */
  expect("process 1 app\n1.0 start 1\n1.1 begin\n" TAKE("1.0", "a1", "5") ASK("1.0", "a2", "5") "killed 1\n", NULL,
         NULL, NULL);
}

static void descriptions(void **state) {
  (void)state;
#define WAITS ASK("2.0", "a2", "5") "1.0 wait-requested 2 w@a.c:9\n"
  STUCK(TAKE("1.0", "a1", "5") WAITS, "main [2] waits for file lock 5, which main [1] holds");
  /* shared with a child, which runs: it may unlock or end */
#define CHILD "1.0 fork-requested\nprocess 3 app forked-from 1\n1.0 forked 3\n"
  FINE(TAKE("1.0", "a1", "5") CHILD WAITS "killed 3\n");
  STUCK(TAKE("1.0", "a1", "5") CHILD FLOCK("3.0", "lock-left", "a1", "5") WAITS "killed 3\n", "which main [1] holds");
  STUCK(TAKE("1.0", "a1", "5") CHILD "3.0 process-exit 0\n" WAITS, "which main [1] holds");
  STUCK(CHILD TAKE("1.0", "a1", "5") WAITS "killed 3\n", "which main [1] holds");
  /* the child has it when its parent left it, and when the child is gone nobody has */
#define LEFT TAKE("1.0", "a1", "5") CHILD FLOCK("1.0", "lock-left", "a1", "5")
  STUCK(LEFT "3.0 sem-init S i@a.c:1\n3.0 sem-value S 0\n3.0 askp S\n" WAITS "killed 3\n", "waits for semaphore");
  FINE(LEFT "3.0 process-exit 0\n" WAITS);
  /* unlocked through a descriptor that nobody knows: nothing is known any more */
  FINE(TAKE("1.0", "a1", "5") DROP("1.0", "c1", "5") WAITS);
  /* and so if two have what one can have */
  FINE(TAKE("2.0", "a3", "5") TAKE("1.0", "a1", "5") WAITS);
}

static void bytes(void **state) {
  (void)state;
  STUCK(OFD("1.0", "write-acquired", "a1", "0-9") OFD("2.0", "write-acquired", "b1", "100-109")
            OFD("1.0", "write-requested", "a1", "105-200") OFD("2.0", "read-requested", "b1", "9-9"),
        "main [1] holds record lock 5[0-9] and waits for record lock 5[105-200], which main [2] holds");
  FINE(OFD("1.0", "write-acquired", "a1", "0-9") OFD("2.0", "write-acquired", "b1", "100-109")
           OFD("1.0", "write-requested", "a1", "105-200") OFD("2.0", "read-requested", "b1", "10-10"));
  /* what is left after a hole was cut */
#define HOLE                                                                                                           \
  OFD("1.0", "write-acquired", "a1", "0-99")                                                                           \
  OFD("1.0", "lock-released", "a1", "40-49")                                                                           \
  OFD("2.0", "write-acquired", "b1", "100-109") OFD("1.0", "write-requested", "a1", "100-")
  FINE(HOLE OFD("2.0", "write-requested", "b1", "45-45"));
  STUCK(HOLE OFD("2.0", "write-requested", "b1", "45-50"), "wait for each other");
  STUCK(HOLE OFD("2.0", "write-requested", "b1", "39-39"), "wait for each other");
  /* a process's own locks and those of its descriptions do conflict, its own do not */
  expect("process 1 app\n" BYTES("1.0", "write-acquired", "0-9") BYTES("1.0", "write-requested", "5-") "killed 1\n",
         NULL, NULL, NULL);
  expect("process 1 app\n" BYTES("1.0", "write-acquired", "0-9") OFD("1.0", "write-requested", "a1", "5-") "killed 1\n",
         "self-deadlock", "happened", "holds itself");
  /* both read and want to write */
  STUCK(BYTES("1.0", "read-acquired", "0-9") OFD("2.0", "read-acquired", "b1", "0-9")
            BYTES("1.0", "write-requested", "0-9") OFD("2.0", "write-requested", "b1", "0-9"),
        "wait for each other");
  /* a process ends: its locks are gone */
  FINE(BYTES("1.0", "write-acquired", "0-9") "1.0 process-exit 0\n" OFD("2.0", "write-requested", "b1", "0-9"));
}

#define NEST(who, owner, a, b)                                                                                         \
  TAKE(who, owner "a", a) TAKE(who, owner "b", b) DROP(who, owner "b", b) DROP(who, owner "a", a)
#define RANGES(who, owner, a, b)                                                                                       \
  OFD(who, "write-acquired", owner, a) OFD(who, "write-acquired", owner, b) OFD(who, "lock-released", owner, "0-")

static void orders(void **state) {
  (void)state;
  CYCLE(NEST("1.0", "a", "5", "6") NEST("2.0", "b", "6", "5"));
  NO_CYCLE(TAKE("1.0", "a", "9") NEST("1.0", "a", "5", "6") DROP("1.0", "a", "9") TAKE("2.0", "b", "9")
               NEST("2.0", "b", "6", "5") DROP("2.0", "b", "9"));
  CYCLE(RANGES("1.0", "a1", "0-9", "10-19") RANGES("2.0", "b1", "10-19", "0-9"));
  /* the kernel refuses a circle of traditional locks */
  NO_CYCLE(BYTES("1.0", "write-acquired", "0-9") BYTES("1.0", "write-acquired", "10-19")
               BYTES("1.0", "lock-released", "0-") BYTES("2.0", "write-acquired", "10-19")
                   BYTES("2.0", "write-acquired", "0-9") BYTES("2.0", "lock-released", "0-"));
  /* ranges that overlap: what excludes what is not told by their names, nor what is done while one is held */
  NO_CYCLE(RANGES("1.0", "a1", "0-9", "10-19") RANGES("2.0", "b1", "10-29", "0-9"));
  NO_CYCLE(OFD("1.0", "write-acquired", "a1", "0-9") NEST("1.0", "a", "6", "7") OFD("1.0", "lock-released", "a1", "0-")
               OFD("2.0", "write-acquired", "b1", "5-15") NEST("2.0", "b", "7", "6")
                   OFD("2.0", "lock-released", "b1", "0-"));
  /* taken by one thread and given up by another */
  expect("process 1 app\n1.0 start 1\n1.1 begin\n" NEST("1.0", "a", "5", "6") TAKE("1.1", "b", "6")
             TAKE("1.1", "c", "5") DROP("1.0", "b", "6") DROP("1.1", "c", "5") "1.1 end\n1.0 join 1\n",
         NULL, NULL, NULL);
  /* a lock that changes its mode is given up first */
  NO_CYCLE(FLOCK("1.0", "read-acquired", "a1", "5") TAKE("1.0", "a2", "6") DROP("1.0", "a2", "6") DROP("1.0", "a1", "5")
               FLOCK("2.0", "read-acquired", "b2", "6") DROP("2.0", "b2", "6") TAKE("2.0", "b1", "5")
                   TAKE("2.0", "b2", "7"));
  /* a file whose name is gone is not the next one with its inode */
#define LAST(who, owner, file) who " file-lock-released \"flock " owner " 8:1:" file ":7 0- /tmp/x\" ended f@a.c:1\n"
  NO_CYCLE(TAKE("1.0", "a", "5") TAKE("1.0", "b", "6") DROP("1.0", "b", "6") LAST("1.0", "a", "5")
               NEST("2.0", "b", "6", "5"));
}

static void damaged_strings(void **state) {
  static const char *const strings[] = {"",
                                        "flock",
                                        "flock ",
                                        "flock 0 8:1:5:7 0- x",
                                        "ofd a1 8:1:5 0- x",
                                        "process a 8:1:5:7 0- x",
                                        "process - 8:1:5:7 9-5 x",
                                        "process - 8:1:5:7 -5 x",
                                        "flock a1 8:1:99999999999999999999:7 0- x",
                                        "flock a1 99999999999:1:5:7 0- x",
                                        "flock a1 8:1:5:7 0-"};
  (void)state;
  for (size_t i = 0; i < sizeof strings / sizeof *strings; i++) {
    char text[512];
    snprintf(text, sizeof text, "process 1 app\n1.0 file-write-acquired \"%s\" f@a.c:1\n%skilled 1\n", strings[i],
             ASK("1.0", "a2", "5"));
    expect(text, NULL, NULL, NULL);
  }
  expect("process 1 app\n1.0 file-write-acquired \"flock a1 8:1:5:7 0- \" f@a.c:1\n" ASK("1.0", "a2", "5") "killed 1\n",
         "self-deadlock", "happened", "file lock inode 5");
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(whole_files), cmocka_unit_test(descriptions),
                                     cmocka_unit_test(bytes), cmocka_unit_test(orders),
                                     cmocka_unit_test(damaged_strings)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
