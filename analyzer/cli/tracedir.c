/* SPDX-License-Identifier: MIT
 *
 * Directories for traces. Only files that are named like a trace's are ever removed, so that a slip in -o cannot cost
 * anybody their work. Main thread.
 */
#include "tracedir.h"

#include "complain.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <snarl/trace/format.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_trace_file(const char *name) {
  size_t length = strlen(name), suffix = strlen(SNARLI_FILE_SUFFIX);
  return length > suffix && strcmp(name + length - suffix, SNARLI_FILE_SUFFIX) == 0;
}

/* What lies in a directory; with `remove`, files of a trace are removed while counting. -1: errno. */
static int look(const char *path, bool remove, size_t *traces, size_t *others) {
  DIR *directory = opendir(path);
  if (!directory)
    return -1;
  *traces = *others = 0;
  for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
    if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
      continue;
    bool is_trace = is_trace_file(entry->d_name);
    if (is_trace && remove && unlinkat(dirfd(directory), entry->d_name, 0) != 0) {
      closedir(directory);
      return -1;
    }
    *(is_trace ? traces : others) += 1;
  }
  closedir(directory);
  return 0;
}

static enum exit_status refuse(const char *name, const char *why) {
  complain("cannot record to %s: %s", name, why);
  return EXIT_TRACE;
}

/* An existing directory must be ours to fill. */
static enum exit_status adopt(const char *name, bool force) {
  size_t traces, others;
  struct stat status;
  if (stat(name, &status) == 0 && !S_ISDIR(status.st_mode))
    return refuse(name, "it exists and is not a directory");
  if (look(name, false, &traces, &others) != 0)
    return refuse(name, strerror(errno));
  if (others)
    return refuse(name, "it holds files that are no trace; name a new directory");
  if (traces && !force)
    return refuse(name, "it holds a trace already; name a new directory, or --force to replace it");
  if (traces && look(name, true, &traces, &others) != 0)
    return refuse(name, strerror(errno));
  if (faccessat(AT_FDCWD, name, W_OK | X_OK, AT_EACCESS) != 0)
    return refuse(name, strerror(errno));
  return EXIT_OK;
}

static enum exit_status finish(struct tracedir *directory, const char *name) {
  directory->path = realpath(name, NULL);
  directory->name = strdup(name);
  if (directory->path && directory->name)
    return EXIT_OK;
  enum exit_status status = refuse(name, strerror(errno));
  tracedir_end(directory, true);
  return status;
}

static enum exit_status make_temporary(struct tracedir *directory) {
  const char *parent = getenv("TMPDIR");
  char *name = NULL;
  if (asprintf(&name, "%s/snarl-XXXXXX", parent && *parent ? parent : "/tmp") < 0)
    return refuse("a temporary directory", "out of memory");
  enum exit_status status = EXIT_OK;
  directory->is_temporary = true;
  if (mkdtemp(name))
    status = finish(directory, name);
  else {
    complain("cannot make a directory for the trace in %s: %s; name one with -o, or set TMPDIR",
             parent && *parent ? parent : "/tmp", strerror(errno));
    status = EXIT_TRACE;
  }
  free(name);
  return status;
}

enum exit_status tracedir_make(struct tracedir *directory, const char *wanted, bool force) {
  *directory = (struct tracedir){0};
  if (!wanted)
    return make_temporary(directory);
  if (mkdir(wanted, 0777) == 0)
    directory->is_ours = true;
  else if (errno != EEXIST)
    return refuse(wanted, strerror(errno));
  else {
    enum exit_status status = adopt(wanted, force);
    if (status != EXIT_OK)
      return status;
  }
  return finish(directory, wanted);
}

enum exit_status tracedir_make_default(struct tracedir *directory, const char *program) {
  *directory = (struct tracedir){.is_ours = true};
  const char *slash = strrchr(program, '/');
  const char *base = slash ? slash + 1 : program;
  for (unsigned i = 1;; i++) {
    char *name = NULL;
    int length = i == 1 ? asprintf(&name, "snarl-%s.trace", base) : asprintf(&name, "snarl-%s-%u.trace", base, i);
    if (length < 0)
      return refuse("the current directory", "out of memory");
    int error = mkdir(name, 0777) == 0 ? 0 : errno;
    enum exit_status status = EXIT_OK;
    if (error == 0)
      status = finish(directory, name);
    else if (error != EEXIST) {
      complain("cannot record to %s: %s; name a directory with -o", name, strerror(error));
      status = EXIT_TRACE;
    }
    free(name);
    if (error != EEXIST)
      return status;
  }
}

void tracedir_end(struct tracedir *directory, bool undo) {
  size_t traces, others;
  if (directory->path && (directory->is_temporary || (undo && directory->is_ours))) {
    look(directory->path, true, &traces, &others);
    rmdir(directory->path);
  }
  free(directory->path);
  free(directory->name);
  *directory = (struct tracedir){0};
}
