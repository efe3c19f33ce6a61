/* SPDX-License-Identifier: MIT
 *
 * The report for people, read on a terminal by somebody tired: the answer first, then the evidence, then what to do.
 * Silence is explained too: a report without findings says what it looked at and what it could not see.
 */
#include "formats.h"
#include "page.h"
#include "plain.h"
#include "whole.h"
#include <inttypes.h>
#include <math.h>
#include <string.h>

#define LABEL_COLUMNS 64u

static void put_count(FILE *out, uint64_t count, const char *noun) {
  fprintf(out, "%" PRIu64 " %s%s", count, noun, count == 1 ? "" : "s");
}

static void put_levels(const struct page *page, const struct report *report) {
  static const enum finding_level order[] = {LEVEL_ERROR, LEVEL_WARNING, LEVEL_NOTE};
  const char *comma = "";
  for (size_t i = 0; i < 3; i++) {
    size_t count = 0;
    for (size_t k = 0; k < report->finding_count; k++)
      count += report->findings[k].level == order[i];
    if (count == 0)
      continue;
    fputs(comma, page->out);
    page_ink(page, order[i] == LEVEL_ERROR ? INK_ERROR : order[i] == LEVEL_WARNING ? INK_WARNING : INK_NOTE);
    put_count(page->out, count, finding_level_name(order[i]));
    page_plain(page);
    comma = ", ";
  }
}

static void put_summary(const struct page *page, const struct report *report) {
  page_inked(page, INK_BOLD, "snarl: ", 0);
  if (report->finding_count == 0)
    page_inked(page, INK_BOLD, "no findings", 0);
  else
    put_levels(page, report);
  fputs(" in ", page->out);
  plain_put(page->out, report->trace, 0);
  fputs(report->is_complete ? "\n" : " (the trace is not complete, see below)\n", page->out);
}

static void put_section(const struct page *page, const char *name) {
  fputs("\n  ", page->out);
  page_inked(page, INK_BOLD, name, 0);
  fputc('\n', page->out);
}

static void put_label(const struct page *page, const char *label) { page_inked(page, INK_NAME, label, LABEL_COLUMNS); }

static void put_thread(const struct page *page, const struct finding_thread *thread) {
  fputs("    ", page->out);
  put_label(page, thread->label);
  fprintf(page->out, "  thread %" PRIu32 " of process %" PRIu32, thread->tid, thread->pid);
  if (strcmp(thread->name, thread->label) != 0) {
    fputs(", named ", page->out);
    plain_put(page->out, thread->name, page->is_verbose ? 0 : LABEL_COLUMNS);
  }
  page_origin(page, ", started in ", &thread->created);
  fputc('\n', page->out);
}

static void put_object(const struct page *page, const struct finding_object *object) {
  fputs("    ", page->out);
  put_label(page, object->label);
  fputs("  ", page->out);
  plain_put(page->out, object->kind, 0);
  if (object->address[0] != '\0') {
    fputs(" at ", page->out);
    plain_put(page->out, object->address, 0);
  }
  fputs(object->is_shared ? ", shared between processes" : "", page->out);
  page_origin(page, ", from ", &object->created);
  fputc('\n', page->out);
}

/* What is waited for may be a thread: it has its line already. */
static bool is_listed(const struct finding *finding, const struct finding_object *object) {
  for (size_t i = 0; i < finding->thread_count; i++)
    if (strcmp(object->kind, "thread") == 0 && strcmp(object->label, finding->threads[i].label) == 0)
      return true;
  return false;
}

static void put_participants(const struct page *page, const struct finding *finding) {
  if (finding->thread_count + finding->object_count == 0)
    return;
  put_section(page, "Who and what");
  for (size_t i = 0; i < finding->thread_count; i++)
    put_thread(page, &finding->threads[i]);
  for (size_t i = 0; i < finding->object_count; i++)
    if (!is_listed(finding, &finding->objects[i]))
      put_object(page, &finding->objects[i]);
}

static void put_step(const struct page *page, const struct finding *finding, size_t i) {
  const struct finding_step *step = &finding->steps[i];
  fprintf(page->out, "    %zu. %" PRIu64 ".%06" PRIu64 " s  ", i + 1, step->time_ns / 1000000000u,
          step->time_ns / 1000u % 1000000u);
  put_label(page, finding->threads[step->thread].label);
  fputc(' ', page->out);
  plain_put(page->out, step->op, 0);
  if (step->object >= 0) {
    fputc(' ', page->out);
    put_label(page, finding->objects[step->object].label);
  }
  if (step->note[0] != '\0') {
    fputc(' ', page->out);
    plain_put(page->out, step->note, 0);
  }
  fputc('\n', page->out);
  page_stack(page, 9, &step->stack);
}

static void put_steps(const struct page *page, const struct finding *finding) {
  if (finding->step_count == 0)
    return;
  put_section(page, "What happened, in the order of time (innermost call first)");
  for (size_t i = 0; i < finding->step_count; i++)
    put_step(page, finding, i);
}

static void put_text(const struct page *page, const char *name, const char *text) {
  if (text[0] == '\0')
    return;
  put_section(page, name);
  page_paragraph(page, 4, text);
}

static void put_finding(const struct page *page, const struct finding *finding, size_t number, size_t total) {
  enum page_ink ink = finding->level == LEVEL_ERROR     ? INK_ERROR
                      : finding->level == LEVEL_WARNING ? INK_WARNING
                                                        : INK_NOTE;
  fprintf(page->out, "\n[%zu/%zu] ", number, total);
  page_inked(page, ink, finding_level_name(finding->level), 0);
  fprintf(page->out, ": %s, %s\n", finding_rule_info(finding->rule)->id, finding_verdict_name(finding->verdict));
  page_ink(page, INK_BOLD);
  page_paragraph(page, 2, finding->title);
  page_plain(page);
  if (finding->message[0] != '\0') {
    fputc('\n', page->out);
    page_paragraph(page, 2, finding->message);
  }
  put_participants(page, finding);
  put_steps(page, finding);
  put_text(page, finding->verdict == VERDICT_IMPOSSIBLE ? "Why it cannot happen" : "How it knows", finding->reason);
  put_text(page, "What to do", finding->help);
  fputs("\n  ", page->out);
  page_ink(page, INK_FAINT);
  fprintf(page->out, "id %s, seen ", finding->id);
  put_count(page->out, finding->count, "time");
  page_plain(page);
  fputc('\n', page->out);
}

static void put_impossible(const struct page *page, const struct report *report) {
  if (report->impossible_count > 0) {
    fputc('\n', page->out);
    page_inked(page, INK_BOLD, "Judged impossible, for your information:", 0);
    fputc('\n', page->out);
  }
  for (size_t i = 0; i < report->impossible_count; i++)
    put_finding(page, &report->impossible[i], i + 1, report->impossible_count);
  if (report->impossible_hidden == 0)
    return;
  fputc('\n', page->out);
  put_count(page->out, report->impossible_hidden, "lock order cycle");
  fputs(" cannot happen: --show-impossible tells why.\n", page->out);
}

/* What was not seen comes with how it limits the report, so that nobody trusts a silence that is not one. */
static void put_losses(const struct page *page, const struct report *report) {
  if (report->is_complete && report->dropped == 0 && report->problem_count == 0)
    return;
  fputc('\n', page->out);
  page_inked(page, INK_WARNING, "Not everything could be looked at:", 0);
  fputc('\n', page->out);
  if (report->dropped > 0) {
    fputs("  ", page->out);
    put_count(page->out, report->dropped, "record");
    fputs(" could not be written while the program ran.\n", page->out);
  }
  for (size_t i = 0; i < report->problem_count; i++) {
    fputs("  ", page->out);
    plain_put(page->out, report->problems[i], 0);
    fputc('\n', page->out);
  }
  if (report->dropped == 0 && report->problem_count == 0)
    fputs("  The trace is marked as not complete.\n", page->out);
  fputs("  What is reported above was seen all the same; more may have been missed.\n", page->out);
}

static void put_site(const struct page *page, const struct finding_blind_site *site) {
  const struct finding_frame *frame = &site->frame;
  fputs("    ", page->out);
  plain_put(page->out, *frame->function ? frame->function : *frame->module ? frame->module : "somewhere", 0);
  if (*frame->file) {
    fputs(" (", page->out);
    plain_put(page->out, frame->file, 0);
    fprintf(page->out, ":%" PRIu32 ")", frame->line);
  } else if (*frame->function && *frame->module) {
    fputs(" in ", page->out);
    plain_put(page->out, frame->module, 0);
  }
  fputs(": ", page->out);
  put_count(page->out, site->waits, "wait");
  fputc('\n', page->out);
}

static void put_blind_spots(const struct page *page, const struct report *report) {
  for (size_t i = 0; i < report->blind_spot_count; i++) {
    const struct finding_blind_spot *spot = &report->blind_spots[i];
    fputc('\n', page->out);
    page_inked(page, INK_WARNING, "Not seen: ", 0);
    plain_put(page->out, spot->what, 0);
    fputs(spot->site_count ? ":\n" : ".\n", page->out);
    for (size_t s = 0; s < spot->site_count; s++)
      put_site(page, &spot->sites[s]);
    bool is_said_again = i + 1 < report->blind_spot_count && strcmp(spot->help, spot[1].help) == 0;
    if (!is_said_again)
      page_paragraph(page, 2, spot->help);
  }
}

/* Without %f: a locale would write it with a comma. */
static void put_seconds(FILE *out, double seconds) {
  if (!(seconds >= 0 && seconds < 1e15))
    return;
  uint64_t milliseconds = (uint64_t)llround(seconds * 1000);
  fprintf(out, ", %" PRIu64 ".%03" PRIu64 " s of run time", milliseconds / 1000, milliseconds % 1000);
}

static void put_stats(const struct page *page, const struct report *report) {
  fputc('\n', page->out);
  page_ink(page, INK_FAINT);
  fputs("Looked at ", page->out);
  put_count(page->out, report->stats.records, "record");
  fputs(" of ", page->out);
  put_count(page->out, report->stats.threads, "thread");
  fprintf(page->out, " in %zu process%s and ", report->process_count, report->process_count == 1 ? "" : "es");
  put_count(page->out, report->stats.objects, "object");
  put_seconds(page->out, report->stats.seconds);
  fprintf(page->out, " (%" PRIu64 " bytes).", report->stats.bytes);
  page_plain(page);
  fputc('\n', page->out);
}

int text_render(const struct report *report, const struct render_options *options, FILE *out) {
  struct whole whole;
  int error = whole_begin(&whole);
  if (error != 0)
    return error;
  struct page page = {whole.stream, options->use_colour, options->is_verbose};
  put_summary(&page, report);
  for (size_t i = 0; i < report->finding_count; i++)
    put_finding(&page, &report->findings[i], i + 1, report->finding_count);
  put_impossible(&page, report);
  put_losses(&page, report);
  put_blind_spots(&page, report);
  put_stats(&page, report);
  if (report->finding_count > 0)
    put_summary(&page, report);
  return whole_write(&whole, out);
}
