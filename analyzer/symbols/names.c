/* SPDX-License-Identifier: MIT
 *
 * Names of functions and modules as people know them: demangling and what counts as internal. Pure functions, any
 * thread.
 */
#include "names.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* Of libstdc++. Declared here because <cxxabi.h> is for C++ only. */
char *__cxa_demangle(const char *mangled, char *buffer, size_t *size, int *status);

/* What compilers append to the symbol of a function that they split, cloned or made local; not part of its name. */
static const char *const clone_marks[] = {".constprop.", ".isra.", ".part.",  ".cold",
                                          ".lto_priv.",  ".llvm.", ".clone.", "@"};

static size_t length_without_marks(const char *symbol) {
  size_t length = strlen(symbol);
  for (size_t i = 0; i < sizeof clone_marks / sizeof *clone_marks; i++) {
    const char *at = strstr(symbol, clone_marks[i]);
    if (at && at > symbol && (size_t)(at - symbol) < length)
      length = (size_t)(at - symbol);
  }
  return length;
}

/* Rust ends its names with "::h" and 16 hex digits that change with every build. */
static void cut_rust_hash(char *name) {
  size_t length = strlen(name);
  if (length < 20 || memcmp(name + length - 19, "::h", 3) != 0)
    return;
  for (size_t i = length - 16; i < length; i++)
    if (!isxdigit((unsigned char)name[i]))
      return;
  name[length - 19] = '\0';
}

char *name_of_symbol(const char *symbol) {
  size_t length = length_without_marks(symbol);
  bool is_mangled = symbol[0] == '_' && symbol[1] == 'Z';
  if (!is_mangled && symbol[length] == '\0')
    return NULL;
  char *plain = strndup(symbol, length);
  if (!plain || !is_mangled)
    return plain;
  int status = 0;
  char *name = __cxa_demangle(plain, NULL, NULL, &status);
  if (!name)
    return plain;
  free(plain);
  cut_rust_hash(name);
  return name;
}

static const char *last_part(const char *path) {
  const char *slash = strrchr(path, '/');
  return slash ? slash + 1 : path;
}

static bool has_prefix(const char *text, const char *prefix) { return strncmp(text, prefix, strlen(prefix)) == 0; }

bool module_is_kernel(const char *path) {
  const char *name = last_part(path);
  return has_prefix(name, "linux-vdso") || has_prefix(name, "linux-gate") || strcmp(name, "[vdso]") == 0;
}

bool module_is_recorder(const char *path) {
  const char *name = last_part(path);
  return has_prefix(name, "libsnarl-trace.so") || has_prefix(name, "libsnarl-preload.so");
}

bool module_is_internal(const char *path) {
  static const char *const prefixes[] = {"libc.so",      "libc-2.",    "libpthread.so", "libpthread-2.", "ld-linux",
                                         "ld-2.",        "ld.so",      "ld64.so",       "librt.so",      "libdl.so",
                                         "libstdc++.so", "libc++.so",  "libc++abi.so",  "libgcc_s.so",   "libsnarl.so",
                                         "libsnarl-",    "libtsan.so", "libgomp.so"};
  const char *name = last_part(path);
  for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++)
    if (has_prefix(name, prefixes[i]))
      return true;
  return module_is_kernel(path);
}

/* Python's own library, but not what was installed below it. */
static bool file_is_of_python(const char *path) {
  return has_prefix(path, "<frozen ") || (strstr(path, "/lib/python3.") != NULL && strstr(path, "-packages/") == NULL);
}

bool file_is_internal(const char *path) {
  return strstr(path, "/include/c++/") != NULL || strstr(path, "/c++/v1/") != NULL || file_is_of_python(path);
}

bool module_is_interpreter(const char *path) {
  const char *name = last_part(path);
  return has_prefix(name, "python") || has_prefix(name, "libpython") || strstr(path, "/lib-dynload/") != NULL;
}
