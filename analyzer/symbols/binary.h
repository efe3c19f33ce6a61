/* SPDX-License-Identifier: MIT
 *
 * One binary or library on disk, and what its debug information says about an address in it. One thread at a time.
 */
#ifndef SYMBOLS_BINARY_H
#define SYMBOLS_BINARY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct binary;

/* A function at an address; strings belong to the binary, "" and 0 when unknown. */
struct binary_frame {
  const char *function, *file;
  uint32_t line;
  bool is_inlined;
};

/* Opens the file at `path`, which had this build id when it was recorded (size 0: it had none, or it is not known). If
 * it cannot be used, the result knows nothing and binary_problem says why. NULL: out of memory. */
struct binary *binary_open(const char *path, const uint8_t *build_id, uint32_t build_id_size);
void binary_close(struct binary *binary);

/* One line, "" if all is well. */
const char *binary_problem(const struct binary *binary);

/* True if a function begins exactly at `address` (of the file). */
bool binary_has_entry(struct binary *binary, uint64_t address);

/* The variable that holds `address` (of the file), *offset bytes into it; "" if there is none. The string belongs to
 * the binary. */
const char *binary_variable(struct binary *binary, uint64_t address, uint64_t *offset);

/* The functions at `address`, the innermost inlined one first; at least one unless out of memory. To be freed by the
 * caller. */
struct binary_frame *binary_frames(struct binary *binary, uint64_t address, size_t *count);

#endif
