/* SPDX-License-Identifier: MIT
 *
 * The tables of the command line and the parser that they drive. Our own instead of getopt_long: it says what is wrong
 * in one exact line and knows where a program's own arguments begin. Main thread, at the start.
 */
#include "options.h"

#include "complain.h"

#include <stdlib.h>
#include <string.h>

const struct command commands[COMMAND_COUNT] = {
#define COMMAND(NAME, name, arguments, kind, summary, description)                                                     \
  [COMMAND_##NAME] = {name, arguments, TAKES_##kind, summary, description},
#include "commands.def"
};

static const struct {
  const char *name, *summary;
} later[] = {
#define LATER(name, summary) {name, summary},
#include "commands.def"
};

static const struct exit_info exits[] = {
#define EXIT(NAME, value, when) {value, when},
#include "exits.def"
};

static const struct option table[] = {
#define OPTION(commands, TYPE, field, letter, name, argument, preset, help)                                            \
  {commands, OPTION_##TYPE, offsetof(struct options, field), letter, name, argument, preset, help},
#include "options.def"
};
enum { OPTION_COUNT = sizeof table / sizeof *table };

int command_find(const char *name) {
  for (int i = 0; i < COMMAND_COUNT; i++)
    if (strcmp(commands[i].name, name) == 0)
      return i;
  return -1;
}

const char *command_later(const char *name) {
  for (size_t i = 0; i < sizeof later / sizeof *later; i++)
    if (strcmp(later[i].name, name) == 0)
      return later[i].summary;
  return NULL;
}

struct exit_info exit_at(size_t i) {
  return i < sizeof exits / sizeof *exits ? exits[i] : (struct exit_info){0, NULL};
}

const struct option *option_at(size_t i) { return i < OPTION_COUNT ? &table[i] : NULL; }

static const struct option *find_long(enum command_id command, const char *name, size_t length) {
  for (size_t i = 0; i < OPTION_COUNT; i++)
    if (table[i].commands >> command & 1 && strlen(table[i].name) == length &&
        strncmp(table[i].name, name, length) == 0)
      return &table[i];
  return NULL;
}

static const struct option *find_letter(enum command_id command, char letter) {
  for (size_t i = 0; i < OPTION_COUNT; i++)
    if (table[i].commands >> command & 1 && table[i].letter == letter)
      return &table[i];
  return NULL;
}

/* The place of `value` among the words of `choices` ("a|b|c"), -1 if it is none. */
static int choice_of(const char *choices, const char *value) {
  size_t length = strlen(value);
  for (int i = 0;; i++) {
    size_t word = strcspn(choices, "|");
    if (word == length && strncmp(choices, value, length) == 0)
      return i;
    if (!choices[word])
      return -1;
    choices += word + 1;
  }
}

static bool list_add(struct list *list, const char *item) {
  const char **items = realloc(list->items, (list->count + 1) * sizeof *items);
  if (!items)
    return complain("out of memory"), false;
  list->items = items;
  items[list->count++] = item;
  return true;
}

static bool set_number(const struct option *option, unsigned *number, const char *value) {
  char *end;
  unsigned long parsed = strtoul(value, &end, 10);
  if (*value < '0' || *value > '9' || *end || parsed < 2 || parsed > 1000000)
    return complain("--%s wants a number from 2 to 1000000, not '%s'", option->name, value), false;
  *number = (unsigned)parsed;
  return true;
}

static bool set_choice(const struct option *option, int *choice, const char *value) {
  *choice = choice_of(option->argument, value);
  if (*choice < 0)
    return complain("--%s wants one of %s, not '%s'", option->name, option->argument, value), false;
  return true;
}

static bool option_set(struct options *options, const struct option *option, const char *value) {
  void *field = (char *)options + option->offset;
  switch (option->type) {
  case OPTION_FLAG:
    *(bool *)field = true;
    return true;
  case OPTION_TEXT:
    if (!*value)
      return complain("--%s wants a %s, not an empty word", option->name, option->argument), false;
    *(const char **)field = value;
    return true;
  case OPTION_LIST:
    return list_add(field, value);
  case OPTION_CHOICE:
    return set_choice(option, field, value);
  case OPTION_NUMBER:
    return set_number(option, field, value);
  }
  return false;
}

static bool presets(struct options *options) {
  for (size_t i = 0; i < OPTION_COUNT; i++) {
    const struct option *option = &table[i];
    bool has_preset = option->preset[0] && (option->type == OPTION_CHOICE || option->type == OPTION_NUMBER);
    if (option->type == OPTION_CHOICE)
      *(int *)((char *)options + option->offset) = -1;
    if (has_preset && !option_set(options, option, option->preset))
      return false;
  }
  return true;
}

/* "--fail-on=note", "--fail-on note", "-fjson", "-f json": one option and perhaps the word after it. Returns the next
 * word, NULL after a complaint. */
static char **parse_option(struct options *options, char **word) {
  const char *name = commands[options->command].name;
  bool is_long = (*word)[1] == '-';
  size_t length = is_long ? strcspn(*word + 2, "=") : 1;
  const struct option *option =
      is_long ? find_long(options->command, *word + 2, length) : find_letter(options->command, (*word)[1]);
  if (!option)
    return complain("%s has no option %.*s; see snarl %s --help", name, (int)(length + 1 + is_long), *word, name), NULL;
  const char *rest = *word + 1 + is_long + length;
  if (option->type == OPTION_FLAG) {
    if (*rest)
      return complain("%.*s takes no argument", (int)(length + 1 + is_long), *word), NULL;
    return option_set(options, option, NULL) ? word + 1 : NULL;
  }
  const char *value = is_long && *rest ? rest + 1 : rest;
  if (!*rest) {
    value = word[1];
    if (!value)
      return complain("%s wants a %s", *word, option->argument), NULL;
    word++;
  }
  return option_set(options, option, value) ? word + 1 : NULL;
}

static bool check_arguments(const struct options *options) {
  const struct command *command = &commands[options->command];
  if (options->argument_count == 0) {
    const char *what = command->kind == TAKES_PROGRAM ? "a program to run" : "a trace";
    return complain("%s wants %s; see snarl %s --help", command->name, what, command->name), false;
  }
  if (command->kind == TAKES_TRACE && options->argument_count > 1)
    return complain("%s takes one trace, not %zu", command->name, options->argument_count), false;
  return true;
}

bool options_parse(struct options *options, enum command_id command, char **words) {
  *options = (struct options){.command = command};
  size_t count = 0;
  while (words[count])
    count++;
  options->arguments = calloc(count + 1, sizeof *options->arguments);
  if (!options->arguments)
    return complain("out of memory"), false;
  if (!presets(options))
    return false;
  bool only_arguments = false;
  while (*words) {
    bool is_option = !only_arguments && (*words)[0] == '-' && (*words)[1];
    if (is_option && strcmp(*words, "--") == 0) {
      only_arguments = true;
      words++;
    } else if (is_option && (strcmp(*words, "--help") == 0 || strcmp(*words, "-h") == 0)) {
      options->wants_help = true;
      return true;
    } else if (is_option) {
      if (!(words = parse_option(options, words)))
        return false;
    } else {
      only_arguments |= commands[command].kind == TAKES_PROGRAM;
      options->arguments[options->argument_count++] = *words++;
    }
  }
  return check_arguments(options);
}

void options_end(struct options *options) {
  free(options->arguments);
  for (size_t i = 0; i < OPTION_COUNT; i++)
    if (table[i].type == OPTION_LIST)
      free(((struct list *)((char *)options + table[i].offset))->items);
}
