/* SPDX-License-Identifier: MIT
 *
 * Watches a running program through its trace. A look reads only what was written since the one before, and keeps the
 * newest record of each thread. What has been in the same blocking call for a while is suspect, and when the set of
 * suspects is new, the trace is studied, narrowed to what they are blocked on; what the study finds counts only if its
 * threads are still where they were. A look takes at most a hundredth of the time and a study a twentieth, so a program
 * that merely waits, or a huge trace, does not make us burn CPU. Main thread.
 */
#include "watch.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
  LOOK_MS = 200,    /* between looks */
  IDLE_MS = 1000,   /* the same while nobody does anything: a hang in the middle is still seen within 2 s */
  STUCK_MS = 600,   /* in one call for so long: suspect */
  SHARE = 20,       /* of the time studies take at most one part in so many, */
  LOOK_SHARE = 100, /* and looks */
};

struct thread_state {
  uint32_t pid, tid;
  uint64_t time, object; /* of its newest record */
  uint8_t type, arg;
  uint64_t since; /* when we first saw that record, ms */
};

static uint64_t now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

void watch_init(struct watch *watch, const char *path, const char *name, const struct options *options,
                const struct filter *filter) {
  *watch = (struct watch){.path = path, .name = name, .options = options, .filter = filter};
  watch->next_look = now_ms() + LOOK_MS;
}

void watch_destroy(struct watch *watch) {
  filter_destroy(&watch->shown);
  trace_close(watch->trace);
  free(watch->threads);
}

unsigned watch_pause(const struct watch *watch) {
  uint64_t now = now_ms();
  return watch->next_look > now ? (unsigned)(watch->next_look - now) : 0;
}

struct snapshot {
  struct thread_state *threads;
  size_t count, room;
  const struct trace *trace;
  uint32_t alive; /* the process that was last found alive: index + 1 */
};

static void visit(const struct trace_record *last, void *context) {
  struct snapshot *snapshot = context;
  uint32_t pid = trace_process_at(snapshot->trace, last->process)->pid;
  if (last->type == SNARLI_R_THREAD_END)
    return;
  if (snapshot->alive != last->process + 1 && kill((pid_t)pid, 0) != 0 && errno == ESRCH)
    return; /* killed: its last records stay for ever */
  snapshot->alive = last->process + 1;
  if (snapshot->count == snapshot->room) {
    size_t room = snapshot->room ? snapshot->room * 2 : 64;
    struct thread_state *threads = realloc(snapshot->threads, room * sizeof *threads);
    if (!threads)
      return;
    snapshot->threads = threads;
    snapshot->room = room;
  }
  snapshot->threads[snapshot->count++] = (struct thread_state){
      .pid = pid, .tid = last->tid, .time = last->time, .object = last->object, .type = last->type, .arg = last->arg};
}

static int by_thread(const void *left, const void *right) {
  const struct thread_state *a = left, *b = right;
  if (a->pid != b->pid)
    return a->pid < b->pid ? -1 : 1;
  return (a->tid > b->tid) - (a->tid < b->tid);
}

static bool is_same_call(const struct thread_state *a, const struct thread_state *b) {
  return a->time == b->time && a->object == b->object && a->type == b->type;
}

static const struct thread_state *find(const struct thread_state *threads, size_t count, uint32_t pid, uint32_t tid) {
  struct thread_state wanted = {.pid = pid, .tid = tid};
  return count ? bsearch(&wanted, threads, count, sizeof *threads, by_thread) : NULL;
}

/* The trace stays open, so that a look costs what was written since the one before. */
static bool look_again(struct watch *watch) {
  struct trace_problem problem;
  if (watch->trace && trace_refresh(watch->trace))
    return true;
  trace_close(watch->trace);
  watch->trace = trace_open(watch->path, &problem);
  return watch->trace != NULL;
}

/* Of the fibers of one thread, the one that did something last is the one that it runs. */
static void keep_newest(struct snapshot *snapshot) {
  size_t kept = 0;
  for (size_t i = 0; i < snapshot->count; i++) {
    struct thread_state *last = kept ? &snapshot->threads[kept - 1] : NULL;
    if (!last || by_thread(last, &snapshot->threads[i]))
      snapshot->threads[kept++] = snapshot->threads[i];
    else if (last->time < snapshot->threads[i].time)
      *last = snapshot->threads[i];
  }
  snapshot->count = kept;
}

/* What each thread does now; false: the trace cannot be read (yet). */
static bool take_snapshot(struct watch *watch, struct snapshot *snapshot) {
  *snapshot = (struct snapshot){0};
  if (!look_again(watch))
    return false;
  snapshot->trace = watch->trace;
  trace_last_records(watch->trace, visit, snapshot);
  if (snapshot->count)
    qsort(snapshot->threads, snapshot->count, sizeof *snapshot->threads, by_thread);
  keep_newest(snapshot);
  return true;
}

/* Keeps the snapshot; threads that are still in the call where we saw them keep the time since. */
static bool watch_update(struct watch *watch) {
  struct snapshot snapshot;
  if (!take_snapshot(watch, &snapshot))
    return false;
  uint64_t now = now_ms();
  if (snapshot.count != watch->thread_count)
    watch->changed = now;
  for (size_t i = 0; i < snapshot.count; i++) {
    struct thread_state *thread = &snapshot.threads[i];
    const struct thread_state *before = find(watch->threads, watch->thread_count, thread->pid, thread->tid);
    bool is_same = before && is_same_call(before, thread);
    thread->since = is_same ? before->since : now;
    if (!is_same)
      watch->changed = now;
  }
  free(watch->threads);
  watch->threads = snapshot.threads;
  watch->thread_count = snapshot.count;
  return true;
}

/* A condition wait gives up its mutex after it was requested, so that release is its newest record. */
static bool is_condition_wait(const struct thread_state *thread) {
  return thread->type == SNARLI_R_COND_WAIT_REQUESTED ||
         (thread->type == SNARLI_R_MUTEX_RELEASED && thread->arg & SNARLI_F_IN_WAIT);
}

static bool is_suspect(const struct thread_state *thread, uint64_t now) {
  const struct trace_record_info *info = trace_record_info(thread->type);
  if (!info || now - thread->since < STUCK_MS)
    return false;
  if (is_condition_wait(thread))
    return true;
  bool has_flags = info->arg == SNARLI_ARG_FLAGS || info->arg == SNARLI_ARG_UNITS;
  bool ends_by_itself = has_flags && thread->arg & (SNARLI_F_TRY | SNARLI_F_TIMED);
  return info->phase == SNARLI_REQUEST && !ends_by_itself;
}

/* It waits for the end of a thread or process: alone that is no deadlock. */
static bool is_join(const struct thread_state *thread) {
  return thread->type == SNARLI_R_THREAD_JOIN_REQUESTED || thread->type == SNARLI_R_WAIT_REQUESTED;
}

static void blocked_add(struct blocked_on *blocked, const struct thread_state *thread) {
  blocked->has_conditions |= is_condition_wait(thread);
  if (trace_record_info(thread->type)->object != SNARLI_OBJECT_ADDRESS)
    return;
  if (blocked->count == blocked->room) {
    size_t room = blocked->room ? blocked->room * 2 : 64;
    uint64_t *addresses = realloc(blocked->addresses, room * sizeof *addresses);
    if (!addresses)
      return; /* its wait is not understood then, so nothing is said of it */
    blocked->addresses = addresses;
    blocked->room = room;
  }
  blocked->addresses[blocked->count++] = thread->object;
}

struct suspicion {
  uint64_t hash; /* of who is suspect and where, 0: no deadlock is possible */
  bool is_total; /* nobody does anything any more */
  struct blocked_on blocked;
};

/* Somebody must be in a call that is not a condition wait, or nobody is left who could notify; and who waits for a
 * thread or process to end needs another who does, or is blocked. */
static struct suspicion suspect(const struct watch *watch) {
  struct suspicion suspicion = {.hash = 14695981039346656037ull};
  uint64_t now = now_ms();
  size_t count = 0, conditions = 0, joins = 0;
  for (size_t i = 0; i < watch->thread_count; i++) {
    const struct thread_state *thread = &watch->threads[i];
    if (!is_suspect(thread, now))
      continue;
    uint64_t parts[] = {(uint64_t)thread->pid << 32 | thread->tid, thread->time, thread->object, thread->type};
    for (size_t j = 0; j < sizeof parts / sizeof *parts; j++)
      suspicion.hash = (suspicion.hash ^ parts[j]) * 1099511628211ull;
    blocked_add(&suspicion.blocked, thread);
    conditions += is_condition_wait(thread);
    joins += is_join(thread);
    count++;
  }
  suspicion.is_total = count == watch->thread_count;
  bool is_possible = count > conditions + joins || joins > 1 || suspicion.is_total;
  suspicion.hash = count && is_possible ? suspicion.hash | 1 : 0;
  return suspicion;
}

/* True if every blocked thread of `finding` was suspect before the study and has not moved since. */
static bool is_confirmed(const struct watch *watch, const struct snapshot *after, const struct finding *finding) {
  uint64_t now = now_ms();
  for (size_t i = 0; i < finding->thread_count; i++) {
    if (!finding->threads[i].is_blocked)
      continue;
    uint32_t pid = finding->threads[i].pid, tid = finding->threads[i].tid;
    const struct thread_state *then = find(watch->threads, watch->thread_count, pid, tid);
    const struct thread_state *still = find(after->threads, after->count, pid, tid);
    if (!then || !still || !is_suspect(then, now) || !is_same_call(then, still))
      return false;
  }
  return true;
}

/* Leaves only findings that are confirmed and new in the study's report; true if there are any. */
static bool keep_confirmed(struct watch *watch, struct study *study) {
  struct snapshot after;
  struct filtered fresh;
  size_t kept = 0;
  if (!study->filtered.report.finding_count || !filter_apply(&watch->shown, &study->filtered.report, &fresh))
    return false;
  if (!take_snapshot(watch, &after)) {
    filtered_destroy(&fresh);
    return false;
  }
  struct finding *findings = (struct finding *)fresh.report.findings;
  for (size_t i = 0; i < fresh.report.finding_count; i++)
    if (is_confirmed(watch, &after, &findings[i]))
      findings[kept++] = findings[i];
  fresh.report.finding_count = kept;
  free(after.threads);
  filtered_destroy(&study->filtered);
  study->filtered = fresh;
  return kept > 0;
}

/* When to look again after a look from `begin` to `end`. */
static uint64_t next_look(const struct watch *watch, uint64_t begin, uint64_t end) {
  uint64_t cost = (end - begin) * LOOK_SHARE;
  bool is_idle = end - watch->changed > 2 * STUCK_MS;
  uint64_t pause = is_idle ? IDLE_MS : LOOK_MS;
  return end + (cost > pause ? cost : pause);
}

/* A program of which nothing moves is studied at once: nobody else wants the processor. */
static bool is_due(const struct watch *watch, const struct suspicion *suspicion, uint64_t now) {
  return suspicion->hash && suspicion->hash != watch->studied && (suspicion->is_total || now >= watch->next_study);
}

static bool look_closely(struct watch *watch, const struct suspicion *suspicion, struct study *study) {
  uint64_t begin = now_ms();
  bool is_stuck = false;
  watch->studied = suspicion->hash;
  if (study_open(study, watch->path, watch->name, watch->options, watch->filter, &suspicion->blocked) == EXIT_OK &&
      !(is_stuck = keep_confirmed(watch, study)))
    study_close(study);
  uint64_t end = now_ms();
  watch->next_study = end + (end - begin) * SHARE;
  return is_stuck;
}

bool watch_look(struct watch *watch, struct study *study) {
  uint64_t begin = now_ms();
  if (begin < watch->next_look)
    return false;
  bool is_readable = watch_update(watch);
  uint64_t end = now_ms();
  watch->next_look = next_look(watch, begin, end);
  struct suspicion suspicion = is_readable ? suspect(watch) : (struct suspicion){0};
  bool is_stuck = is_due(watch, &suspicion, end) && look_closely(watch, &suspicion, study);
  free(suspicion.blocked.addresses);
  return is_stuck;
}

void watch_shown(struct watch *watch, const struct report *report) {
  for (size_t i = 0; i < report->finding_count; i++) {
    char(*known)[17] = realloc(watch->shown.known, (watch->shown.known_count + 1) * sizeof *known);
    if (!known)
      return;
    watch->shown.known = known;
    memcpy(known[watch->shown.known_count++], report->findings[i].id, sizeof *known);
  }
}
