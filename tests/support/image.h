/* SPDX-License-Identifier: MIT
 *
 * One trace file in the making: rows are collected, and laid out and written at the end. For the assembler and for
 * tests that need files no recorder would write. Test programs only; out of memory aborts.
 */
#ifndef SNARL_TESTS_IMAGE_H
#define SNARL_TESTS_IMAGE_H

#include <snarl/trace/format.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct image;

/* What a row's aux names, and whether its object names a blob as well; nodes and blobs get their ids when the file is
 * laid out. */
enum image_aux { IMAGE_RAW, IMAGE_NODE = 1, IMAGE_BLOB = 2, IMAGE_OBJECT_BLOB = 4 };

struct image *image_new(uint32_t pid, uint64_t begin);
void image_free(struct image *image);
/* To be filled in freely; `next` and `threads` are set when the file is written. */
struct snarli_header *image_header(struct image *image);

/* A stack node, interned. `parent`: a node or 0. Never 0. */
uint32_t image_node(struct image *image, uint64_t pc, uint32_t parent);
/* A blob made of two parts. Never 0. */
uint32_t image_blob(struct image *image, enum snarli_blob_kind kind, uint64_t time, const void *head, size_t head_size,
                    const void *tail, size_t tail_size);

/* A channel blob; its `stack` is a node. Never 0. */
uint32_t image_channel(struct image *image, uint64_t time, const struct snarli_channel *channel, const char *name);

void image_record(struct image *image, uint32_t thread, uint64_t time, uint64_t head, unsigned kind, uint32_t aux);
void image_window(struct image *image, uint32_t thread);
void image_hole(struct image *image, uint32_t thread);
/* False if `from` has no window, or no room is left in it. */
bool image_handover(struct image *image, uint32_t from, uint32_t to);

/* The whole file; the caller frees it. */
void *image_bytes(struct image *image, size_t *size);
/* 0 or errno. */
int image_write(struct image *image, const char *path);

#endif
