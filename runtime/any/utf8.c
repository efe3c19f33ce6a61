/* SPDX-License-Identifier: MIT
 *
 * What is UTF-8: the shortest forms of all code points besides the surrogates. Pure.
 */
#include "heap.h"
#include <string.h>

static bool is_tail(unsigned char byte) { return (byte & 0xc0) == 0x80; }

/* The size of the character that begins there, or 0. The second byte's limits keep out what has a shorter form, the
 * surrogates and what is beyond U+10FFFF. */
static size_t character(const unsigned char *bytes, size_t size) {
  unsigned char first = bytes[0];
  size_t length = first < 0x80 ? 1 : first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
  if (length <= 1 || length > size)
    return length <= size ? length : 0;
  unsigned char least = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
  unsigned char most = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
  if (bytes[1] < least || bytes[1] > most)
    return 0;
  for (size_t i = 2; i < length; i++)
    if (!is_tail(bytes[i]))
      return 0;
  return length;
}

static bool is_ascii(const unsigned char *bytes, size_t size) {
  uint64_t seen = 0, eight;
  for (; size >= sizeof eight; bytes += sizeof eight, size -= sizeof eight) {
    memcpy(&eight, bytes, sizeof eight);
    seen |= eight;
  }
  while (size--)
    seen |= *bytes++;
  return !(seen & 0x8080808080808080u);
}

bool snarli_is_utf8(const void *text, size_t size) {
  const unsigned char *bytes = text;
  if (is_ascii(bytes, size))
    return true;
  for (size_t i = 0, length; i < size; i += length)
    if (!(length = character(bytes + i, size - i)))
      return false;
  return true;
}
