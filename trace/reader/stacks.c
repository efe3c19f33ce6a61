/* SPDX-License-Identifier: MIT
 *
 * Call stacks by id. Nodes are read in pieces when they are first asked for and kept: there is one for each distinct
 * frame of a stack, not one for each record. Thread of the trace only.
 */
#include "reader_private.h"
#include <stdlib.h>
#include <string.h>

enum { PIECE_SIZE = 16384 };

static size_t piece_count(const struct window *window) {
  return (size_t)((window->end - window->offset + PIECE_SIZE - 1) / PIECE_SIZE);
}

static void *piece_read(struct trace_file *file, const struct window *window, size_t piece) {
  uint64_t offset = window->offset + (uint64_t)piece * PIECE_SIZE;
  uint64_t left = window->end - offset;
  char *bytes = calloc(1, PIECE_SIZE);
  if (bytes)
    (void)file_read(file, offset, bytes, left < PIECE_SIZE ? (size_t)left : PIECE_SIZE);
  return bytes;
}

static bool node_of(struct trace_file *file, uint32_t id, struct snarli_stack_node *node) {
  uint64_t offset = (uint64_t)id * SNARLI_ROW;
  struct window *window = window_at(file, offset);
  if (!window || window->kind != SNARLI_W_STACKS || offset == window->offset || offset + SNARLI_ROW > window->end)
    return false;
  size_t piece = (size_t)((offset - window->offset) / PIECE_SIZE);
  if (!window->pieces)
    window->pieces = calloc(piece_count(window), sizeof *window->pieces);
  if (window->pieces && !window->pieces[piece])
    window->pieces[piece] = piece_read(file, window, piece);
  if (!window->pieces || !window->pieces[piece]) {
    problem_out_of_memory(file->trace);
    return false;
  }
  memcpy(node, window->pieces[piece] + (offset - window->offset) % PIECE_SIZE, sizeof *node);
  return node->used == 1;
}

/* A record that was stamped before the snapshot may be written after it, and its stack too: look at the file again, for
 * windows once, since a hostile file can hold any number of dangling stacks. */
static bool node_of_running(struct trace_file *file, uint32_t id, struct snarli_stack_node *node) {
  uint64_t offset = (uint64_t)id * SNARLI_ROW;
  if (!file_is_running(file))
    return false;
  if (!file->is_indexed_again) {
    file->is_indexed_again = true;
    file_refresh(file);
    windows_index_again(file);
  }
  struct window *window = window_at(file, offset);
  if (window && window->pieces) {
    size_t piece = (size_t)((offset - window->offset) / PIECE_SIZE);
    free(window->pieces[piece]);
    window->pieces[piece] = NULL;
  }
  return node_of(file, id, node);
}

/* Brent's algorithm: `tortoise` is a node met before; meeting it again is a loop. */
struct loop_watch {
  uint32_t tortoise;
  size_t steps, power;
};

static bool is_loop(struct loop_watch *watch, uint32_t id) {
  if (id == watch->tortoise)
    return true;
  if (watch->steps++ == watch->power) {
    watch->tortoise = id;
    watch->power *= 2;
    watch->steps = 0;
  }
  return false;
}

/* How many distinct nodes a chain has that runs into a loop of `length` nodes. */
static size_t count_before_repeat(struct trace_file *file, uint32_t id, size_t length) {
  struct snarli_stack_node node = {0};
  uint32_t ahead = id, behind = id;
  size_t count = length;
  for (size_t i = 0; i < length && node_of(file, ahead, &node); i++)
    ahead = node.parent;
  for (; ahead != behind; count++) {
    (void)node_of(file, ahead, &node);
    ahead = node.parent;
    (void)node_of(file, behind, &node);
    behind = node.parent;
  }
  return count;
}

static void tell_loop(struct trace_file *file, uint32_t stack) {
  problem_add(file->trace, file, PROBLEM_STACK_LOOP, TRACE_CORRUPT, 1,
              "%s: the call stack at offset %llu runs in a circle: each frame is shown once", file->path,
              (unsigned long long)stack * SNARLI_ROW);
}

static void tell_dangling(struct trace_file *file, uint32_t stack, uint32_t node) {
  problem_add(file->trace, file, PROBLEM_STACK_DANGLING, TRACE_CORRUPT, 1,
              "%s: the call stack at offset %llu continues at %llu, where no frame is: the rest is missing", file->path,
              (unsigned long long)stack * SNARLI_ROW, (unsigned long long)node * SNARLI_ROW);
}

size_t trace_stack(const struct trace *trace, uint32_t process, uint32_t stack, uint64_t *pcs, size_t room) {
  if (process >= trace->file_count)
    return 0;
  struct trace_file *file = trace->files[process];
  struct snarli_stack_node node;
  struct loop_watch watch = {.tortoise = 0, .power = 1};
  size_t count = 0;
  for (uint32_t id = stack; id; id = node.parent) {
    if (!node_of(file, id, &node) && !node_of_running(file, id, &node)) {
      tell_dangling(file, stack, id);
      break;
    }
    if (is_loop(&watch, id)) {
      tell_loop(file, stack);
      return count_before_repeat(file, stack, watch.steps + 1);
    }
    if (count < room)
      pcs[count] = node.pc;
    count++;
  }
  return count;
}

void stacks_free(struct trace_file *file) {
  for (size_t i = 0; i < file->window_count; i++) {
    struct window *window = &file->windows[i];
    for (size_t piece = 0; window->pieces && piece < piece_count(window); piece++)
      free(window->pieces[piece]);
    free(window->pieces);
  }
}
