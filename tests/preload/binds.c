/* SPDX-License-Identifier: MIT
 *
 * Where does a program's reference to each wrapped function lead? `binds NAME` succeeds if all lead into a library
 * whose path contains NAME, `binds -` if none leads into Snarl's; the old versions of the condition variable functions
 * always lead into libc. One thread.
 */
#include "wrapped_headers.h"
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

struct reference {
  const char *name;
  void *address;
};

#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
static const struct reference references[] = {
#define WRAP(body, result, object, ret, name, params, args, version) {#name, (void *)name},
#include "../../preload/wrapped.def"
};

static const char *library_of(void *address) {
  Dl_info info;
  return address && dladdr(address, &info) && info.dli_fname ? info.dli_fname : "nowhere";
}

static int check(const char *name, const char *library, const char *wanted) {
  int is_right = *wanted == '-' ? !strstr(library, "libsnarl") : strstr(library, wanted) != NULL;
  if (!is_right)
    printf("%s leads into %s\n", name, library);
  return !is_right;
}

int main(int argc, char **argv) {
  const char *wanted = argc > 1 ? argv[1] : "-";
  int wrong = 0;
  for (size_t i = 0; i < sizeof references / sizeof *references; i++) {
    const struct reference *reference = &references[i];
    wrong += check(reference->name, library_of(reference->address), wanted);
    wrong += check(reference->name, library_of(dlsym(RTLD_DEFAULT, reference->name)), wanted);
  }
#ifdef __x86_64__
  wrong += check("pthread_cond_wait@GLIBC_2.2.5", library_of(dlvsym(RTLD_DEFAULT, "pthread_cond_wait", "GLIBC_2.2.5")),
                 "libc.so");
  wrong += check("posix_spawn@GLIBC_2.2.5", library_of(dlvsym(RTLD_DEFAULT, "posix_spawn", "GLIBC_2.2.5")), "libc.so");
#endif
  return wrong != 0;
}
