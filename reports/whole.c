/* SPDX-License-Identifier: MIT
 *
 * A rendering built in memory and written in one go. No shared state: any thread.
 */
#include "whole.h"
#include <errno.h>
#include <stdlib.h>

int whole_begin(struct whole *whole) {
  *whole = (struct whole){0};
  whole->stream = open_memstream(&whole->bytes, &whole->size);
  return whole->stream == NULL ? ENOMEM : 0;
}

int whole_end(struct whole *whole) {
  int has_failed = ferror(whole->stream);
  has_failed |= fclose(whole->stream);
  whole->stream = NULL;
  if (!has_failed)
    return 0;
  free(whole->bytes);
  whole->bytes = NULL;
  return ENOMEM;
}

int whole_write_bytes(const char *bytes, size_t size, FILE *out) {
  errno = 0;
  if (fwrite(bytes, 1, size, out) == size && fflush(out) == 0 && !ferror(out))
    return 0;
  return errno != 0 ? errno : EIO;
}

int whole_write(struct whole *whole, FILE *out) {
  int error = whole_end(whole);
  if (error == 0)
    error = whole_write_bytes(whole->bytes, whole->size, out);
  free(whole->bytes);
  whole->bytes = NULL;
  return error;
}
