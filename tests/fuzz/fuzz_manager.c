/* SPDX-License-Identifier: MIT
 *
 * A manager's server under libFuzzer: any bytes as requests, one after another, each behind two bytes of size, to a
 * store that has a dict, a list and a namespace. Every answer is a whole message, and whatever is kept can be unpacked.
 * One thread.
 */
#include "any/pack.h"
#include "multiprocessing/manager/store.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct manager_reply ask(struct manager_store *store, const void *request, size_t size,
                                struct packed_buffer *reply) {
  struct manager_reply head;
  reply->size = 0;
  if (!snarli_manager_answer(store, request, size, reply))
    abort();
  if (reply->size < sizeof head)
    abort();
  memcpy(&head, reply->bytes, sizeof head);
  if (head.size != reply->size || head.status > 0)
    abort();
  return head;
}

static void check_value(const struct packed_buffer *reply) {
  snarl_any value = SNARL_NIL;
  size_t head = sizeof(struct manager_reply);
  if (reply->size > head && snarli_any_unpack(reply->bytes + head, reply->size - head, &value))
    abort();
  snarl_any_drop(&value);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct manager_store store = {.seed = 1};
  struct packed_buffer reply = {NULL, 0, 0};
  struct manager_request request = {.size = sizeof request, .operation = MANAGER_OPEN};
  for (int kind = MANAGER_DICT; kind <= MANAGER_NAMESPACE; kind++) {
    request.number = kind;
    (void)ask(&store, &request, sizeof request, &reply);
  }
  for (size_t at = 0; at + 2 <= size;) {
    size_t length = data[at] | (size_t)data[at + 1] << 8, left = size - at - 2;
    length = length < left ? length : left;
    unsigned char *exact = malloc(length + 1); /* so that a byte beyond is seen */
    unsigned char *shrunk = length ? realloc(exact, length) : exact;
    memcpy(shrunk, data + at + 2, length);
    (void)ask(&store, shrunk, length, &reply);
    check_value(&reply);
    free(shrunk);
    at += 2 + length;
  }
  for (uint32_t id = 1; id <= store.count; id++) {
    request = (struct manager_request){.size = sizeof request, .operation = MANAGER_COPY, .object = id};
    (void)ask(&store, &request, sizeof request, &reply);
    check_value(&reply);
  }
  snarli_pack_free(&reply);
  snarli_manager_store_free(&store);
  return 0;
}
