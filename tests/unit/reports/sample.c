/* SPDX-License-Identifier: MIT
 *
 * Reports built by hand. Constant data or built once per process; one thread.
 */
#include "sample.h"
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define STACK(frames_)                                                                                                 \
  { .frames = (frames_), .count = COUNT(frames_) }
#define BANK "/src/bank/transfer.c"
#define LIBC "/lib/x86_64-linux-gnu/libc.so.6"

static const struct finding_frame first_frames[] = {
    {"pthread_mutex_lock", "", LIBC, 0, 0x8b2f4, false, true, false},
    {"account_lock", "/src/bank/account.h", "/src/bank/bank", 14, 0x1220, true, false, false},
    {"transfer_out", BANK, "/src/bank/bank", 31, 0x1234, false, false, false},
    {"worker", BANK, "/src/bank/bank", 58, 0x1300, false, false, false},
    {"start_thread", "", LIBC, 0, 0x891c4, false, true, false},
    {"clone3", "", LIBC, 0, 0x10985c, false, true, false},
};
static const struct finding_frame second_frames[] = {
    {"pthread_mutex_lock", "", LIBC, 0, 0x8b2f4, false, true, false},
    {"transfer_in", BANK, "/src/bank/bank", 45, 0x1290, false, false, false},
    {"worker", BANK, "/src/bank/bank", 60, 0x1310, false, false, false},
    {"start_thread", "", LIBC, 0, 0x891c4, false, true, false},
    {"clone3", "", LIBC, 0, 0x10985c, false, true, false},
};
static const struct finding_frame main_frames[] = {{"main", BANK, "/src/bank/bank", 80, 0x1400, false, false, false}};
static const struct finding_frame bare_frames[] = {
    {"", "", "/opt/vendor/libqueue.so.3", 0, 0xbeef, false, false, false},
    {"qrun", "", "/opt/vendor/libqueue.so.3", 0, 0xcafe, false, false, false}};

static const struct finding_thread bank_threads[] = {
    {4711, 4712, "worker", "worker-1", STACK(main_frames), false},
    {4711, 4713, "worker", "worker-2", STACK(main_frames), false},
};
static const struct finding_object bank_objects[] = {
    {"mutex", "savings", "savings", "0x5581c0de1040", false, STACK(main_frames)},
    {"mutex", "", "mutex transfer.c:12", "0x5581c0de1080", false, STACK(main_frames)},
};
static const struct finding_step bank_steps[] = {
    {0, 0, "acquired", "", 1234567, STACK(first_frames)},
    {0, 1, "wants", "while holding savings", 1300000, STACK(first_frames)},
    {1, 1, "acquired", "", 2000000123, STACK(second_frames)},
    {1, 0, "wants", "while holding mutex transfer.c:12", 2000000999, {bare_frames, COUNT(bare_frames), true}},
};
static const struct finding bank_finding = {
    .rule = RULE_LOCK_ORDER_CYCLE,
    .level = LEVEL_ERROR,
    .verdict = VERDICT_FEASIBLE,
    .reason = "Both threads run at the same time and no other lock is held on both paths.",
    .title = "worker-1 and worker-2 take savings and mutex transfer.c:12 in opposite orders",
    .message = "worker-1 holds savings and takes mutex transfer.c:12; worker-2 holds mutex transfer.c:12 and takes "
               "savings. If each gets its first lock before the other gets its second, both wait forever.",
    .help = "Pick one order for these locks and keep to it on every path, or guard both paths by one outer lock.",
    .id = "1f3a5b7c9d0e2468",
    .count = 17,
    .threads = bank_threads,
    .thread_count = COUNT(bank_threads),
    .objects = bank_objects,
    .object_count = COUNT(bank_objects),
    .steps = bank_steps,
    .step_count = COUNT(bank_steps),
};
static const struct finding_process bank_process = {4711, 4700, "/src/bank/bank", "./bank --fast 3", 3, true, 0};
static const struct picture_node bank_nodes[] = {
    {SHAPE_LOCK, EMPHASIS_CYCLE, 1, "savings", "mutex, main transfer.c:80", 1},
    {SHAPE_LOCK, EMPHASIS_CYCLE, 1, "mutex transfer.c:12", "", 1},
};
static const struct picture_edge bank_edges[] = {
    {0, 1, RELATION_ORDER, EMPHASIS_CYCLE, 1, "worker-1 transfer.c:31",
     "worker-1 held savings (transfer.c:29) and took mutex transfer.c:12 in transfer_out transfer.c:31", 12},
    {1, 0, RELATION_ORDER, EMPHASIS_CYCLE, 1, "worker-2 transfer.c:45",
     "worker-2 held mutex transfer.c:12 (transfer.c:43) and took savings in transfer_in transfer.c:45", 5},
};
#define NO_WAIT                                                                                                        \
  { .kind = PICTURE_WAIT_FOR, .title = "Who waits for whom" }
#define NO_ORDER                                                                                                       \
  { .kind = PICTURE_LOCK_ORDER, .title = "Lock order" }
#define PICTURE(kind_, title_, nodes_, edges_)                                                                         \
  {                                                                                                                    \
    .kind = (kind_), .title = (title_), .nodes = (nodes_), .node_count = COUNT(nodes_), .edges = (edges_),             \
    .edge_count = COUNT(edges_)                                                                                        \
  }

static const struct report *two_locks(void) {
  static const struct report report = {
      .trace = "bank.trace",
      .is_complete = true,
      .processes = &bank_process,
      .process_count = 1,
      .findings = &bank_finding,
      .finding_count = 1,
      .impossible_hidden = 3,
      .lock_order = {PICTURE_LOCK_ORDER, "Lock order", bank_nodes, COUNT(bank_nodes), bank_edges, COUNT(bank_edges), 41,
                     97, NULL},
      .wait_for = NO_WAIT,
      .stats = {120345, 3, 44, 1925520, 2.25},
  };
  return &report;
}

static const struct report *nothing_found(void) {
  static const struct report report = {
      .trace = "quiet.trace",
      .is_complete = true,
      .processes = &bank_process,
      .process_count = 1,
      .lock_order = {PICTURE_LOCK_ORDER, "Lock order", NULL, 0, NULL, 0, 40, 12, NULL},
      .wait_for = NO_WAIT,
      .stats = {5000, 3, 40, 80000, 0.125},
  };
  return &report;
}

static const struct report *empty(void) {
  static const struct report report = {.trace = "", .is_complete = true, .lock_order = NO_ORDER, .wait_for = NO_WAIT};
  return &report;
}

static const struct finding_blind_site blind_sites[] = {
    {{"spin_lock", "/src/bank/spin.c", "/src/bank/bank", 9, 0x99, false, false, false}, 11},
    {{"g_mutex_lock_slowpath", "", "/usr/lib/libglib-2.0.so.0", 0, 0x77, false, false, false}, 1},
    {{"", "", "/opt/vendor/libqueue.so.3", 0, 0xbeef, false, false, false}, 1}};
static const struct finding_blind_spot blind_spots[] = {
    {"13 waits on futexes that are not objects of the C library, at 3 places", "Tell of these locks.", 13, blind_sites,
     COUNT(blind_sites)},
    {"the locks of OpenMP (libgomp.so.1 is loaded)", "Tell of these locks.", 0, NULL, 0},
};

static const struct report *damaged(void) {
  static const char *const problems[] = {"4711.snarl: 3 windows at offset 4096 are not whole: 120 records skipped",
                                         "cycles longer than 6 locks were not searched for"};
  static struct report report;
  report = *two_locks();
  report.trace = "cut.trace";
  report.is_complete = false;
  report.dropped = 1;
  report.problems = problems;
  report.problem_count = COUNT(problems);
  report.blind_spots = blind_spots;
  report.blind_spot_count = COUNT(blind_spots);
  report.lock_order = (struct picture)NO_ORDER;
  return &report;
}

static const struct finding three_findings[] = {
    {.rule = RULE_LOCK_ORDER_CYCLE,
     .level = LEVEL_WARNING,
     .verdict = VERDICT_UNCONFIRMED,
     .reason = "The threads ran one after the other in this run.",
     .title = "philosopher-1, philosopher-2 and philosopher-3 take fork 1, fork 2 and fork 3 in a circle",
     .message = "Each holds one fork and takes the next.",
     .help = "Take the forks in one order.",
     .id = "00000000000000aa",
     .count = 3},
    {.rule = RULE_LOCK_ORDER_CYCLE,
     .level = LEVEL_WARNING,
     .verdict = VERDICT_UNCONFIRMED,
     .reason = "",
     .title = "two nodes of one list are locked in no fixed order",
     .message = "",
     .help = "",
     .id = "00000000000000ab",
     .count = 1},
};

static const struct report *three_ring(void) {
  static const struct picture_node nodes[] = {
      {SHAPE_LOCK, EMPHASIS_CYCLE, 1, "fork 1", "mutex, main philosophers.c:20", 1},
      {SHAPE_LOCK, EMPHASIS_CYCLE, 1, "fork 2", "mutex, main philosophers.c:20", 1},
      {SHAPE_LOCK, EMPHASIS_CYCLE, 1, "fork 3", "mutex, main philosophers.c:20", 1},
      {SHAPE_LOCK, EMPHASIS_CYCLE, 2, "mutex list.c:77", "node_new", 250},
  };
  static const struct picture_edge edges[] = {
      {0, 1, RELATION_ORDER, EMPHASIS_CYCLE, 1, "philosopher-1 philosophers.c:33", "", 4},
      {1, 2, RELATION_ORDER, EMPHASIS_CYCLE, 1, "philosopher-2 philosophers.c:33", "", 4},
      {2, 0, RELATION_ORDER, EMPHASIS_CYCLE, 1, "philosopher-3 philosophers.c:33", "", 4},
      {3, 3, RELATION_ORDER, EMPHASIS_CYCLE, 2, "T5 (sweeper) list.c:101", "", 9},
      {3, 3, RELATION_ORDER, EMPHASIS_CYCLE, 2, "T6 (sweeper) list.c:101", "", 9},
  };
  static const struct report report = {.trace = "philosophers.trace",
                                       .is_complete = true,
                                       .processes = &bank_process,
                                       .process_count = 1,
                                       .findings = three_findings,
                                       .finding_count = 2,
                                       .lock_order = PICTURE(PICTURE_LOCK_ORDER, "Lock order", nodes, edges),
                                       .wait_for = NO_WAIT,
                                       .stats = {100, 5, 3, 1600, 0.5}};
  return &report;
}

static const struct report *gate(void) {
  static const struct finding impossible = {
      .rule = RULE_LOCK_ORDER_CYCLE,
      .level = LEVEL_NOTE,
      .verdict = VERDICT_IMPOSSIBLE,
      .reason = "ledger is held on both paths, so the two threads never meet.",
      .title = "worker-1 and worker-2 take checking and credit in opposite orders",
      .message = "",
      .help = "",
      .id = "00000000000000ac",
      .count = 2,
  };
  static const struct picture_node nodes[] = {
      {SHAPE_LOCK, EMPHASIS_CYCLE, 1, "savings", "mutex, main transfer.c:80", 1},
      {SHAPE_LOCK, EMPHASIS_CYCLE, 1, "mutex transfer.c:12", "", 1},
      {SHAPE_LOCK, EMPHASIS_IMPOSSIBLE, 0, "checking", "mutex, main transfer.c:81", 1},
      {SHAPE_LOCK, EMPHASIS_IMPOSSIBLE, 0, "credit", "mutex, main transfer.c:82", 1},
      {SHAPE_LOCK, EMPHASIS_GATE, 0, "ledger", "mutex, main transfer.c:83", 1},
      {SHAPE_LOCK, EMPHASIS_NONE, 0, "log", "mutex, log_init log.c:9", 1},
  };
  static const struct picture_edge edges[] = {
      {0, 1, RELATION_ORDER, EMPHASIS_CYCLE, 1, "worker-1 transfer.c:31", "", 12},
      {1, 0, RELATION_ORDER, EMPHASIS_CYCLE, 1, "worker-2 transfer.c:45", "", 5},
      {2, 3, RELATION_ORDER, EMPHASIS_IMPOSSIBLE, 0, "worker-1 transfer.c:91", "", 1},
      {3, 2, RELATION_ORDER, EMPHASIS_IMPOSSIBLE, 0, "worker-2 transfer.c:99", "", 1},
      {4, 2, RELATION_ORDER, EMPHASIS_GATE, 0, "worker-1 transfer.c:90", "", 1},
      {4, 3, RELATION_ORDER, EMPHASIS_GATE, 0, "worker-2 transfer.c:98", "", 1},
      {4, 5, RELATION_ORDER, EMPHASIS_NONE, 0, "worker-1 log.c:20", "", 1},
      {1, 5, RELATION_ORDER, EMPHASIS_NONE, 0, "worker-2 log.c:20", "", 1},
  };
  static struct report report;
  report = *two_locks();
  report.impossible = &impossible;
  report.impossible_count = 1;
  report.impossible_hidden = 0;
  report.lock_order = (struct picture)PICTURE(PICTURE_LOCK_ORDER, "Lock order", nodes, edges);
  return &report;
}

static const struct report *two_processes(void) {
  static const struct finding_thread threads[] = {{4711, 4711, "main", "main (4711)", {NULL, 0, false}, true},
                                                  {4720, 4720, "main", "main (4720)", {NULL, 0, false}, true}};
  static const struct finding_object objects[] = {
      {"mutex", "", "mutex shm.c:12", "8:1:1234+0x40", true, {NULL, 0, false}},
      {"mutex", "", "mutex shm.c:13", "8:1:1234+0x80", true, {NULL, 0, false}}};
  static const struct finding_step steps[] = {{0, 0, "holds", "", 1000, STACK(main_frames)},
                                              {0, 1, "waits for", "", 2000, STACK(main_frames)},
                                              {1, 1, "holds", "", 3000, STACK(main_frames)},
                                              {1, 0, "waits for", "", 4000, STACK(main_frames)}};
  static const struct finding finding = {.rule = RULE_DEADLOCK,
                                         .level = LEVEL_ERROR,
                                         .verdict = VERDICT_HAPPENED,
                                         .reason = "The program ended its trace in this state.",
                                         .title = "main (4711) and main (4720) wait for each other's mutex",
                                         .message =
                                             "Two processes share both mutexes and took them in opposite orders.",
                                         .help = "Break the circle: take the locks in one order everywhere.",
                                         .id = "00000000000000ad",
                                         .count = 1,
                                         .threads = threads,
                                         .thread_count = 2,
                                         .objects = objects,
                                         .object_count = 2,
                                         .steps = steps,
                                         .step_count = 4};
  static const struct finding_process processes[] = {{4711, 4700, "/src/shm", "./shm", 1, false, 0},
                                                     {4720, 4711, "/src/shm", "./shm", 2, false, 0}};
  static const struct picture_node nodes[] = {
      {SHAPE_THREAD, EMPHASIS_CYCLE, 1, "main (4711)", "process 4711 ./shm", 1},
      {SHAPE_LOCK, EMPHASIS_CYCLE, 1, "mutex shm.c:13", "shared between processes", 1},
      {SHAPE_THREAD, EMPHASIS_CYCLE, 1, "main (4720)", "process 4720 ./shm", 1},
      {SHAPE_LOCK, EMPHASIS_CYCLE, 1, "mutex shm.c:12", "shared between processes", 1},
      {SHAPE_THREAD, EMPHASIS_NONE, 0, "reader-1", "process 4720 ./shm", 1},
      {SHAPE_WAITABLE, EMPHASIS_NONE, 0, "semaphore full", "reader.c:4", 1},
      {SHAPE_PROCESS, EMPHASIS_NONE, 0, "process 4720", "./shm", 1},
      {SHAPE_THREAD, EMPHASIS_NONE, 0, "reaper", "process 4711 ./shm", 1},
  };
  static const struct picture_edge edges[] = {
      {0, 1, RELATION_WAITS, EMPHASIS_CYCLE, 1, "shm.c:33", "main waits in first shm.c:33", 1},
      {1, 2, RELATION_HELD_BY, EMPHASIS_CYCLE, 1, "shm.c:40", "taken in second shm.c:40", 1},
      {2, 3, RELATION_WAITS, EMPHASIS_CYCLE, 1, "shm.c:42", "main waits in second shm.c:42", 1},
      {3, 0, RELATION_HELD_BY, EMPHASIS_CYCLE, 1, "shm.c:31", "taken in first shm.c:31", 1},
      {4, 5, RELATION_WAITS, EMPHASIS_NONE, 0, "reader.c:20", "", 1},
      {5, 0, RELATION_ENDED_BY, EMPHASIS_NONE, 0, "", "", 1},
      {5, 2, RELATION_ENDED_BY, EMPHASIS_NONE, 0, "", "", 1},
      {7, 6, RELATION_WAITS, EMPHASIS_NONE, 0, "reap.c:8", "", 1},
  };
  static const struct report report = {.trace = "shm.trace",
                                       .is_complete = true,
                                       .processes = processes,
                                       .process_count = 2,
                                       .findings = &finding,
                                       .finding_count = 1,
                                       .lock_order = NO_ORDER,
                                       .wait_for = PICTURE(PICTURE_WAIT_FOR, "Who waits for whom", nodes, edges),
                                       .stats = {64, 3, 4, 1024, 0.01}};
  return &report;
}

/* One thread starts another, which takes a lock after it. */
static const struct report *lanes(void) {
  static const struct picture_node nodes[] = {
      {SHAPE_THREAD, EMPHASIS_NONE, 0, "main", "thread 41", 1},
      {SHAPE_THREAD, EMPHASIS_NONE, 0, "T1 (worker)", "thread 42", 1},
      {SHAPE_THREAD, EMPHASIS_NONE, 0, "T2 (worker)", "thread 43", 1},
      {SHAPE_DEED, EMPHASIS_NONE, 0, "starts T1 (worker)", "bank.c:80", 1},
      {SHAPE_DEED, EMPHASIS_NONE, 0, "starts T2 (worker)", "bank.c:81", 1},
      {SHAPE_DEED, EMPHASIS_NONE, 0, "begins", "bank.c:20", 1},
      {SHAPE_DEED, EMPHASIS_NONE, 0, "begins", "bank.c:20", 1},
      {SHAPE_DEED, EMPHASIS_CYCLE, 1, "acquired mutex savings", "bank.c:31", 1},
      {SHAPE_DEED, EMPHASIS_NONE, 0, "released mutex savings", "bank.c:34", 1},
      {SHAPE_DEED, EMPHASIS_CYCLE, 1, "acquired mutex savings", "bank.c:31", 1},
  };
  static const uint32_t columns[] = {0, 1, 2, 0, 0, 1, 2, 1, 1, 2};
  static const struct picture_edge edges[] = {
      {0, 3, RELATION_NEXT, EMPHASIS_NONE, 0, "", "", 1},
      {3, 4, RELATION_NEXT, EMPHASIS_NONE, 0, "", "", 1},
      {1, 5, RELATION_NEXT, EMPHASIS_NONE, 0, "", "", 1},
      {2, 6, RELATION_NEXT, EMPHASIS_NONE, 0, "", "", 1},
      {5, 7, RELATION_NEXT, EMPHASIS_NONE, 0, "", "", 1},
      {7, 8, RELATION_NEXT, EMPHASIS_NONE, 0, "", "", 1},
      {6, 9, RELATION_NEXT, EMPHASIS_NONE, 0, "", "", 1},
      {3, 5, RELATION_HB, EMPHASIS_NONE, 0, "start", "start", 1},
      {4, 6, RELATION_HB, EMPHASIS_NONE, 0, "start", "start", 1},
      {8, 9, RELATION_HB_HERE, EMPHASIS_NONE, 0, "lock passed on", "lock passed on", 1},
  };
  static struct report report;
  report = *sample_report("two-locks");
  report.happens_before = (struct picture)PICTURE(PICTURE_HAPPENS_BEFORE, "What happened before what", nodes, edges);
  report.happens_before.lanes = columns;
  return &report;
}

/* Everything that a program can put into a name to break, blind or mislead a report. */
#define EVIL                                                                                                           \
  "a\"b\\N\\l<B>&lt;&amp; 'x'\n\t\r\x1b[31mred\x7f \xc2\x9b \xe2\x80\xae"                                              \
  "drow \xff\xc0\xaf\xed\xa0\x80 \xf0\x9f\x90\x8d ]]> --> \\"

static char *make_long_name(void) {
  static char name[10001];
  for (size_t i = 0; i < sizeof name - 1; i++)
    name[i] = (char)('a' + (int)(i % 26));
  memcpy(name, "begin", 5); /* NOLINT(bugprone-not-null-terminated-result): the name goes on */
  memcpy(name + sizeof name - 4, "end", 4);
  return name;
}

static const struct report *hostile(void) {
  static struct finding_frame frames[1];
  static struct finding_thread threads[2];
  static struct finding_object objects[2];
  static struct finding_step steps[2];
  static struct finding finding;
  static struct picture_node nodes[2];
  static struct picture_edge edges[2];
  static struct finding_process process;
  static struct report report;
  const char *name = make_long_name();
  frames[0] = (struct finding_frame){EVIL, EVIL, EVIL, 1, UINT64_MAX, false, false, false};
  threads[0] = (struct finding_thread){UINT32_MAX, 1, EVIL, EVIL, STACK(frames), false};
  threads[1] = (struct finding_thread){1, 2, name, name, STACK(frames), false};
  objects[0] = (struct finding_object){"mutex", EVIL, EVIL, "0x1", false, STACK(frames)};
  objects[1] = (struct finding_object){"mutex", name, name, "", true, {NULL, 0, false}};
  steps[0] = (struct finding_step){0, 1, "wants", EVIL, UINT64_MAX, STACK(frames)};
  steps[1] = (struct finding_step){1, -1, EVIL, "", 0, {NULL, 0, false}};
  finding = bank_finding;
  finding.title = EVIL;
  finding.message = EVIL;
  finding.reason = finding.help = name;
  finding.threads = threads;
  finding.objects = objects;
  finding.steps = steps;
  finding.step_count = 2;
  nodes[0] = (struct picture_node){SHAPE_LOCK, EMPHASIS_CYCLE, 1, EVIL, EVIL, 1};
  nodes[1] = (struct picture_node){SHAPE_LOCK, EMPHASIS_CYCLE, 1, name, name, UINT32_MAX};
  edges[0] = (struct picture_edge){0, 1, RELATION_ORDER, EMPHASIS_CYCLE, 1, EVIL, EVIL, UINT64_MAX};
  edges[1] = (struct picture_edge){1, 0, RELATION_ORDER, EMPHASIS_CYCLE, 1, name, name, 1};
  process = (struct finding_process){1, 0, EVIL, EVIL, 2, true, -1};
  report = (struct report){.trace = EVIL,
                           .is_complete = true,
                           .dropped = UINT64_MAX,
                           .processes = &process,
                           .process_count = 1,
                           .findings = &finding,
                           .finding_count = 1,
                           .lock_order = PICTURE(PICTURE_LOCK_ORDER, EVIL, nodes, edges),
                           .wait_for = NO_WAIT,
                           .stats = {UINT64_MAX, 1, 1, 1, 0.0 / 0.0}};
  return &report;
}

static const struct sample samples[] = {
    {"empty", empty, PICTURE_LOCK_ORDER, true, false},
    {"nothing-found", nothing_found, PICTURE_LOCK_ORDER, true, false},
    {"two-locks", two_locks, PICTURE_LOCK_ORDER, true, false},
    {"three-ring", three_ring, PICTURE_LOCK_ORDER, true, false},
    {"gate", gate, PICTURE_LOCK_ORDER, true, false},
    {"two-processes", two_processes, PICTURE_WAIT_FOR, true, false},
    {"lanes", lanes, PICTURE_HAPPENS_BEFORE, true, false},
    {"many", sample_many, PICTURE_LOCK_ORDER, false, true},
    {"many-folded", sample_many_folded, PICTURE_LOCK_ORDER, false, true},
    {"damaged", damaged, PICTURE_LOCK_ORDER, true, false},
    {"hostile", hostile, PICTURE_LOCK_ORDER, false, false},
};

const struct sample *sample_at(size_t i) { return i < COUNT(samples) ? &samples[i] : NULL; }

const struct report *sample_report(const char *name) {
  for (size_t i = 0; i < COUNT(samples); i++)
    if (strcmp(samples[i].name, name) == 0)
      return samples[i].report();
  return NULL;
}
