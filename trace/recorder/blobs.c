/* SPDX-License-Identifier: MIT
 *
 * Blobs: what is too long for a record. Appended to the calling thread's own window. Any context.
 */
#include "recorder_state.h"
#include <string.h>

uint32_t blob_append(struct recorder_thread *thread, enum snarli_blob_kind kind, uint64_t time, const void *head,
                     size_t head_size, const void *tail, size_t tail_size) {
  size_t size = head_size + tail_size;
  if (size > UINT32_MAX / 2)
    return 0;
  uint32_t rows = 1 + (uint32_t)((size + SNARLI_ROW - 1) / SNARLI_ROW);
  struct snarli_blob *blob = window_row(thread, SNARLI_W_BLOBS, rows);
  if (!blob)
    return 0;
  blob->size = (uint32_t)size;
  blob->time = time;
  memcpy(blob + 1, head, head_size);
  if (tail_size)
    memcpy((char *)(blob + 1) + head_size, tail, tail_size);
  /* Pairs with the reader's load: a blob with its kind is whole. */
  __atomic_store_n(&blob->kind, kind, __ATOMIC_RELEASE);
  return window_row_id(&thread->blobs, blob);
}
