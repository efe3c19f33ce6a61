/* SPDX-License-Identifier: MIT
 *
 * The assembler of text traces: see assembler.h for the language. Test programs only; out of memory aborts.
 */
#include "assembler_state.h"
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

void *assembler_must(void *memory) {
  if (!memory)
    abort();
  return memory;
}

void *assembler_one_more(void *array, size_t count, size_t element) {
  return count & (count - 1) ? array : assembler_must(realloc(array, (count ? count * 2 : 1) * element));
}

void assembler_tell(struct assembler *as, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  int size = as->line ? snprintf(as->error, as->error_size, "line %u: ", as->line) : 0;
  if (size >= 0 && (size_t)size < as->error_size)
    vsnprintf(as->error + size, as->error_size - (size_t)size, format, arguments);
  va_end(arguments);
}

/* Words. */

char *word_next(struct words *words, bool *is_quoted) {
  char *begin = words->at + strspn(words->at, " \t");
  *is_quoted = *begin == '"';
  if (*is_quoted)
    begin++;
  char *end = begin + strcspn(begin, *is_quoted ? "\"" : " \t");
  bool is_end = !*begin && !*is_quoted;
  words->at = *end ? end + 1 : end;
  *end = 0;
  return is_end ? NULL : begin;
}

bool word_is(const struct words *words, const char *word) {
  const char *at = words->at + strspn(words->at, " \t");
  size_t size = strcspn(at, " \t");
  return size == strlen(word) && strncmp(at, word, size) == 0;
}

/* Names. */

int image_of_pid(const struct assembler *as, uint64_t pid) {
  for (size_t i = as->image_count; i-- > 0;)
    if (as->images[i].pid == pid)
      return (int)i;
  return -1;
}

int thread_parse(struct assembler *as, const char *word, size_t *image, uint32_t *thread) {
  char *end;
  unsigned long long pid = strtoull(word, &end, 10);
  uint64_t index;
  if (end == word || *end != '.' || !number_parse(end + 1, &index) || index > UINT32_MAX)
    return assembler_fail(as, "'%s' is no thread (PID.INDEX)", word);
  int found = image_of_pid(as, pid);
  if (found < 0)
    return assembler_fail(as, "there is no process %llu before this line", pid);
  *image = (size_t)found;
  *thread = (uint32_t)index;
  return 0;
}

static int word_required(struct assembler *as, struct words *words, const char *what, char **word) {
  bool is_quoted;
  *word = word_next(words, &is_quoted);
  return *word ? 0 : assembler_fail(as, "%s is missing", what);
}

static int number_required(struct assembler *as, struct words *words, const char *what, uint64_t *number) {
  char *word;
  if (word_required(as, words, what, &word) != 0)
    return -1;
  return number_parse(word, number) ? 0 : assembler_fail(as, "%s: '%s' is no number", what, word);
}

static int thread_required(struct assembler *as, struct words *words, size_t *image, uint32_t *thread) {
  char *word;
  return word_required(as, words, "the thread", &word) == 0 ? thread_parse(as, word, image, thread) : -1;
}

static int image_required(struct assembler *as, struct words *words, struct assembler_image **image) {
  uint64_t pid;
  if (number_required(as, words, "the process", &pid) != 0)
    return -1;
  int found = image_of_pid(as, pid);
  if (found < 0)
    return assembler_fail(as, "there is no process %llu before this line", (unsigned long long)pid);
  *image = &as->images[found];
  return 0;
}

static uint64_t ticks_now(const struct assembler *as) { return ASSEMBLER_BEGIN + as->now; }

static void record_put(struct assembler *as, size_t image, uint32_t thread, unsigned type,
                       const struct operands *operands) {
  uint64_t head = snarli_record_head(type, operands->argument, operands->object);
  image_record(as->images[image].image, thread, ticks_now(as), head, operands->kind, operands->aux);
  as->now += 1000;
}

/* Lines. */

static int process_option(struct assembler *as, struct words *words, const char *option, struct snarli_header *header,
                          bool *is_bare, const char **command) {
  uint64_t pid = 0;
  int old = image_of_pid(as, header->pid);
  if (strcmp(option, "bare") == 0) {
    *is_bare = true;
  } else if (strcmp(option, "command") == 0) {
    *command = words->at + strspn(words->at, " \t");
    words->at += strlen(words->at);
  } else if (strcmp(option, "exec") == 0) {
    if (old < 0)
      return assembler_fail(as, "there is no process %u to exec in", header->pid);
    header->parent = image_header(as->images[old].image)->parent;
  } else if (strcmp(option, "parent") == 0 || strcmp(option, "forked-from") == 0) {
    if (number_required(as, words, "the parent", &pid) != 0)
      return -1;
    header->parent = (uint32_t)pid;
    header->forked = option[0] == 'f';
    int parent = image_of_pid(as, pid);
    if (header->forked && parent < 0)
      return assembler_fail(as, "there is no process %llu to fork from", (unsigned long long)pid);
    header->parent_image = header->forked ? image_header(as->images[parent].image)->image : 0;
  } else {
    return assembler_fail(as, "unknown option '%s' of a process", option);
  }
  return 0;
}

static void command_put(struct image *image, uint64_t time, const char *command) {
  size_t size = strlen(command);
  char *argv = assembler_must(strdup(command));
  for (char *at = argv; *at; at++)
    if (*at == ' ')
      *at = 0;
  (void)image_blob(image, SNARLI_B_COMMAND, time, argv, size + 1, NULL, 0);
  free(argv);
}

static int line_process(struct assembler *as, struct words *words) {
  uint64_t pid;
  char *program, *option;
  bool is_bare = false, is_quoted;
  if (number_required(as, words, "the process id", &pid) != 0 || word_required(as, words, "the program", &program) != 0)
    return -1;
  struct image *image = image_new((uint32_t)pid, ticks_now(as));
  const char *command = program;
  while ((option = word_next(words, &is_quoted)))
    if (process_option(as, words, option, image_header(image), &is_bare, &command) != 0) {
      image_free(image);
      return -1;
    }
  (void)image_blob(image, SNARLI_B_EXE, ticks_now(as), program, strlen(program), NULL, 0);
  command_put(image, ticks_now(as), command);
  as->images = assembler_one_more(as->images, as->image_count, sizeof *as->images);
  as->images[as->image_count++] =
      (struct assembler_image){.pid = (uint32_t)pid, .begin = ticks_now(as), .image = image};
  if (is_bare)
    as->now += 1000;
  else
    record_put(as, as->image_count - 1, 0, SNARLI_R_PROCESS_BEGIN,
               &(struct operands){.object = image_header(image)->parent});
  return 0;
}

static int line_thread(struct assembler *as, struct words *words) {
  size_t image;
  uint32_t thread;
  char *name;
  if (thread_required(as, words, &image, &thread) != 0 || word_required(as, words, "the name", &name) != 0)
    return -1;
  uint32_t blob = image_blob(as->images[image].image, SNARLI_B_STRING, ticks_now(as), name, strlen(name), NULL, 0);
  record_put(as, image, thread, SNARLI_R_THREAD_NAMED,
             &(struct operands){.object = thread_handle(thread), .kind = IMAGE_BLOB, .aux = blob});
  return 0;
}

static size_t memory_of(struct assembler *as, const char *path) {
  for (size_t i = 0; i < as->memory_count; i++)
    if (strcmp(as->memories[i].path, path) == 0)
      return i;
  as->memories = assembler_one_more(as->memories, as->memory_count, sizeof *as->memories);
  as->memories[as->memory_count].path = assembler_must(strdup(path));
  return as->memory_count++;
}

static int line_shared(struct assembler *as, struct words *words) {
  bool is_quoted;
  char *name;
  if (word_required(as, words, "the object's name", &name) != 0)
    return -1;
  const char *path = word_next(words, &is_quoted);
  size_t known = as->object_count;
  struct assembler_object *object = object_named(as, name);
  if (as->object_count == known)
    return assembler_fail(as, "'%s' is in use already", name);
  object->is_shared = true;
  object->memory = memory_of(as, path ? path : "/dev/shm/shared");
  return 0;
}

static int line_killed(struct assembler *as, struct words *words) {
  struct assembler_image *image;
  if (image_required(as, words, &image) != 0)
    return -1;
  image_header(image->image)->ended = 0;
  return 0;
}

static int line_ended(struct assembler *as, struct words *words) {
  struct assembler_image *image;
  uint64_t status;
  if (image_required(as, words, &image) != 0 || number_required(as, words, "the status", &status) != 0)
    return -1;
  image_header(image->image)->exit_status = (uint32_t)status;
  return 0;
}

static int line_dropped(struct assembler *as, struct words *words) {
  struct assembler_image *image;
  uint64_t count;
  bool is_quoted;
  if (image_required(as, words, &image) != 0 || number_required(as, words, "the number of records", &count) != 0)
    return -1;
  struct snarli_header *header = image_header(image->image);
  const char *error = word_next(words, &is_quoted);
  header->dropped = count;
  header->dropped_ticks = ticks_now(as);
  header->stop = SNARLI_STOP_NO_SPACE;
  header->stop_errno = error && strcmp(error, "EFBIG") == 0    ? EFBIG
                       : error && strcmp(error, "EDQUOT") == 0 ? EDQUOT
                                                               : ENOSPC;
  return 0;
}

static int line_window(struct assembler *as, struct words *words) {
  size_t image;
  uint32_t thread;
  if (thread_required(as, words, &image, &thread) != 0)
    return -1;
  image_window(as->images[image].image, thread);
  return 0;
}

static int line_hole(struct assembler *as, struct words *words) {
  size_t image;
  uint32_t thread;
  uint64_t count = 1;
  bool is_quoted;
  if (thread_required(as, words, &image, &thread) != 0)
    return -1;
  const char *word = word_next(words, &is_quoted);
  if (word && !number_parse(word, &count))
    return assembler_fail(as, "'%s' is no number of rows", word);
  while (count-- > 0)
    image_hole(as->images[image].image, thread);
  return 0;
}

static int line_handover(struct assembler *as, struct words *words) {
  size_t image, to_image;
  uint32_t thread, to;
  if (thread_required(as, words, &image, &thread) != 0 || thread_required(as, words, &to_image, &to) != 0)
    return -1;
  if (image != to_image || !image_handover(as->images[image].image, thread, to))
    return assembler_fail(as, "the first thread has nothing left over for the second");
  return 0;
}

static int line_rate(struct assembler *as, struct words *words) {
  struct assembler_image *image;
  uint64_t rate;
  if (image_required(as, words, &image) != 0 || number_required(as, words, "the rate", &rate) != 0)
    return -1;
  image_header(image->image)->ticks_per_second = rate;
  image_header(image->image)->clock = SNARLI_CLOCK_TSC;
  return 0;
}

static size_t hex_parse(const char *text, uint8_t *bytes, size_t room) {
  size_t count = 0;
  unsigned byte;
  for (; count < room && isxdigit((unsigned char)text[0]) && isxdigit((unsigned char)text[1]); text += 2)
    bytes[count++] = (uint8_t)(sscanf(text, "%2x", &byte) == 1 ? byte : 0);
  return count;
}

static int line_module(struct assembler *as, struct words *words) {
  struct assembler_image *image;
  struct snarli_module module = {0};
  char tail[4096], *path;
  bool is_quoted;
  if (image_required(as, words, &image) != 0 || word_required(as, words, "the path", &path) != 0 ||
      number_required(as, words, "the base", &module.base) != 0 || number_required(as, words, "lo", &module.lo) != 0 ||
      number_required(as, words, "hi", &module.hi) != 0)
    return -1;
  const char *id = word_next(words, &is_quoted);
  if (id)
    module.build_id_size = (uint32_t)hex_parse(id, (uint8_t *)tail, 64);
  int size = snprintf(tail + module.build_id_size, sizeof tail - 64, "%s", path);
  (void)image_blob(image->image, SNARLI_B_MODULE, ticks_now(as), &module, sizeof module, tail,
                   module.build_id_size + (size_t)size);
  return 0;
}

static int line_unload(struct assembler *as, struct words *words) {
  struct assembler_image *image;
  uint64_t base;
  if (image_required(as, words, &image) != 0 || number_required(as, words, "the base", &base) != 0)
    return -1;
  (void)image_blob(image->image, SNARLI_B_UNLOAD, ticks_now(as), &base, sizeof base, NULL, 0);
  return 0;
}

static int line_map(struct assembler *as, struct words *words) {
  struct assembler_image *image;
  struct snarli_mapping map;
  bool is_quoted;
  if (image_required(as, words, &image) != 0 || number_required(as, words, "lo", &map.lo) != 0 ||
      number_required(as, words, "hi", &map.hi) != 0 || number_required(as, words, "the device", &map.device) != 0 ||
      number_required(as, words, "the inode", &map.inode) != 0 ||
      number_required(as, words, "the offset", &map.offset) != 0)
    return -1;
  const char *path = word_next(words, &is_quoted);
  (void)image_blob(image->image, SNARLI_B_MAPPING, ticks_now(as), &map, sizeof map, path, path ? strlen(path) : 0);
  return 0;
}

static int line_unmap(struct assembler *as, struct words *words) {
  struct assembler_image *image;
  uint64_t range[2];
  if (image_required(as, words, &image) != 0 || number_required(as, words, "lo", &range[0]) != 0 ||
      number_required(as, words, "hi", &range[1]) != 0)
    return -1;
  (void)image_blob(image->image, SNARLI_B_UNMAP, ticks_now(as), range, sizeof range, NULL, 0);
  return 0;
}

static int line_record(struct assembler *as, const char *who, struct words *words) {
  size_t image;
  uint32_t thread;
  char *name;
  if (thread_parse(as, who, &image, &thread) != 0 || word_required(as, words, "the record", &name) != 0)
    return -1;
  int type = trace_record_type(name);
  if (type < 0)
    return assembler_fail(as, "unknown record '%s'", name);
  struct operands operands = {0};
  if (operands_parse(as, image, (unsigned)type, words, &operands) != 0)
    return -1;
  record_put(as, image, thread, (unsigned)type, &operands);
  return 0;
}

static const struct {
  const char *word;
  int (*parse)(struct assembler *as, struct words *words);
} lines[] = {
    {"process", line_process},   {"thread", line_thread},   {"shared", line_shared}, {"killed", line_killed},
    {"ended", line_ended},       {"dropped", line_dropped}, {"window", line_window}, {"hole", line_hole},
    {"handover", line_handover}, {"module", line_module},   {"unload", line_unload}, {"map", line_map},
    {"unmap", line_unmap},       {"rate", line_rate},
};

static int clock_set(struct assembler *as, const char *word) {
  uint64_t ns;
  bool is_relative = word[1] == '+';
  if (!number_parse(word + 1 + is_relative, &ns))
    return assembler_fail(as, "'%s' is no time (@NS or @+NS)", word);
  as->now = is_relative ? as->now + ns : ns;
  return 0;
}

static int line_parse(struct assembler *as, char *line) {
  struct words words = {line};
  bool is_quoted;
  char *word = word_next(&words, &is_quoted);
  while (word && word[0] == '@') {
    if (clock_set(as, word) != 0)
      return -1;
    word = word_next(&words, &is_quoted);
  }
  if (!word)
    return 0;
  if (isdigit((unsigned char)word[0]))
    return line_record(as, word, &words);
  for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
    if (strcmp(word, lines[i].word) != 0)
      continue;
    if (lines[i].parse(as, &words) != 0)
      return -1;
    const char *rest = word_next(&words, &is_quoted);
    return rest ? assembler_fail(as, "'%s' is not understood here", rest) : 0;
  }
  return assembler_fail(as, "unknown line '%s'", word);
}

static void comment_cut(char *line) {
  for (char *at = line; (at = strchr(at, '#')); at++)
    if (at == line || isblank((unsigned char)at[-1])) {
      *at = 0;
      return;
    }
}

static int text_parse(struct assembler *as, char *text) {
  for (char *line = text, *next; line; line = next) {
    next = strchr(line, '\n');
    if (next)
      *next++ = 0;
    as->line++;
    comment_cut(line);
    if (line_parse(as, line) != 0)
      return -1;
  }
  as->line = 0;
  return 0;
}

/* Named like the recorder's: the process, and which of its images. */
static int images_write(struct assembler *as) {
  char path[4096];
  if (mkdir(as->dir, 0700) != 0 && errno != EEXIST)
    return assembler_fail(as, "%s: %s", as->dir, strerror(errno));
  for (size_t i = 0; i < as->image_count; i++) {
    unsigned number = 0;
    for (size_t j = 0; j < i; j++)
      number += as->images[j].pid == as->images[i].pid;
    snprintf(path, sizeof path, "%s/%07u-%03u%s", as->dir, as->images[i].pid, number, SNARLI_FILE_SUFFIX);
    int error = image_write(as->images[i].image, path);
    if (error)
      return assembler_fail(as, "%s: %s", path, strerror(error));
  }
  return 0;
}

static void assembler_clear(struct assembler *as) {
  for (size_t i = 0; i < as->image_count; i++) {
    image_free(as->images[i].image);
    free(as->images[i].symbols);
    free(as->images[i].is_mapped);
  }
  for (size_t i = 0; i < as->object_count; i++)
    free(as->objects[i].name);
  for (size_t i = 0; i < as->memory_count; i++)
    free(as->memories[i].path);
  for (size_t i = 0; i < as->frame_count; i++)
    free(as->frames[i].text);
  free(as->images);
  free(as->objects);
  free(as->memories);
  free(as->frames);
}

int trace_assemble(const char *text, const char *dir, char *error, size_t size) {
  struct assembler as = {.dir = dir, .error = error, .error_size = size};
  char *copy = assembler_must(strdup(text));
  int result = text_parse(&as, copy) == 0 ? images_write(&as) : -1;
  assembler_clear(&as);
  free(copy);
  return result;
}
