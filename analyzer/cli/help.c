/* SPDX-License-Identifier: MIT
 *
 * Help texts from the tables of the command line. Main thread.
 */
#include "options.h"

#include <snarl/report.h>
#include <string.h>

enum { WIDTH = 80 };

/* Writes `text` in lines of WIDTH columns, each after `indent` spaces, of which `done` are there; a newline in it ends
 * a paragraph. */
static void wrap_from(FILE *out, const char *text, int indent, int done) {
  int column = 0;
  while (*text) {
    int word = (int)strcspn(text, " \n");
    if (column && column + 1 + word > WIDTH) {
      fputc('\n', out);
      column = 0;
    }
    int spaces = column ? 1 : indent - done;
    fprintf(out, "%*s%.*s", spaces, "", word, text);
    column += (column ? 1 : indent) + word;
    done = 0;
    text += word;
    if (*text == '\n') {
      fputc('\n', out);
      column = 0;
    }
    text += *text != '\0';
  }
  if (column)
    fputc('\n', out);
}

static void wrap(FILE *out, const char *text, int indent) { wrap_from(out, text, indent, 0); }

static void help_formats(FILE *out) {
  const struct renderer *renderer;
  for (size_t i = 0; (renderer = renderer_at(i)) != NULL; i++)
    fprintf(out, "          %-8s %s\n", renderer->name, renderer->help);
}

static void help_option(const struct option *option, FILE *out) {
  fputs("  ", out);
  if (option->letter)
    fprintf(out, "-%c, ", option->letter);
  fprintf(out, "--%s%s%s", option->name, option->argument[0] ? "=" : "", option->argument);
  if (option->preset[0])
    fprintf(out, "  (default: %s)", option->preset);
  fputc('\n', out);
  wrap(out, option->help, 8);
  if (option->type == OPTION_LIST && option->letter == 'f')
    help_formats(out);
}

void help_command(enum command_id id, FILE *out) {
  const struct command *command = &commands[id];
  fprintf(out, "Usage: snarl %s %s\n", command->name, command->arguments);
  wrap(out, command->description, 0);
  fputs("\nOptions:\n", out);
  const struct option *option;
  for (size_t i = 0; (option = option_at(i)) != NULL; i++)
    if (option->commands >> id & 1)
      help_option(option, out);
  fprintf(out, "  -h, --help\n        Print this help.\n\nExit status: see snarl --help, or man snarl-%s.\n",
          command->name);
}

void help_all(FILE *out) {
  fputs("Usage: snarl COMMAND [OPTION]... [ARGUMENT]...\n"
        "Finds deadlocks, races and leaks in concurrent programs.\n\nCommands:\n",
        out);
  for (size_t i = 0; i < COMMAND_COUNT; i++)
    fprintf(out, "  %-8s %s\n", commands[i].name, commands[i].summary);
  fputs("\n  snarl COMMAND --help   the command's options\n"
        "  snarl --version        the version\n\nExit status:\n",
        out);
  for (size_t i = 0; exit_at(i).when; i++) {
    fprintf(out, "  %-4d", exit_at(i).value);
    wrap_from(out, exit_at(i).when, 6, 6);
  }
}
