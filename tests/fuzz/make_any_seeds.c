/* SPDX-License-Identifier: MIT
 *
 * make_any_seeds DIRECTORY: writes packed values of all types, from which the fuzzer begins.
 */
#include "any/pack.h"
#include "random_any.h"
#include <stdio.h>
#include <sys/stat.h>

enum { SEEDS = 100 };

static bool write_seed(const char *directory, int number, uint64_t *state) {
  char path[4096];
  struct snarli_packed packed;
  snarl_auto_any value = random_any(state, 3);
  (void)snprintf(path, sizeof path, "%s/any-%d", directory, number);
  FILE *file = fopen(path, "wb");
  if (!file || snarli_packed_begin(&packed, value))
    return false;
  bool is_written = fwrite(packed.bytes, 1, packed.size, file) == packed.size;
  snarli_packed_end(&packed);
  return fclose(file) == 0 && is_written;
}

int main(int argc, char **argv) {
  uint64_t state = 1;
  if (argc != 2)
    return 2;
  (void)mkdir(argv[1], 0777); /* it may be there */
  for (int i = 0; i < SEEDS; i++)
    if (!write_seed(argv[1], i, &state)) {
      (void)fprintf(stderr, "make_any_seeds: cannot write into %s\n", argv[1]);
      return 1;
    }
  return 0;
}
