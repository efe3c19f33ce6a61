/* SPDX-License-Identifier: MIT
 *
 * A trace as text, and text traces opened in one go. Test programs only.
 */
#include "assembler.h"
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void line_put(const struct trace *trace, const struct trace_record *record, FILE *out) {
  char text[512];
  int size = trace_print_record(trace, record, text, sizeof text);
  if (size < (int)sizeof text) {
    fprintf(out, "%s\n", text);
    return;
  }
  char *longer = malloc((size_t)size + 1);
  if (!longer)
    abort();
  (void)trace_print_record(trace, record, longer, (size_t)size + 1);
  fprintf(out, "%s\n", longer);
  free(longer);
}

void trace_disassemble(struct trace *trace, FILE *out) {
  struct trace_record record;
  trace_rewind(trace);
  while (trace_next(trace, &record))
    line_put(trace, &record, out);
  for (size_t i = 0; i < trace_problem_count(trace); i++)
    fprintf(out, "problem: %s\n", trace_problem_at(trace, i)->text);
}

static void directory_remove(const char *path) {
  DIR *directory = opendir(path);
  for (struct dirent *entry; directory && (entry = readdir(directory));)
    if (entry->d_name[0] != '.')
      (void)unlinkat(dirfd(directory), entry->d_name, 0);
  if (directory)
    closedir(directory);
  (void)rmdir(path);
}

bool assembled_open(struct assembled *assembled, const char *text) {
  const char *parent = getenv("TMPDIR");
  struct trace_problem problem = {.text = "no directory could be made"};
  snprintf(assembled->directory, sizeof assembled->directory, "%s/snarl-text-XXXXXX", parent ? parent : "/tmp");
  assembled->trace = NULL;
  if (!mkdtemp(assembled->directory)) {
    perror(assembled->directory);
    return false;
  }
  if (trace_assemble(text, assembled->directory, problem.text, sizeof problem.text) == 0)
    assembled->trace = trace_open(assembled->directory, &problem);
  if (assembled->trace)
    return true;
  fprintf(stderr, "%s\n", problem.text);
  directory_remove(assembled->directory);
  return false;
}

void assembled_close(struct assembled *assembled) {
  if (!assembled->trace)
    return;
  trace_close(assembled->trace);
  assembled->trace = NULL;
  directory_remove(assembled->directory);
}
