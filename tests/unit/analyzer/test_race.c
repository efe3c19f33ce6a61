/* SPDX-License-Identifier: MIT
 *
 * Races on shared variables, and waits for events: stories with and without; and random traces, in which the fast way
 * to find a race is compared with a slow, obvious one. One thread.
 */
#include "story.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define R(thread) thread " shared-read V r@a.c:1\n"
#define W(thread) thread " shared-written V w@a.c:2\n"
#define EVENT(thread, what) thread " event-" what " E e@a.c:3\n"

static void unordered(void **state) {
  (void)state;
  expect(TWO W("1.1") W("1.2") TWO_END, "data-race", "happened", "writes");
  expect(TWO R("1.1") W("1.2") TWO_END, "data-race", "happened", "reads");
  expect(TWO W("1.1") R("1.2") TWO_END, "data-race", "happened", "reads");
  expect(TWO R("1.1") R("1.2") TWO_END, NULL, NULL, NULL);
  expect(TWO W("1.1") W("1.1") TWO_END, NULL, NULL, NULL);
  expect("process 1 app\n" W("1.0") "1.0 start 1\n1.1 begin\n" W("1.1") "1.1 end\n1.0 join 1\n" W("1.0"), NULL, NULL,
         NULL);
  /* different locks, and a lock that was released before it was wanted */
  expect(TWO "1.1 lock A\n" W("1.1") "1.1 unlock A\n1.2 lock B\n" W("1.2") "1.2 unlock B\n" TWO_END, "data-race",
         "happened", "writes");
  expect(TWO "1.1 lock A\n1.1 unlock A\n" W("1.1") "1.2 lock A\n1.2 unlock A\n" W("1.2") TWO_END, "data-race",
         "happened", "writes");
}

static void ordered(void **state) {
  (void)state;
  expect(TWO "1.1 lock A\n" W("1.1") "1.1 unlock A\n1.2 lock A\n" W("1.2") "1.2 unlock A\n" TWO_END, NULL, NULL, NULL);
  expect(TWO W("1.1") EVENT("1.1", "set") EVENT("1.2", "wait-returned") W("1.2") TWO_END, NULL, NULL, NULL);
  expect(TWO W("1.1") EVENT("1.1", "set") EVENT("1.2", "wait-failed") W("1.2") TWO_END, "data-race", "happened",
         "writes");
  expect(TWO W("1.1") "1.1 sem-posted S s@a.c:1\n1.2 sem-acquired S s@a.c:2\n" W("1.2") TWO_END, NULL, NULL, NULL);
  expect(TWO W("1.1") "1.1 timer-started T t@a.c:1\n1.2 timer-fired T t@a.c:2\n" W("1.2") TWO_END, NULL, NULL, NULL);
  /* a time limit orders nothing, a notification does */
#define WAITS(result)                                                                                                  \
  TWO "1.2 cond-wait-requested C c@a.c:1\n" W("1.1") "1.1 cond-signalled C c@a.c:2\n1.2 cond-wait-returned C " result  \
                                                     "c@a.c:1\n" W("1.2") TWO_END
  expect(WAITS(""), NULL, NULL, NULL);
  expect(WAITS("ETIMEDOUT "), "data-race", "happened", "writes");
}

#define GET(thread, version) thread " managed-version I arg=1 " version "\n" thread " managed-read I g@a.c:1\n"
#define GIVE(thread, line) thread " managed-given I s@a.c:" line "\n"
#define MADE(thread, from, to) thread " managed-version I arg=2 " from "\n" thread " managed-version I arg=1 " to "\n"
#define SET(thread, from, to) GIVE(thread, "2") MADE(thread, from, to) thread " managed-written I s@a.c:2\n"
#define STEP(thread, from, to) GIVE(thread, "3") MADE(thread, from, to) thread " managed-changed I c@a.c:3\n"
#define SAME(thread) thread " managed-version I arg=3 0\n"

static void lost_updates(void **state) {
  (void)state;
  expect(TWO GET("1.1", "1") GET("1.2", "1") SET("1.1", "1", "2") SET("1.2", "2", "3") TWO_END, "data-race", "happened",
         "is lost");
  expect(TWO GET("1.2", "1") STEP("1.1", "1", "2") SET("1.2", "2", "3") TWO_END, "data-race", "happened", "is lost");
  expect(TWO GET("1.2", "0") SET("1.1", "0", "1") SET("1.2", "1", "2") TWO_END, "data-race", "happened", "is lost");
  /* each other's newest, one step, and sets that look at nothing */
  expect(TWO GET("1.1", "1") SET("1.1", "1", "2") GET("1.2", "2") SET("1.2", "2", "3") TWO_END, NULL, NULL, NULL);
  expect(TWO STEP("1.1", "1", "2") STEP("1.2", "2", "3") STEP("1.1", "3", "4") TWO_END, NULL, NULL, NULL);
  expect(TWO SET("1.1", "1", "2") SET("1.2", "2", "3") SET("1.1", "3", "4") TWO_END, NULL, NULL, NULL);
  expect(TWO GET("1.1", "1") STEP("1.1", "1", "2") SET("1.2", "2", "3") SET("1.1", "3", "4") TWO_END, NULL, NULL, NULL);
  /* both have found nothing and set the same */
  expect(TWO GET("1.2", "0") SET("1.1", "0", "1") GIVE("1.2", "2") MADE("1.2", "1", "2")
             SAME("1.2") "1.2 managed-written I s@a.c:2\n" TWO_END,
         NULL, NULL, NULL);
  /* both have set the same flag; two who set the same number may have added */
#define AGREED(thread) thread " managed-version I arg=4 0\n"
  expect(TWO GET("1.1", "1") GET("1.2", "1") SET("1.1", "1", "2") GIVE("1.2", "2") MADE("1.2", "2", "3")
             AGREED("1.2") "1.2 managed-written I s@a.c:2\n" TWO_END,
         NULL, NULL, NULL);
  expect(TWO GET("1.1", "1") GET("1.2", "1") SET("1.1", "1", "2") GIVE("1.2", "2") MADE("1.2", "2", "3")
             SAME("1.2") "1.2 managed-written I s@a.c:2\n" TWO_END,
         "data-race", "happened", "is lost");
  /* the one who came first was slower to note it down */
  expect(TWO GET("1.1", "1") GET("1.2", "1") GIVE("1.1", "2") SET("1.2", "2", "3")
             MADE("1.1", "1", "2") "1.1 managed-written I s@a.c:2\n" TWO_END,
         "data-race", "happened", "T1");
  /* nobody knows who made the version that is overwritten */
  expect(TWO GET("1.2", "1") SET("1.2", "7", "8") TWO_END, NULL, NULL, NULL);
}

/* Whoever was told of a change has overwritten it knowingly. */
static void known_updates(void **state) {
  (void)state;
#define LOCKED(thread, what) thread " lock A\n" what thread " unlock A\n"
  expect(TWO GET("1.2", "1") LOCKED("1.1", SET("1.1", "1", "2")) LOCKED("1.2", SET("1.2", "2", "3")) TWO_END, NULL,
         NULL, NULL);
  expect(TWO GET("1.2", "1") SET("1.1", "1", "2") EVENT("1.1", "set") EVENT("1.2", "wait-returned") SET("1.2", "2", "3")
             TWO_END,
         NULL, NULL, NULL);
  expect(TWO GET("1.2", "1") EVENT("1.1", "set") SET("1.1", "1", "2") EVENT("1.2", "wait-returned") SET("1.2", "2", "3")
             TWO_END,
         "data-race", "happened", "is lost");
  /* an item hands over what was done before */
  expect(TWO W("1.1") SET("1.1", "0", "1") GET("1.2", "1") W("1.2") TWO_END, NULL, NULL, NULL);
  expect(TWO W("1.1") SET("1.1", "0", "1") "1.2 managed-looked I l@a.c:4\n" W("1.2") TWO_END, NULL, NULL, NULL);
  expect(TWO W("1.1") SET("1.1", "0", "1") "1.2 managed-looked J l@a.c:4\n" W("1.2") TWO_END, "data-race", "happened",
         "writes");
}

static void annotated(void **state) {
  (void)state;
#define OWN(thread, how, what) thread " lock-" how "-acquired L l@a.c:1\n" what thread " lock-released L l@a.c:2\n"
  expect(TWO OWN("1.1", "write", W("1.1")) OWN("1.2", "write", W("1.2")) TWO_END, NULL, NULL, NULL);
  expect(TWO OWN("1.1", "write", W("1.1")) OWN("1.2", "read", R("1.2")) TWO_END, NULL, NULL, NULL);
  expect(TWO OWN("1.1", "read", W("1.1")) OWN("1.2", "read", W("1.2")) TWO_END, "data-race", "happened", "writes");
  expect(TWO W("1.1") "1.1 happens-before M\n1.2 happens-after M\n" W("1.2") TWO_END, NULL, NULL, NULL);
  expect(TWO W("1.1") "1.1 happens-before M\n1.2 happens-after N\n" W("1.2") TWO_END, "data-race", "happened",
         "writes");
  /* one thread runs one fiber after the other */
  expect("process 1 app\n1.0 start 1\n1.0 start 2\n1.0 fiber-switched 1\n" W(
             "1.1") "1.1 fiber-switched-unordered 2\n" W("1.2"),
         NULL, NULL, NULL);
}

#define READ(thread, what) thread " rwlock-read-acquired L l@a.c:1\n" what thread " rwlock-released L l@a.c:2\n"
#define WRITE(thread, what) thread " rwlock-write-acquired L l@a.c:3\n" what thread " rwlock-released L l@a.c:4\n"

static void readers_order_writers_only(void **state) {
  (void)state;
  expect(TWO READ("1.1", W("1.1")) READ("1.2", W("1.2")) TWO_END, "data-race", "happened", "writes");
  expect(TWO WRITE("1.1", W("1.1")) READ("1.2", R("1.2")) TWO_END, NULL, NULL, NULL);
  expect(TWO READ("1.1", R("1.1")) WRITE("1.2", W("1.2")) TWO_END, NULL, NULL, NULL);
}

#define ARRIVE(thread) thread " barrier-requested B b@a.c:1\n"
#define PASS(thread) thread " barrier-passed B b@a.c:1\n"
#define COUNTED "1.0 object-declared B 7 d@a.c:1\n1.0 barrier-count B 2\n"

static void barriers(void **state) {
  (void)state;
  expect(TWO COUNTED W("1.1") ARRIVE("1.1") ARRIVE("1.2") PASS("1.2") W("1.2") PASS("1.1") TWO_END, NULL, NULL, NULL);
  /* the round was broken: who had arrived before does not count in the next */
  expect(TWO COUNTED W("1.1")
             ARRIVE("1.1") "1.1 barrier-broken B b@a.c:1\n1.1 barrier-failed B ETIMEDOUT b@a.c:1\n" ARRIVE("1.2")
                 ARRIVE("1.0") PASS("1.2") PASS("1.0") W("1.2") TWO_END,
         "data-race", "happened", "writes");
}

static void refused_calls(void **state) {
  (void)state;
  expect(
      "process 1 app\n1.0 object-declared A 1 d@a.c:1\n1.0 object-misused A 8 m@a.c:2\n1.0 object-misused A 8 m@a.c:2\n"
      "killed 1\n",
      "misuse", "happened", "nobody holds it");
  expect("process 1 app\n1.0 object-misused A 5 m@a.c:2\nkilled 1\n", "misuse", "happened", "an object");
  expect("process 1 app\n1.0 object-misused A 200 m@a.c:2\nkilled 1\n", NULL, NULL, NULL); /* of a newer library */
}

static void events_that_nobody_sets(void **state) {
  (void)state;
  expect(TWO EVENT("1.1", "wait-requested") "killed 1\n", NULL, NULL, NULL); /* 2 may still set it */
  expect("process 1 app\n1.0 event-wait-requested E e@a.c:1\nkilled 1\n", "deadlock", "happened", "set");
  /* set before it was asked for, or since: it is about to come back */
  expect("process 1 app\n1.0 event-set E e@a.c:1\n1.0 event-wait-requested E e@a.c:1\nkilled 1\n", NULL, NULL, NULL);
  expect("process 1 app\n1.0 event-set E e@a.c:1\n1.0 event-cleared E e@a.c:1\n1.0 event-wait-requested E e@a.c:1\n"
         "killed 1\n",
         "deadlock", "happened", "set");
}

/* The end of a lock's owner releases it. */
static void owners_that_end(void **state) {
  (void)state;
#define TWO_PROCESSES                                                                                                  \
  "shared A\nshared V\nprocess 1 app\n1.0 fork-requested f@a.c:1\nprocess 2 app forked-from 1\n1.0 forked 2 f@a.c:1\n"
  expect(TWO_PROCESSES "2.0 lock A\n" W("2.0") "1.0 mutex-acquired A owner-died l@a.c:4\n" W("1.0") "killed 2\n", NULL,
         NULL, NULL);
  expect(TWO_PROCESSES "2.0 lock A\n" W("2.0") W("1.0") "1.0 mutex-acquired A owner-died l@a.c:4\nkilled 2\n",
         "data-race", "happened", "writes");
  expect(TWO_PROCESSES W("2.0") "1.0 mutex-acquired A owner-died l@a.c:4\n" W("1.0") "killed 2\n", "data-race",
         "happened", "writes"); /* it was another's */
}

/* ------------------------------------------------------------- the slow twin */
enum { THREADS = 4, STEPS = 60, TRACES = 600, LOCKS = 2 };

struct step {
  unsigned thread, what, object; /* 0 read, 1 write, 2 lock, 3 unlock */
};

static unsigned long long random_state;
static unsigned draw(unsigned below) { /* SplitMix64 */
  unsigned long long z = random_state += 0x9e3779b97f4a7c15ull;
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
  z = (z ^ z >> 27) * 0x94d049bb133111ebull;
  return (unsigned)((z ^ z >> 31) % below);
}

static void steps_draw(struct step *steps) {
  unsigned owner[LOCKS] = {0}; /* + 1 */
  for (unsigned i = 0; i < STEPS; i++) {
    struct step *step = &steps[i];
    *step = (struct step){draw(THREADS), draw(18) ? 2 : draw(2), draw(LOCKS)};
    unsigned *holder = &owner[step->object];
    if (step->what == 2 && *holder)
      *step = (struct step){*holder - 1, 3, step->object};
    if (step->what >= 2)
      *holder = step->what == 2 ? step->thread + 1 : 0;
  }
}

/* Reachability over program order and release -> later acquire of the same lock. */
static bool has_race(const struct step *steps) {
  static bool before[STEPS][STEPS];
  memset(before, 0, sizeof before);
  for (unsigned j = 0; j < STEPS; j++)
    for (unsigned i = j; i-- > 0;) {
      bool is_edge = steps[i].thread == steps[j].thread ||
                     (steps[i].what == 3 && steps[j].what == 2 && steps[i].object == steps[j].object);
      before[i][j] |= is_edge;
      for (unsigned k = 0; is_edge && k < i; k++)
        before[k][j] |= before[k][i];
    }
  for (unsigned j = 0; j < STEPS; j++)
    for (unsigned i = 0; i < j; i++)
      if (steps[i].what < 2 && steps[j].what < 2 && steps[i].what + steps[j].what && !before[i][j])
        return true;
  return false;
}

static char *steps_write(const struct step *steps) {
  static const char *const words[] = {"shared-read V r@a.c:1", "shared-written V w@a.c:2", "lock", "unlock"};
  char *text;
  size_t size;
  FILE *out = open_memstream(&text, &size);
  fprintf(out, "process 1 app\n");
  for (unsigned t = 1; t < THREADS; t++)
    fprintf(out, "1.0 thread-create-requested %u c@a.c:1\n1.%u thread-begin 1.%u s@a.c:1\n", t, t, t);
  for (unsigned i = 0; i < STEPS; i++)
    fprintf(out, "1.%u %s%s\n", steps[i].thread, words[steps[i].what],
            steps[i].what < 2 ? ""
            : steps[i].object ? " B"
                              : " A");
  fprintf(out, "killed 1\n");
  fclose(out);
  return text;
}

static void compared_with_reachability(void **state) {
  (void)state;
  unsigned raced = 0;
  for (unsigned i = 0; i < TRACES; i++) {
    struct step steps[STEPS];
    random_state = 0xace00000ull + i;
    steps_draw(steps);
    char *text = steps_write(steps);
    struct story story;
    story_open(&story, text, (struct analysis_options){0});
    bool is_found = false, is_there = has_race(steps);
    for (size_t f = 0; f < story.report->finding_count; f++)
      is_found |= story.report->findings[f].rule == RULE_DATA_RACE;
    if (is_found != is_there)
      fail_msg("seed %u: found %d, there %d\n%s", i, is_found, is_there, text);
    raced += is_there;
    story_close(&story);
    free(text);
  }
  print_message("%u of %u random traces have a race\n", raced, (unsigned)TRACES);
  assert_true(raced > TRACES / 20 && raced < TRACES - TRACES / 20);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(unordered),
      cmocka_unit_test(ordered),
      cmocka_unit_test(lost_updates),
      cmocka_unit_test(known_updates),
      cmocka_unit_test(annotated),
      cmocka_unit_test(readers_order_writers_only),
      cmocka_unit_test(barriers),
      cmocka_unit_test(owners_that_end),
      cmocka_unit_test(refused_calls),
      cmocka_unit_test(events_that_nobody_sets),
      cmocka_unit_test(compared_with_reachability),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
