/* SPDX-License-Identifier: MIT
 *
 * Stories (see story.h). One thread.
 */
#include "story.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct word {
  const char *word;
  const char *records[2]; /* of one call */
};

static const struct word words[] = {
    {"lock", {"mutex-requested", "mutex-acquired"}},
    {"ask", {"mutex-requested"}},
    {"unlock", {"mutex-released"}},
    {"read", {"rwlock-read-requested", "rwlock-read-acquired"}},
    {"write", {"rwlock-write-requested", "rwlock-write-acquired"}},
    {"askread", {"rwlock-read-requested"}},
    {"askwrite", {"rwlock-write-requested"}},
    {"leave", {"rwlock-released"}},
    {"spin", {"spin-requested", "spin-acquired"}},
    {"askspin", {"spin-requested"}},
    {"unspin", {"spin-released"}},
    {"p", {"sem-requested", "sem-acquired"}},
    {"askp", {"sem-requested"}},
    {"v", {"sem-posted"}},
};

static void write_call(FILE *out, const char *actor, const struct word *word, const char *object, unsigned line) {
  for (size_t i = 0; i < 2 && word->records[i]; i++)
    fprintf(out, "%s %s %s %s_%s@story.c:%u\n", actor, word->records[i], object, word->word, object, line);
}

/* True when the line was one of the words about threads. */
static int write_thread(FILE *out, const char *actor, const char *word, const char *object, unsigned line) {
  int pid = atoi(actor);
  if (!strcmp(word, "start"))
    fprintf(out, "%s thread-create-requested %s main@story.c:%u\n%s thread-created %d.%s main@story.c:%u\n", actor,
            object, line, actor, pid, object, line);
  else if (!strcmp(word, "begin"))
    fprintf(out, "%s thread-begin %s work@story.c:1\n", actor, actor);
  else if (!strcmp(word, "end"))
    fprintf(out, "%s thread-end %s\n", actor, actor);
  else if (!strcmp(word, "join") || !strcmp(word, "askjoin"))
    fprintf(out, "%s thread-join-requested %d.%s join@story.c:%u\n", actor, pid, object, line);
  else if (!strcmp(word, "try"))
    fprintf(out, "%s sem-acquired %s try p_try@story.c:7\n", actor, object);
  else if (!strcmp(word, "miss"))
    fprintf(out, "%s sem-failed %s EAGAIN p_try@story.c:7\n", actor, object);
  else
    return 0;
  if (!strcmp(word, "join"))
    fprintf(out, "%s thread-joined %d.%s join@story.c:%u\n", actor, pid, object, line);
  return 1;
}

static void write_line(FILE *out, const char *line, unsigned number) {
  char actor[32] = "", word[32] = "", object[32] = "";
  int fields = sscanf(line, "%31s %31s %31s", actor, word, object);
  for (size_t i = 0; fields == 3 && i < sizeof words / sizeof *words; i++)
    if (!strcmp(words[i].word, word)) {
      write_call(out, actor, &words[i], object, number);
      return;
    }
  if (fields < 2 || !write_thread(out, actor, word, object, number))
    fprintf(out, "%s\n", line);
}

char *story_text(const char *story) {
  char *text = NULL, *copy = strdup(story), *rest = copy;
  size_t size = 0;
  FILE *out = open_memstream(&text, &size);
  unsigned number = 0;
  for (char *line; (line = strsep(&rest, "\n"));)
    write_line(out, line, ++number);
  fclose(out);
  free(copy);
  return text;
}

void story_open(struct story *story, const char *text, struct analysis_options options) {
  char *assembled = story_text(text);
  bool opened = assembled_open(&story->assembled, assembled);
  free(assembled);
  assert_true(opened);
  story->analysis = analysis_new(story->assembled.trace, "story", &options);
  assert_non_null(story->analysis);
  story->report = analysis_report(story->analysis);
}

void story_close(struct story *story) {
  analysis_free(story->analysis);
  assembled_close(&story->assembled);
}

static void show(const struct finding *finding) {
  print_message("%s %s: %s\n  %s\n  %s\n", finding_rule_info(finding->rule)->id, finding_verdict_name(finding->verdict),
                finding->title, finding->message, finding->reason);
}

static void expect_words(const struct finding *finding, const char *words_wanted) {
  if (strstr(finding->title, words_wanted) || strstr(finding->message, words_wanted) ||
      strstr(finding->reason, words_wanted))
    return;
  show(finding);
  fail_msg("nothing says \"%s\"", words_wanted);
}

void expect(const char *text, const char *rule, const char *verdict, const char *words_wanted) {
  struct story story;
  story_open(&story, text, (struct analysis_options){0});
  for (size_t i = 0; i < story.report->finding_count && story.report->finding_count != (rule ? 1u : 0u); i++)
    show(&story.report->findings[i]);
  assert_int_equal(story.report->finding_count, rule ? 1 : 0);
  if (rule) {
    const struct finding *finding = &story.report->findings[0];
    assert_string_equal(finding_rule_info(finding->rule)->id, rule);
    assert_string_equal(finding_verdict_name(finding->verdict), verdict);
    expect_words(finding, words_wanted);
  }
  story_close(&story);
}

void expect_impossible(const char *text, const char *words_wanted) {
  struct story story;
  expect(text, NULL, NULL, NULL);
  story_open(&story, text, (struct analysis_options){.show_impossible = true});
  assert_int_equal(story.report->finding_count, 0);
  for (size_t i = 0; i < story.report->impossible_count && story.report->impossible_count != 1; i++)
    show(&story.report->impossible[i]);
  assert_int_equal(story.report->impossible_count, 1);
  assert_string_equal(finding_verdict_name(story.report->impossible[0].verdict), "impossible");
  expect_words(&story.report->impossible[0], words_wanted);
  story_close(&story);
  story_open(&story, text, (struct analysis_options){0});
  assert_int_equal(story.report->impossible_hidden, 1);
  story_close(&story);
}
