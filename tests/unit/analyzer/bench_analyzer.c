/* SPDX-License-Identifier: MIT
 *
 * How fast the analyzer is: a generated trace of THREADS threads that take pairs of LOCKS locks in turn, in processor
 * time. Not a test. One thread.
 *
 *   bench-analyzer [RECORDS [THREADS [LOCKS]]]
 */
#include "image.h"
#include <snarl/analyzer.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void put(struct image *image, uint32_t thread, uint64_t *clock, unsigned type, uint64_t object, uint32_t stack) {
  image_record(image, thread, *clock += 100, snarli_record_head(type, 0, object), stack ? IMAGE_NODE : IMAGE_RAW,
               stack);
}

/* Each thread in turn takes two locks, the lower first; with `inverts`, one thread does otherwise once. */
static void write_trace(const char *directory, unsigned long records, unsigned threads, unsigned locks, bool inverts) {
  struct image *image = image_new(100, 1000);
  uint64_t clock = 1000, random = 1;
  uint32_t outer = image_node(image, 0x1000, 0), sites[4];
  char path[300];
  for (unsigned i = 0; i < 4; i++)
    sites[i] = image_node(image, 0x2000 + 16 * i, outer);
  for (uint32_t t = 1; t < threads; t++) {
    put(image, 0, &clock, SNARLI_R_THREAD_CREATE_REQUESTED, t, outer);
    put(image, 0, &clock, SNARLI_R_THREAD_CREATED, 0x10000 + t, outer);
    put(image, t, &clock, SNARLI_R_THREAD_BEGIN, 0x10000 + t, outer);
  }
  for (unsigned long done = 0; done < records; done += 6) {
    random = random * 6364136223846793005ull + 1442695040888963407ull;
    uint32_t thread = (uint32_t)(random >> 33) % threads;
    uint64_t a = (random >> 20) % (locks - 1), b = a + 1 + (random >> 40) % (locks - 1 - a);
    if (inverts && done > records / 2) {
      uint64_t swap = a;
      a = b;
      b = swap;
      inverts = false;
    }
    put(image, thread, &clock, SNARLI_R_MUTEX_REQUESTED, 0x500000 + 64 * a, sites[0]);
    put(image, thread, &clock, SNARLI_R_MUTEX_ACQUIRED, 0x500000 + 64 * a, sites[0]);
    put(image, thread, &clock, SNARLI_R_MUTEX_REQUESTED, 0x500000 + 64 * b, sites[1]);
    put(image, thread, &clock, SNARLI_R_MUTEX_ACQUIRED, 0x500000 + 64 * b, sites[1]);
    put(image, thread, &clock, SNARLI_R_MUTEX_RELEASED, 0x500000 + 64 * b, sites[2]);
    put(image, thread, &clock, SNARLI_R_MUTEX_RELEASED, 0x500000 + 64 * a, sites[3]);
  }
  snprintf(path, sizeof path, "%s/100.snarl", directory);
  if (image_write(image, path))
    perror(path);
  image_free(image);
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
  printf("%-24s %9lu records  read %5.2f M/s  read and analyzed %5.2f M/s  findings %zu  peak %ld MB\n", what, count,
         (double)count / read / 1e6, (double)count / whole / 1e6, analysis_report(analysis)->finding_count,
         usage.ru_maxrss / 1024);
  analysis_free(analysis);
  trace_close(trace);
}

int main(int argc, char **argv) {
  unsigned long records = argc > 1 ? strtoul(argv[1], NULL, 10) : 6000000;
  unsigned threads = argc > 2 ? (unsigned)atoi(argv[2]) : 200, locks = argc > 3 ? (unsigned)atoi(argv[3]) : 50;
  char directory[] = "/tmp/snarl-bench-XXXXXX", path[300];
  if (!mkdtemp(directory) || locks < 2 || !threads)
    return 1;
  snprintf(path, sizeof path, "%s/100.snarl", directory);
  for (int inverts = 0; inverts < 2; inverts++) {
    write_trace(directory, records, threads, locks, inverts);
    measure(directory, inverts ? "with a cycle" : "without cycles");
    unlink(path);
  }
  rmdir(directory);
  return 0;
}
