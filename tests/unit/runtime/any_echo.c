/* SPDX-License-Identifier: MIT
 *
 * any_echo: MessagePack in, each message behind its size in four bytes; the same values out, packed anew, or a status.
 * any_interop.py asks it. Entered by one thread.
 */
#include "any/pack.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void put(int32_t size, const void *bytes) {
  fwrite(&size, sizeof size, 1, stdout);
  if (size > 0)
    fwrite(bytes, 1, (size_t)size, stdout);
  fflush(stdout);
}

static void echo(const void *bytes, size_t size) {
  snarl_auto_any value = SNARL_NIL;
  struct snarli_packed packed;
  int status = snarli_any_unpack(bytes, size, &value);
  if (!status)
    status = snarli_packed_begin(&packed, value);
  put(status ? status : (int32_t)packed.size, packed.bytes);
  if (!status)
    snarli_packed_end(&packed);
}

int main(void) {
  uint32_t size;
  while (fread(&size, sizeof size, 1, stdin) == 1) {
    char *bytes = malloc(size);
    if ((!bytes && size) || fread(bytes, 1, size, stdin) != size)
      return 1;
    echo(bytes, size);
    free(bytes);
  }
  return 0;
}
