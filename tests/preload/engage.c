/* SPDX-License-Identifier: MIT
 *
 * Does every row of wrapped.def leave its records? Each row has a driver, which calls the function for real, and the
 * records that this call must leave; a row without one does not compile. `engage LIBRARY` runs itself under the shim
 * (`engage drive`), which announces each row to the recorder before it drives it, and then reads the trace.
 */
#include "wrapped_headers.h"
#include <errno.h>
#include <ftw.h>
#include <snarl/trace/reader.h>
#include <snarl/trace/recorder.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>

#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

static void must(int is_right, const char *what) {
  if (is_right)
    return;
  fprintf(stderr, "driver: %s failed: %s\n", what, strerror(errno));
  exit(2);
}
#define MUST(condition) must(condition, #condition)

static struct timespec soon(void) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  now.tv_sec += 1000;
  return now;
}

/* Until the thread of this process is asleep in the kernel. */
static void await_sleep(int tid) {
  char path[64], text[512] = "";
  snprintf(path, sizeof path, "/proc/self/task/%d/stat", tid);
  for (;;) {
    FILE *file = fopen(path, "r");
    size_t size = file ? fread(text, 1, sizeof text - 1, file) : 0;
    text[size] = 0;
    if (file)
      fclose(file);
    const char *state = strrchr(text, ')');
    if (state && state[2] == 'S')
      return;
    sched_yield();
  }
}

/* DRIVE(function, "records that it leaves, a word as often as it must be there at least; -word: not at all") { call it
 * }
 */
#define DRIVE(name, records)                                                                                           \
  static const char records_##name[] = records;                                                                        \
  static void drive_##name(void)

#include "engage_channels.h"
#include "engage_processes.h"

#include "engage_files.h" /* uses what comes before */
#include "engage_signals.h"
#include "engage_sysv.h"
#include "engage_threads.h"
/* after what it uses */
#include "engage_annotations.h"

struct row {
  const char *name, *records;
  void (*drive)(void);
};
static const struct row rows[] = {
#define WRAP(body, result, object, ret, name, params, args, version) {#name, records_##name, drive_##name},
#include "../../preload/wrapped.def"
#define ANNOTATION(body, ret, name, params, args) {#name, records_##name, drive_##name},
#include "../../preload/annotations.def"
};
enum { ROWS = sizeof rows / sizeof *rows };

static int drive(void) {
  for (uint32_t i = 0; i < ROWS; i++) {
    snarli_record_aux(SNARLI_R_OBJECT_NAMED, 0, i + 1, snarli_blob_string(rows[i].name, strlen(rows[i].name)));
    rows[i].drive();
  }
  return 0;
}

/* How often each row left each type of record; under SHARED, how often one that names an object in memory that was
 * known to be shared and later known to be gone. */
enum { SHARED = 0xff };
static size_t seen[ROWS][256];

static bool is_shared(const struct trace *trace, const struct trace_record *record) {
  if (record->type != SNARLI_R_MUTEX_INIT && record->type != SNARLI_R_SEM_OPENED)
    return false;
  const struct trace_mapping *mapping = trace_mapping_of(trace, record->process, record->object, record->time);
  return mapping && mapping->until != UINT64_MAX;
}

/* A send that took long, as any may on a busy machine, leaves two records in place of one. */
static uint8_t type_of(const struct trace_record *record) {
  return record->type == SNARLI_R_CHANNEL_SEND_RETURNED ? SNARLI_R_CHANNEL_SENT : record->type;
}

static void count(size_t (*types)[256], const struct trace *trace, const struct trace_record *record) {
  (*types)[type_of(record)]++;
  (*types)[SHARED] += is_shared(trace, record);
}

static void collect(struct trace *trace) {
  struct trace_record record;
  for (size_t row = 0; trace_next(trace, &record);) {
    if (record.type == SNARLI_R_OBJECT_NAMED && record.arg == SNARLI_NAMED)
      row = record.object;
    else if (row > 0 && row <= ROWS)
      count(&seen[row - 1], trace, &record);
  }
}

static int check_row(size_t row) {
  char words[1024];
  int missing = 0;
  snprintf(words, sizeof words, "%s", rows[row].records);
  for (char *rest = words, *word; (word = strsep(&rest, " "));) {
    bool is_unwanted = *word == '-';
    int type = strcmp(word, "shared") == 0 ? SHARED : trace_record_type(word + is_unwanted);
    if (!*word || (is_unwanted && type >= 0 && !seen[row][type]))
      continue;
    if (is_unwanted) {
      printf("%s left a %s\n", rows[row].name, word + 1);
      missing++;
      continue;
    }
    if (type >= 0 && seen[row][type] > 0) {
      seen[row][type]--;
      continue;
    }
    printf("%s left no %s\n", rows[row].name, word);
    missing++;
  }
  return missing;
}

static int check(const char *directory) {
  struct trace_problem problem;
  struct trace *trace = trace_open(directory, &problem);
  if (!trace) {
    printf("%s\n", problem.text);
    return 1;
  }
  collect(trace);
  int missing = !trace_is_complete(trace);
  for (size_t i = 0; i < trace_problem_count(trace); i++)
    printf("%s\n", trace_problem_at(trace, i)->text);
  trace_close(trace);
  for (size_t row = 0; row < ROWS; row++)
    missing += check_row(row);
  return missing != 0;
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *walk) {
  (void)status, (void)type, (void)walk;
  return remove(path);
}

static int run(const char *self, const char *library) {
  char directory[] = "/tmp/snarl-engage-XXXXXX";
  MUST(mkdtemp(directory) != NULL);
  pid_t child = fork();
  if (child == 0) {
    setenv("LD_PRELOAD", library, 1);
    setenv("SNARL_TRACE", directory, 1);
    execl(self, self, "drive", (char *)NULL);
    _exit(127);
  }
  int status = -1;
  MUST(waitpid(child, &status, 0) == child);
  if (status)
    printf("the driver ended with status %d\n", status);
  int result = status != 0 || check(directory);
  nftw(directory, remove_one, 16, FTW_DEPTH | FTW_PHYS);
  return result;
}

int main(int argc, char **argv) {
  if (argc == 2 && strcmp(argv[1], "drive") == 0)
    return drive();
  return argc == 2 ? run(argv[0], argv[1]) : 2;
}
