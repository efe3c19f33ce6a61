/* SPDX-License-Identifier: MIT
 *
 * Colours, wrapped paragraphs and call stacks of the text report. One thread per page.
 */
#include "page.h"
#include "plain.h"
#include <stdlib.h>
#include <string.h>

/* A stack of more lines than this is shown by its two ends; an interpreter's runs to hundreds. */
#define STACK_LINES 24u
#define STACK_OUTER 4u
#define NAME_COLUMNS 96u

void page_ink(const struct page *page, enum page_ink ink) {
  static const char *const codes[] = {"1;31", "1;33", "1;36", "1", "36", "2"};
  if (page->use_colour)
    fprintf(page->out, "\x1b[%sm", codes[ink]);
}

void page_plain(const struct page *page) {
  if (page->use_colour)
    fputs("\x1b[0m", page->out);
}

void page_inked(const struct page *page, enum page_ink ink, const char *text, size_t columns) {
  page_ink(page, ink);
  plain_put(page->out, text, page->is_verbose ? 0 : columns);
  page_plain(page);
}

static void wrap_line(const struct page *page, size_t indent, char *line) {
  size_t column = 0;
  char *rest = NULL;
  for (char *word = strtok_r(line, " ", &rest); word != NULL; word = strtok_r(NULL, " ", &rest)) {
    size_t width = plain_columns(word);
    if (column == 0 || column + 1 + width > PAGE_WIDTH) {
      fprintf(page->out, "%s%*s", column == 0 ? "" : "\n", (int)indent, "");
      column = indent;
    } else {
      fputc(' ', page->out);
      column++;
    }
    fputs(word, page->out);
    column += width;
  }
  if (column != 0)
    fputc('\n', page->out);
}

void page_paragraph(const struct page *page, size_t indent, const char *text) {
  char *safe = plain_copy(text, 0);
  if (safe != NULL)
    wrap_line(page, indent, safe);
  else
    plain_put(page->out, text, 0);
  free(safe);
}

static void put_place(const struct page *page, const struct finding_frame *frame) {
  size_t columns = page->is_verbose ? 0 : NAME_COLUMNS;
  if (frame->file[0] != '\0') {
    plain_put(page->out, frame->file, columns);
    if (frame->line != 0)
      fprintf(page->out, ":%u", frame->line);
    return;
  }
  fputc('(', page->out);
  plain_put(page->out, frame->module[0] == '\0' ? "no module" : plain_base(frame->module), columns);
  fprintf(page->out, "+0x%llx)", (unsigned long long)frame->offset);
}

static void put_frame(const struct page *page, size_t indent, size_t number, const struct finding_frame *frame) {
  fprintf(page->out, "%*s#%-2zu ", (int)indent, "", number);
  page_inked(page, INK_BOLD, frame->function[0] == '\0' ? "??" : frame->function, NAME_COLUMNS);
  fputs(frame->is_inlined ? " (inlined)" : "", page->out);
  bool is_nowhere = strcmp(frame->function, FINDING_SIGNAL_FRAME) == 0;
  fputs(is_nowhere ? "" : "  ", page->out);
  if (!is_nowhere)
    put_place(page, frame);
  fputc('\n', page->out);
}

static void put_fold(const struct page *page, size_t indent, size_t count, const char *what) {
  fprintf(page->out, "%*s", (int)indent + 4, "");
  page_ink(page, INK_FAINT);
  fprintf(page->out, "... %zu %s%s", count, count == 1 ? "frame" : "frames", what);
  page_plain(page);
  fputc('\n', page->out);
}

/* What there is to see of a stack: the program's own frames; if it has none, its interpreted ones; else all. */
static bool is_folded(const struct finding_stack *stack, const struct finding_frame *frame) {
  bool has_own = false, has_interpreted = false;
  for (size_t i = 0; i < stack->count; i++) {
    has_own = has_own || !stack->frames[i].is_internal;
    has_interpreted = has_interpreted || stack->frames[i].is_interpreted;
  }
  return frame->is_internal && (has_own || (has_interpreted && !frame->is_interpreted));
}

/* Frames from `i` on that belong together: the length of a run of folded frames, 0 for a frame to show. */
static size_t internal_run(const struct page *page, const struct finding_stack *stack, size_t i) {
  size_t run = 0;
  while (!page->is_verbose && i + run < stack->count && is_folded(stack, &stack->frames[i + run]))
    run++;
  return run;
}

static const char *whose_internal(const struct finding_stack *stack) {
  for (size_t i = 0; i < stack->count; i++)
    if (stack->frames[i].is_interpreted)
      return " of the interpreter, its library or libc";
  return " of libc or the thread library";
}

static size_t shown_lines(const struct page *page, const struct finding_stack *stack) {
  size_t lines = 0;
  for (size_t i = 0, run; i < stack->count; i += run != 0 ? run : 1, lines++)
    run = internal_run(page, stack, i);
  return lines;
}

void page_stack(const struct page *page, size_t indent, const struct finding_stack *stack) {
  size_t lines = shown_lines(page, stack);
  size_t cut_from = STACK_LINES - STACK_OUTER - 1, cut_to = lines - STACK_OUTER, line = 0, skipped = 0;
  bool is_deep = !page->is_verbose && lines > STACK_LINES;
  for (size_t i = 0, run; i < stack->count; i += run, line++) {
    size_t internal = internal_run(page, stack, i);
    run = internal != 0 ? internal : 1;
    if (is_deep && line >= cut_from && line < cut_to) {
      skipped += run;
      if (line + 1 == cut_to)
        put_fold(page, indent, skipped, " between, --verbose shows them");
    } else if (internal != 0)
      put_fold(page, indent, internal, whose_internal(stack));
    else
      put_frame(page, indent, i, &stack->frames[i]);
  }
  if (stack->is_cut) {
    fprintf(page->out, "%*s", (int)indent + 4, "");
    page_inked(page, INK_FAINT, "... deeper frames were not recorded", 0);
    fputc('\n', page->out);
  }
}

bool page_origin(const struct page *page, const char *before, const struct finding_stack *stack) {
  size_t i = 0;
  while (i < stack->count && stack->frames[i].is_internal)
    i++;
  if (i == stack->count)
    return false;
  const struct finding_frame *frame = &stack->frames[i];
  fputs(before, page->out);
  plain_put(page->out, frame->function[0] == '\0' ? "??" : frame->function, page->is_verbose ? 0 : NAME_COLUMNS);
  fputc(' ', page->out);
  put_place(page, frame);
  return true;
}
