/* SPDX-License-Identifier: MIT
 *
 * The subcommands' functions: command_run and so on, from commands.def in lower case. Each returns the exit status.
 */
#ifndef CLI_COMMANDS_H
#define CLI_COMMANDS_H

#include "options.h"

int command_run(const struct options *options);
int command_record(const struct options *options);
int command_analyze(const struct options *options);
int command_graph(const struct options *options);
int command_dump(const struct options *options);
int command_info(const struct options *options);

#endif
