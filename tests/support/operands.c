/* SPDX-License-Identifier: MIT
 *
 * The operands of a record's line: its object, its argument, its stack, string or value. Test programs only.
 */
#include "assembler_state.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define PRIVATE_OBJECTS 0x550000000000ull
#define SHARED_OBJECTS 0x7f0000000000ull
#define THREAD_HANDLES 0x7e0000000000ull
#define FRAMES 0x400000ull
enum { OBJECT_SIZE = 64, MEMORY_SIZE = 0x100000, IMAGE_DISTANCE = 0x10000000, FRAME_SIZE = 16 };

bool number_parse(const char *word, uint64_t *number) {
  char *end;
  errno = 0;
  *number = strtoull(word, &end, 0);
  return errno == 0 && end != word && *end == 0 && word[0] >= '0' && word[0] <= '9';
}

uint64_t thread_handle(uint32_t thread) { return THREAD_HANDLES + (uint64_t)thread * 4096; }

struct assembler_object *object_named(struct assembler *as, const char *name) {
  for (size_t i = 0; i < as->object_count; i++)
    if (strcmp(as->objects[i].name, name) == 0)
      return &as->objects[i];
  as->objects = assembler_one_more(as->objects, as->object_count, sizeof *as->objects);
  struct assembler_object *object = &as->objects[as->object_count];
  *object = (struct assembler_object){.name = assembler_must(strdup(name)), .offset = as->object_count * OBJECT_SIZE};
  as->object_count++;
  return object;
}

/* The image tells where the memory lies before it first uses it. */
static uint64_t shared_address(struct assembler *as, size_t image, const struct assembler_object *object) {
  struct assembler_image *user = &as->images[image];
  uint64_t lo = SHARED_OBJECTS + (image + 1) * IMAGE_DISTANCE + object->memory * MEMORY_SIZE;
  if (user->mapped_room < as->memory_count) {
    user->is_mapped = assembler_must(realloc(user->is_mapped, as->memory_count * sizeof(bool)));
    memset(user->is_mapped + user->mapped_room, 0, as->memory_count - user->mapped_room);
    user->mapped_room = as->memory_count;
  }
  if (!user->is_mapped[object->memory]) {
    struct snarli_mapping mapping = {
        .lo = lo, .hi = lo + MEMORY_SIZE, .device = 0x17, .inode = 100 + object->memory, .offset = 0};
    const char *path = as->memories[object->memory].path;
    (void)image_blob(user->image, SNARLI_B_MAPPING, user->begin, &mapping, sizeof mapping, path, strlen(path));
    user->is_mapped[object->memory] = true;
  }
  return lo + object->offset;
}

static uint64_t object_address(struct assembler *as, size_t image, const char *name) {
  uint64_t number;
  if (number_parse(name, &number))
    return number;
  const struct assembler_object *object = object_named(as, name);
  return object->is_shared ? shared_address(as, image, object) : PRIVATE_OBJECTS + object->offset;
}

static int thread_index_parse(struct assembler *as, const char *word, uint32_t *index) {
  uint64_t number;
  size_t image;
  if (strchr(word, '.'))
    return thread_parse(as, word, &image, index);
  if (!number_parse(word, &number) || number > UINT32_MAX)
    return assembler_fail(as, "'%s' is no thread", word);
  *index = (uint32_t)number;
  return 0;
}

static int transfer_parse(struct assembler *as, const char *descriptor, struct words *words, uint64_t *object) {
  bool is_quoted;
  uint64_t number, amount;
  char *word = word_next(words, &is_quoted);
  if (!number_parse(descriptor, &number) || !word || !number_parse(word, &amount))
    return assembler_fail(as, "a descriptor and an amount are needed");
  *object = snarli_transfer_object((unsigned)number, amount);
  return 0;
}

static int string_parse(struct assembler *as, size_t image, const struct trace_record_info *info, const char *text,
                        uint64_t *object) {
  if (!text)
    return assembler_fail(as, "'%s' needs a string", info->text);
  *object =
      image_blob(as->images[image].image, SNARLI_B_STRING, as->now + ASSEMBLER_BEGIN, text, strlen(text), NULL, 0);
  return 0;
}

static int object_parse(struct assembler *as, size_t image, const struct trace_record_info *info, struct words *words,
                        uint64_t *object) {
  bool is_quoted;
  uint32_t index;
  if (info->object == SNARLI_OBJECT_NONE)
    return 0;
  char *word = word_next(words, &is_quoted);
  if (info->object == SNARLI_OBJECT_STRING)
    return string_parse(as, image, info, is_quoted ? word : NULL, object);
  if (!word || is_quoted)
    return assembler_fail(as, "'%s' needs an object", info->text);
  switch (info->object) {
  case SNARLI_OBJECT_ADDRESS:
    *object = object_address(as, image, word);
    return 0;
  case SNARLI_OBJECT_HANDLE:
    if (!strchr(word, '.') && strncmp(word, "0x", 2) == 0 && number_parse(word, object))
      return 0;
    if (thread_index_parse(as, word, &index) != 0)
      return -1;
    *object = thread_handle(index);
    return 0;
  case SNARLI_OBJECT_INDEX:
    if (thread_index_parse(as, word, &index) != 0)
      return -1;
    *object = index;
    return 0;
  case SNARLI_OBJECT_TRANSFER:
    return transfer_parse(as, word, words, object);
  default:
    if (strcmp(word, "any") == 0)
      return 0;
    return number_parse(word, object) ? 0 : assembler_fail(as, "'%s' is no number", word);
  }
}

static const char *const flag_words[8] = {"try",      "timed", "in-wait", "owner-died",
                                          "detached", "vfork", "spawn",   "ended"};
static const char *const type_words[8] = {"recursive", "errorcheck",    "adaptive", "robust",
                                          "shared",    "prefer-writer", "priority", "c11"};

static const char *const end_words[8] = {"receive", "send", "made", "outside", "unlinked"};

static const char *const unit_words[8] = {"try", "timed", "undo", "together"};

static bool bit_take(struct words *words, const char *const names[8], unsigned *argument) {
  bool is_quoted;
  for (unsigned i = 0; i < 8; i++)
    if (names[i] && word_is(words, names[i])) {
      (void)word_next(words, &is_quoted);
      *argument |= 1u << i;
      return true;
    }
  return false;
}

static bool errno_parse(const char *word, unsigned *argument) {
  for (int error = 1; error < 256; error++) {
    const char *name = strerrorname_np(error);
    if (name && strcmp(name, word) == 0) {
      *argument = (unsigned)error;
      return true;
    }
  }
  uint64_t number;
  if (!number_parse(word, &number) || number > 255)
    return false;
  *argument = (unsigned)number;
  return true;
}

/* A copy of the next word, to look at; empty at the end. */
static void word_peek(const struct words *words, char *copy, size_t size) {
  const char *at = words->at + strspn(words->at, " \t");
  size_t length = strcspn(at, " \t");
  if (length >= size)
    length = size - 1;
  memcpy(copy, at, length);
  copy[length] = 0;
}

/* try timed undo together units=N; one unit if none are named. */
static void units_take(struct words *words, unsigned *argument) {
  char word[64];
  bool is_quoted;
  unsigned units = 1;
  while (bit_take(words, unit_words, argument))
    ;
  word_peek(words, word, sizeof word);
  if (strncmp(word, "units=", 6) == 0) {
    units = (unsigned)strtoul(word + 6, NULL, 0) & 0xf;
    (void)word_next(words, &is_quoted);
  }
  *argument |= units << SNARLI_U_SHIFT;
}

static void argument_take(struct words *words, enum snarli_arg kind, unsigned *argument) {
  char word[64];
  bool is_quoted;
  word_peek(words, word, sizeof word);
  if (strncmp(word, "arg=", 4) == 0) {
    *argument = (unsigned)strtoul(word + 4, NULL, 0) & 0xff;
    (void)word_next(words, &is_quoted);
  } else if (kind == SNARLI_ARG_FLAGS || kind == SNARLI_ARG_TYPE || kind == SNARLI_ARG_ENDS) {
    const char *const *names = kind == SNARLI_ARG_FLAGS ? flag_words : kind == SNARLI_ARG_TYPE ? type_words : end_words;
    while (bit_take(words, names, argument))
      ;
  } else if (kind == SNARLI_ARG_UNITS) {
    units_take(words, argument);
  } else if ((kind == SNARLI_ARG_ERRNO || kind == SNARLI_ARG_COUNT) && errno_parse(word, argument)) {
    (void)word_next(words, &is_quoted);
  }
}

/* Stacks. */

static uint64_t frame_pc(struct assembler *as, const char *text) {
  size_t i = 0;
  while (i < as->frame_count && strcmp(as->frames[i].text, text) != 0)
    i++;
  if (i == as->frame_count) {
    as->frames = assembler_one_more(as->frames, as->frame_count, sizeof *as->frames);
    as->frames[as->frame_count++].text = assembler_must(strdup(text));
  }
  return FRAMES + (i + 1) * FRAME_SIZE;
}

static bool is_symbol_known(const struct assembler_image *image, uint64_t pc) {
  for (size_t i = 0; i < image->symbol_count; i++)
    if (image->symbols[i] == pc)
      return true;
  return false;
}

static int symbol_tell(struct assembler *as, struct assembler_image *image, uint64_t pc, const char *text) {
  const char *at = strrchr(text, '@'), *colon = strrchr(at, ':');
  uint64_t line = 0;
  if (colon && !number_parse(colon + 1, &line))
    return assembler_fail(as, "'%s': the line is no number", text);
  struct snarli_symbol symbol = {.pc = pc, .line = (uint32_t)line, .function_size = (uint32_t)(at - text)};
  size_t file_size = colon ? (size_t)(colon - at - 1) : strlen(at + 1);
  char *names = assembler_must(malloc(strlen(text) + 1));
  memcpy(names, text, symbol.function_size);
  memcpy(names + symbol.function_size, at + 1, file_size);
  (void)image_blob(image->image, SNARLI_B_SYMBOL, image->begin, &symbol, sizeof symbol, names,
                   symbol.function_size + file_size);
  free(names);
  image->symbols = assembler_one_more(image->symbols, image->symbol_count, sizeof *image->symbols);
  image->symbols[image->symbol_count++] = pc;
  return 0;
}

static int frame_parse(struct assembler *as, struct assembler_image *image, const char *text, uint64_t *pc) {
  if (strcmp(text, "...") == 0) {
    *pc = SNARLI_PC_CUT;
    return 0;
  }
  if (strcmp(text, "signal") == 0) {
    *pc = SNARLI_PC_SIGNAL;
    return 0;
  }
  if (strncmp(text, "pc:", 3) == 0)
    return number_parse(text + 3, pc) ? 0 : assembler_fail(as, "'%s' is no pc", text);
  if (!strchr(text, '@'))
    return assembler_fail(as, "'%s' is neither an argument nor a frame (function@file:line)", text);
  *pc = frame_pc(as, text);
  return is_symbol_known(image, *pc) ? 0 : symbol_tell(as, image, *pc, text);
}

/* Frames come innermost first and nodes are made outermost first. */
static int stack_parse(struct assembler *as, size_t image, struct words *words, uint32_t *stack) {
  bool is_quoted;
  char *word = word_next(words, &is_quoted);
  uint64_t pc;
  *stack = 0;
  if (!word)
    return 0;
  if (frame_parse(as, &as->images[image], word, &pc) != 0)
    return -1;
  if (word_is(words, "<")) {
    (void)word_next(words, &is_quoted);
    if (!*(words->at + strspn(words->at, " \t")))
      return assembler_fail(as, "a frame is missing after '<'");
    if (stack_parse(as, image, words, stack) != 0)
      return -1;
  }
  *stack = image_node(as->images[image].image, pc, *stack);
  return 0;
}

/* An inode, an id: a number, or a name that stands for one. */
static uint64_t identity_parse(struct assembler *as, const char *word) {
  uint64_t number;
  return number_parse(word, &number) ? number : 1000 + object_named(as, word)->offset / OBJECT_SIZE;
}

/* One of the words after a channel's identity, with its value. */
static bool channel_option(struct assembler *as, struct words *words, struct snarli_channel *channel,
                           const char **name) {
  bool is_quoted;
  uint64_t *fields[] = {&channel->peer, &channel->capacity, &channel->content, NULL};
  static const char *const options[] = {"to", "capacity", "content", "named"};
  for (unsigned i = 0; i < 4; i++) {
    if (!word_is(words, options[i]))
      continue;
    (void)word_next(words, &is_quoted);
    const char *value = word_next(words, &is_quoted);
    if (value && fields[i])
      *fields[i] = identity_parse(as, value);
    else if (value)
      *name = value;
    return true;
  }
  return false;
}

static int channel_parse(struct assembler *as, size_t image, struct words *words, struct operands *operands) {
  static const char *const kinds[] = {"pipe",  "fifo", "socket", "messages", "eventfd",
                                      "queue", "sysv", "epoll",  "pidfd"};
  struct snarli_channel channel = {.device = 13};
  const char *name = "";
  bool is_quoted;
  char *kind = word_next(words, &is_quoted), *self = word_next(words, &is_quoted);
  for (unsigned i = 0; kind && i < sizeof kinds / sizeof *kinds; i++)
    if (strcmp(kinds[i], kind) == 0)
      channel.kind = i + 1;
  if (!channel.kind || !self)
    return assembler_fail(as, "a channel needs a kind and an identity");
  channel.self = identity_parse(as, self);
  while (channel_option(as, words, &channel, &name))
    ;
  operands->kind |= IMAGE_BLOB;
  return stack_parse(as, image, words, &channel.stack) != 0
             ? -1
             : (operands->aux = image_channel(as->images[image].image, as->now + ASSEMBLER_BEGIN, &channel, name), 0);
}

static int aux_parse(struct assembler *as, size_t image, enum snarli_aux kind, struct words *words,
                     struct operands *operands) {
  char word[64];
  bool is_quoted;
  uint64_t number;
  word_peek(words, word, sizeof word);
  if (!word[0])
    return 0;
  if (strncmp(word, "aux=", 4) == 0) {
    operands->aux = (uint32_t)strtoul(word + 4, NULL, 0);
    (void)word_next(words, &is_quoted);
    return 0;
  }
  if (kind == SNARLI_AUX_STACK) {
    operands->kind |= IMAGE_NODE;
    return stack_parse(as, image, words, &operands->aux);
  }
  if (kind == SNARLI_AUX_CHANNEL)
    return channel_parse(as, image, words, operands);
  char *text = word_next(words, &is_quoted);
  if (kind == SNARLI_AUX_BLOB && is_quoted) {
    operands->kind |= IMAGE_BLOB;
    operands->aux =
        image_blob(as->images[image].image, SNARLI_B_STRING, as->now + ASSEMBLER_BEGIN, text, strlen(text), NULL, 0);
    return 0;
  }
  if (kind != SNARLI_AUX_VALUE || !number_parse(text, &number) || number > UINT32_MAX)
    return assembler_fail(as, "'%s' is not understood here", text);
  operands->aux = (uint32_t)number;
  return 0;
}

int operands_parse(struct assembler *as, size_t image, unsigned type, struct words *words, struct operands *operands) {
  const struct trace_record_info *info = trace_record_info(type);
  bool is_quoted;
  if (object_parse(as, image, info, words, &operands->object) != 0)
    return -1;
  operands->kind = info->object == SNARLI_OBJECT_STRING ? IMAGE_OBJECT_BLOB : IMAGE_RAW;
  argument_take(words, info->arg, &operands->argument);
  if (aux_parse(as, image, info->aux, words, operands) != 0)
    return -1;
  const char *rest = word_next(words, &is_quoted);
  return rest ? assembler_fail(as, "'%s' is not understood here", rest) : 0;
}
