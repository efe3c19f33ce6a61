/* SPDX-License-Identifier: MIT
 *
 * The memory of one analysis: small pieces cut from blocks, large ones that can be resized, all freed at once. When
 * memory runs out, control goes to `failed`, so that no caller checks. One thread per arena.
 */
#ifndef SNARL_ALGO_ARENA_H
#define SNARL_ALGO_ARENA_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#define ARENA_SIZES 32u /* of small resizable pieces: multiples of 16 bytes */

struct arena {
  struct arena_block *blocks;             /* the newest, from which pieces are cut */
  struct arena_large *large;              /* all large resizable pieces */
  struct arena_piece *spare[ARENA_SIZES]; /* small ones to use again */
  jmp_buf *failed;                        /* where to go without memory; NULL: abort */
  size_t bytes;                           /* taken from the system */
};

void arena_init(struct arena *arena, jmp_buf *failed);
void arena_destroy(struct arena *arena);
/* Zeroed memory that lives as long as the arena. */
void *arena_alloc(struct arena *arena, size_t size);
/* A piece that can grow, shrink and be released: `old` is NULL or came from here. New bytes are not zeroed. */
void *arena_resize(struct arena *arena, void *old, size_t size);
void arena_release(struct arena *arena, void *piece);
char *arena_copy(struct arena *arena, const char *text, size_t size); /* terminated */
char *arena_print(struct arena *arena, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A growable array: VECTOR(int) v = {0}; *vector_push(arena, &v) = 1; v.items[0]; v.count. */
#define VECTOR(type)                                                                                                   \
  struct {                                                                                                             \
    type *items;                                                                                                       \
    size_t count, room;                                                                                                \
  }
#define vector_push(arena, v)                                                                                          \
  (*((void)((v)->count < (v)->room || vector_grow((arena), (v), sizeof(__typeof__((v)->items[0])))),                   \
     (void)((v)->items || (__builtin_unreachable(), 0)), &(v)->items[(v)->count++]))
#define vector_free(arena, v)                                                                                          \
  do {                                                                                                                 \
    arena_release((arena), (v)->items);                                                                                \
    (v)->items = NULL;                                                                                                 \
    (v)->count = (v)->room = 0;                                                                                        \
  } while (0)

/* Makes room for at least one more item in the vector at `vector`. True. */
int vector_grow(struct arena *arena, void *vector, size_t item);

#endif
