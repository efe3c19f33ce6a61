/* SPDX-License-Identifier: MIT
 *
 * Blobs: what is too long for a record. Appended to the calling thread's own window. Any context.
 */
#include "recorder_state.h"
#include "sys.h"
#include <string.h>

struct blob_parts {
  enum snarli_blob_kind kind;
  uint64_t time;
  const void *head, *tail;
  size_t head_size, tail_size;
};

static void blob_fill(struct snarli_blob *blob, const struct blob_parts *parts) {
  blob->size = (uint32_t)(parts->head_size + parts->tail_size);
  blob->time = parts->time;
  memcpy(blob + 1, parts->head, parts->head_size);
  if (parts->tail_size)
    memcpy((char *)(blob + 1) + parts->head_size, parts->tail, parts->tail_size);
  /* Pairs with the reader's load: a blob with its kind is whole. */
  __atomic_store_n(&blob->kind, parts->kind, __ATOMIC_RELEASE);
}

uint32_t blob_append(struct recorder_thread *thread, enum snarli_blob_kind kind, uint64_t time, const void *head,
                     size_t head_size, const void *tail, size_t tail_size) {
  size_t size = head_size + tail_size;
  if (size > UINT32_MAX / 2)
    return 0;
  uint32_t rows = 1 + (uint32_t)((size + SNARLI_ROW - 1) / SNARLI_ROW);
  uint64_t saved;
  sys_block_signals(&saved); /* a handler that moves on to another window unmaps this one */
  struct snarli_blob *blob = window_rows(thread, SNARLI_W_BLOBS, rows);
  uint32_t id = 0;
  if (blob) {
    blob_fill(blob, &(struct blob_parts){kind, time, head, tail, head_size, tail_size});
    id = window_row_id(&thread->blobs, blob);
  }
  sys_restore_signals(&saved);
  return id;
}
