/* SPDX-License-Identifier: MIT
 *
 * Reads the fingerprints out of an earlier JSON report: the "id" of each object in the top level's "findings". A
 * scanner that accepts what our own renderer writes and any other order of fields. Main thread.
 */
#include "complain.h"
#include "filter.h"

#include <stdlib.h>
#include <string.h>

struct scan {
  const char *at;
  bool is_bad;
};

static char look(struct scan *scan) {
  scan->at += strspn(scan->at, " \t\r\n");
  return *scan->at;
}

static bool take(struct scan *scan, char wanted) {
  if (look(scan) != wanted)
    return false;
  scan->at++;
  return true;
}

/* A string: where its text is and how long, escapes as they are (names and fingerprints have none). */
static const char *scan_string(struct scan *scan, size_t *length) {
  if (!take(scan, '"')) {
    scan->is_bad = true;
    return "";
  }
  const char *start = scan->at;
  while (*scan->at && *scan->at != '"')
    scan->at += scan->at[0] == '\\' && scan->at[1] ? 2 : 1;
  *length = (size_t)(scan->at - start);
  scan->is_bad |= !take(scan, '"');
  return start;
}

/* Passes over one value. Depth is counted, not recursed into. */
static void scan_value(struct scan *scan) {
  size_t depth = 0, length;
  do {
    char c = look(scan);
    if (c == '"')
      scan_string(scan, &length);
    else if (!c)
      scan->is_bad = true;
    else if (c == ',' || c == ':')
      scan->at++;
    else if (c == '{' || c == '[')
      depth++, scan->at++;
    else if (c == '}' || c == ']')
      scan->is_bad |= depth == 0, depth -= depth > 0, scan->at++;
    else
      scan->at += strcspn(scan->at, ",:{}[]\" \t\r\n");
  } while (depth && !scan->is_bad);
}

static bool is_key(const char *key, size_t length, const char *wanted) {
  return strlen(wanted) == length && memcmp(key, wanted, length) == 0;
}

static bool add_known(struct filter *filter, const char *id, size_t length) {
  char(*known)[17] = realloc(filter->known, (filter->known_count + 1) * sizeof *known);
  if (!known)
    return false;
  filter->known = known;
  memset(known[filter->known_count], 0, sizeof *known);
  memcpy(known[filter->known_count++], id, length);
  return true;
}

/* Calls `member` for each member of an object, with the scanner at its value. */
static bool scan_object(struct scan *scan, struct filter *filter,
                        bool (*member)(struct scan *, struct filter *, const char *key, size_t length)) {
  bool has_any = false;
  scan->is_bad |= !take(scan, '{');
  while (!scan->is_bad && look(scan) != '}') {
    size_t length = 0;
    if (has_any && !take(scan, ','))
      scan->is_bad = true;
    const char *key = scan_string(scan, &length);
    if (!take(scan, ':'))
      scan->is_bad = true;
    if (!scan->is_bad && !member(scan, filter, key, length))
      return false;
    has_any = true;
  }
  scan->is_bad |= !take(scan, '}');
  return true;
}

static bool finding_member(struct scan *scan, struct filter *filter, const char *key, size_t length) {
  if (!is_key(key, length, "id") || look(scan) != '"')
    return scan_value(scan), true;
  size_t id_length = 0;
  const char *id = scan_string(scan, &id_length);
  return id_length != 16 || add_known(filter, id, id_length);
}

static bool report_member(struct scan *scan, struct filter *filter, const char *key, size_t length) {
  if (!is_key(key, length, "findings") || look(scan) != '[')
    return scan_value(scan), true;
  take(scan, '[');
  bool is_good = true;
  while (is_good && !scan->is_bad && look(scan) == '{') {
    is_good = scan_object(scan, filter, finding_member);
    if (!take(scan, ','))
      break;
  }
  scan->is_bad |= !take(scan, ']');
  return is_good;
}

enum exit_status filter_add_baseline(struct filter *filter, const char *name, const char *text) {
  struct scan scan = {.at = text};
  do /* several traces give several documents */
    if (!scan_object(&scan, filter, report_member))
      return complain("out of memory"), EXIT_FAILED;
  while (!scan.is_bad && look(&scan) == '{');
  if (!scan.is_bad && !look(&scan))
    return EXIT_OK;
  complain("%s is no JSON report of snarl; write one with -f json=FILE", name);
  return EXIT_USAGE;
}
