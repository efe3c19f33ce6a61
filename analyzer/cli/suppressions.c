/* SPDX-License-Identifier: MIT
 *
 * Suppression files in ThreadSanitizer's form: "rule:pattern" lines, # comments. A rule that we do not know and TSan
 * does is passed over, so that one file serves both; any other is an error, because a misspelt line would suppress
 * nothing in silence. Main thread.
 */
#include "complain.h"
#include "filter.h"

#include <stdlib.h>
#include <string.h>

static bool is_ours(const char *rule) {
  static const char *const families[] = {"deadlock", "race", "thread", "id", "*"};
  for (size_t i = 0; i < sizeof families / sizeof *families; i++)
    if (strcmp(rule, families[i]) == 0)
      return true;
  for (int i = 0; i < RULE_COUNT; i++)
    if (strcmp(rule, finding_rule_info((enum finding_rule)i)->id) == 0)
      return true;
  return false;
}

static bool is_only_tsans(const char *rule) {
  static const char *const words[] = {"race_top", "mutex", "signal", "called_from_lib"};
  for (size_t i = 0; i < sizeof words / sizeof *words; i++)
    if (strcmp(rule, words[i]) == 0)
      return true;
  return false;
}

static char *trim(char *line) {
  line += strspn(line, " \t\r");
  for (char *end = line + strlen(line); end > line && strchr(" \t\r", end[-1]);)
    *--end = '\0';
  return line;
}

enum exit_status filter_add_suppressions(struct filter *filter, const char *name, char *text) {
  unsigned number = 0;
  for (char *next = text, *raw; (raw = strsep(&next, "\n")) != NULL;) {
    char *line = trim(raw), *colon = strchr(line, ':');
    number++;
    if (!*line || *line == '#')
      continue;
    if (!colon || !colon[1])
      return complain("%s:%u: expected rule:pattern, found '%s'", name, number, line), EXIT_USAGE;
    *colon = '\0';
    if (is_only_tsans(line))
      continue;
    if (!is_ours(line))
      return complain("%s:%u: there is no rule '%s'", name, number, line), EXIT_USAGE;
    struct rule_line *lines = realloc(filter->lines, (filter->line_count + 1) * sizeof *lines);
    if (!lines)
      return complain("out of memory"), EXIT_FAILED;
    filter->lines = lines;
    lines[filter->line_count++] = (struct rule_line){line, colon + 1};
  }
  return EXIT_OK;
}

/* `pattern` of `length` bytes against the start of `text`; `to_end`: it must reach the end of `text`. The last star is
 * kept to come back to, so the time is at most length times length. */
static bool matches_here(const char *pattern, const char *end, const char *text, bool to_end) {
  const char *star = NULL, *resume = NULL;
  for (;;) {
    if (pattern < end && *pattern == '*') {
      star = ++pattern;
      resume = text;
    } else if (pattern == end && (!to_end || !*text))
      return true;
    else if (*text && pattern < end && *pattern == *text) {
      pattern++;
      text++;
    } else if (star && *resume) {
      pattern = star;
      text = ++resume;
    } else
      return false;
  }
}

bool pattern_matches(const char *pattern, const char *text) {
  const char *end = pattern + strlen(pattern);
  bool from_start = *pattern == '^';
  bool to_end = end > pattern + from_start && end[-1] == '$';
  pattern += from_start;
  end -= to_end;
  for (;; text++) {
    if (matches_here(pattern, end, text, to_end))
      return true;
    if (from_start || !*text)
      return false;
  }
}
