/* SPDX-License-Identifier: MIT
 *
 * The memory of one analysis (see arena.h). Pieces are cut from blocks by moving an offset (Hanson 1990, "Fast
 * allocation and deallocation of memory based on object lifetimes"). Small resizable pieces are cut from them as well,
 * and wait in a list for each size when they are released. One thread per arena.
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

/* Before the bytes of a resizable piece. */
struct arena_piece {
  size_t room;               /* bytes that follow */
  struct arena_piece *spare; /* the next that waits; of no piece in use */
};

struct arena_large {
  struct arena_large *next, *previous;
  struct arena_piece piece;
};

_Static_assert(sizeof(struct arena_piece) % ALIGN == 0 && sizeof(struct arena_large) % ALIGN == 0,
               "the payload is aligned");

#ifdef __SANITIZE_ADDRESS__
#define SMALL_MOST 0u /* so that each piece is watched */
#else
#define SMALL_MOST ((size_t)ARENA_SIZES * ALIGN)
#endif

static struct arena_piece *piece_of(void *payload) { return (struct arena_piece *)payload - 1; }

static struct arena_large *large_of(struct arena_piece *piece) {
  return (struct arena_large *)((char *)piece - offsetof(struct arena_large, piece));
}

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
  arena->bytes -= large->piece.room;
}

static void large_link(struct arena *arena, struct arena_large *large) {
  large->previous = NULL;
  large->next = arena->large;
  if (large->next)
    large->next->previous = large;
  arena->large = large;
  arena->bytes += large->piece.room;
}

static void *large_resize(struct arena *arena, struct arena_large *old, size_t room) {
  if (old)
    large_unlink(arena, old);
  struct arena_large *moved = room > SIZE_MAX / 2 ? NULL : realloc(old, sizeof *moved + room);
  if (!moved) {
    if (old)
      large_link(arena, old);
    fail(arena);
  }
  moved->piece = (struct arena_piece){.room = room};
  large_link(arena, moved);
  return moved + 1;
}

static void *small_new(struct arena *arena, size_t room) {
  struct arena_piece **spare = &arena->spare[room / ALIGN - 1], *piece = *spare;
  if (piece) {
    *spare = piece->spare;
  } else {
    piece = arena_alloc(arena, sizeof *piece + room);
    piece->room = room;
  }
  return piece + 1;
}

void *arena_resize(struct arena *arena, void *old, size_t size) {
  size_t room = size > SIZE_MAX / 2 ? size : size ? (size + ALIGN - 1) / ALIGN * ALIGN : ALIGN;
  size_t before = old ? piece_of(old)->room : 0;
  if (old && room == before)
    return old;
  if (room > SMALL_MOST && (!old || before > SMALL_MOST))
    return large_resize(arena, old ? large_of(piece_of(old)) : NULL, room);
  void *moved = room > SMALL_MOST ? large_resize(arena, NULL, room) : small_new(arena, room);
  if (old)
    memcpy(moved, old, before < room ? before : room);
  arena_release(arena, old);
  return moved;
}

void arena_release(struct arena *arena, void *payload) {
  struct arena_piece *piece = payload ? piece_of(payload) : NULL;
  if (!piece)
    return;
  if (piece->room > SMALL_MOST) {
    large_unlink(arena, large_of(piece));
    free(large_of(piece));
    return;
  }
  struct arena_piece **spare = &arena->spare[piece->room / ALIGN - 1];
  piece->spare = *spare;
  *spare = piece;
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
