/* SPDX-License-Identifier: MIT
 *
 * An any as bytes, which are MessagePack: whatever else speaks it can read and write them. Entered by any thread.
 */
#ifndef SNARLI_ANY_PACK_H
#define SNARLI_ANY_PACK_H

#include <snarl/any.h>

/* Into `room` bytes. How many it takes: if that is more than there are, what is there is of no use. Or a status: that
 * of an error which is to be packed, SNARL_TOO_DEEP. */
int64_t snarli_any_pack(snarl_any value, void *bytes, size_t room);

/* Bytes that nobody has to know the number of before: in place if they are few, else on the heap. */
struct snarli_packed {
  void *bytes;
  size_t size;
  char few[256];
};
/* SNARL_OK, what snarli_any_pack says, SNARL_NO_MEMORY. */
int snarli_packed_begin(struct snarli_packed *packed, snarl_any value);
void snarli_packed_end(struct snarli_packed *packed);

/* Trusts no byte: SNARL_OK and a value of the caller's; or SNARL_TRUNCATED, SNARL_MALFORMED, SNARL_UNREPRESENTABLE,
 * SNARL_TOO_DEEP, SNARL_NO_MEMORY and nil. It takes no memory before all bytes are known to be right, and then not more
 * than SNARLI_ANY_GROWTH bytes for each of theirs. Of a key that is there twice the later item holds. */
int snarli_any_unpack(const void *bytes, size_t size, snarl_any *value);
enum { SNARLI_ANY_GROWTH = 64 };

/* The check: SNARL_OK, or what is wrong with the bytes. */
int snarli_any_scan(const void *bytes, size_t size);

#endif
