/* SPDX-License-Identifier: MIT
 *
 * Memory that goes back to the allocator or the loader: what lay in it is no more, which nobody tells of a statically
 * initialized mutex or a std::mutex. free is called by everybody, before our constructor, from dlsym and while threads
 * end; a block in a part of memory without any object costs a few loads.
 */
#include "real.h"
#include "wrapper.h"
#include <dlfcn.h>
#include <link.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

/* Of the allocator that `free` belongs to; NULL: it has none, or is not known yet. Then only what begins a block is
 * known to go with it. */
static size_t (*usable_size)(void *);

static bool is_same_module(const void *a, const void *b) {
  Dl_info of_a, of_b;
  return a && b && dladdr(a, &of_a) && dladdr(b, &of_b) && of_a.dli_fbase == of_b.dli_fbase;
}

static __attribute__((constructor)) void usable_size_find(void) {
  size_t (*found)(void *) = (size_t(*)(void *))dlsym(RTLD_NEXT, "malloc_usable_size");
  if (is_same_module((const void *)found, (const void *)snarli_real()->free))
    __atomic_store_n(&usable_size, found, __ATOMIC_RELEASE);
}

SNARLI_EXPORT void free(void *block) {
  snarli_block_freed(block, __atomic_load_n(&usable_size, __ATOMIC_ACQUIRE));
  void (*real)(void *) = snarli_real()->free;
  if (__builtin_expect(real != NULL, 1)) /* else dlsym, which is looking for it, frees */
    real(block);
}

static const char *module_of(const void *code) {
  Dl_info info;
  const char *name = code && dladdr(code, &info) && info.dli_fname ? info.dli_fname : "", *slash = strrchr(name, '/');
  return slash ? slash + 1 : name;
}

/* Where a program that is not position-independent takes a function's address, that is an entry of its own table of
 * jumps, which dlsym finds first; the function is who comes next. */
static bool is_jump(const void *code) {
  Dl_info info;
  const ElfW(Sym) *symbol = NULL;
  return code && dladdr1(code, &info, (void **)&symbol, RTLD_DL_SYMENT) && symbol && symbol->st_shndx == SHN_UNDEF;
}

/* An allocator in the program itself comes before us, and some have an operator delete that does not call free. */
static __attribute__((constructor)) void freeing_unseen(void) {
  if (!snarli_is_recording())
    return;
  const void *first_free = dlsym(RTLD_DEFAULT, "free"), *first_delete = dlsym(RTLD_DEFAULT, "_ZdlPv");
  if (!is_jump(first_free) && !is_same_module(first_free, (const void *)freeing_unseen))
    snarli_record_aux(SNARLI_R_FREEING_UNSEEN, 1, 0, 0);
  if (is_jump(first_delete))
    first_delete = dlsym(RTLD_NEXT, "_ZdlPv");
  const char *module = module_of(first_delete);
  if (first_delete && strncmp(module, "libstdc++", 9) != 0 && strncmp(module, "libc++", 6) != 0)
    snarli_record_aux(SNARLI_R_FREEING_UNSEEN, 2, 0, 0);
  (void)dlerror(); /* takes back what a failed look-up left */
}

/* Whether the block stays is not known before, and afterwards its old place may be another's: what lay in it ends. A
 * program that counts on its place cannot resize it. */
SNARLI_EXPORT void *realloc(void *block, size_t size) {
  snarli_block_freed(block, __atomic_load_n(&usable_size, __ATOMIC_ACQUIRE));
  void *(*real)(void *, size_t) = snarli_real()->realloc;
  if (__builtin_expect(real != NULL, 1))
    return real(block, size);
  errno = ENOMEM;
  return NULL;
}

/* After the call: only then is it known whether the module went. */
SNARLI_EXPORT int dlclose(void *handle) {
  int result = snarli_real()->dlclose(handle);
  if (snarli_is_recording())
    snarli_modules_changed();
  return result;
}
