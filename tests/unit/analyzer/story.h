/* SPDX-License-Identifier: MIT
 *
 * Stories: text traces with short words for what threads do, analyzed, and what must come out of it. One thread.
 *
 *   "process 1 app\n" "1.0 start 1\n" "1.1 begin\n" "1.1 lock A\n" "1.1 unlock A\n" "1.1 end\n" "1.0 join 1\n"
 *
 * lock unlock ask (mutex), read write leave askread askwrite (rwlock), spin unspin askspin, p v askp try miss
 * (semaphore), start begin end join askjoin: each is the records of the whole call; ask... is a call that does not come
 * back. Any other line goes to the assembler as it is. Each call's stack is one frame: word_object@story.c:LINE.
 */
#ifndef SNARL_TESTS_ANALYZER_STORY_H
#define SNARL_TESTS_ANALYZER_STORY_H

#include "assembler.h"
#include <setjmp.h>
#include <snarl/analyzer.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h> /* after what it needs */

struct story {
  struct assembled assembled;
  struct analysis *analysis;
  const struct report *report;
};

/* The text of a story in the assembler's words; freed by the caller. */
char *story_text(const char *story);
void story_open(struct story *story, const char *text, struct analysis_options options);
void story_close(struct story *story);

/* Analyzes; exactly one finding: of this rule, this verdict, whose title, message or reason holds `words`. With rule
 * NULL there is none. */
void expect(const char *text, const char *rule, const char *verdict, const char *words);
/* No finding, and with show_impossible exactly one impossible cycle whose reason holds `words`. */
void expect_impossible(const char *text, const char *words);

/* Threads 1 and 2, started by 0; and their ends. */
#define TWO "process 1 app\n1.0 start 1\n1.0 start 2\n1.1 begin\n1.2 begin\n"
#define TWO_END "1.1 end\n1.2 end\n1.0 join 1\n1.0 join 2\n"

#endif
