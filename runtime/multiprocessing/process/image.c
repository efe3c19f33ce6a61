/* SPDX-License-Identifier: MIT
 *
 * Fresh images (see image.h). The part inside one is entered by its first thread, in place of main.
 */
#include "image.h"
#include "child.h"
#include "core/runtime.h"
#include "core/system.h"
#include "server.h"
#include <dlfcn.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>

static const char PATH[] = "/proc/self/./exe";

typedef int main_function(int argc, char **argv, char **environment);
typedef int start_function(main_function *run, int argc, char **argv, void (*init)(void), void (*fini)(void),
                           void (*end)(void), void *stack_end);

__attribute__((visibility("default"))) start_function __libc_start_main;

static bool is_passed_here;

static _Noreturn void give_up(const char *why) {
  (void)fprintf(stderr, "snarl: %s was executed as a process of another and cannot go on: %s\n",
                program_invocation_name, why);
  _exit(127);
}

/* In place of main. What is handed on is this image's alone. */
static int run(int argc, char **argv, char **environment) {
  (void)argc, (void)argv, (void)environment;
  struct snarli_preparation *preparation = snarli_preparation_read(SNARLI_IMAGE_PREPARATION);
  if (!preparation)
    give_up("nobody has said what to run");
  for (uint32_t i = 0; i < preparation->handed_count; i++) {
    preparation->handed[i].fd = SNARLI_IMAGE_HANDED + (int)i;
    (void)snarli_system(SYS_fcntl, preparation->handed[i].fd, F_SETFD, FD_CLOEXEC);
  }
  if (preparation->is_server)
    snarli_server_run(preparation);
  return snarli_child_run_prepared(preparation, -1);
}

static bool is_fresh(void) {
  const char *path = (const char *)getauxval(AT_EXECFN); // NOLINT(performance-no-int-to-ptr)
  return path && !strcmp(path, PATH);
}

/* With the arguments of the C library's own. Versions before 2.34 are given init and fini, later ones NULL. */
int __libc_start_main(main_function *main, int argc, char **argv, void (*init)(void), void (*fini)(void),
                      void (*end)(void), void *stack_end) {
  start_function *next = (start_function *)dlsym(RTLD_NEXT, "__libc_start_main");
  is_passed_here = true;
  return next(is_fresh() ? run : main, argc, argv, init, fini, end, stack_end);
}

/* Without an interpreter it was not the program that was executed, but the loader, with the program as its argument. */
bool snarli_image_is_possible(void) { return is_passed_here && getauxval(AT_BASE); }

/* Out of the way of the numbers that the image has them under. A new descriptor, or -errno. */
static int lift(int fd, int count) {
  return (int)snarli_system(SYS_fcntl, fd, F_DUPFD_CLOEXEC, SNARLI_IMAGE_PREPARATION + count);
}

/* posix_spawn puts them in their places one after another, so none may lie in the place of another. */
static int lift_all(int *lifted, int preparation, const int *handed, int count) {
  for (int i = 0; i < count; i++) {
    lifted[i] = lift(i ? handed[i - 1] : preparation, count);
    if (lifted[i] < 0)
      return lifted[i];
  }
  return 0;
}

static int execute(const char *name, const int *lifted, int count) {
  char *arguments[] = {program_invocation_name, (char *)(uintptr_t)name, NULL};
  posix_spawn_file_actions_t actions;
  pid_t pid = 0;
  int error = posix_spawn_file_actions_init(&actions);
  if (error)
    return -error;
  for (int i = 0; !error && i < count; i++)
    error = posix_spawn_file_actions_adddup2(&actions, lifted[i], SNARLI_IMAGE_PREPARATION + i);
  if (!error)
    error = posix_spawn_file_actions_addclosefrom_np(&actions, SNARLI_IMAGE_PREPARATION + count);
  snarli_suspend(); /* the shim would record it, too; it has the image recorded all the same */
  if (!error)
    error = posix_spawn(&pid, PATH, &actions, NULL, arguments, environ);
  snarli_resume();
  (void)posix_spawn_file_actions_destroy(&actions);
  return error ? -error : pid;
}

int snarli_image_start(const char *name, int preparation, const int *handed, int count) {
  int lifted[SNARL_GIVEN_MOST + 1], saved = errno;
  for (int i = 0; i <= count; i++)
    lifted[i] = -1;
  int result = lift_all(lifted, preparation, handed, count + 1);
  if (!result)
    result = execute(name, lifted, count + 1);
  for (int i = 0; i <= count && lifted[i] >= 0; i++)
    (void)snarli_system(SYS_close, lifted[i]);
  errno = saved;
  return result;
}
