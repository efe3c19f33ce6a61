/* SPDX-License-Identifier: MIT
 *
 * The pieces that the text report is set from: colours, wrapped paragraphs and call stacks. One thread per page.
 */
#ifndef SNARL_REPORTS_PAGE_H
#define SNARL_REPORTS_PAGE_H

#include <snarl/report.h>

enum page_ink { INK_ERROR, INK_WARNING, INK_NOTE, INK_BOLD, INK_NAME, INK_FAINT };

struct page {
  FILE *out;
  bool use_colour;
  bool is_verbose;
};

#define PAGE_WIDTH 100u

/* Everything written between the two is in the colour, where colours are wanted. */
void page_ink(const struct page *page, enum page_ink ink);
void page_plain(const struct page *page);
/* `text` in a colour, elided in the middle to `columns` unless verbose. */
void page_inked(const struct page *page, enum page_ink ink, const char *text, size_t columns);

/* A paragraph, each line `indent` columns in and PAGE_WIDTH wide at most; a word that is longer gets a line alone. */
void page_paragraph(const struct page *page, size_t indent, const char *text);

/* A stack, one line per frame. Runs of internal frames are folded unless verbose, and so is the middle of a stack
 * that is too deep to read; what is folded is counted. */
void page_stack(const struct page *page, size_t indent, const struct finding_stack *stack);

/* "function file:line" of the innermost frame that is not internal; false and nothing when there is none. */
bool page_origin(const struct page *page, const char *before, const struct finding_stack *stack);

#endif
