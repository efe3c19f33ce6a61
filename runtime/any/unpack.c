/* SPDX-License-Identifier: MIT
 *
 * From MessagePack to an any, by msgpack-c, whose parser is made here to build our values as it goes: it has no memory
 * of its own and as many levels as we allow. It gets only bytes that were checked. Entered by any thread.
 */
#include "heap.h"
#include "pack.h"

/* All in the parser's function, a value stays in registers on its way. */
#define INLINE inline __attribute__((always_inline))

/* The parser asks for each value by these; `user` is not used. */
struct user {
  int unused;
};

static snarl_any made_root(struct user *user) {
  (void)user;
  return SNARL_NIL;
}

#define MADE(name, type, constructor)                                                                                  \
  static INLINE int made_##name(struct user *user, type number, snarl_any *value) {                                    \
    (void)user;                                                                                                        \
    *value = constructor;                                                                                              \
    return 0;                                                                                                          \
  }
MADE(uint8, uint8_t, snarl_any_int(number))
MADE(uint16, uint16_t, snarl_any_int(number))
MADE(uint32, uint32_t, snarl_any_int(number))
MADE(uint64, uint64_t, snarl_any_unsigned(number))
MADE(int8, int8_t, snarl_any_int(number))
MADE(int16, int16_t, snarl_any_int(number))
MADE(int32, int32_t, snarl_any_int(number))
MADE(int64, int64_t, snarl_any_int(number))
MADE(float, float, snarl_any_double((double)number))
MADE(double, double, snarl_any_double(number))

static INLINE int made_nil(struct user *user, snarl_any *value) {
  (void)user;
  *value = SNARL_NIL;
  return 0;
}

static INLINE int made_true(struct user *user, snarl_any *value) {
  (void)user;
  *value = snarl_any_bool(true);
  return 0;
}

static INLINE int made_false(struct user *user, snarl_any *value) {
  (void)user;
  *value = snarl_any_bool(false);
  return 0;
}

static INLINE int made(snarl_any *value, snarl_any made) {
  *value = made;
  return snarl_any_status(made);
}

static INLINE int made_str(struct user *user, const char *base, const char *bytes, unsigned size, snarl_any *value) {
  (void)user, (void)base;
  return made(value, snarli_text_new(SNARL_ANY_STRING, bytes, size));
}

static INLINE int made_bin(struct user *user, const char *base, const char *bytes, unsigned size, snarl_any *value) {
  (void)user, (void)base;
  return made(value, snarli_text_new(SNARL_ANY_BYTES, bytes, size));
}

static INLINE int made_ext(struct user *user, const char *base, const char *bytes, unsigned size, snarl_any *value) {
  (void)user, (void)base, (void)bytes, (void)size;
  return made(value, snarl_any_error(SNARL_UNREPRESENTABLE));
}

static INLINE int made_array(struct user *user, unsigned count, snarl_any *value) {
  (void)user;
  return made(value, snarli_list_new(count));
}

static INLINE int made_array_item(struct user *user, snarl_any *value, snarl_any item) {
  (void)user;
  struct snarli_list *list = snarli_list_of(*value);
  list->items[list->length++] = item;
  snarli_any_entered(item);
  return 0;
}

static INLINE int made_map(struct user *user, unsigned count, snarl_any *value) {
  (void)user;
  return made(value, snarli_dict_new(count));
}

/* If it fails, the key is the parser's still. */
static INLINE int made_map_item(struct user *user, snarl_any *value, snarl_any key, snarl_any item) {
  (void)user;
  int status = snarli_dict_give(snarli_dict_of(*value), key, item);
  if (status)
    snarl_any_drop(&item);
  return status;
}

#define MSGPACK_EMBED_STACK_SIZE SNARL_ANY_DEPTH
#define msgpack_unpack_struct(name) struct parser##name
#define msgpack_unpack_func(result, name) static result parser##name
#define msgpack_unpack_callback(name) made##name
#define msgpack_unpack_object snarl_any
#define msgpack_unpack_user struct user
#include <msgpack/unpack.h>
#include <msgpack/unpack_define.h>
/* after the above */
#include <msgpack/unpack_template.h>

/* What it had begun. */
static void parser_drop(struct parser_context *parser) {
  for (unsigned i = 0; i < parser->top; i++) {
    snarl_any_drop(&parser->stack[i].obj);
    if (parser->stack[i].ct == MSGPACK_CT_MAP_VALUE)
      snarl_any_drop(&parser->stack[i].map_key);
  }
}

static int parse(const void *bytes, size_t size, snarl_any *value) {
  struct parser_context parser;
  size_t offset = 0;
  parser_init(&parser);
  int result = parser_execute(&parser, bytes, size, &offset);
  if (result == 1) {
    *value = parser_data(&parser);
    return SNARL_OK;
  }
  parser_drop(&parser);
  return result < 0 ? SNARL_NO_MEMORY : SNARL_MALFORMED;
}

int snarli_any_unpack(const void *bytes, size_t size, snarl_any *value) {
  *value = SNARL_NIL;
  int status = snarli_any_scan(bytes, size);
  return status ? status : parse(bytes, size, value);
}

snarl_any snarl_any_unpack(const void *bytes, size_t size) {
  snarl_any value;
  int status = bytes || !size ? snarli_any_unpack(bytes, size, &value) : SNARL_INVALID;
  return status ? snarl_any_error(status) : value;
}
