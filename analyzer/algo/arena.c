/* SPDX-License-Identifier: MIT
 *
 * The memory of one analysis (see arena.h). Pieces are cut from blocks by moving an offset (Hanson 1990, "Fast
 * allocation and deallocation of memory based on object lifetimes"). One thread per arena.
 */
#include "arena.h"
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_SIZE ((size_t)64 << 10)
#define ALIGN 16u

struct arena_block {
  struct arena_block *older;
  size_t used, size; /* of the bytes that follow */
};

struct arena_large {
  struct arena_large *next, *previous;
  size_t size;
  size_t reserved; /* keeps the payload aligned */
};

_Static_assert(sizeof(struct arena_large) % ALIGN == 0, "the payload is aligned");

void arena_init(struct arena *arena, jmp_buf *failed) { *arena = (struct arena){.failed = failed}; }

void arena_destroy(struct arena *arena) {
  while (arena->blocks) {
    struct arena_block *older = arena->blocks->older;
    free(arena->blocks);
    arena->blocks = older;
  }
  while (arena->large) {
    struct arena_large *next = arena->large->next;
    free(arena->large);
    arena->large = next;
  }
}

static _Noreturn void fail(struct arena *arena) {
  if (arena->failed)
    longjmp(*arena->failed, 1);
  abort();
}

static size_t block_head(void) { return (sizeof(struct arena_block) + ALIGN - 1) / ALIGN * ALIGN; }

static struct arena_block *block_new(struct arena *arena, size_t at_least) {
  size_t size = at_least > BLOCK_SIZE ? at_least : BLOCK_SIZE;
  struct arena_block *block = size > SIZE_MAX / 2 ? NULL : calloc(1, block_head() + size);
  if (!block)
    fail(arena);
  block->size = size;
  block->older = arena->blocks;
  arena->blocks = block;
  arena->bytes += size;
  return block;
}

void *arena_alloc(struct arena *arena, size_t size) {
  if (size > SIZE_MAX / 2)
    fail(arena);
  size = (size + ALIGN - 1) / ALIGN * ALIGN;
  struct arena_block *block = arena->blocks;
  if (!block || block->size - block->used < size)
    block = block_new(arena, size);
  void *piece = (char *)block + block_head() + block->used;
  block->used += size;
  return piece;
}

static void large_unlink(struct arena *arena, struct arena_large *large) {
  if (large->previous)
    large->previous->next = large->next;
  else
    arena->large = large->next;
  if (large->next)
    large->next->previous = large->previous;
  arena->bytes -= large->size;
}

static void large_link(struct arena *arena, struct arena_large *large, size_t size) {
  large->size = size;
  large->previous = NULL;
  large->next = arena->large;
  if (large->next)
    large->next->previous = large;
  arena->large = large;
  arena->bytes += size;
}

void *arena_resize(struct arena *arena, void *old, size_t size) {
  struct arena_large *large = old ? (struct arena_large *)old - 1 : NULL;
  size_t before = large ? large->size : 0;
  if (large)
    large_unlink(arena, large);
  struct arena_large *moved = size > SIZE_MAX / 2 ? NULL : realloc(large, sizeof *large + size);
  if (!moved) {
    if (large)
      large_link(arena, large, before);
    fail(arena);
  }
  large_link(arena, moved, size);
  return moved + 1;
}

void arena_release(struct arena *arena, void *piece) {
  if (!piece)
    return;
  struct arena_large *large = (struct arena_large *)piece - 1;
  large_unlink(arena, large);
  free(large);
}

char *arena_copy(struct arena *arena, const char *text, size_t size) {
  char *copy = arena_alloc(arena, size + 1);
  memcpy(copy, text, size);
  return copy;
}

char *arena_print(struct arena *arena, const char *format, ...) {
  va_list list;
  va_start(list, format);
  int size = vsnprintf(NULL, 0, format, list);
  va_end(list);
  if (size < 0)
    fail(arena);
  char *text = arena_alloc(arena, (size_t)size + 1);
  va_start(list, format);
  vsnprintf(text, (size_t)size + 1, format, list);
  va_end(list);
  return text;
}

int vector_grow(struct arena *arena, void *vector, size_t item) {
  VECTOR(char) *v = vector;
  size_t room = v->room ? v->room * 2 : 4;
  if (room > SIZE_MAX / 2 / item)
    fail(arena);
  v->items = arena_resize(arena, v->items, room * item);
  v->room = room;
  return 1;
}
