/* SPDX-License-Identifier: MIT
 *
 * The command `snarl`: finds the subcommand and hands over. Main thread; the only one.
 */
#include "commands.h"
#include "complain.h"
#include "options.h"
#include "output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* A standard stream that was closed must not become one of our files: writing to it fails, as it should. The program
 * that we run finds it closed as we did. */
static void guard_streams(void) {
  for (int fd = 0; fd <= 2; fd++)
    if (fcntl(fd, F_GETFD) < 0 && errno == EBADF) {
      int opened = open("/dev/null", (fd == 0 ? O_WRONLY : O_RDONLY) | O_CLOEXEC);
      if (opened < 0)
        return;
    }
}

/* Output that could not be written is an error even if nobody looked. */
static int close_output(int status) {
  int error = status == EXIT_OK ? stream_error(stdout) : 0;
  if (error == 0)
    return status;
  complain("cannot write standard output: %s", strerror(error));
  return EXIT_FAILED;
}

static int unknown_command(const char *name) {
  const char *later = command_later(name);
  if (later)
    complain("%s (%s) is not in this version; snarl --help lists the commands", name, later);
  else if (name[0] == '-')
    complain("there is no option %s before a command; snarl --help lists the commands", name);
  else
    complain("there is no command '%s'; to record a program: snarl run -- %s", name, name);
  return EXIT_USAGE;
}

static int run_command(enum command_id command, char **words) {
  static int (*const functions[COMMAND_COUNT])(const struct options *) = {
      [COMMAND_RUN] = command_run,     [COMMAND_RECORD] = command_record, [COMMAND_ANALYZE] = command_analyze,
      [COMMAND_GRAPH] = command_graph, [COMMAND_DUMP] = command_dump,     [COMMAND_INFO] = command_info,
  };
  struct options options;
  int status = EXIT_USAGE;
  if (options_parse(&options, command, words)) {
    status = EXIT_OK;
    if (options.wants_help)
      help_command(command, stdout);
    else
      status = functions[command](&options);
  }
  options_end(&options);
  return status;
}

int main(int count, char **words) {
  guard_streams();
  if (count < 2) {
    help_all(stderr);
    return EXIT_USAGE;
  }
  bool is_help = strcmp(words[1], "help") == 0;
  int command = command_find(is_help && count > 2 ? words[2] : words[1]);
  if (strcmp(words[1], "--version") == 0)
    printf("snarl %s\n", SNARL_VERSION);
  else if (strcmp(words[1], "--help") == 0 || strcmp(words[1], "-h") == 0 || (is_help && count == 2))
    help_all(stdout);
  else if (command < 0)
    return unknown_command(words[is_help ? 2 : 1]);
  else if (is_help)
    help_command((enum command_id)command, stdout);
  else
    return close_output(run_command((enum command_id)command, words + 2));
  return close_output(EXIT_OK);
}
