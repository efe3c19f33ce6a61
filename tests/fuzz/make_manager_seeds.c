/* SPDX-License-Identifier: MIT
 *
 * make_manager_seeds FOLDER: inputs for fuzz-manager, one for each operation of a manager. One thread.
 */
#include "multiprocessing/manager/wire.h"
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static size_t append(unsigned char *bytes, unsigned operation, uint32_t object, const char *key, const char *value) {
  struct manager_request request = {.operation = (uint8_t)operation, .object = object};
  size_t key_size = strlen(key), value_size = strlen(value);
  request.key_size = (uint32_t)key_size;
  request.size = (uint32_t)(sizeof request + key_size + value_size);
  bytes[0] = (unsigned char)request.size;
  bytes[1] = (unsigned char)(request.size >> 8);
  memcpy(bytes + 2, &request, sizeof request);
  bytes += 2 + sizeof request;
  (void)stpcpy(stpcpy((char *)bytes, key), value);
  return 2 + request.size;
}

static int write_seed(const char *folder, unsigned operation) {
  unsigned char bytes[1024];
  char path[4096];
  size_t size = append(bytes, MANAGER_SET, 1, "\xa1k", "\x91\xa1v");
  size += append(bytes + size, MANAGER_PUSH, 2, "", "\x01");
  size += append(bytes + size, operation, 1, "\xa1k", "\x01");
  size += append(bytes + size, operation, 1, "\xa1k", "\x91\xa1v\x02");
  size += append(bytes + size, operation, 1, "", "\x81\xa1k\xc3");
  size += append(bytes + size, operation, 2, "", "\x91\x01");
  (void)snprintf(path, sizeof path, "%s/operation-%u", folder, operation);
  FILE *file = fopen(path, "wb");
  if (!file)
    return 1;
  size_t written = fwrite(bytes, 1, size, file);
  return fclose(file) || written != size;
}

int main(int argc, char **argv) {
  if (argc != 2)
    return 2;
  (void)mkdir(argv[1], 0755);
  int failures = 0;
  for (unsigned operation = 0; operation < MANAGER_OPERATIONS; operation++)
    failures += write_seed(argv[1], operation);
  return failures;
}
