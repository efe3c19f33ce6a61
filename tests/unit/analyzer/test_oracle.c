/* SPDX-License-Identifier: MIT
 *
 * Random small programs without branches, whose every interleaving is enumerated, against the analyzer's verdicts on
 * the trace of one interleaving. The positions of all threads are the whole state. One thread.
 *
 *   no finding       no interleaving has a cycle of lock waits
 *   feasible         some interleaving has
 *   deadlock         whoever it names never moves again, whatever is scheduled next; and every cycle at the trace's end
 *                    is reported
 */
#include "story.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define THREADS 3
#define OPS 14
#define LOCKS 4 /* the last is a rwlock */
#define SEMS 2
#define STATES (OPS * OPS * OPS)
#define PROGRAMS 2500

enum op_kind { OP_END, OP_LOCK, OP_READ, OP_UNLOCK, OP_START, OP_JOIN, OP_POST, OP_WAIT };
struct op {
  enum op_kind kind;
  int what;
};
struct program {
  struct op ops[THREADS][OPS + 1];
  int lengths[THREADS];
};
struct state {
  int at[THREADS];
};

static unsigned long long random_state;

static unsigned draw(unsigned below) { /* SplitMix64 */
  unsigned long long z = random_state += 0x9e3779b97f4a7c15ull;
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
  z = (z ^ z >> 27) * 0x94d049bb133111ebull;
  return (unsigned)((z ^ z >> 31) % below);
}

static void add(struct program *program, int thread, enum op_kind kind, int what) {
  program->ops[thread][program->lengths[thread]++] = (struct op){kind, what};
}

static void write_body(struct program *program, int thread, unsigned held, int room) {
  while (room >= 2 && draw(8)) {
    int lock = (int)draw(LOCKS);
    if (!draw(9)) {
      int sem = (int)draw(SEMS);
      if (thread == sem) /* each semaphore has one poster and one waiter */
        add(program, thread, OP_POST, sem), room--;
      else if (thread == sem + 1)
        add(program, thread, OP_WAIT, sem), room--;
      continue;
    }
    if (held >> lock & 1)
      continue;
    int inside = (int)(draw((unsigned)room - 1) + draw((unsigned)room - 1) + 1) / 2, before = program->lengths[thread];
    add(program, thread, lock == LOCKS - 1 && draw(2) ? OP_READ : OP_LOCK, lock);
    write_body(program, thread, held | 1u << lock, inside);
    add(program, thread, OP_UNLOCK, lock);
    room -= program->lengths[thread] - before;
  }
}

static void write_program(struct program *program) {
  memset(program, 0, sizeof *program);
  write_body(program, 0, 0, 3);
  add(program, 0, OP_START, 1);
  bool joins_first = draw(3) == 0;
  if (joins_first)
    add(program, 0, OP_JOIN, 1);
  add(program, 0, OP_START, 2);
  write_body(program, 0, 0, 4);
  if (!joins_first && draw(2))
    add(program, 0, OP_JOIN, 1);
  for (int t = 1; t < THREADS; t++)
    write_body(program, t, 0, OPS - 3);
}

static int count_done(const struct program *program, const struct state *state, int thread, enum op_kind kind,
                      int what) {
  int count = 0;
  for (int i = 0; i < state->at[thread]; i++)
    count += program->ops[thread][i].kind == kind && program->ops[thread][i].what == what;
  return count;
}

/* 0: not, 1: for reading, 2: for writing */
static int holds(const struct program *program, const struct state *state, int thread, int lock) {
  int mode = 0;
  for (int i = 0; i < state->at[thread]; i++) {
    const struct op *op = &program->ops[thread][i];
    if (op->what == lock && (op->kind == OP_LOCK || op->kind == OP_READ || op->kind == OP_UNLOCK))
      mode = op->kind == OP_UNLOCK ? 0 : op->kind == OP_LOCK ? 2 : 1;
  }
  return mode;
}

static bool is_started(const struct program *program, const struct state *state, int thread) {
  return !thread || count_done(program, state, 0, OP_START, thread);
}

/* `holder` keeps the next operation of `waiter`, which is on a lock, from going on. */
static bool keeps(const struct program *program, const struct state *state, int holder, int waiter) {
  const struct op *op = &program->ops[waiter][state->at[waiter]];
  if (holder == waiter || (op->kind != OP_LOCK && op->kind != OP_READ))
    return false;
  int mode = holds(program, state, holder, op->what);
  return mode == 2 || (mode && op->kind == OP_LOCK);
}

static bool can_move(const struct program *program, const struct state *state, int thread) {
  const struct op *op = &program->ops[thread][state->at[thread]];
  if (op->kind == OP_END || !is_started(program, state, thread))
    return false;
  for (int t = 0; t < THREADS; t++)
    if (keeps(program, state, t, thread))
      return false;
  if (op->kind == OP_JOIN)
    return program->ops[op->what][state->at[op->what]].kind == OP_END;
  if (op->kind == OP_WAIT)
    return count_done(program, state, op->what, OP_POST, op->what) >
           count_done(program, state, op->what + 1, OP_WAIT, op->what);
  return true;
}

/* Bit t: thread t is in a cycle of lock waits. `asks`: only threads that have asked. */
static unsigned cycle_in(const struct program *program, const struct state *state, unsigned asks) {
  bool leads[THREADS][THREADS];
  unsigned members = 0;
  for (int a = 0; a < THREADS; a++)
    for (int b = 0; b < THREADS; b++)
      leads[a][b] = (asks >> a & 1) && is_started(program, state, a) && keeps(program, state, b, a);
  for (int k = 0; k < THREADS; k++)
    for (int a = 0; a < THREADS; a++)
      for (int b = 0; b < THREADS; b++)
        leads[a][b] |= leads[a][k] && leads[k][b];
  for (int a = 0; a < THREADS; a++)
    members |= (unsigned)leads[a][a] << a;
  return members;
}

static int index_of(const struct state *state) { return (state->at[0] * OPS + state->at[1]) * OPS + state->at[2]; }

/* All states after `from`: is there a cycle, and (bits) who moves at all? */
static void explore(const struct program *program, const struct state *from, bool *has_cycle, unsigned *movers) {
  static bool seen[STATES];
  static struct state queue[STATES];
  int count = 0;
  memset(seen, 0, sizeof seen);
  queue[count++] = *from;
  seen[index_of(from)] = true;
  *has_cycle = false;
  *movers = 0;
  for (int i = 0; i < count; i++) {
    *has_cycle |= cycle_in(program, &queue[i], ~0u) != 0;
    for (int t = 0; t < THREADS; t++) {
      struct state next = queue[i];
      if (!can_move(program, &next, t))
        continue;
      *movers |= 1u << t;
      next.at[t]++;
      if (seen[index_of(&next)])
        continue;
      seen[index_of(&next)] = true;
      queue[count++] = next;
    }
  }
}

static const char *const asked[] = {"", "mutex-requested", "rwlock-read-requested", "", "", "thread-join-requested",
                                    "", "sem-requested"};

static void name_of(const struct op *op, char *name) {
  sprintf(name, op->kind == OP_JOIN ? "1.%d" : op->kind >= OP_POST ? "S%d" : "L%d", op->what);
}

static void write_ask(FILE *out, int thread, const struct op *op, int at) {
  char name[16];
  name_of(op, name);
  const char *record = op->kind == OP_LOCK && op->what == LOCKS - 1 ? "rwlock-write-requested" : asked[op->kind];
  if (*record)
    fprintf(out, "1.%d %s %s t%d_%d@p.c:%d\n", thread, record, name, thread, at, at + 1);
}

static void write_done(FILE *out, int thread, const struct op *op, int at) {
  char name[16];
  name_of(op, name);
  bool is_rwlock = op->what == LOCKS - 1;
  switch (op->kind) {
  case OP_LOCK:
    fprintf(out, "1.%d %s %s t%d_%d@p.c:%d\n", thread, is_rwlock ? "rwlock-write-acquired" : "mutex-acquired", name,
            thread, at, at + 1);
    break;
  case OP_READ:
    fprintf(out, "1.%d rwlock-read-acquired %s t%d_%d@p.c:%d\n", thread, name, thread, at, at + 1);
    break;
  case OP_UNLOCK:
    fprintf(out, "1.%d %s %s t%d_%d@p.c:%d\n", thread, is_rwlock ? "rwlock-released" : "mutex-released", name, thread,
            at, at + 1);
    break;
  case OP_START:
    fprintf(out, "1.0 start %d\n1.%d begin\n", op->what, op->what);
    break;
  case OP_JOIN:
    fprintf(out, "1.%d thread-joined 1.%d j@p.c:1\n", thread, op->what);
    break;
  case OP_POST:
    fprintf(out, "1.%d sem-posted %s v@p.c:1\n", thread, name);
    break;
  case OP_WAIT:
    fprintf(out, "1.%d sem-acquired %s p@p.c:1\n", thread, name);
    break;
  case OP_END:
    break;
  }
}

/* One random schedule of at most `most` steps; returns who has asked and not been answered. */
static unsigned run(FILE *out, const struct program *program, struct state *state, int most) {
  unsigned asks = 0;
  fprintf(out, "process 1 app\n");
  for (int s = 0; s < SEMS; s++)
    fprintf(out, "1.0 sem-init S%d i@p.c:1\n1.0 sem-value S%d 0\n", s, s);
  for (int step = 0; step < most; step++) {
    int t = (int)draw(THREADS);
    const struct op *op = &program->ops[t][state->at[t]];
    if (!is_started(program, state, t) || op->kind == OP_END)
      continue;
    if (!(asks >> t & 1))
      write_ask(out, t, op, state->at[t]);
    asks |= 1u << t;
    if (!can_move(program, state, t))
      continue;
    write_done(out, t, op, state->at[t]++);
    asks &= ~(1u << t);
    if (t && program->ops[t][state->at[t]].kind == OP_END)
      fprintf(out, "1.%d end\n", t);
  }
  fprintf(out, "killed 1\n");
  return asks;
}

static bool is_complete(const struct program *program, const struct state *state) {
  for (int t = 0; t < THREADS; t++)
    if (program->ops[t][state->at[t]].kind != OP_END)
      return false;
  return true;
}

struct tally {
  int complete, cyclic, stuck, feasible, not_real;
};

static int thread_of(const struct finding_thread *thread) {
  return thread->label[0] == 'T' ? thread->label[1] - '0' : 0;
}

static void check(const struct program *program, const struct state *end, unsigned asks, const char *text,
                  struct tally *tally) {
  struct state begin = {{0}};
  struct story story;
  bool has_cycle, after;
  unsigned movers, all, deadlocked = 0, predicted = 0;
  explore(program, &begin, &has_cycle, &all);
  explore(program, end, &after, &movers);
  story_open(&story, text, (struct analysis_options){0});
  for (size_t i = 0; i < story.report->finding_count; i++) {
    const struct finding *finding = &story.report->findings[i];
    bool happened = finding->verdict == VERDICT_HAPPENED;
    for (size_t t = 0; happened && t < finding->thread_count; t++)
      deadlocked |= 1u << thread_of(&finding->threads[t]);
    predicted += !happened;
    tally->feasible += finding->verdict == VERDICT_FEASIBLE;
    tally->not_real += finding->verdict == VERDICT_FEASIBLE && !has_cycle;
  }
  unsigned cycle = cycle_in(program, end, asks);
  if ((deadlocked & movers) || (cycle & ~deadlocked) || (is_complete(program, end) && has_cycle && !predicted)) {
    print_message("%s", text);
    fail_msg("seed %llu: named %x, move %x, cycle %x, possible %d, predicted %u", random_state, deadlocked, movers,
             cycle, has_cycle, predicted);
  }
  tally->complete += is_complete(program, end);
  tally->cyclic += has_cycle;
  tally->stuck += cycle != 0;
  story_close(&story);
}

static void all_interleavings(void **state) {
  (void)state;
  struct tally tally = {0};
  for (unsigned i = 0; i < PROGRAMS; i++) {
    struct program program;
    struct state end = {{0}};
    char *text;
    size_t size;
    unsigned long long seed = random_state = 0x5eed0000ull + i;
    write_program(&program);
    FILE *out = open_memstream(&text, &size);
    unsigned asks = run(out, &program, &end, i % 3 ? 400 : 5 + (int)draw(40)); /* some are cut off midway */
    fclose(out);
    random_state = seed;
    check(&program, &end, asks, text, &tally);
    free(text);
  }
  print_message("%d programs: %d ran to the end, %d can deadlock, %d did; %d feasible findings, %d of them not real\n",
                PROGRAMS, tally.complete, tally.cyclic, tally.stuck, tally.feasible, tally.not_real);
  assert_true(tally.complete > PROGRAMS / 4 && tally.cyclic > PROGRAMS / 10 && tally.stuck > 10);
  assert_true(tally.feasible > 50);
  assert_int_equal(tally.not_real, 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(all_interleavings)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
