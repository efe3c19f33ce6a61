/* SPDX-License-Identifier: MIT
 *
 * The scheduler (see model.h). One kernel thread.
 */
#include "model.h"
#include "core/self.h"
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

enum { STACK = 64 * 1024, DEPTH = 4000, FIRST_IDENT = 16 };
enum state { READY, ASLEEP, ENDED };

struct task {
  jmp_buf here;
  bool has_begun;
  enum state state;
  const uint32_t *word; /* what it sleeps on */
  int64_t deadline;
  unsigned order; /* of going to sleep */
  bool is_timed_out, is_owner_waiting, must_look_again, is_spinning;
  bool may_look, has_looked; /* it does not sleep for long without looking; and has, since anything was written */
  int held;
  void (*function)(void);
  char stack[STACK];
};

/* One scheduling decision: which of the threads that could go on did, or was killed. */
enum { KILLED = 0x80 };
struct choice {
  unsigned char enabled[2 * MODEL_THREADS], count, taken;
  unsigned char preemptions; /* spent before it */
  bool first_is_current;     /* to go on with any other is a preemption */
};

void (*model_go_on)(unsigned from, unsigned to);
void (*model_ended)(unsigned number);

static struct task tasks[MODEL_THREADS];
static unsigned task_count, current, sleeps;
static jmp_buf scheduler;
static struct choice choices[DEPTH];
static unsigned depth, prefix, deepest, victims;
static bool is_somebody_killed, is_for_killing; /* at this point of a thread another would see nothing new */
static const char *failure;
static const struct scenario *running;

void model_failed(const char *what, const char *file, int line) {
  static char text[512];
  if (failure)
    return;
  snprintf(text, sizeof text, "%s:%d: %s", file, line, what);
  failure = text;
}

static bool may_go_on(const struct task *task) {
  return task->state == READY || (task->state == ASLEEP && task->deadline != SNARLI_NEVER);
}

/* Back to the scheduler; returns when it goes on with this thread. (swapcontext would make two system calls.) */
static void leave(struct task *self) {
  if (!_setjmp(self->here))
    _longjmp(scheduler, 1);
}

void model_point(void) {
  if (running && current < task_count)
    leave(&tasks[current]);
}

void model_crash_point(void) {
  if (!running || current >= task_count || is_somebody_killed || !(victims >> current & 1))
    return;
  is_for_killing = true;
  leave(&tasks[current]);
}

bool model_park(uint32_t *word, uint32_t expected, int64_t deadline, bool may_look) {
  model_point();
  struct task *self = &tasks[current];
  if (deadline <= 0)
    return false;
  if (*word != expected || (self->is_owner_waiting && self->must_look_again))
    return true;
  self->state = ASLEEP;
  self->word = word;
  self->deadline = deadline;
  self->order = ++sleeps;
  self->is_timed_out = false;
  self->may_look = may_look;
  leave(self);
  return !self->is_timed_out;
}

static struct task *first_asleep(const uint32_t *word) {
  struct task *first = NULL;
  for (unsigned i = 0; i < task_count; i++)
    if (tasks[i].state == ASLEEP && tasks[i].word == word && (!first || tasks[i].order < first->order))
      first = &tasks[i];
  return first;
}

void model_unpark(const uint32_t *word, int count) {
  model_point();
  model_wake(word, count);
}

void model_wake(const uint32_t *word, int count) {
  for (struct task *task; count > 0 && (task = first_asleep(word)); count--)
    task->state = READY;
}

uint32_t model_ident(void) { return FIRST_IDENT + current; }
bool model_is_alive(uint32_t ident) { return tasks[ident - FIRST_IDENT].state != ENDED; }
void model_holds(int more) { tasks[current].held += more; }
void model_owner_wait(bool begins) {
  tasks[current].is_owner_waiting = begins;
  tasks[current].must_look_again = false;
}

void model_relax(void) {
  if (running && current < task_count)
    tasks[current].is_spinning = true;
  model_point();
}
/* Who looks again in vain may write on its way, that it sleeps again; that is nothing for itself to look at. */
void model_wrote(void) {
  for (unsigned i = 0; i < task_count; i++) {
    tasks[i].is_spinning = false;
    tasks[i].has_looked &= i == current;
  }
}

/* What self.c does when a thread ends that holds locks. */
static void task_ends(struct task *self) {
  self->state = ENDED;
  model_wrote(); /* for who joins it */
  if (model_ended)
    model_ended((unsigned)(self - tasks));
  for (unsigned i = 0; self->held && i < task_count; i++) {
    if (!tasks[i].is_owner_waiting)
      continue;
    tasks[i].must_look_again = true;
    if (tasks[i].state == ASLEEP)
      tasks[i].state = READY;
  }
}

static void task_main(void) {
  tasks[current].function();
  task_ends(&tasks[current]);
  leave(&tasks[current]);
}

/* Until it leaves. */
static void task_go_on(struct task *task) {
  static ucontext_t unused;
  if (_setjmp(scheduler))
    return;
  if (task->has_begun)
    _longjmp(task->here, 1);
  task->has_begun = true;
  ucontext_t context;
  getcontext(&context);
  context.uc_stack.ss_sp = task->stack;
  context.uc_stack.ss_size = STACK;
  makecontext(&context, task_main, 0);
  swapcontext(&unused, &context);
}

static void task_add(void (*function)(void)) {
  struct task *task = &tasks[task_count++];
  task->state = READY;
  task->is_owner_waiting = task->must_look_again = task->is_spinning = task->has_looked = false;
  task->held = 0;
  task->function = function;
  task->has_begun = false;
}

static void tasks_begin(void) {
  task_count = 0;
  while (task_count < MODEL_THREADS && running->threads[task_count])
    task_add(running->threads[task_count]);
}

bool model_spawn(void (*function)(void), unsigned *number) {
  model_point();
  if (task_count == MODEL_THREADS)
    return false;
  *number = task_count;
  task_add(function);
  return true;
}

unsigned model_self(void) { return current; }
bool model_has_killed(void) { return is_somebody_killed; }

void model_join(unsigned number) {
  while (tasks[number].state != ENDED) {
    tasks[current].is_spinning = true;
    model_point();
  }
}

static bool somebody_is_useful(void) {
  for (unsigned i = 0; i < task_count; i++)
    if (may_go_on(&tasks[i]) && !tasks[i].is_spinning)
      return true;
  return false;
}

/* Nobody can go on otherwise: time passes. */
static void fill_with_lookers(struct choice *choice) {
  for (unsigned i = 0; i < task_count; i++)
    if (tasks[i].state == ASLEEP && tasks[i].may_look && !tasks[i].has_looked)
      choice->enabled[choice->count++] = (unsigned char)i;
}

static void fill_with_victims(struct choice *choice) {
  for (unsigned i = 0; i < task_count && !is_somebody_killed; i++)
    if (victims >> i & 1 && tasks[i].state != ENDED && !(is_for_killing && i != current))
      choice->enabled[choice->count++] = (unsigned char)(KILLED | i);
}

/* Who could go on: the current thread first, if it can without a time limit passing; who spins last. */
static void fill_with_threads(struct choice *choice) {
  choice->first_is_current = current < task_count && tasks[current].state == READY && !tasks[current].is_spinning;
  bool is_useful = somebody_is_useful();
  if (choice->first_is_current)
    choice->enabled[choice->count++] = (unsigned char)current;
  for (unsigned wanted = READY; wanted <= ASLEEP; wanted++)
    for (unsigned i = 0; i < task_count; i++)
      if (tasks[i].state == wanted && may_go_on(&tasks[i]) && !(choice->first_is_current && i == current) &&
          !(is_useful && tasks[i].is_spinning))
        choice->enabled[choice->count++] = (unsigned char)i;
}

static void choice_fill(struct choice *choice) {
  choice->count = 0;
  if (is_for_killing) {
    choice->first_is_current = true;
    choice->enabled[choice->count++] = (unsigned char)current;
  } else {
    fill_with_threads(choice);
  }
  if (choice->count)
    fill_with_victims(choice);
  else if (is_somebody_killed)
    fill_with_lookers(choice);
  is_for_killing = false;
}

static bool is_kill(const struct choice *choice, unsigned which) { return choice->enabled[which] & KILLED; }
static bool is_preemption(const struct choice *choice, unsigned which) {
  return choice->first_is_current && which && !is_kill(choice, which);
}

/* False: none can go on. */
static bool choose(struct choice *choice) {
  bool is_known = depth < prefix;
  const struct choice *last = depth ? &choices[depth - 1] : NULL;
  choice_fill(choice);
  choice->preemptions = (unsigned char)(last ? last->preemptions + is_preemption(last, last->taken) : 0);
  if (!is_known)
    choice->taken = 0;
  if (!choice->count)
    return false;
  if (choice->taken >= choice->count) {
    model_failed("the same schedule does the same again", running->name, (int)depth);
    return false;
  }
  depth++;
  return true;
}

/* The next thread; false: none can go on. Who is killed does nothing any more. */
static bool schedule(void) {
  struct choice *choice;
  for (;;) {
    choice = &choices[depth];
    if (depth >= DEPTH - 1 || !choose(choice))
      return false;
    if (!is_kill(choice, choice->taken))
      break;
    is_somebody_killed = true;
    task_ends(&tasks[choice->enabled[choice->taken] & ~KILLED]);
  }
  unsigned from = current;
  current = choice->enabled[choice->taken];
  if (model_go_on && from != current)
    model_go_on(from, current);
  if (tasks[current].state == ASLEEP) {
    tasks[current].is_timed_out = tasks[current].deadline != SNARLI_NEVER;
    tasks[current].has_looked = true;
    tasks[current].state = READY;
  }
  return true;
}

static void run_one(void) {
  depth = sleeps = 0;
  is_somebody_killed = is_for_killing = false;
  current = MODEL_THREADS;
  running->begin();
  tasks_begin();
  while (!failure && schedule())
    task_go_on(&tasks[current]);
  current = MODEL_THREADS;
  for (unsigned i = 0; i < task_count; i++)
    if (tasks[i].state != ENDED && !failure)
      model_failed(depth >= DEPTH - 1 ? "it ends" : "nobody sleeps for ever", running->name, (int)i);
  if (!failure && running->end)
    running->end();
  deepest = depth > deepest ? depth : deepest;
}

/* The next schedule in the order of the search; false: there is none. */
static bool next_schedule(void) {
  for (prefix = depth; prefix; prefix--) {
    struct choice *choice = &choices[prefix - 1];
    while (++choice->taken < choice->count)
      if (!is_preemption(choice, choice->taken) || choice->preemptions < running->preemptions)
        return true;
  }
  return false;
}

static void print_schedule(void) {
  printf("  %s\n  schedule:", failure);
  for (unsigned i = 0; i < depth; i++)
    printf(is_kill(&choices[i], choices[i].taken) ? " kill-%u" : " %u", choices[i].enabled[choices[i].taken] & ~KILLED);
  printf("\n");
}

bool model_run(const struct scenario *scenario) {
  unsigned long schedules = 0;
  running = scenario;
  failure = NULL;
  prefix = depth = deepest = 0;
  do {
    run_one();
    schedules++;
  } while (!failure && next_schedule());
  running = NULL;
  printf("%-34s %8lu schedules of up to %u steps with at most %u preemptions\n", scenario->name, schedules, deepest,
         scenario->preemptions);
  if (failure)
    print_schedule();
  return !failure;
}

bool model_run_killing(const struct scenario *scenario, unsigned killed) {
  victims = killed;
  bool is_right = model_run(scenario);
  victims = 0;
  return is_right;
}

/* What the sources need besides the seam. */
uint32_t snarli_forks;
void snarli_signals_block(sigset_t *saved) { sigemptyset(saved); }
void snarli_signals_restore(const sigset_t *saved) { (void)saved; }
snarl_time snarl_deadline(snarl_time timeout) { return timeout; }
snarl_time snarl_time_left(snarl_time deadline) { return deadline; }
