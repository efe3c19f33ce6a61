/* SPDX-License-Identifier: MIT
 *
 * How fast the analyzer is: generated traces of THREADS threads that take pairs of LOCKS locks in turn, in processor
 * time. Not a test. One thread.
 *
 *   bench-analyzer [RECORDS [THREADS [LOCKS [RECIPE]]]]
 */
#include "image.h"
#include <snarl/analyzer.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* What else the threads do. */
struct recipe {
  const char *what;
  unsigned inverts; /* one in so many pairs is taken in the other order, 0: none */
  unsigned posts; /* one in so many turns posts a semaphore for the next thread, or waits for that of the one before */
  unsigned signals; /* one in so many turns waits for a condition that the next thread signals */
  unsigned renews;  /* one in so many turns ends, is joined and replaced by a new thread */
};

static const struct recipe recipes[] = {
    {"without cycles", 0, 0, 0, 0},
    {"one in a million inverted", 1000000, 0, 0, 0},
    {"1 % inverted", 100, 0, 0, 0},
    {"semaphores", 0, 8, 0, 0},
    {"1 % inverted, semaphores", 100, 8, 0, 0},
    {"1 % inverted, conditions", 100, 0, 8, 0},
    {"1 % inverted, new threads", 100, 0, 0, 50},
};

struct bench {
  struct image *image;
  struct recipe recipe;
  unsigned threads, locks, indices, *index; /* of each of the threads: it changes when one is replaced */
  uint64_t clock, random;
  unsigned *posted;
  uint32_t outer, sites[4];
  unsigned long records;
};

static void put(struct bench *bench, uint32_t thread, unsigned type, unsigned arg, uint64_t object, uint32_t stack) {
  image_record(bench->image, thread, bench->clock += 100, snarli_record_head(type, arg, object),
               stack ? IMAGE_NODE : IMAGE_RAW, stack);
  bench->records++;
}

static unsigned draw(struct bench *bench, unsigned below) {
  bench->random = bench->random * 6364136223846793005ull + 1442695040888963407ull;
  return (unsigned)(bench->random >> 33) % below;
}

static bool is_time(struct bench *bench, unsigned every) { return every && draw(bench, every) == 0; }

static void start(struct bench *bench, unsigned t) {
  unsigned index = bench->index[t] = bench->indices++;
  put(bench, 0, SNARLI_R_THREAD_CREATE_REQUESTED, 0, index, bench->outer);
  put(bench, 0, SNARLI_R_THREAD_CREATED, 0, 0x10000 + t, bench->outer);
  put(bench, index, SNARLI_R_THREAD_BEGIN, 0, 0x10000 + t, bench->outer);
}

static void renew(struct bench *bench, unsigned t) {
  put(bench, bench->index[t], SNARLI_R_THREAD_END, 0, 0, 0);
  put(bench, 0, SNARLI_R_THREAD_JOIN_REQUESTED, 0, 0x10000 + t, bench->outer);
  put(bench, 0, SNARLI_R_THREAD_JOINED, 0, 0x10000 + t, bench->outer);
  start(bench, t);
}

static void take_pair(struct bench *bench, uint32_t thread) {
  uint64_t a = draw(bench, bench->locks - 1), b = a + 1 + draw(bench, bench->locks - 1 - (unsigned)a);
  if (is_time(bench, bench->recipe.inverts)) {
    uint64_t swap = a;
    a = b;
    b = swap;
  }
  put(bench, thread, SNARLI_R_MUTEX_REQUESTED, 0, 0x500000 + 64 * a, bench->sites[0]);
  put(bench, thread, SNARLI_R_MUTEX_ACQUIRED, 0, 0x500000 + 64 * a, bench->sites[0]);
  put(bench, thread, SNARLI_R_MUTEX_REQUESTED, 0, 0x500000 + 64 * b, bench->sites[1]);
  put(bench, thread, SNARLI_R_MUTEX_ACQUIRED, 0, 0x500000 + 64 * b, bench->sites[1]);
  put(bench, thread, SNARLI_R_MUTEX_RELEASED, 0, 0x500000 + 64 * b, bench->sites[2]);
  put(bench, thread, SNARLI_R_MUTEX_RELEASED, 0, 0x500000 + 64 * a, bench->sites[3]);
}

static void pass_on(struct bench *bench, unsigned t) {
  unsigned before = (t + bench->threads - 1) % bench->threads;
  uint64_t mine = 0x700000 + 64 * (uint64_t)t, other = 0x700000 + 64 * (uint64_t)before;
  if (bench->posted[before]) {
    bench->posted[before]--;
    put(bench, bench->index[t], SNARLI_R_SEM_REQUESTED, 0, other, bench->sites[0]);
    put(bench, bench->index[t], SNARLI_R_SEM_ACQUIRED, 0, other, bench->sites[0]);
  } else {
    bench->posted[t]++;
    put(bench, bench->index[t], SNARLI_R_SEM_POSTED, 0, mine, bench->sites[0]);
  }
}

static void wait_once(struct bench *bench, unsigned t) {
  uint64_t mutex = 0x800000 + 128 * (uint64_t)t, cond = mutex + 64;
  uint32_t thread = bench->index[t], next = bench->index[(t + 1) % bench->threads];
  put(bench, thread, SNARLI_R_MUTEX_REQUESTED, 0, mutex, bench->sites[0]);
  put(bench, thread, SNARLI_R_MUTEX_ACQUIRED, 0, mutex, bench->sites[0]);
  put(bench, thread, SNARLI_R_COND_WAIT_REQUESTED, 0, cond, bench->sites[0]);
  put(bench, thread, SNARLI_R_MUTEX_RELEASED, SNARLI_F_IN_WAIT, mutex, bench->sites[0]);
  put(bench, next, SNARLI_R_COND_SIGNALLED, 0, cond, bench->sites[1]);
  put(bench, thread, SNARLI_R_MUTEX_ACQUIRED, SNARLI_F_IN_WAIT, mutex, bench->sites[0]);
  put(bench, thread, SNARLI_R_COND_WAIT_RETURNED, 0, cond, bench->sites[0]);
  put(bench, thread, SNARLI_R_MUTEX_RELEASED, 0, mutex, bench->sites[0]);
}

static void write_turns(struct bench *bench, unsigned long records) {
  while (bench->records < records) {
    unsigned t = draw(bench, bench->threads);
    take_pair(bench, bench->index[t]);
    if (is_time(bench, bench->recipe.posts))
      pass_on(bench, t);
    if (is_time(bench, bench->recipe.signals))
      wait_once(bench, t);
    if (t && is_time(bench, bench->recipe.renews))
      renew(bench, t);
  }
}

static void write_trace(const char *path, unsigned long records, unsigned threads, unsigned locks,
                        const struct recipe *recipe) {
  struct bench bench = {.image = image_new(100, 1000), .recipe = *recipe, .threads = threads, .locks = locks};
  bench.clock = 1000;
  bench.random = 1;
  bench.index = calloc(threads, sizeof *bench.index);
  bench.posted = calloc(threads, sizeof *bench.posted);
  if (!bench.index || !bench.posted)
    abort();
  bench.outer = image_node(bench.image, 0x1000, 0);
  for (unsigned i = 0; i < 4; i++)
    bench.sites[i] = image_node(bench.image, 0x2000 + 16 * i, bench.outer);
  bench.indices = 1;
  for (unsigned t = 1; t < threads; t++)
    start(&bench, t);
  for (unsigned t = 0; recipe->posts && t < threads; t++) {
    put(&bench, 0, SNARLI_R_SEM_INIT, 0, 0x700000 + 64 * (uint64_t)t, bench.outer);
    put(&bench, 0, SNARLI_R_SEM_VALUE, 0, 0x700000 + 64 * (uint64_t)t, 0);
  }
  write_turns(&bench, records);
  if (image_write(bench.image, path))
    perror(path);
  image_free(bench.image);
  free(bench.index);
  free(bench.posted);
}

static void measure(const char *directory, const char *what) {
  struct trace_problem problem;
  struct trace *trace = trace_open(directory, &problem);
  struct trace_record record;
  if (!trace) {
    fprintf(stderr, "%s\n", problem.text);
    exit(1);
  }
  double begin = now();
  unsigned long count = 0;
  while (trace_next(trace, &record))
    count++;
  double read = now() - begin;
  struct analysis_options options = {0};
  begin = now();
  struct analysis *analysis = analysis_new(trace, directory, &options);
  double whole = now() - begin;
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  printf("%-26s %9lu records  read %5.2f M/s  read and analyzed %5.2f M/s  findings %3zu  peak %ld MB\n", what, count,
         (double)count / read / 1e6, (double)count / whole / 1e6, analysis_report(analysis)->finding_count,
         usage.ru_maxrss / 1024);
  fflush(stdout);
  analysis_free(analysis);
  trace_close(trace);
}

/* In a process of its own: the peak of memory is then that of this part. */
static void apart(void (*part)(void *), void *argument) {
  pid_t pid = fork();
  if (pid < 0)
    exit(1);
  if (pid == 0) {
    part(argument);
    exit(0);
  }
  int status;
  if (waitpid(pid, &status, 0) != pid || status)
    exit(1);
}

struct job {
  const char *directory, *path;
  unsigned long records;
  unsigned threads, locks;
  const struct recipe *recipe;
};

static void write_job(void *argument) {
  const struct job *job = argument;
  write_trace(job->path, job->records, job->threads, job->locks, job->recipe);
}

static void measure_job(void *argument) {
  const struct job *job = argument;
  measure(job->directory, job->recipe->what);
}

int main(int argc, char **argv) {
  struct job job = {.records = argc > 1 ? strtoul(argv[1], NULL, 10) : 6000000,
                    .threads = argc > 2 ? (unsigned)atoi(argv[2]) : 200,
                    .locks = argc > 3 ? (unsigned)atoi(argv[3]) : 50};
  char directory[] = "/tmp/snarl-bench-XXXXXX", path[300];
  if (job.locks < 2 || !job.threads || !mkdtemp(directory))
    return 1;
  snprintf(path, sizeof path, "%s/100.snarl", directory);
  job.directory = directory;
  job.path = path;
  for (size_t i = 0; i < sizeof recipes / sizeof *recipes; i++) {
    if (argc > 4 && (size_t)atoi(argv[4]) != i)
      continue;
    job.recipe = &recipes[i];
    apart(write_job, &job);
    apart(measure_job, &job);
    unlink(path);
  }
  rmdir(directory);
  return 0;
}
