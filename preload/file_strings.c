/* SPDX-License-Identifier: MIT
 *
 * Making and remembering the strings of file locks (see file_strings.h). Entered by any thread and signal handlers.
 */
#include "file_strings.h"
#include "descriptors.h"
#include <fcntl.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/stat.h>

/* A remembered string. `check` is its hash ^ id, so that halves of two writers never pass for one. */
struct memory {
  _Atomic uint64_t check, id;
};
enum { MEMORIES = 255 };
/* On a page that a fork wipes: ids belong to the image's own file. */
static _Alignas(4096) union {
  struct {
    _Atomic bool is_wiped_by_fork;
    struct memory memories[MEMORIES];
  } s;
  char page[4096];
} known;

static uint64_t mix(uint64_t a, uint64_t b) {
  uint64_t x = (a ^ b) * 0x9e3779b97f4a7c15ull;
  x ^= x >> 32;
  x *= 0xd6e8feb86659fd93ull;
  return x ^ x >> 32;
}

bool snarli_file_of(int fd, struct snarli_file *file) {
  struct statx status;
  int saved = errno;
  int result =
      statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_INO | STATX_NLINK | STATX_SIZE | STATX_BTIME, &status);
  errno = saved;
  if (result)
    return false;
  *file = (struct snarli_file){
      status.stx_dev_major, status.stx_dev_minor, status.stx_ino, 0, status.stx_size, 0, true, false};
  if (status.stx_mask & STATX_BTIME)
    file->birth = (uint64_t)status.stx_btime.tv_sec * 1000000000u + status.stx_btime.tv_nsec;
  file->has_name = !(status.stx_mask & STATX_NLINK) || status.stx_nlink;
  file->hash = mix(mix(mix((uint64_t)file->major << 32 | file->minor, file->inode), file->birth), 1);
  return true;
}

/* Which file a descriptor is. `check` is the file's hash ^ the descriptor and what the table said of it then, which
 * counts what the number stood for. A file stays what it is while a descriptor is open; its size and whether it has a
 * name do not, and are not remembered. */
struct remembered {
  _Atomic uint64_t check, hash;
};
enum { REMEMBERED = 256 };
static struct remembered remembered[REMEMBERED];

bool snarli_file_remembered(int fd, struct snarli_file *file) {
  uint32_t entry = snarli_descriptor(fd);
  if (snarli_kind(entry) == SNARLI_D_UNKNOWN || snarli_descriptor_peek(fd) != entry) /* the table has no room for it */
    return snarli_file_of(fd, file);
  uint64_t tag = (uint64_t)(uint32_t)fd << 32 | entry;
  struct remembered *at = &remembered[fd % REMEMBERED];
  uint64_t hash = atomic_load_explicit(&at->hash, memory_order_relaxed);
  if ((hash ^ atomic_load_explicit(&at->check, memory_order_relaxed)) == tag) {
    *file = (struct snarli_file){.hash = hash, .has_name = true, .is_remembered = true};
    return true;
  }
  if (!snarli_file_of(fd, file))
    return false;
  if (file->birth) { /* without, a file without a name is to be told from a later one at every release */
    atomic_store_explicit(&at->hash, file->hash, memory_order_relaxed);
    atomic_store_explicit(&at->check, file->hash ^ tag, memory_order_relaxed);
  }
  return true;
}

struct text {
  size_t size;
  char bytes[1280];
};

static void put(struct text *text, const char *bytes) {
  size_t size = strlen(bytes);
  memcpy(text->bytes + text->size, bytes, size);
  text->size += size;
}

static void put_number(struct text *text, uint64_t number, unsigned base) {
  char digits[24], *at = digits + sizeof digits;
  *--at = 0;
  do
    *--at = "0123456789abcdef"[number % base];
  while (number /= base);
  put(text, at);
}

static void put_path(struct text *text, int fd) {
  struct text link = {0};
  put(&link, "/proc/self/fd/");
  put_number(&link, (unsigned)fd, 10);
  link.bytes[link.size] = 0;
  int saved = errno;
  ssize_t size = readlink(link.bytes, text->bytes + text->size, sizeof text->bytes - text->size);
  errno = saved;
  text->size += size > 0 ? (size_t)size : 0;
}

static void compose(struct text *text, int fd, const struct snarli_file *file, enum snarli_lock_kind kind,
                    uint64_t owner, uint64_t first, uint64_t last) {
  static const char *const kinds[] = {"flock ", "ofd ", "process "};
  const uint64_t parts[] = {file->major, file->minor, file->inode, file->birth};
  text->size = 0;
  put(text, kinds[kind]);
  if (kind == KIND_PROCESS)
    put(text, "-");
  else
    put_number(text, owner, 16);
  for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
    put(text, i ? ":" : " ");
    put_number(text, parts[i], 10);
  }
  put(text, " ");
  put_number(text, first, 10);
  put(text, "-");
  if (last != SNARLI_TO_END)
    put_number(text, last, 10);
  put(text, " ");
  put_path(text, fd);
}

static void forget_at_fork(void) {
  if (atomic_load_explicit(&known.s.is_wiped_by_fork, memory_order_relaxed))
    return;
  int saved = errno;
  (void)madvise(&known, sizeof known, MADV_WIPEONFORK);
  errno = saved;
  atomic_store_explicit(&known.s.is_wiped_by_fork, true, memory_order_relaxed);
}

static uint32_t string_new(int fd, const struct snarli_file *file, enum snarli_lock_kind kind, uint64_t owner,
                           uint64_t first, uint64_t last) {
  struct snarli_file asked;
  struct text text;
  if (file->is_remembered) {
    if (!snarli_file_of(fd, &asked) || asked.hash != file->hash) /* another thread closed it meanwhile */
      return 0;
    file = &asked;
  }
  compose(&text, fd, file, kind, owner, first, last);
  return snarli_blob_string(text.bytes, text.size);
}

uint32_t snarli_file_string(int fd, const struct snarli_file *file, enum snarli_lock_kind kind, uint64_t owner,
                            uint64_t first, uint64_t last) {
  uint64_t bytes = first * 0xc2b2ae3d27d4eb4full + last * 0xa0761d6478bd642full;
  uint64_t hash = mix(mix(file->hash, kind == KIND_PROCESS ? kind : owner ^ kind), bytes);
  struct memory *memory = &known.s.memories[hash % MEMORIES];
  uint64_t id = atomic_load_explicit(&memory->id, memory_order_relaxed);
  if (id && (atomic_load_explicit(&memory->check, memory_order_relaxed) ^ id) == hash)
    return (uint32_t)id;
  id = string_new(fd, file, kind, owner, first, last);
  forget_at_fork(); /* after the string: now the image has begun */
  if (id) {
    atomic_store_explicit(&memory->check, hash ^ id, memory_order_relaxed);
    atomic_store_explicit(&memory->id, id, memory_order_relaxed);
  }
  return (uint32_t)id;
}
