/* SPDX-License-Identifier: MIT
 *
 * Writes the fuzzer's first inputs: small traces that hold everything a trace can hold, in the fuzzer's form (see
 * fuzz_reader.c). make_seeds DIRECTORY
 */
#include "assembler.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const texts[] = {
    "process 1 app\n1.0 channel-opened 3 receive made pipe P capacity 5 content 2 f@a.c:1\n"
    "1.0 channel-opened 4 receive send socket X to Y named /x\n1.0 channels-known\n1.0 channel-sent 3 77 g@a.c:2\n"
    "1.0 channel-duplicated 9 3\n1.0 channel-watched 3 8 receive outside\n1.0 channel-failed 3 EINTR\n",
    "process 1 app\n",
    "process 1 app bare\n1.0 mutex-init A recursive init@a.c:3 < main@a.c:10 < ...\n1.0 mutex-requested A try "
    "pc:0x1234\n"
    "1.0 mutex-acquired A init@a.c:3\n1.0 mutex-released A main@a.c:10\nkilled 1\n",
    "process 1 app command app -x\nthread 1.0 main\nshared S\n1.0 sem-init S shared f@b.c:2\n1.0 sem-value S 3\n"
    "1.0 object-named S \"a semaphore\"\nhole 1.0 3\n1.0 sem-posted S\n",
    "process 1 app\nmodule 1 /lib/a.so 0x1000 0x1000 0x3000 0123456789abcdef\n1.1 thread-begin 1.1 pc:0x1800\nunload 1 "
    "0x1000\n"
    "module 1 /lib/b.so 0x1000 0x2000 0x4000\n1.1 thread-end 1.1\nhandover 1.1 1.2\n1.2 mutex-init B\n@+5000000000\n"
    "1.2 mutex-requested B\nwindow 1.2\n1.2 mutex-failed B EBUSY\n",
    "process 1 app\nmap 1 0x10000 0x20000 1 2 0 /x\nmap 1 0x18000 0x19000 1 3 0 /y\nunmap 1 0x12000 0x13000\n"
    "1.0 mutex-init 0x11000\n1.0 mutex-init 0x18010\nrate 1 0\ndropped 1 17\n",
};

static void fail(const char *what, const char *why) {
  fprintf(stderr, "%s: %s\n", what, why);
  exit(1);
}

static size_t bytes_read(const char *path, char **bytes) {
  FILE *file = fopen(path, "r");
  if (!file || fseek(file, 0, SEEK_END) != 0)
    fail(path, strerror(errno));
  size_t size = (size_t)ftell(file);
  rewind(file);
  *bytes = malloc(size);
  if (!*bytes || fread(*bytes, 1, size, file) != size)
    fail(path, strerror(errno));
  fclose(file);
  return size;
}

static void seed_write(const char *from, const char *to) {
  char *bytes;
  size_t size = bytes_read(from, &bytes);
  FILE *file = fopen(to, "w");
  if (!file || fwrite(bytes, sizeof(struct snarli_header), 1, file) != 1 ||
      fwrite(bytes + SNARLI_HEADER_SIZE, 1, size - SNARLI_HEADER_SIZE, file) != size - SNARLI_HEADER_SIZE ||
      fclose(file) != 0)
    fail(to, strerror(errno));
  free(bytes);
}

/* chdir keeps the names short. */
int main(int argc, char **argv) {
  char error[256], seed[32];
  if (argc != 2)
    fail("usage", "make_seeds DIRECTORY");
  if ((mkdir(argv[1], 0700) != 0 && errno != EEXIST) || chdir(argv[1]) != 0)
    fail(argv[1], strerror(errno));
  for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
    if (trace_assemble(texts[i], "trace", error, sizeof error) != 0)
      fail(argv[1], error);
    snprintf(seed, sizeof seed, "seed-%zu", i);
    seed_write("trace/0000001-000" SNARLI_FILE_SUFFIX, seed);
    if (unlink("trace/0000001-000" SNARLI_FILE_SUFFIX) != 0 || rmdir("trace") != 0)
      fail("trace", strerror(errno));
  }
  return 0;
}
