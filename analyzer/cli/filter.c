/* SPDX-License-Identifier: MIT
 *
 * Leaves findings out of a report. What is left out is counted and told, and the pictures lose the colours of what is
 * gone: their cycles are numbered by the report's findings. Main thread.
 */
#include "filter.h"

#include "complain.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *read_file(const char *path) {
  FILE *in = fopen(path, "re");
  char *text = NULL;
  size_t room = 0;
  ssize_t size = in ? getdelim(&text, &room, '\0', in) : -1;
  bool is_empty = in && size < 0 && feof(in);
  int error = errno;
  if (in)
    fclose(in);
  if (size >= 0)
    return text;
  free(text);
  if (is_empty)
    return calloc(1, 1);
  complain("cannot read %s: %s", path, strerror(error));
  return NULL;
}

enum exit_status filter_init(struct filter *filter, const struct options *options) {
  *filter = (struct filter){0};
  filter->texts = calloc(options->suppressions.count + 1, sizeof *filter->texts);
  if (!filter->texts)
    return complain("out of memory"), EXIT_FAILED;
  for (size_t i = 0; i < options->suppressions.count; i++) {
    char *text = read_file(options->suppressions.items[i]);
    if (!text)
      return EXIT_USAGE;
    filter->texts[filter->text_count++] = text;
    enum exit_status status = filter_add_suppressions(filter, options->suppressions.items[i], text);
    if (status != EXIT_OK)
      return status;
  }
  if (!options->baseline)
    return EXIT_OK;
  char *text = read_file(options->baseline);
  enum exit_status status = text ? filter_add_baseline(filter, options->baseline, text) : EXIT_USAGE;
  free(text);
  return status;
}

void filter_destroy(struct filter *filter) {
  for (size_t i = 0; i < filter->text_count; i++)
    free(filter->texts[i]);
  free(filter->texts);
  free(filter->lines);
  free(filter->known);
  *filter = (struct filter){0};
}

static bool stack_matches(const char *pattern, const struct finding_stack *stack) {
  for (size_t i = 0; i < stack->count; i++) {
    const struct finding_frame *frame = &stack->frames[i];
    if ((frame->function[0] && pattern_matches(pattern, frame->function)) ||
        (frame->file[0] && pattern_matches(pattern, frame->file)) ||
        (frame->module[0] && pattern_matches(pattern, frame->module)))
      return true;
  }
  return false;
}

/* TSan's words cover families of ours, so that one file serves both. */
static bool rule_matches(const char *rule, enum finding_rule found) {
  const char *id = finding_rule_info(found)->id;
  if (strcmp(rule, id) == 0 || strcmp(rule, "*") == 0)
    return true;
  if (strcmp(rule, "deadlock") == 0)
    return strcmp(id, "lock-order-cycle") == 0 || strcmp(id, "self-deadlock") == 0;
  if (strcmp(rule, "race") == 0)
    return strcmp(id, "data-race") == 0 || strcmp(id, "predicted-race") == 0;
  return strcmp(rule, "thread") == 0 && strcmp(id, "thread-leak") == 0;
}

static bool line_matches(const struct rule_line *line, const struct finding *finding) {
  if (strcmp(line->rule, "id") == 0)
    return strcmp(line->pattern, finding->id) == 0;
  if (!rule_matches(line->rule, finding->rule))
    return false;
  for (size_t i = 0; i < finding->step_count; i++)
    if (stack_matches(line->pattern, &finding->steps[i].stack))
      return true;
  for (size_t i = 0; i < finding->object_count; i++)
    if (finding->objects[i].name[0] && pattern_matches(line->pattern, finding->objects[i].name))
      return true;
  return false;
}

static bool is_suppressed(const struct filter *filter, const struct finding *finding) {
  for (size_t i = 0; i < filter->line_count; i++)
    if (line_matches(&filter->lines[i], finding))
      return true;
  return false;
}

static bool is_known(const struct filter *filter, const struct finding *finding) {
  for (size_t i = 0; i < filter->known_count; i++)
    if (strcmp(filter->known[i], finding->id) == 0)
      return true;
  return false;
}

static void renumber(enum picture_emphasis *emphasis, int32_t *cycle, const int32_t *numbers, size_t count) {
  if (*cycle <= 0 || (size_t)*cycle > count)
    return;
  *cycle = numbers[*cycle - 1];
  if (*cycle == 0 && *emphasis == EMPHASIS_CYCLE)
    *emphasis = EMPHASIS_NONE;
}

static bool copy_picture(struct picture *picture, const int32_t *numbers, size_t count) {
  struct picture_node *nodes = calloc(picture->node_count + 1, sizeof *nodes);
  struct picture_edge *edges = calloc(picture->edge_count + 1, sizeof *edges);
  bool is_good = nodes && edges;
  for (size_t i = 0; is_good && i < picture->node_count; i++) {
    nodes[i] = picture->nodes[i];
    renumber(&nodes[i].emphasis, &nodes[i].cycle, numbers, count);
  }
  for (size_t i = 0; is_good && i < picture->edge_count; i++) {
    edges[i] = picture->edges[i];
    renumber(&edges[i].emphasis, &edges[i].cycle, numbers, count);
  }
  picture->nodes = nodes;
  picture->edges = edges;
  return is_good;
}

bool filter_apply(const struct filter *filter, const struct report *report, struct filtered *filtered) {
  *filtered = (struct filtered){.report = *report};
  struct finding *kept = calloc(report->finding_count + 1, sizeof *kept);
  int32_t *numbers = calloc(report->finding_count + 1, sizeof *numbers);
  size_t count = 0;
  for (size_t i = 0; kept && numbers && i < report->finding_count; i++) {
    const struct finding *finding = &report->findings[i];
    if (is_suppressed(filter, finding))
      filtered->suppressed++;
    else if (is_known(filter, finding))
      filtered->in_baseline++;
    else {
      kept[count++] = *finding;
      numbers[i] = (int32_t)count;
    }
  }
  filtered->report.findings = kept;
  filtered->report.finding_count = count;
  bool is_good = kept && numbers;
  if (numbers) {
    is_good &= copy_picture(&filtered->report.lock_order, numbers, report->finding_count);
    is_good &= copy_picture(&filtered->report.wait_for, numbers, report->finding_count);
    is_good &= copy_picture(&filtered->report.happens_before, numbers, report->finding_count);
  }
  free(numbers);
  return is_good;
}

void filtered_destroy(struct filtered *filtered) {
  free((void *)filtered->report.findings);
  free((void *)filtered->report.lock_order.nodes);
  free((void *)filtered->report.lock_order.edges);
  free((void *)filtered->report.wait_for.nodes);
  free((void *)filtered->report.wait_for.edges);
  free((void *)filtered->report.happens_before.nodes);
  free((void *)filtered->report.happens_before.edges);
}
