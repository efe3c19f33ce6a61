/* SPDX-License-Identifier: MIT
 *
 * Directories and files of the reader's tests.
 */
#include "test_reader.h"
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

int directory_setup(void **state) {
  const char *parent = getenv("TMPDIR");
  char path[256];
  snprintf(path, sizeof path, "%s/snarl-reader-XXXXXX", parent ? parent : "/tmp");
  *state = mkdtemp(path) ? strdup(path) : NULL;
  return *state ? 0 : -1;
}

void directory_clear(const char *path) {
  DIR *directory = opendir(path);
  for (struct dirent *entry; directory && (entry = readdir(directory));)
    if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 &&
        unlinkat(dirfd(directory), entry->d_name, 0) != 0)
      (void)unlinkat(dirfd(directory), entry->d_name, AT_REMOVEDIR);
  if (directory)
    closedir(directory);
}

int directory_teardown(void **state) {
  directory_clear(*state);
  int result = rmdir(*state);
  free(*state);
  return result;
}

const char *path_in(const char *directory, const char *name) {
  static char path[512];
  snprintf(path, sizeof path, "%s/%s", directory, name);
  return path;
}

void bytes_write(const char *path, const void *bytes, size_t size) {
  FILE *file = fopen(path, "w");
  assert_non_null(file);
  assert_int_equal(fwrite(bytes, 1, size, file), size);
  assert_int_equal(fclose(file), 0);
}

void *bytes_read(const char *path, size_t *size) {
  FILE *file = fopen(path, "r");
  assert_non_null(file);
  assert_int_equal(fseek(file, 0, SEEK_END), 0);
  *size = (size_t)ftell(file);
  rewind(file);
  char *bytes = malloc(*size + 1);
  assert_non_null(bytes);
  assert_int_equal(fread(bytes, 1, *size, file), *size);
  fclose(file);
  return bytes;
}

void *assembled_bytes(const char *directory, const char *text, size_t *size) {
  char error[256];
  if (trace_assemble(text, directory, error, sizeof error) != 0)
    fail_msg("%s", error);
  DIR *entries = opendir(directory);
  void *bytes = NULL;
  for (struct dirent *entry; (entry = readdir(entries));)
    if (strstr(entry->d_name, SNARLI_FILE_SUFFIX)) {
      assert_null(bytes); /* one image */
      bytes = bytes_read(path_in(directory, entry->d_name), size);
    }
  closedir(entries);
  assert_non_null(bytes);
  directory_clear(directory);
  return bytes;
}

bool has_problem(const struct trace *trace, const char *text) {
  for (size_t i = 0; i < trace_problem_count(trace); i++)
    if (strstr(trace_problem_at(trace, i)->text, text))
      return true;
  return false;
}
