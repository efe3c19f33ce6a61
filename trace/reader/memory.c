/* SPDX-License-Identifier: MIT
 *
 * Growing arrays, and the arena that strings of a trace live in until it is closed. Thread of the trace only.
 */
#include "reader_private.h"
#include <stdlib.h>
#include <string.h>

struct arena_chunk {
  struct arena_chunk *next;
  size_t used, room;
  char bytes[];
};

enum { CHUNK = 16384 };

bool array_grow(void *array, size_t *room, size_t count, size_t element) {
  if (count < *room)
    return true;
  size_t wanted = *room ? *room * 2 : 8;
  if (wanted > SIZE_MAX / element)
    return false;
  void *grown;
  memcpy(&grown, array, sizeof grown);
  grown = realloc(grown, wanted * element);
  if (!grown)
    return false;
  memcpy(array, &grown, sizeof grown);
  *room = wanted;
  return true;
}

static struct arena_chunk *chunk_with_room(struct arena *arena, size_t size) {
  struct arena_chunk *chunk = arena->chunks;
  if (chunk && chunk->room - chunk->used >= size)
    return chunk;
  size_t room = size > CHUNK ? size : CHUNK;
  chunk = malloc(sizeof *chunk + room);
  if (!chunk)
    return NULL;
  chunk->used = 0;
  chunk->room = room;
  chunk->next = arena->chunks;
  arena->chunks = chunk;
  return chunk;
}

void *arena_bytes(struct arena *arena, const void *bytes, size_t size, size_t room) {
  struct arena_chunk *chunk = chunk_with_room(arena, room);
  if (!chunk)
    return NULL;
  char *copy = chunk->bytes + chunk->used;
  chunk->used += room;
  if (size)
    memcpy(copy, bytes, size);
  memset(copy + size, 0, room - size);
  return copy;
}

char *arena_text(struct arena *arena, const char *text, size_t size) {
  size = strnlen(text, size);
  return arena_bytes(arena, text, size, size + 1);
}

void arena_free(struct arena *arena) {
  while (arena->chunks) {
    struct arena_chunk *next = arena->chunks->next;
    free(arena->chunks);
    arena->chunks = next;
  }
}
