/* SPDX-License-Identifier: MIT
 *
 * The command line: subcommands, their options (options.def) and exit statuses, parsed. Filled once by main; read-only
 * afterwards.
 */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

enum exit_status {
#define EXIT(NAME, value, when) EXIT_##NAME = (value),
#include "exits.def"
};

enum command_kind { TAKES_PROGRAM, TAKES_TRACES, TAKES_TRACE };

enum command_id {
#define COMMAND(NAME, name, arguments, kind, summary, description) COMMAND_##NAME,
#include "commands.def"
  COMMAND_COUNT
};

enum command_bit {
#define COMMAND(NAME, name, arguments, kind, summary, description) ON_##NAME = 1 << COMMAND_##NAME,
#include "commands.def"
};

struct command {
  const char *name, *arguments;
  enum command_kind kind;
  const char *summary, *description;
};
extern const struct command commands[COMMAND_COUNT];
/* The subcommand called `name`, -1 if none. */
int command_find(const char *name);
/* What a subcommand of a later version does, NULL if `name` is none. */
const char *command_later(const char *name);

struct exit_info {
  int value;
  const char *when;
};
/* The i-th exit status, `when` NULL past the last. */
struct exit_info exit_at(size_t i);

enum option_type { OPTION_FLAG, OPTION_TEXT, OPTION_LIST, OPTION_CHOICE, OPTION_NUMBER };

struct option {
  unsigned commands; /* of enum command_bit */
  enum option_type type;
  size_t offset; /* of the field in struct options */
  char letter;
  const char *name, *argument, *preset, *help;
};
/* The i-th option of options.def, NULL past the last. */
const struct option *option_at(size_t i);

struct list {
  const char **items;
  size_t count;
};

typedef bool option_flag;
typedef const char *option_text;
typedef struct list option_list;
typedef int option_choice;
typedef unsigned option_number;

struct options {
#define FIELD_FLAG option_flag
#define FIELD_TEXT option_text
#define FIELD_LIST option_list
#define FIELD_CHOICE option_choice
#define FIELD_NUMBER option_number
#define OPTION(commands, TYPE, field, letter, name, argument, preset, help) FIELD_##TYPE field;
#include "options.def"
  enum command_id command;
  char **arguments; /* what is left: the program and its arguments, or traces; ends in NULL */
  size_t argument_count;
  bool wants_help;
};

enum fail_on { FAIL_ON_NOTE, FAIL_ON_WARNING, FAIL_ON_ERROR, FAIL_ON_NEVER };
enum on_deadlock { ON_DEADLOCK_DEFAULT = -1, ON_DEADLOCK_KILL, ON_DEADLOCK_REPORT };
/* --kind, in the order of its words. */
enum picture_choice { KIND_LOCK_ORDER, KIND_WAIT_FOR, KIND_HAPPENS_BEFORE };
enum colour { COLOUR_AUTO, COLOUR_ALWAYS, COLOUR_NEVER };

/* Parses the words after the subcommand's name. False: the complaint is printed. */
bool options_parse(struct options *options, enum command_id command, char **words);
void options_end(struct options *options);

/* One help text or man page section per table; `help.c`. */
#include <stdio.h>
void help_all(FILE *out);
void help_command(enum command_id command, FILE *out);

#endif
