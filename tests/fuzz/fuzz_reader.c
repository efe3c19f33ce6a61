/* SPDX-License-Identifier: MIT
 *
 * libFuzzer target: any bytes as a trace file, walked through with all of the reader's functions. The input holds the
 * header without the zeros after it, so that mutations hit what matters.
 */
#include "walk.h"
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void write_or_abort(int fd, const uint8_t *data, size_t size, off_t offset) {
  if (size && pwrite(fd, data, size, offset) != (ssize_t)size)
    abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct walk walk;
  struct trace_problem problem;
  char path[64];
  int fd = memfd_create("trace", MFD_CLOEXEC);
  if (fd < 0)
    abort();
  size_t header = size < sizeof(struct snarli_header) ? size : sizeof(struct snarli_header);
  write_or_abort(fd, data, header, 0);
  write_or_abort(fd, data + header, size - header, SNARLI_HEADER_SIZE);
  snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
  (void)trace_walk(path, &walk, &problem);
  close(fd);
  return 0;
}
