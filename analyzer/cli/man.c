/* SPDX-License-Identifier: MIT
 *
 * Writes the man pages from the tables of the command line: snarl.1 and one page per subcommand into the folder given.
 * Runs while Snarl is built, and is not installed.
 */
#include "options.h"

#include <snarl/finding.h>
#include <snarl/report.h>
#include <stdlib.h>
#include <string.h>

/* `text` with what roff takes for its own kept from it; a newline ends a paragraph. */
static void put_text(FILE *out, const char *text) {
  bool at_start = true;
  for (; *text; text++) {
    if (at_start && (*text == '.' || *text == '\''))
      fputs("\\&", out);
    if (*text == '\\')
      fputs("\\e", out);
    else if (*text == '-')
      fputs("\\-", out);
    else if (*text == '\n')
      fputs(text[1] ? "\n.PP" : "", out);
    if (*text != '\\' && *text != '-')
      fputc(*text, out);
    at_start = *text == '\n';
  }
}

static void put_head(FILE *out, const char *page, const char *version) {
  fprintf(out, ".\\\" Written by snarl-man from the tables of the command line.\n.TH ");
  for (; *page; page++)
    fputc(*page >= 'a' && *page <= 'z' ? *page - 'a' + 'A' : *page, out);
  fprintf(out, " 1 \"\" \"snarl %s\" \"Snarl\"\n.SH NAME\n", version);
}

static void put_formats(FILE *out) {
  const struct renderer *renderer;
  for (size_t i = 0; (renderer = renderer_at(i)) != NULL; i++) {
    fprintf(out, ".RS\n.TP 10\n.B %s\n", renderer->name);
    put_text(out, renderer->help);
    fputs("\n.RE\n", out);
  }
}

static void put_options(FILE *out, enum command_id command) {
  const struct option *option;
  fputs(".SH OPTIONS\n", out);
  for (size_t i = 0; (option = option_at(i)) != NULL; i++) {
    if (!(option->commands >> command & 1))
      continue;
    fputs(".TP\n", out);
    if (option->letter)
      fprintf(out, "\\fB\\-%c\\fR, ", option->letter);
    fputs("\\fB\\-\\-", out);
    put_text(out, option->name);
    fputs("\\fR", out);
    if (option->argument[0]) {
      fputs("=\\fI", out);
      put_text(out, option->argument);
      fputs("\\fR", out);
    }
    fputc('\n', out);
    put_text(out, option->help);
    if (option->preset[0])
      fprintf(out, " The default is %s.", option->preset);
    fputc('\n', out);
    if (option->letter == 'f' && option->type == OPTION_LIST)
      put_formats(out);
  }
  fputs(".TP\n\\fB\\-h\\fR, \\fB\\-\\-help\\fR\nPrint a summary.\n", out);
}

static void put_exits(FILE *out) {
  fputs(".SH EXIT STATUS\n", out);
  for (size_t i = 0; exit_at(i).when; i++) {
    fprintf(out, ".TP 6\n.B %d\n", exit_at(i).value);
    put_text(out, exit_at(i).when);
    fputc('\n', out);
  }
  fputs(
      ".PP\nFindings weigh more than the program's own exit status, and that more than trouble of snarl itself: "
      "66 if there are findings, else the program's exit status unless it is 0, else 1 or 3 if snarl failed, else 0.\n",
      out);
}

static void put_suppressions(FILE *out) {
  fputs(".SH SUPPRESSIONS\n"
        "A file of lines \\fIrule\\fB:\\fIpattern\\fR, in the form that ThreadSanitizer reads; # begins a comment "
        "line. A "
        "finding is left out if its rule is\n.I rule\nand\n.I pattern\nis found in a function, file or module of any "
        "frame of its steps, or in the name of an object: anywhere in it, or at its start with ^, at its end with $; * "
        "stands for any text. \\fBid:\\fIfingerprint\\fR leaves out one finding. How many were left out is always "
        "said. The "
        "rules are:\n",
        out);
  for (int i = 0; i < RULE_COUNT; i++) {
    fputs(".TP\n.B ", out);
    put_text(out, finding_rule_info((enum finding_rule)i)->id);
    fputc('\n', out);
    put_text(out, finding_rule_info((enum finding_rule)i)->title);
    fputs(".\n", out);
  }
  fputs(".PP\nLike ThreadSanitizer's, \\fBdeadlock\\fR also covers lock\\-order\\-cycle and self\\-deadlock; \\fB*\\fR "
        "covers "
        "every rule. Rules that only ThreadSanitizer has are passed over.\n",
        out);
}

static void put_environment(FILE *out) {
  fputs(".SH ENVIRONMENT\n"
        ".TP\n.B CI\ntrue: a program that deadlocks is killed.\n"
        ".TP\n.B NO_COLOR\nNot empty: text has no colours.\n"
        ".TP\n.B SNARL_LIBDIR\nThe folder of libsnarl\\-preload.so, if it is not where it was installed beside the "
        "command.\n"
        ".TP\n.B TMPDIR\nWhere traces that are not kept lie while they are needed.\n"
        ".PP\nThe program finds\n.B SNARL_TRACE\nand\n.B LD_PRELOAD\nin its environment.\n",
        out);
}

static void put_see_also(FILE *out) {
  fputs(".SH SEE ALSO\n.BR snarl (1)", out);
  for (int i = 0; i < COMMAND_COUNT; i++)
    fprintf(out, ",\n.BR snarl\\-%s (1)", commands[i].name);
  fputc('\n', out);
}

static void put_command(FILE *out, enum command_id id, const char *version) {
  const struct command *command = &commands[id];
  char page[64];
  snprintf(page, sizeof page, "snarl-%s", command->name);
  put_head(out, page, version);
  fprintf(out, "snarl\\-%s \\- ", command->name);
  put_text(out, command->summary);
  fprintf(out, "\n.SH SYNOPSIS\n.B snarl %s\n", command->name);
  put_text(out, command->arguments);
  fputs("\n.SH DESCRIPTION\n", out);
  put_text(out, command->description);
  put_options(out, id);
  if (ON_RUN >> id & 1 || ON_ANALYZE >> id & 1)
    put_suppressions(out);
  put_exits(out);
  if (command->kind == TAKES_PROGRAM)
    put_environment(out);
  put_see_also(out);
}

static void put_snarl(FILE *out, const char *version) {
  put_head(out, "snarl", version);
  fputs("snarl \\- find deadlocks, races and leaks in concurrent programs\n"
        ".SH SYNOPSIS\n.B snarl\n.I COMMAND\n[OPTION]... [ARGUMENT]...\n.SH DESCRIPTION\n"
        "Records what the threads and processes of a program do with each other, and says in words and pictures which "
        "deadlocks happened, which could have happened, and how it knows. The program need not be built for it.\n"
        ".SH COMMANDS\n",
        out);
  for (int i = 0; i < COMMAND_COUNT; i++) {
    fprintf(out, ".TP\n.BR snarl\\-%s (1)\n", commands[i].name);
    put_text(out, commands[i].summary);
    fputc('\n', out);
  }
  put_exits(out);
  put_environment(out);
  put_see_also(out);
}

/* Opens FOLDER/NAME.1; ends the build on failure. */
static FILE *open_page(const char *folder, const char *name) {
  char path[4096];
  snprintf(path, sizeof path, "%s/%s.1", folder, name);
  FILE *out = fopen(path, "we");
  if (!out) {
    perror(path);
    exit(1);
  }
  return out;
}

int main(int count, char **words) {
  if (count != 3) {
    fputs("usage: snarl-man FOLDER VERSION\n", stderr);
    return 2;
  }
  FILE *out = open_page(words[1], "snarl");
  put_snarl(out, words[2]);
  int failed = fclose(out) != 0;
  for (int i = 0; i < COMMAND_COUNT; i++) {
    char name[64];
    snprintf(name, sizeof name, "snarl-%s", commands[i].name);
    out = open_page(words[1], name);
    put_command(out, (enum command_id)i, words[2]);
    failed |= fclose(out) != 0;
  }
  return failed;
}
