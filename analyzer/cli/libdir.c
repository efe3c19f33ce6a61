/* SPDX-License-Identifier: MIT
 *
 * Finds libsnarl-preload.so relative to the running command, so that a build tree, an installation and a staged copy
 * all work where they are. Main thread.
 */
#include "libdir.h"

#include "complain.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LIBRARY "libsnarl-preload.so"

static char *join(const char *folder, const char *below) {
  char *joined = NULL;
  return asprintf(&joined, "%s/%s", folder, below) < 0 ? NULL : joined;
}

/* The folder with the library, with links resolved; NULL if it is not in `folder`. */
static char *folder_with_library(const char *folder) {
  char *library = join(folder, LIBRARY), *found = NULL;
  if (library && access(library, R_OK) == 0)
    found = realpath(folder, NULL);
  free(library);
  return found;
}

static char *folder_near_command(void) {
  char self[PATH_MAX];
  ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
  if (length <= 0)
    return NULL;
  self[length] = '\0';
  *strrchr(self, '/') = '\0';
  static const char *const places[] = {SNARL_RELATIVE_LIBDIR, "../lib"};
  char *found = NULL;
  for (size_t i = 0; i < sizeof places / sizeof *places && !found; i++) {
    char *folder = join(self, places[i]);
    found = folder ? folder_with_library(folder) : NULL;
    free(folder);
  }
  return found;
}

/* The dynamic linker splits LD_PRELOAD at blanks and colons and knows no way to quote them. */
static char *make_alias(const char *folder) {
  char place[] = "/tmp/snarl-lib-XXXXXX";
  char *alias = mkdtemp(place) ? join(place, "lib") : NULL;
  if (alias && symlink(folder, alias) == 0)
    return alias;
  complain("cannot use %s/" LIBRARY ": its path has a blank or a colon, and no link to it can be made in /tmp: %s",
           folder, strerror(errno));
  free(alias);
  return NULL;
}

enum exit_status libdir_find(char **preload, char **alias) {
  const char *wish = getenv("SNARL_LIBDIR");
  char *folder = wish && *wish ? folder_with_library(wish) : folder_near_command();
  *preload = *alias = NULL;
  if (!folder) {
    complain("cannot find " LIBRARY " in %s; set SNARL_LIBDIR to its folder",
             wish && *wish ? wish : SNARL_RELATIVE_LIBDIR " beside this command");
    return EXIT_FAILED;
  }
  if (strpbrk(folder, " \t:") && !(*alias = make_alias(folder))) {
    free(folder);
    return EXIT_FAILED;
  }
  *preload = join(*alias ? *alias : folder, LIBRARY);
  free(folder);
  if (*preload)
    return EXIT_OK;
  libdir_forget(*alias);
  complain("out of memory");
  return EXIT_FAILED;
}

void libdir_forget(char *alias) {
  if (!alias)
    return;
  unlink(alias);
  *strrchr(alias, '/') = '\0';
  rmdir(alias);
  free(alias);
}
