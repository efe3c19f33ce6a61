/* SPDX-License-Identifier: MIT
 *
 * Writing and reading what a fresh image is to do (see preparation.h). Entered by any thread.
 */
#include "preparation.h"
#include "core/system.h"
#include "entry.h"
#include "given.h"
#include "start.h"
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#define MAGIC 0x316572617065722eull /* ".repare1" */
enum { ALIGNMENT = 64 };            /* of the argument: more than any type of C wants */

extern char **environ;

/* What is put goes behind what was; with no room yet it is only counted. */
struct writer {
  struct snarli_preparation *to; /* NULL: counting */
  size_t at, room;
};

/* Where it lies; 0: nowhere. Another thread may have added to the environment since it was counted. */
static uint32_t put(struct writer *writer, const char *text) {
  size_t place = writer->at, size = text ? strlen(text) + 1 : 0;
  if (!size || (writer->to && size > writer->room - place))
    return 0;
  if (writer->to)
    memcpy(snarli_preparation_text(writer->to, (uint32_t)place), text, size);
  writer->at += size;
  return (uint32_t)place;
}

static void put_handed(struct writer *writer, const snarl_process *process) {
  for (size_t i = 0; i < process->given_count; i++) {
    struct snarli_handed handed = {.fd = -1};
    snarli_given_describe(&handed, process->given[i].object);
    handed.name = put(writer, process->given[i].name);
    handed.label = put(writer, process->given[i].object->name);
    if (writer->to)
      writer->to->handed[i] = handed;
  }
}

static uint32_t put_environment(struct writer *writer, uint32_t *count) {
  uint32_t place = (uint32_t)writer->at;
  for (char **at = environ; at && *at; at++)
    *count += put(writer, *at) != 0;
  return place;
}

static void put_all(struct writer *writer, const snarl_process *process, const struct snarl_entry *entry) {
  struct snarli_preparation head = {.magic = MAGIC, .parent = (int)getpid(), .is_server = !entry};
  writer->at = sizeof head + process->given_count * sizeof *head.handed;
  head.size = writer->room + process->argument_size;
  head.is_daemon = process->is_daemon;
  head.start = snarl_get_start_method();
  head.name = put(writer, snarl_process_name(process));
  head.parent_name = put(writer, snarl_process_name(snarl_current_process()));
  head.entry = put(writer, entry ? entry->name : NULL);
  head.file = put(writer, entry ? entry->file : NULL);
  head.module = put(writer, entry ? snarli_entry_module(entry) : NULL);
  head.environment = put_environment(writer, &head.environment_count);
  (void)snarli_system(SYS_rt_sigprocmask, SIG_BLOCK, NULL, &head.blocked, sizeof head.blocked);
  head.argument = process->argument_size ? writer->room : 0;
  head.argument_size = process->argument_size;
  head.handed_count = (uint32_t)process->given_count;
  if (writer->to)
    *writer->to = head; /* may reach into the first of the next, being rounded up */
  put_handed(writer, process);
}

/* 0, or -errno. */
static long write_all(int fd, const void *bytes, size_t size) {
  for (size_t done = 0; done < size;) {
    long written = snarli_system(SYS_write, fd, (const char *)bytes + done, size - done);
    if (written < 0 && written != -EINTR)
      return written;
    done += written > 0 ? (size_t)written : 0;
  }
  return 0;
}

/* A file in memory; the descriptor, or a status. */
static int store(const struct snarli_preparation *preparation, size_t size, const snarl_process *process) {
  long fd = snarli_system(SYS_memfd_create, "snarl-preparation", MFD_CLOEXEC);
  if (fd < 0)
    return snarli_start_failed(fd);
  long error = write_all((int)fd, preparation, size);
  if (!error)
    error = write_all((int)fd, process->argument, process->argument_size);
  if (!error)
    return (int)fd;
  (void)snarli_system(SYS_close, fd);
  return error == -EFAULT ? SNARL_INVALID : SNARL_NO_MEMORY;
}

int snarli_preparation_write(const snarl_process *process, const struct snarl_entry *entry) {
  struct writer writer = {0};
  put_all(&writer, process, entry);
  writer.room = (writer.at + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
  writer.to = calloc(1, writer.room);
  if (!writer.to)
    return SNARL_NO_MEMORY;
  put_all(&writer, process, entry);
  int fd = store(writer.to, writer.room, process);
  free(writer.to);
  return fd;
}

struct snarli_preparation *snarli_preparation_read(int fd) {
  struct stat file;
  bool is_file = !fstat(fd, &file) && (size_t)file.st_size >= sizeof(struct snarli_preparation);
  struct snarli_preparation *preparation =
      is_file ? mmap(NULL, (size_t)file.st_size, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0) : MAP_FAILED;
  (void)close(fd);
  if (preparation == MAP_FAILED)
    return NULL;
  return preparation->magic == MAGIC && preparation->size == (uint64_t)file.st_size ? preparation : NULL;
}
