/* SPDX-License-Identifier: MIT
 *
 * The table of descriptors (see descriptors.h). Beyond the first thousand it grows by pieces that are mapped when first
 * needed and never go away. Any thread, signal handlers; what is asked of the kernel sets no errno.
 */
#include "descriptors.h"

enum { PIECE = SNARLI_D_NEAR, PIECES = SNARLI_DESCRIPTOR_QUEUES / PIECE };

_Atomic uint32_t snarli_descriptors_near[SNARLI_D_NEAR];
static _Atomic uint32_t *_Atomic pieces[PIECES]; /* [0]: unused, the near ones */

/* The entry, NULL if there is no such piece yet or the number is too high. */
static _Atomic uint32_t *entry_at(int fd) {
  if ((unsigned)fd < SNARLI_D_NEAR)
    return &snarli_descriptors_near[fd];
  if ((unsigned)fd >= SNARLI_DESCRIPTOR_QUEUES)
    return NULL;
  _Atomic uint32_t *piece = atomic_load_explicit(&pieces[(unsigned)fd / PIECE], memory_order_acquire);
  return piece ? &piece[(unsigned)fd % PIECE] : NULL;
}

static _Atomic uint32_t *entry_make(int fd) {
  _Atomic uint32_t *entry = entry_at(fd), *none = NULL;
  if (entry || (unsigned)fd >= SNARLI_DESCRIPTOR_QUEUES)
    return entry;
  size_t size = PIECE * sizeof *entry;
  int saved = errno;
  _Atomic uint32_t *piece = snarli_real()->mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  errno = saved;
  if ((void *)piece == MAP_FAILED)
    return NULL;
  /* Release pairs with the acquire in entry_at. */
  if (!atomic_compare_exchange_strong_explicit(&pieces[(unsigned)fd / PIECE], &none, piece, memory_order_release,
                                               memory_order_acquire))
    (void)snarli_real()->munmap((void *)piece, size);
  return entry_at(fd);
}

uint32_t snarli_descriptor_peek(int fd) {
  _Atomic uint32_t *entry = entry_at(fd);
  return entry ? atomic_load_explicit(entry, memory_order_relaxed) : SNARLI_D_UNKNOWN;
}

void snarli_descriptor_store(int fd, uint32_t value) {
  _Atomic uint32_t *entry = entry_make(fd);
  if (!entry)
    return;
  uint32_t count = (atomic_load_explicit(entry, memory_order_relaxed) & -(uint32_t)SNARLI_D_COUNT) + SNARLI_D_COUNT;
  atomic_store_explicit(entry, count | (value & (SNARLI_D_COUNT - 1)), memory_order_relaxed);
}

/* The child of a vfork has the same memory but other descriptors: it is not recording, and leaves the table alone. */
void snarli_descriptor_forget(int fd) {
  if (snarli_kind(snarli_descriptor_peek(fd)) != SNARLI_D_UNKNOWN && snarli_is_recording())
    snarli_descriptor_store(fd, SNARLI_D_UNKNOWN);
}

uint32_t snarli_descriptor(int fd) {
  uint32_t entry = snarli_descriptor_peek(fd);
  return snarli_kind(entry) != SNARLI_D_UNKNOWN || fd < 0 ? entry : snarli_descriptor_find(fd, 0, 0);
}

int snarli_descriptor_next(unsigned *at, unsigned last) {
  if (last >= SNARLI_DESCRIPTOR_QUEUES)
    last = SNARLI_DESCRIPTOR_QUEUES - 1;
  while (*at <= last) {
    if (!entry_at((int)*at)) { /* nobody asked about any of this piece */
      *at = (*at / PIECE + 1) * PIECE;
      continue;
    }
    unsigned fd = (*at)++;
    if (snarli_kind(snarli_descriptor_peek((int)fd)) != SNARLI_D_UNKNOWN)
      return (int)fd;
  }
  return -1;
}

void snarli_descriptor_opened(int fd, const struct snarli_channel *channel, const char *name, unsigned ends,
                              unsigned entry) {
  size_t size = 0;
  while (name[size])
    size++;
  if (!entry_make(fd))
    return; /* nobody could be told about it later */
  snarli_record_aux(SNARLI_R_CHANNEL_OPENED, ends, (unsigned)fd, snarli_blob_channel(channel, name, size));
  entry |= SNARLI_D_CHANNEL + channel->kind;
  entry |= (ends & SNARLI_E_RECEIVE ? SNARLI_D_RECEIVE : 0) | (ends & SNARLI_E_SEND ? SNARLI_D_SEND : 0);
  snarli_descriptor_store(fd, entry);
}

void snarli_descriptor_closing(int fd, uint32_t stack) {
  uint32_t entry = snarli_descriptor_peek(fd);
  if (snarli_kind(entry) == SNARLI_D_UNKNOWN || !snarli_is_recording())
    return;
  if (snarli_is_channel(entry))
    snarli_record_aux(SNARLI_R_CHANNEL_CLOSED, 0, (unsigned)fd, stack);
  snarli_descriptor_store(fd, SNARLI_D_UNKNOWN);
}
