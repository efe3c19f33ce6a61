/* SPDX-License-Identifier: MIT
 *
 * The strings that say which bytes of which file a lock is about ("File locks" in trace/README.md). They come from the
 * traced program's process: nothing in them is trusted. Pure.
 */
#ifndef SNARL_MODEL_FILE_STRING_H
#define SNARL_MODEL_FILE_STRING_H

#include <stdbool.h>
#include <stdint.h>

struct file_string {
  bool is_flock, is_process; /* neither: record locks of an open file description */
  uint64_t owner;
  uint64_t major, minor, inode, birth;
  uint64_t first, last;
  const char *path;
};

bool file_string_parse(const char *text, struct file_string *out);

#endif
