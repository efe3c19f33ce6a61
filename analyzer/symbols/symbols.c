/* SPDX-License-Identifier: MIT
 *
 * Stacks of a trace as frames: which module held each pc at that time, what that module's file says about the address,
 * and three caches (stacks, addresses, files) so that a question is answered once. One thread per struct symbols.
 */
#include "symbols.h"

#include "binary.h"
#include "names.h"
#include "table.h"

#include <stdlib.h>
#include <string.h>

/* When modules were unloaded, per process: between two such times a pc means one thing. */
struct epochs {
  uint64_t *times; /* sorted */
  size_t count;
};

struct located { /* a file that some modules of the trace come from */
  struct binary *binary;
  const char *path;
  const uint8_t *build_id;
  uint32_t build_id_size;
};

struct symbols {
  const struct trace *trace;
  struct epochs *epochs; /* by process */
  struct table stacks;   /* (process, stack, epoch) -> struct finding_stack */
  struct table frames;   /* (binary, address, 0) -> struct finding_stack, of one pc */
  struct table modules;  /* (trace_module, 0, 0) -> struct located */
  struct located **files;
  size_t file_count;
  const char **problems;
  size_t problem_count;
};

static int by_value(const void *left, const void *right) {
  uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
  return (a > b) - (a < b);
}

static void epochs_fill(struct epochs *epochs, const struct trace *trace, uint32_t process) {
  size_t modules = trace_module_count(trace, process);
  epochs->times = calloc(modules + 1, sizeof *epochs->times);
  for (size_t i = 0; epochs->times && i < modules; i++) {
    uint64_t unloaded = trace_module_at(trace, process, i)->unloaded;
    if (unloaded != UINT64_MAX)
      epochs->times[epochs->count++] = unloaded;
  }
  if (epochs->count)
    qsort(epochs->times, epochs->count, sizeof *epochs->times, by_value);
}

static uint64_t epoch_of(const struct symbols *symbols, uint32_t process, uint64_t time) {
  const struct epochs *epochs = &symbols->epochs[process];
  uint64_t epoch = 0;
  while (epoch < epochs->count && epochs->times[epoch] <= time)
    epoch++;
  return epoch;
}

struct symbols *symbols_new(const struct trace *trace) {
  uint32_t processes = trace_process_count(trace);
  struct symbols *symbols = calloc(1, sizeof *symbols);
  if (!symbols)
    return NULL;
  symbols->trace = trace;
  symbols->epochs = calloc(processes + 1u, sizeof *symbols->epochs);
  if (!symbols->epochs) {
    free(symbols);
    return NULL;
  }
  for (uint32_t i = 0; i < processes; i++)
    epochs_fill(&symbols->epochs[i], trace, i);
  /* libdwfl would ask the servers named here for debug files: an analysis never touches the network. */
  unsetenv("DEBUGINFOD_URLS");
  return symbols;
}

static void stack_end(void *value) {
  struct finding_stack *stack = value;
  free((void *)stack->frames);
  free(stack);
}

void symbols_free(struct symbols *symbols) {
  if (!symbols)
    return;
  for (uint32_t i = 0; i < trace_process_count(symbols->trace); i++)
    free(symbols->epochs[i].times);
  table_destroy(&symbols->stacks, stack_end);
  table_destroy(&symbols->frames, stack_end);
  table_destroy(&symbols->modules, NULL);
  for (size_t i = 0; i < symbols->file_count; i++) {
    binary_close(symbols->files[i]->binary);
    free(symbols->files[i]);
  }
  free(symbols->files);
  free(symbols->problems);
  free(symbols->epochs);
  free(symbols);
}

size_t symbols_problem_count(const struct symbols *symbols) { return symbols->problem_count; }
const char *symbols_problem_at(const struct symbols *symbols, size_t i) { return symbols->problems[i]; }

static void add_problem(struct symbols *symbols, const char *problem) {
  if (!problem[0])
    return;
  const char **problems = realloc(symbols->problems, (symbols->problem_count + 1) * sizeof *problems);
  if (!problems)
    return;
  symbols->problems = problems;
  problems[symbols->problem_count++] = problem;
}

static bool is_file_of(const struct located *file, const struct trace_module *module) {
  return strcmp(file->path, module->path) == 0 && file->build_id_size == module->build_id_size &&
         (module->build_id_size == 0 || memcmp(file->build_id, module->build_id, module->build_id_size) == 0);
}

static struct located *file_open(struct symbols *symbols, const struct trace_module *module) {
  struct located **files = realloc(symbols->files, (symbols->file_count + 1) * sizeof *files);
  struct located *file = calloc(1, sizeof *file);
  if (files)
    symbols->files = files;
  if (files && file)
    file->binary = binary_open(module->path, module->build_id, module->build_id_size);
  if (!files || !file || !file->binary) {
    free(file);
    return NULL;
  }
  file->path = module->path;
  file->build_id = module->build_id;
  file->build_id_size = module->build_id_size;
  add_problem(symbols, binary_problem(file->binary));
  return files[symbols->file_count++] = file;
}

/* The file behind a module, opened at the first question; processes of one program share it. */
static struct binary *binary_of(struct symbols *symbols, const struct trace_module *module) {
  struct table_key key = {(uintptr_t)module, 0, 0};
  struct located *file = table_get(&symbols->modules, key);
  if (file)
    return file->binary;
  for (size_t i = 0; i < symbols->file_count && !file; i++)
    if (is_file_of(symbols->files[i], module))
      file = symbols->files[i];
  if (!file)
    file = file_open(symbols, module);
  if (!file)
    return NULL;
  table_put(&symbols->modules, key, file);
  return file->binary;
}

/* A new stack of `count` frames; NULL: out of memory. */
static struct finding_stack *stack_new(size_t count) {
  struct finding_stack *stack = calloc(1, sizeof *stack);
  struct finding_frame *frames = calloc(count ? count : 1, sizeof *frames);
  if (!stack || !frames) {
    free(stack);
    free(frames);
    return NULL;
  }
  *stack = (struct finding_stack){.frames = frames, .count = count};
  return stack;
}

static struct finding_stack *frames_from_file(struct binary *binary, const struct trace_module *module,
                                              uint64_t address, uint64_t offset) {
  size_t count = 0;
  struct binary_frame *found = binary_frames(binary, address, &count);
  struct finding_stack *stack = found ? stack_new(count) : NULL;
  for (size_t i = 0; stack && i < count; i++)
    ((struct finding_frame *)stack->frames)[i] =
        (struct finding_frame){.function = found[i].function,
                               .file = found[i].file,
                               .module = module->path,
                               .line = found[i].line,
                               .offset = offset,
                               .is_inlined = found[i].is_inlined,
                               .is_internal = module_is_internal(module->path) || file_is_internal(found[i].file)};
  free(found);
  return stack;
}

/* A pc in memory that no module was known to hold: generated code, or a trace without its module records. */
static struct finding_stack *frames_without_module(uint64_t pc) {
  struct finding_stack *stack = stack_new(1);
  if (stack)
    *(struct finding_frame *)stack->frames =
        (struct finding_frame){.function = "", .file = "", .module = "", .offset = pc};
  return stack;
}

static struct finding_stack *frames_from_trace(const struct trace_symbol *symbol, const struct trace_module *module,
                                               uint64_t pc) {
  struct finding_stack *stack = stack_new(1);
  const char *path = module ? module->path : "";
  bool is_interpreted = pc >= SNARLI_PC_SYMBOL;
  if (stack)
    *(struct finding_frame *)stack->frames =
        (struct finding_frame){.function = symbol->function,
                               .file = symbol->file,
                               .module = path,
                               .line = symbol->line,
                               .offset = module           ? pc - module->base
                                         : is_interpreted ? 0
                                                          : pc,
                               .is_interpreted = is_interpreted,
                               .is_internal = module_is_internal(path) || file_is_internal(symbol->file)};
  return stack;
}

/* What a pc means: where a call returns to; the next instruction of what a signal interrupted; a whole stack, so it may
 * be the entry of a start routine. */
enum pc_kind { PC_RETURN, PC_NEXT, PC_ALONE };

static struct finding_stack *frames_of_signal(void) {
  struct finding_stack *stack = stack_new(1);
  if (stack)
    *(struct finding_frame *)stack->frames =
        (struct finding_frame){.function = FINDING_SIGNAL_FRAME, .file = "", .module = ""};
  return stack;
}

static const struct finding_stack *frames_of(struct symbols *symbols, uint32_t process, uint64_t pc, uint64_t time,
                                             enum pc_kind kind) {
  const struct trace_module *module = trace_module_of(symbols->trace, process, pc, time);
  const struct trace_symbol *symbol = trace_symbol_of(symbols->trace, process, pc);
  struct binary *binary = module && !symbol ? binary_of(symbols, module) : NULL;
  uint64_t address = module ? pc - module->base : pc;
  if (binary && kind != PC_NEXT && !(kind == PC_ALONE && binary_has_entry(binary, address)))
    address--; /* the call, which ends where it returns to */
  struct table_key key = {(uintptr_t)binary, address, binary ? 0 : process + 1ull};
  struct finding_stack *stack = table_get(&symbols->frames, key);
  if (stack)
    return stack;
  if (pc == SNARLI_PC_SIGNAL)
    stack = frames_of_signal();
  else if (symbol)
    stack = frames_from_trace(symbol, module, pc);
  else if (binary)
    stack = frames_from_file(binary, module, address, pc - module->base);
  else
    stack = frames_without_module(pc);
  if (stack)
    table_put(&symbols->frames, key, stack);
  return stack;
}

/* Frames being collected. */
struct builder {
  struct finding_frame *frames;
  size_t count, room;
};

static bool builder_add(struct builder *builder, const struct finding_stack *part) {
  if (builder->count + part->count > builder->room) {
    size_t room = (builder->count + part->count) * 2;
    struct finding_frame *frames = realloc(builder->frames, room * sizeof *frames);
    if (!frames)
      return false;
    builder->frames = frames;
    builder->room = room;
  }
  if (part->count)
    memcpy(builder->frames + builder->count, part->frames, part->count * sizeof *part->frames);
  builder->count += part->count;
  return true;
}

/* Between the frames of a program that it runs, an interpreter's own say nothing. */
static void hide_interpreter(struct builder *builder) {
  bool is_needed = false;
  for (size_t i = 0; i < builder->count; i++)
    is_needed = is_needed || builder->frames[i].is_interpreted;
  for (size_t i = 0; is_needed && i < builder->count; i++)
    builder->frames[i].is_internal = builder->frames[i].is_internal || module_is_interpreter(builder->frames[i].module);
}

static bool is_snarl(const char *module) {
  const char *slash = strrchr(module, '/');
  return strncmp(slash ? slash + 1 : module, "libsnarl", 8) == 0;
}

/* Frames of the recorder are nobody's; those of libsnarl are left out where they are the innermost ones: the program
 * called a primitive, and that call is what counts. */
static bool is_dropped(const struct builder *builder, const struct finding_stack *part) {
  const char *module = part->frames[0].module;
  return module_is_recorder(module) || (builder->count == 0 && is_snarl(module));
}

static struct finding_stack *stack_resolve(struct symbols *symbols, uint32_t process, uint32_t id, uint64_t time) {
  size_t count = trace_stack(symbols->trace, process, id, NULL, 0);
  uint64_t *pcs = calloc(count + 1, sizeof *pcs);
  struct finding_stack *stack = calloc(1, sizeof *stack);
  struct builder builder = {0};
  if (!pcs || !stack) {
    free(pcs);
    free(stack);
    return NULL;
  }
  trace_stack(symbols->trace, process, id, pcs, count);
  if (count && pcs[count - 1] == SNARLI_PC_CUT) {
    stack->is_cut = true;
    count--;
  }
  for (size_t i = 0; i < count; i++) {
    enum pc_kind kind = count == 1 && !stack->is_cut          ? PC_ALONE
                        : i && pcs[i - 1] == SNARLI_PC_SIGNAL ? PC_NEXT
                                                              : PC_RETURN;
    const struct finding_stack *part = frames_of(symbols, process, pcs[i], time, kind);
    if (!part || (!is_dropped(&builder, part) && !builder_add(&builder, part)))
      break;
  }
  free(pcs);
  hide_interpreter(&builder);
  stack->frames = builder.frames;
  stack->count = builder.count;
  return stack;
}

const char *symbols_function(struct symbols *symbols, uint32_t process, uint64_t pc, uint64_t time) {
  const struct finding_stack *stack = frames_of(symbols, process, pc, time, PC_ALONE);
  return stack && stack->count ? stack->frames[stack->count - 1].function : "";
}

/* A module's record tells where its code is; its data lie above its load address, and below the next module's. */
static const struct trace_module *module_below(const struct symbols *symbols, uint32_t process, uint64_t address,
                                               uint64_t time) {
  const struct trace_module *below = NULL;
  for (size_t i = 0; i < trace_module_count(symbols->trace, process); i++) {
    const struct trace_module *module = trace_module_at(symbols->trace, process, i);
    if (module->base <= address && time < module->unloaded && (!below || module->base > below->base))
      below = module;
  }
  return below;
}

const char *symbols_variable(struct symbols *symbols, uint32_t process, uint64_t address, uint64_t time,
                             uint64_t *offset) {
  const struct trace_module *module = module_below(symbols, process, address, time);
  struct binary *binary = module ? binary_of(symbols, module) : NULL;
  return binary ? binary_variable(binary, address - module->base, offset) : "";
}

struct finding_stack symbols_stack(struct symbols *symbols, uint32_t process, uint32_t stack, uint64_t time) {
  if (stack == 0 || process >= trace_process_count(symbols->trace))
    return (struct finding_stack){0};
  struct table_key key = {process, stack, epoch_of(symbols, process, time)};
  struct finding_stack *known = table_get(&symbols->stacks, key);
  if (known)
    return *known;
  known = stack_resolve(symbols, process, stack, time);
  if (!known)
    return (struct finding_stack){0};
  table_put(&symbols->stacks, key, known);
  return *known;
}
