/* SPDX-License-Identifier: MIT
 *
 * Finds a program as a shell does and looks at the file: what ignores LD_PRELOAD cannot be recorded, and saying so
 * before it runs beats an empty trace. A file that may be executed but not read is taken on trust. Main thread.
 */
#include "program.h"

#include "complain.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>
#include <unistd.h>

enum { MAX_INTERPRETERS = 5, HEAD = 256 }; /* as many as the kernel follows, and reads of a first line */

#if defined(__x86_64__)
enum { OUR_MACHINE = EM_X86_64 };
#elif defined(__aarch64__)
enum { OUR_MACHINE = EM_AARCH64 };
#elif defined(__riscv)
enum { OUR_MACHINE = EM_RISCV };
#elif defined(__powerpc64__)
enum { OUR_MACHINE = EM_PPC64 };
#elif defined(__s390x__)
enum { OUR_MACHINE = EM_S390 };
#endif

static const char *elf_obstacle(int fd, const Elf64_Ehdr *header, enum exit_status *fault) {
  *fault = EXIT_CAPTURE;
  if (header->e_ident[EI_CLASS] != ELFCLASS64)
    return "it is a 32-bit program, and this snarl records 64-bit ones";
  if (header->e_machine != OUR_MACHINE)
    return "it is built for another kind of machine";
  if (header->e_type != ET_EXEC && header->e_type != ET_DYN) {
    *fault = EXIT_CANNOT_RUN;
    return "it is an ELF file, but not a program";
  }
  for (unsigned i = 0; i < header->e_phnum; i++) {
    Elf64_Phdr segment;
    off_t at = (off_t)(header->e_phoff + (uint64_t)i * sizeof segment);
    if (pread(fd, &segment, sizeof segment, at) != sizeof segment) {
      *fault = EXIT_CANNOT_RUN;
      return "the file is damaged";
    }
    if (segment.p_type == PT_INTERP) {
      char loader[HEAD] = "";
      size_t size = segment.p_filesz < HEAD - 1 ? segment.p_filesz : HEAD - 1;
      if (pread(fd, loader, size, (off_t)segment.p_offset) > 0 && strstr(loader, "/ld-musl"))
        return "it uses the C library musl, and snarl records programs of glibc";
      return "";
    }
  }
  return "it is statically linked, so LD_PRELOAD has no effect; link it dynamically";
}

/* The kernel makes the dynamic linker ignore LD_PRELOAD where a program gets rights that its caller does not have. */
static const char *privilege_obstacle(int fd, enum exit_status *fault) {
  struct stat status;
  struct statvfs mount;
  *fault = EXIT_CAPTURE;
  if (fstat(fd, &status) != 0 || fstatvfs(fd, &mount) != 0)
    return "";
  if (mount.f_flag & ST_NOSUID || prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1)
    return "";
  if (status.st_mode & S_ISUID && status.st_uid != getuid())
    return "it is setuid, so LD_PRELOAD has no effect; run a copy of it that is not, or run snarl as its owner";
  if (status.st_mode & S_ISGID && status.st_mode & S_IXGRP && status.st_gid != getgid())
    return "it is setgid, so LD_PRELOAD has no effect; run a copy of it that is not";
  if (getuid() != 0 && fgetxattr(fd, "security.capability", NULL, 0) > 0)
    return "it has file capabilities, so LD_PRELOAD has no effect; run a copy of it without them";
  return "";
}

/* "#! /path argument": the path, in `head` itself; NULL if there is none. */
static char *interpreter_of(char *head) {
  char *path = head + 2 + strspn(head + 2, " \t");
  path[strcspn(path, " \t\r\n")] = '\0';
  return *path ? path : NULL;
}

static bool is_text(const char *head, ssize_t size) {
  const char *end = memchr(head, '\n', (size_t)size);
  return size == 0 || !memchr(head, '\0', end ? (size_t)(end - head) : (size_t)size);
}

static const char *obstacle_below(const char *path, enum exit_status *fault, bool *is_script, int depth);

static const char *file_obstacle(int fd, enum exit_status *fault, bool *is_script, int depth) {
  union {
    Elf64_Ehdr elf;
    char head[HEAD];
  } start;
  memset(&start, 0, sizeof start);
  ssize_t size = pread(fd, &start, sizeof start - 1, 0);
  if (size >= 2 && memcmp(start.head, "#!", 2) == 0) {
    char *interpreter = interpreter_of(start.head);
    if (interpreter && depth < MAX_INTERPRETERS)
      return obstacle_below(interpreter, fault, is_script, depth + 1);
    *fault = EXIT_CANNOT_RUN;
    return interpreter ? "its interpreter is a script of a script, too deep" : "its first line names no interpreter";
  }
  if (size >= (ssize_t)sizeof start.elf && memcmp(start.elf.e_ident, ELFMAG, SELFMAG) == 0) {
    const char *obstacle = privilege_obstacle(fd, fault);
    return *obstacle ? obstacle : elf_obstacle(fd, &start.elf, fault);
  }
  if (size >= 0 && depth == 0 && is_text(start.head, size)) {
    *is_script = true;
    return obstacle_below("/bin/sh", fault, is_script, 1);
  }
  *fault = EXIT_CANNOT_RUN;
  return "it is neither a program nor a script";
}

static const char *obstacle_below(const char *path, enum exit_status *fault, bool *is_script, int depth) {
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    *fault = EXIT_NOT_FOUND;
    return errno == ENOENT && depth > 0 ? "the interpreter in its first line does not exist" : "";
  }
  const char *obstacle = file_obstacle(fd, fault, is_script, depth);
  close(fd);
  return obstacle;
}

const char *program_obstacle(const char *path, enum exit_status *fault, bool *is_script) {
  *is_script = false;
  return obstacle_below(path, fault, is_script, 0);
}

/* 0 if `path` is a file that we may execute, else an errno. */
static int file_error(const char *path) {
  struct stat status;
  if (stat(path, &status) != 0)
    return errno;
  if (S_ISDIR(status.st_mode))
    return EISDIR;
  return S_ISREG(status.st_mode) && faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) == 0 ? 0 : EACCES;
}

/* Looks in the directories of PATH; *error says what the best candidate lacked. To be freed. */
static char *search_path(const char *name, int *error) {
  const char *directories = getenv("PATH");
  if (!directories)
    directories = "/bin:/usr/bin";
  *error = ENOENT;
  for (const char *at = directories;; at++) {
    int length = (int)strcspn(at, ":");
    char *path = NULL;
    if (asprintf(&path, "%.*s%s%s", length, at, length ? "/" : "./", name) < 0)
      return NULL;
    int found = file_error(path);
    if (found == 0)
      return *error = 0, path;
    free(path);
    if (found == EACCES)
      *error = EACCES;
    at += length;
    if (!*at)
      return NULL;
  }
}

static enum exit_status refuse(const char *name, int error) {
  bool is_path = strchr(name, '/') != NULL;
  if (error == EISDIR)
    complain("cannot run %s: it is a directory", name);
  else if (error == EACCES)
    complain("cannot run %s: no permission to execute it", name);
  else if (error == ENOENT && !is_path)
    complain("cannot run %s: it is in no directory of PATH", name);
  else
    complain("cannot run %s: %s", name, strerror(error));
  return error == ENOENT || error == ENOTDIR ? EXIT_NOT_FOUND : EXIT_CANNOT_RUN;
}

enum exit_status program_find(const char *name, struct program *program) {
  int error = 0;
  *program = (struct program){0};
  if (strchr(name, '/')) {
    error = file_error(name);
    program->path = strdup(name);
  } else
    program->path = *name ? search_path(name, &error) : (error = ENOENT, NULL);
  if (error == 0 && !program->path)
    error = ENOMEM;
  enum exit_status fault = EXIT_OK;
  const char *obstacle = error ? "" : program_obstacle(program->path, &fault, &program->is_script);
  if (!error && !*obstacle)
    return EXIT_OK;
  free(program->path);
  program->path = NULL;
  if (error)
    return refuse(name, error);
  complain("cannot %s %s: %s", fault == EXIT_CAPTURE ? "record" : "run", name, obstacle);
  return fault;
}
