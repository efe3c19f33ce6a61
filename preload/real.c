/* SPDX-License-Identifier: MIT
 *
 * Finding the real functions. dlsym may call a malloc, and that malloc may lock a wrapped mutex: such a call finds the
 * slots filled so far, and wrapped.def puts what a malloc uses first.
 */
#include "real.h"
#include <dlfcn.h>
#include <errno.h>
#include <stddef.h>

struct snarli_real snarli_real_slots;
bool snarli_real_is_ready;
static __thread bool is_resolving;

/* What a wrapper calls when this libc has no such function: only a program that asked for it by name gets here. */
static int absent_code(void) { return ENOSYS; }
static int absent_errno(void) {
  errno = ENOSYS;
  return -1;
}
static int absent_c11(void) { return thrd_error; }

#define ABSENT_CODE absent_code
#define ABSENT_ERRNO absent_errno
#define ABSENT_C11 absent_c11
#define ABSENT_NONE absent_errno
#define VERSION_ANY NULL
#define VERSION_GLIBC_2_3_2 "GLIBC_2.3.2"
#define VERSION_GLIBC_2_15 "GLIBC_2.15"

struct row {
  const char *name, *version;
  size_t slot;
  int (*absent)(void);
};

static const struct row rows[] = {
#define WRAP(body, result, object, ret, name, params, args, version)                                                   \
  {#name, VERSION_##version, offsetof(struct snarli_real, name), ABSENT_##result},
#include "wrapped.def"
};

static void resolve(const struct row *row) {
  void *found = row->version ? dlvsym(RTLD_NEXT, row->name, row->version) : NULL;
  if (!found)
    found = dlsym(RTLD_NEXT, row->name); /* other architectures have other versions, and only one */
  void **slot = (void **)((char *)&snarli_real_slots + row->slot);
  __atomic_store_n(slot, found ? found : (void *)row->absent, __ATOMIC_RELAXED);
}

void snarli_real_resolve(void) {
  if (is_resolving)
    return;
  is_resolving = true;
  int saved = errno;
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    resolve(&rows[i]);
  errno = saved;
  is_resolving = false;
  __atomic_store_n(&snarli_real_is_ready, true, __ATOMIC_RELEASE);
}

static __attribute__((constructor)) void library_loaded(void) { snarli_real_resolve(); }
