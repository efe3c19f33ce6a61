/* SPDX-License-Identifier: MIT
 *
 * Carrying SNARL_TRACE and LD_PRELOAD into an executed program: the program's own LD_PRELOAD is kept, with ours put in
 * front once; a SNARL_TRACE that it sets itself is respected, for it is a recording within a recording.
 */
#include "environment.h"
#include "wrapper.h"
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

static const char PRELOAD[] = "LD_PRELOAD=";
static const char TRACE[] = "SNARL_TRACE=";

static const char *directory;   /* of the trace; kept here, too, since the recorder is suspended in a vfork's child */
static const char *library;     /* this library's path; NULL: unknown, and then nothing can be carried on */
static char library_path[4096]; /* if the linker knows it by a relative one */

/* Of the last environment made by a vfork's child that did not come back, in memory that is the parent's. */
static __thread struct {
  void *mapping;
  size_t size;
} abandoned;

static __attribute__((constructor)) void library_loaded(void) {
  Dl_info info;
  directory = snarli_trace_directory();
  if (!dladdr((const void *)snarli_environment_make, &info))
    return;
  library = info.dli_fname[0] == '/' ? info.dli_fname : realpath(info.dli_fname, library_path);
}

/* Is `path` one of the names in an LD_PRELOAD value? They are separated by colons and blanks. */
static bool names_library(const char *value, const char *path) {
  size_t size = strlen(path);
  while (*value) {
    size_t length = strcspn(value, ": ");
    if (length == size && memcmp(value, path, size) == 0)
      return true;
    value += length + (value[length] != 0);
  }
  return false;
}

struct plan {
  size_t count;                /* of variables */
  size_t preload, trace;       /* where they are; count: nowhere */
  bool has_preload, has_trace; /* is what is there good as it is? */
};

static struct plan plan_make(char *const variables[]) {
  struct plan plan = {0, SIZE_MAX, SIZE_MAX, false, false};
  for (size_t i = 0; variables && variables[i]; i++, plan.count++) {
    if (plan.preload == SIZE_MAX && strncmp(variables[i], PRELOAD, sizeof PRELOAD - 1) == 0)
      plan.preload = i;
    if (plan.trace == SIZE_MAX && strncmp(variables[i], TRACE, sizeof TRACE - 1) == 0)
      plan.trace = i;
  }
  plan.has_trace = plan.trace != SIZE_MAX;
  plan.has_preload = plan.preload != SIZE_MAX && names_library(variables[plan.preload] + sizeof PRELOAD - 1, library);
  return plan;
}

static char *append(char *at, const char *text) {
  size_t size = strlen(text);
  memcpy(at, text, size + 1);
  return at + size;
}

static void *room_of(struct snarli_environment *environment, size_t size) {
  if (size <= sizeof environment->buffer)
    return environment->buffer;
  void *mapping = snarli_real()->mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapping == MAP_FAILED)
    return NULL;
  environment->mapping = mapping;
  environment->mapping_size = size;
  abandoned.mapping = mapping;
  abandoned.size = size;
  return mapping;
}

/* Copies the variables, replacing and adding ours; `trace` names the directory. */
static void fill(char **to, char *text, char *const variables[], const struct plan *plan, const char *trace) {
  for (size_t i = 0; i < plan->count; i++)
    to[i] = variables[i];
  size_t count = plan->count;
  if (!plan->has_trace) {
    to[count++] = text;
    text = append(append(text, TRACE), trace) + 1;
  }
  if (!plan->has_preload) {
    bool is_there = plan->preload != SIZE_MAX;
    to[is_there ? plan->preload : count++] = text;
    text = append(append(text, PRELOAD), library);
    if (is_there && variables[plan->preload][sizeof PRELOAD - 1])
      append(append(text, ":"), variables[plan->preload] + sizeof PRELOAD - 1);
  }
  to[count] = NULL;
}

char *const *snarli_environment_make(struct snarli_environment *environment, char *const variables[]) {
  environment->mapping = NULL;
  const char *trace = snarli_trace_directory();
  trace = trace ? trace : directory;
  if (!trace || !library)
    return variables;
  struct plan plan = plan_make(variables);
  if (plan.has_trace && plan.has_preload)
    return variables;
  size_t old = plan.preload != SIZE_MAX ? strlen(variables[plan.preload]) : 0;
  size_t pointers = (plan.count + 3) * sizeof(char *);
  size_t size = pointers + sizeof PRELOAD + sizeof TRACE + strlen(library) + strlen(trace) + old + 4;
  char *room = room_of(environment, size);
  if (!room)
    return variables;
  fill((char **)(void *)room, room + pointers, variables, &plan, trace);
  return (char *const *)(void *)room;
}

void snarli_environment_drop(struct snarli_environment *environment) {
  if (!environment->mapping)
    return;
  (void)snarli_real()->munmap(environment->mapping, environment->mapping_size);
  abandoned.mapping = NULL;
}

void snarli_environment_vfork_end(void) {
  if (abandoned.mapping)
    (void)snarli_real()->munmap(abandoned.mapping, abandoned.size);
  abandoned.mapping = NULL;
}
