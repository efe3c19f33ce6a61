/* SPDX-License-Identifier: MIT
 *
 * What a file lock's records name: a string that says which bytes of which file and who owns them (see
 * trace/README.md). Files and strings are remembered, so that the same lock again costs two look-ups; a forked child
 * has the files and starts anew with the strings. Lock-free; entered by any thread and its signal handlers.
 */
#ifndef SNARLI_FILE_STRINGS_H
#define SNARLI_FILE_STRINGS_H

#include <stdbool.h>
#include <stdint.h>

struct snarli_file {
  uint32_t major, minor;
  uint64_t inode, birth, size;
  uint64_t hash; /* of which file it is */
  bool has_name;
  bool is_remembered; /* nothing but the hash is known */
};

enum snarli_lock_kind { KIND_FLOCK, KIND_OFD, KIND_PROCESS };

/* False: not a file that can be told from others. */
bool snarli_file_of(int fd, struct snarli_file *file);
/* The same, asked of the kernel only at the first time since the number was last seen to be closed or made. */
bool snarli_file_remembered(int fd, struct snarli_file *file);

#define SNARLI_TO_END UINT64_MAX
/* The id of the string for bytes `first` to `last`; `owner` is a description's name. 0: it could not be stored. */
uint32_t snarli_file_string(int fd, const struct snarli_file *file, enum snarli_lock_kind kind, uint64_t owner,
                            uint64_t first, uint64_t last);

#endif
