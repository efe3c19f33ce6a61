/* SPDX-License-Identifier: MIT
 *
 * An allocator that a program links instead of the C library's, in two kinds: one tells the size of a block
 * (HAS_USABLE_SIZE), of the other nobody must ask the C library. Never gives memory out twice. Any thread.
 */
#include <errno.h>
#include <malloc.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

extern void *_Atomic allocator_last_freed;
void *_Atomic allocator_last_freed;

enum { ROOM = 64 << 20, HEADER = 16 };
static _Alignas(4096) char memory[ROOM];
static _Atomic size_t used;

static size_t size_of(void *block) {
  size_t size;
  memcpy(&size, (char *)block - HEADER, sizeof size);
  return size;
}

void *memalign(size_t alignment, size_t size) {
  alignment = alignment < HEADER ? HEADER : alignment;
  size_t at = atomic_fetch_add(&used, size + HEADER + alignment);
  if (size > ROOM || at > ROOM - size - HEADER - alignment) {
    errno = ENOMEM;
    return NULL;
  }
  char *block = (char *)(((uintptr_t)memory + at + HEADER + alignment - 1) / alignment * alignment);
  memcpy(block - HEADER, &size, sizeof size);
  return block;
}

void *malloc(size_t size) { return memalign(HEADER, size); }
void *aligned_alloc(size_t alignment, size_t size) { return memalign(alignment, size); }
void *calloc(size_t count, size_t size) { return size && count > ROOM / size ? NULL : memalign(HEADER, count * size); }
void free(void *block) { allocator_last_freed = block; }

int posix_memalign(void **block, size_t alignment, size_t size) {
  *block = memalign(alignment, size);
  return *block ? 0 : ENOMEM;
}

void *realloc(void *block, size_t size) {
  void *bigger = malloc(size);
  if (block && bigger)
    memcpy(bigger, block, size_of(block) < size ? size_of(block) : size);
  free(block);
  return bigger;
}

#ifdef HAS_USABLE_SIZE
size_t malloc_usable_size(void *block) { return block ? size_of(block) : 0; }
#endif
