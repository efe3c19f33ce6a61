/* SPDX-License-Identifier: MIT
 *
 * What the assembler's two halves share: assembler.c knows the lines, operands.c what stands in a record's line.
 */
#ifndef SNARL_TESTS_ASSEMBLER_STATE_H
#define SNARL_TESTS_ASSEMBLER_STATE_H

#include "assembler.h"
#include "image.h"

#define ASSEMBLER_BEGIN 1000000000ull /* the clock when the text's time is 0 */

struct assembler_object {
  char *name;
  bool is_shared;
  uint64_t offset; /* private: of its address; shared: in the memory */
  size_t memory;   /* index of the shared memory */
};

struct assembler_memory {
  char *path;
};

struct assembler_image {
  uint32_t pid;
  uint64_t begin;
  struct image *image;
  uint64_t *symbols; /* pcs that are told already */
  size_t symbol_count;
  bool *is_mapped; /* by memory */
  size_t mapped_room;
};

struct assembler_frame { /* a pc stands for its text */
  char *text;
};

struct assembler {
  const char *dir;
  char *error;
  size_t error_size;
  unsigned line;
  uint64_t now; /* ns */
  struct assembler_image *images;
  size_t image_count;
  struct assembler_object *objects;
  size_t object_count;
  struct assembler_memory *memories;
  size_t memory_count;
  struct assembler_frame *frames;
  size_t frame_count;
};

/* Reads words off a line. */
struct words {
  char *at;
};

void assembler_tell(struct assembler *as, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* -1, for the caller to return; a macro so that compilers and analyzers see that. */
#define assembler_fail(...) (assembler_tell(__VA_ARGS__), -1)
void *assembler_must(void *memory);
void *assembler_one_more(void *array, size_t count, size_t element);

/* The next word, terminated in place; NULL at the end. A word in double quotes may hold spaces; *is_quoted tells. */
char *word_next(struct words *words, bool *is_quoted);
/* The next word without taking it. */
bool word_is(const struct words *words, const char *word);

bool number_parse(const char *word, uint64_t *number);
int thread_parse(struct assembler *as, const char *word, size_t *image, uint32_t *thread);
/* Index of the last image of that pid, -1. */
int image_of_pid(const struct assembler *as, uint64_t pid);
struct assembler_object *object_named(struct assembler *as, const char *name);
uint64_t thread_handle(uint32_t thread);

/* What a record needs, from the words after its name. */
struct operands {
  uint64_t object;
  unsigned argument;
  unsigned kind; /* enum image_aux */
  uint32_t aux;
};
int operands_parse(struct assembler *as, size_t image, unsigned type, struct words *words, struct operands *operands);

#endif
