/* SPDX-License-Identifier: MIT
 *
 * The rules' table and the names of levels and verdicts. Pure data, any thread.
 */
#include <snarl/finding.h>

static const struct finding_rule_info rules[RULE_COUNT] = {
#define FINDING(NAME, id, level, title, help) [RULE_##NAME] = {id, LEVEL_##level, title, help},
#include <snarl/findings.def>
};

const struct finding_rule_info *finding_rule_info(enum finding_rule rule) { return &rules[rule]; }

const char *finding_level_name(enum finding_level level) {
  static const char *const names[] = {"note", "warning", "error"};
  return names[level];
}

const char *finding_verdict_name(enum finding_verdict verdict) {
  static const char *const names[] = {"happened", "impossible", "unconfirmed", "feasible", "proved", "reproduced"};
  return names[verdict];
}
