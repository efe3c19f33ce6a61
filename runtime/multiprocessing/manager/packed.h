/* SPDX-License-Identifier: MIT
 *
 * Packed values (MessagePack) as a manager keeps them: bytes that are looked at, never unpacked. Pure; nothing is read
 * beyond `size`.
 */
#ifndef SNARLI_MANAGER_PACKED_H
#define SNARLI_MANAGER_PACKED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct packed {
  const unsigned char *bytes;
  size_t size;
};

/* Bytes of one's own. */
struct packed_buffer {
  unsigned char *bytes;
  size_t size, room;
};
/* Room for so many more behind what is there; NULL: there is no memory. `size` does not change. */
unsigned char *snarli_pack_room(struct packed_buffer *buffer, size_t more);
bool snarli_pack_put(struct packed_buffer *buffer, const void *bytes, size_t size);
bool snarli_pack_put_list(struct packed_buffer *buffer, uint32_t count);
bool snarli_pack_put_dict(struct packed_buffer *buffer, uint32_t count);
void snarli_pack_free(struct packed_buffer *buffer);

/* The first value, which is cut off `rest`. False: it is not whole, not of the types that there are, or has more lists
 * and dicts in one another than `depth`. */
bool snarli_pack_next(struct packed *rest, struct packed *value, unsigned depth);
/* How many items or pairs a list or dict has, which is what is left of `value` then. */
bool snarli_pack_open_list(struct packed *value, uint32_t *count);
bool snarli_pack_open_dict(struct packed *value, uint32_t *count);
bool snarli_pack_is_key(struct packed value);
/* The same bytes; or else, of lists and dicts, the same values, a dict's pairs in any order. */
bool snarli_pack_equal(struct packed a, struct packed b);
bool snarli_pack_is_same(struct packed a, struct packed b);

/* a + b, ints or doubles, at most 9 bytes. The size; 0: one is no number, or it cannot be represented. */
size_t snarli_pack_sum(struct packed a, struct packed b, unsigned char sum[static 9]);

#endif
