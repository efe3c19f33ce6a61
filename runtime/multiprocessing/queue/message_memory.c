/* SPDX-License-Identifier: MIT
 *
 * The memory of a ring of messages: a file without a name, as long as the ring may ever become, mapped whole by each
 * process, so that no address changes and no process needs a descriptor to let it grow. What is used of it is asked for
 * in time: where there is no memory a put is told so, and nobody meets a SIGBUS. Entered by any thread.
 */
#include "message_memory.h"
#include "core/system.h"
#include <sys/mman.h>
#include <sys/stat.h>

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

enum { SMALLEST = 1 << 20 };

/* A core file would bring all of it to life. */
static void *map(uint64_t size, int fd) {
  long address = snarli_system(SYS_mmap, NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, fd, 0L);
  if (address < 0 && address > -4096)
    return NULL;
  (void)snarli_system(SYS_madvise, address, size, MADV_DONTDUMP);
  (void)snarli_system(SYS_munlock, address, size); /* a process that locks all its memory would fill it */
  return (void *)address;
}

void snarli_message_memory_unmap(void *memory, uint64_t size) { (void)snarli_system(SYS_munmap, memory, size); }

/* Mapped while it is empty, so that nothing can be filled. */
static int map_most(void **memory, size_t head, uint64_t *most, int fd) {
  uint64_t file = snarli_file_most();
  for (; *most >= SMALLEST; *most /= 2) {
    *memory = head + *most <= file ? map(head + *most, fd) : NULL;
    if (*memory)
      break;
  }
  if (*most < SMALLEST)
    return SNARL_NO_MEMORY;
  if (!snarli_system(SYS_ftruncate, fd, head + *most) && snarli_message_memory_back(*memory, (char *)*memory + head))
    return SNARL_OK;
  snarli_message_memory_unmap(*memory, head + *most);
  return SNARL_NO_MEMORY;
}

int snarli_message_memory_new(void **memory, size_t head, uint64_t *most, int *fd) {
  long file = snarli_system(SYS_memfd_create, "snarl-messages", MFD_CLOEXEC);
  if (file < 0)
    return file == -EMFILE || file == -ENFILE ? SNARL_NO_DESCRIPTOR : SNARL_NO_MEMORY;
  int status = map_most(memory, head, most, (int)file);
  if (status)
    (void)snarli_system(SYS_close, file);
  *fd = (int)file;
  return status;
}

int snarli_message_memory_attach(void **memory, uint64_t *size, int fd) {
  struct stat file;
  int saved = errno, failed = fstat(fd, &file);
  errno = saved;
  if (failed || file.st_size <= 0)
    return SNARL_INVALID;
  *size = (uint64_t)file.st_size;
  *memory = map(*size, fd);
  return *memory ? SNARL_OK : SNARL_NO_MEMORY;
}

/* Before Linux 5.14: what the kernel stores for a process fails where a store of its own would be a SIGBUS. */
static bool touch(char *from, const char *to) {
  for (; from < to; from += sysconf(_SC_PAGESIZE)) {
    if (snarli_system(SYS_getrandom, from, 1L, 0L) != 1)
      return false;
    *from = 0;
  }
  return true;
}

bool snarli_message_memory_back(char *from, char *to) {
  long result;
  do
    result = snarli_system(SYS_madvise, from, to - from, MADV_POPULATE_WRITE);
  while (result == -EINTR || result == -EAGAIN);
  return result == -EINVAL ? touch(from, to) : result == 0;
}

void snarli_message_memory_give_back(char *from, char *to) {
  (void)snarli_system(SYS_madvise, from, to - from, MADV_REMOVE);
}
