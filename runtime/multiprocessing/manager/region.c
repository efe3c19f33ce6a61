/* SPDX-License-Identifier: MIT
 *
 * The memory that a manager hands out (see region.h). Entered by any thread of any process that has it; one at
 * a time is in its directory, which is a lock that outlives its owner: an entry is seen when it is whole.
 */
#include "region.h"
#include "core/system.h"
#include "multiprocessing/sync/robust.h"
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>

enum { BUCKETS = 256, ALIGN = 64, NAME_MOST = 255 };
#define MAGIC UINT64_C(0x72616e7367657231)

struct region_head {
  uint64_t magic;
  uint32_t word; /* of the server */
  snarl_lock lock;
  uint64_t used;             /* bytes; what lies beyond is free */
  uint32_t buckets[BUCKETS]; /* the first entry, in units of ALIGN; 0: none */
};

struct entry {
  uint32_t next, hash, kind, name_size;
  uint64_t size, object; /* where it lies */
  char name[];
};

static size_t aligned(size_t size) { return (size + ALIGN - 1) / ALIGN * ALIGN; }

/* NULL: there is no room. */
static void *map_part(const struct manager_region *region, size_t offset, size_t size, int access) {
  long base = snarli_system(SYS_mmap, NULL, size, access, MAP_SHARED | MAP_NORESERVE, region->fd, offset);
  if (base < 0 && base > -4096)
    return NULL;
  if (snarli_records())
    snarli_mapped((void *)base, size);
  return (void *)base;
}

static int map(struct manager_region *region) {
  region->head = map_part(region, 0, MANAGER_OBJECTS, PROT_READ | PROT_WRITE);
  if (snarli_records())
    region->identities = map_part(region, MANAGER_OBJECTS, MANAGER_IDENTITIES, PROT_NONE);
  return region->head ? SNARL_OK : SNARL_NO_MEMORY;
}

/* A file that is to be larger than it may be ends the process. */
static int set_size(int fd) {
  struct rlimit limit = {RLIM_INFINITY, RLIM_INFINITY};
  (void)snarli_system(SYS_prlimit64, 0, RLIMIT_FSIZE, NULL, &limit);
  if (limit.rlim_cur < MANAGER_OBJECTS + MANAGER_IDENTITIES)
    return SNARL_NO_MEMORY;
  if (snarli_system(SYS_ftruncate, fd, MANAGER_OBJECTS + MANAGER_IDENTITIES))
    return SNARL_NO_MEMORY;
  (void)snarli_system(SYS_fcntl, fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
  return SNARL_OK;
}

int snarli_region_make(struct manager_region *region) {
  *region = (struct manager_region){.fd = -1};
  region->fd = (int)snarli_system(SYS_memfd_create, "snarl-manager", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  if (region->fd < 0)
    return SNARL_NO_DESCRIPTOR;
  int status = set_size(region->fd);
  if (!status)
    status = map(region);
  if (status) {
    snarli_region_leave(region);
    return status;
  }
  region->head->used = aligned(sizeof *region->head);
  region->head->magic = MAGIC;
  return SNARL_OK;
}

/* Sealed, it keeps its size: no store into it ends this process. */
static bool is_region(int fd) {
  struct stat file;
  int saved = errno;
  bool is_one = !fstat(fd, &file) && file.st_size == (off_t)(MANAGER_OBJECTS + MANAGER_IDENTITIES);
  errno = saved;
  long seals = snarli_system(SYS_fcntl, fd, F_GET_SEALS, 0);
  return is_one && seals >= 0 && (seals & F_SEAL_SHRINK);
}

int snarli_region_attach(struct manager_region *region, int fd) {
  *region = (struct manager_region){.fd = fd};
  int status = is_region(fd) ? map(region) : SNARL_PROTOCOL;
  if (!status && region->head->magic != MAGIC)
    status = SNARL_PROTOCOL;
  if (status)
    snarli_region_leave(region);
  return status;
}

void snarli_region_close(struct manager_region *region) {
  if (region->fd >= 0)
    (void)snarli_system(SYS_close, region->fd);
  region->fd = -1;
}

static void unmap_part(const void *part, size_t size) {
  if (!part)
    return;
  if (snarli_records())
    snarli_unmapped(part, size);
  (void)snarli_system(SYS_munmap, part, size);
}

void snarli_region_leave(struct manager_region *region) {
  snarli_region_close(region);
  unmap_part(region->head, MANAGER_OBJECTS);
  unmap_part(region->identities, MANAGER_IDENTITIES);
  region->head = NULL;
  region->identities = NULL;
}

void snarli_region_say(const struct manager_region *region, int word) {
  snarli_store(&region->head->word, (uint32_t)word);
  snarli_unpark_shared(&region->head->word, INT32_MAX);
}

int snarli_region_hear(const struct manager_region *region) {
  uint32_t *word = &region->head->word;
  if (!snarli_load(word))
    (void)snarli_park_shared(word, 0, snarl_clock() + SNARL_MS(100));
  return (int)snarli_load(word);
}

static uint32_t hash_of(const char *name, size_t size) {
  uint32_t hash = 2166136261u;
  for (size_t i = 0; i < size; i++)
    hash = (hash ^ (unsigned char)name[i]) * 16777619u;
  return hash;
}

/* NULL: there is none, or somebody has written over the directory. */
static struct entry *entry_at(const struct manager_region *region, uint32_t unit) {
  uint64_t at = (uint64_t)unit * ALIGN;
  if (!unit || at + sizeof(struct entry) + NAME_MOST > MANAGER_OBJECTS)
    return NULL;
  struct entry *entry = (struct entry *)(void *)((char *)region->head + at);
  return entry->object < MANAGER_OBJECTS && entry->size <= MANAGER_OBJECTS - entry->object ? entry : NULL;
}

/* The directory is held. */
static struct entry *find(const struct manager_region *region, const struct region_make *how, uint32_t hash) {
  size_t size = strlen(how->name);
  uint32_t next = region->head->buckets[hash % BUCKETS];
  struct entry *entry;
  for (uint64_t steps = MANAGER_OBJECTS / ALIGN; steps-- && (entry = entry_at(region, next)); next = entry->next)
    if (entry->hash == hash && entry->name_size == size && !memcmp(entry->name, how->name, size))
      return entry;
  return NULL;
}

/* The directory is held. Room is taken first and given to a name last: who is killed in between loses it. */
static struct entry *add(const struct manager_region *region, const struct region_make *how, uint32_t hash,
                         int *status) {
  struct region_head *head = region->head;
  size_t name_size = how->name ? strlen(how->name) : 0, room = aligned(sizeof(struct entry) + name_size);
  uint64_t at = head->used;
  *status = SNARL_NO_MEMORY;
  if (at % ALIGN || how->size > MANAGER_OBJECTS || at + room + how->size + ALIGN + NAME_MOST > MANAGER_OBJECTS)
    return NULL;
  __atomic_store_n(&head->used, at + room + aligned(how->size), __ATOMIC_RELEASE);
  struct entry *entry = (struct entry *)(void *)((char *)head + at);
  *entry = (struct entry){.hash = hash, .kind = how->kind, .size = how->size, .object = at + room};
  *status = how->make((char *)head + entry->object, how);
  if (*status)
    return NULL;
  entry->name_size = (uint32_t)name_size;
  if (!name_size)
    return entry;
  memcpy(entry->name, how->name, name_size);
  entry->next = head->buckets[hash % BUCKETS];
  __atomic_store_n(&head->buckets[hash % BUCKETS], (uint32_t)(at / ALIGN), __ATOMIC_RELEASE);
  return entry;
}

void *snarli_region_object(const struct manager_region *region, const struct region_make *how, int *status) {
  size_t name_size = how->name ? strlen(how->name) : 0;
  *status = name_size > NAME_MOST || (how->name && !name_size) || !snarli_robust_ready() ? SNARL_INVALID : SNARL_OK;
  if (*status)
    return NULL;
  uint32_t hash = hash_of(how->name, name_size);
  (void)snarli_robust_take(&region->head->lock, SNARL_FOREVER); /* what its last owner began is not seen */
  struct entry *entry = how->name ? find(region, how, hash) : NULL;
  if (entry && (entry->kind != how->kind || entry->size != how->size)) {
    *status = SNARL_WRONG_KIND;
    entry = NULL;
  } else if (!entry) {
    entry = add(region, how, hash, status);
  }
  void *object = entry ? (char *)region->head + entry->object : NULL;
  snarli_robust_give(&region->head->lock);
  return object;
}

uint64_t snarli_region_identity(const struct manager_region *region, uint64_t hash) {
  return region->identities ? snarli_address(region->identities) + hash % MANAGER_IDENTITIES : 0;
}
