/* SPDX-License-Identifier: MIT
 *
 * Dicts: the pairs in the order in which they came, and for more than a few an index by the hashes of their keys, with
 * linear probing. Hashes depend on a number of this run, so that nobody can make keys that meet. Entered by any thread,
 * and by one at a time while the dict changes.
 */
#include "heap.h"
#include <string.h>
#include <sys/auxv.h>

enum { FEW = 8 };

/* The kernel's random bytes for this run. */
static uint64_t seed(void) {
  static uint64_t known;
  uint64_t number = __atomic_load_n(&known, __ATOMIC_RELAXED);
  if (__builtin_expect(number != 0, 1))
    return number;
  const void *random = (const void *)getauxval(AT_RANDOM);
  if (random)
    memcpy(&number, random, sizeof number);
  number |= 1;
  __atomic_store_n(&known, number, __ATOMIC_RELAXED);
  return number;
}

static uint64_t mixed(uint64_t a, uint64_t b) {
  __extension__ unsigned __int128 product = (unsigned __int128)(a ^ 0x9e3779b97f4a7c15u) * (b ^ 0xd1342543de82ef95u);
  return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static uint32_t hash_of_bytes(uint8_t type, const char *bytes, size_t size) {
  uint64_t secret = seed(), hash = mixed(secret, size << 8 | type), part;
  for (; size > sizeof part; bytes += sizeof part, size -= sizeof part) {
    memcpy(&part, bytes, sizeof part);
    hash = mixed(hash ^ part, secret);
  }
  part = 0;
  memcpy(&part, bytes, size);
  return (uint32_t)mixed(hash ^ part, secret);
}

/* A key that is asked for: an any, or the characters of a string that nobody has made an any of. */
struct wanted {
  snarl_any key;
  const char *bytes; /* NULL: it has no memory */
  uint32_t size;
};

static struct wanted wanted_of(snarl_any key) {
  if (key.type < SNARL_ANY_STRING)
    return (struct wanted){key, NULL, 0};
  return (struct wanted){key, snarli_text_of(key)->bytes, snarli_text_of(key)->size};
}

static struct wanted wanted_of_string(const char *key) {
  size_t size = strlen(key); /* beyond UINT32_MAX there is none, and none with such a part of it as this */
  return (struct wanted){{SNARL_ANY_STRING, {0}}, key, size > UINT32_MAX ? UINT32_MAX : (uint32_t)size};
}

/* Type and bits of what has no memory; type and bytes of what has. */
static uint32_t hash_of(const struct wanted *wanted) {
  if (wanted->bytes)
    return hash_of_bytes(wanted->key.type, wanted->bytes, wanted->size);
  return (uint32_t)mixed(seed() ^ (uint64_t)wanted->key.as.integer, wanted->key.type);
}

static bool is_wanted(const struct snarli_pair *pair, const struct wanted *wanted) {
  if (pair->key.type != wanted->key.type)
    return false;
  if (!wanted->bytes)
    return pair->key.as.integer == wanted->key.as.integer;
  const struct snarli_text *text = snarli_text_of(pair->key);
  return text->size == wanted->size && !memcmp(text->bytes, wanted->bytes, wanted->size);
}

static struct snarli_pair *find_by_hash(const struct snarli_dict *dict, const struct wanted *wanted) {
  uint32_t hash = hash_of(wanted);
  for (uint32_t place = hash & dict->mask; dict->index[place]; place = (place + 1) & dict->mask) {
    struct snarli_pair *pair = &dict->pairs[dict->index[place] - 1];
    if (pair->hash == hash && is_wanted(pair, wanted))
      return pair;
  }
  return NULL;
}

static struct snarli_pair *find(const struct snarli_dict *dict, const struct wanted *wanted) {
  if (dict->index)
    return find_by_hash(dict, wanted);
  for (uint32_t i = 0; i < dict->end; i++)
    if (is_wanted(&dict->pairs[i], wanted))
      return &dict->pairs[i];
  return NULL;
}

struct snarli_pair *snarli_dict_find(const struct snarli_dict *dict, snarl_any key) {
  struct wanted wanted = wanted_of(key);
  return find(dict, &wanted);
}

snarl_any snarli_dict_new(uint32_t room) {
  snarl_any value = snarli_heap_new(SNARL_ANY_DICT, sizeof(struct snarli_dict) + room * sizeof(struct snarli_pair));
  if (snarl_any_is_error(value))
    return value;
  struct snarli_dict *dict = snarli_dict_of(value);
  dict->length = dict->end = dict->mask = 0;
  dict->room = room;
  dict->pairs = dict->own;
  dict->index = NULL;
  return value;
}

snarl_any snarl_any_dict(void) { return snarli_dict_new(0); }

static void index_put(struct snarli_dict *dict, uint32_t number) {
  uint32_t place = dict->pairs[number].hash & dict->mask;
  while (dict->index[place])
    place = (place + 1) & dict->mask;
  dict->index[place] = number + 1;
}

/* All pairs into an empty index. Without one nobody needed their hashes. */
static void index_all(struct snarli_dict *dict, bool has_hashes) {
  for (uint32_t i = 0; i < dict->end; i++) {
    struct wanted wanted = wanted_of(dict->pairs[i].key);
    if (!has_hashes)
      dict->pairs[i].hash = hash_of(&wanted);
    index_put(dict, i);
  }
}

/* For so many pairs, at most half full. */
static uint32_t *index_new(uint32_t room, uint32_t *mask) {
  uint64_t places = 16;
  while (places < (uint64_t)room * 2)
    places *= 2;
  *mask = (uint32_t)(places - 1);
  return calloc(places, sizeof(uint32_t));
}

/* Moves the pairs to where there is room for so many, without the holes. */
static int move(struct snarli_dict *dict, uint32_t room) {
  uint32_t mask = 0, *index = room > FEW ? index_new(room, &mask) : NULL;
  struct snarli_pair *pairs = malloc(room * sizeof *pairs);
  if (!pairs || (room > FEW && !index)) {
    free(pairs);
    free(index);
    return SNARL_NO_MEMORY;
  }
  uint32_t end = 0;
  for (uint32_t i = 0; i < dict->end; i++)
    if (!snarli_is_hole(&dict->pairs[i]))
      pairs[end++] = dict->pairs[i];
  if (dict->pairs != dict->own)
    free(dict->pairs);
  bool has_hashes = dict->index != NULL;
  free(dict->index);
  dict->pairs = pairs;
  dict->end = end;
  dict->room = room;
  dict->index = index;
  dict->mask = mask;
  if (index)
    index_all(dict, has_hashes);
  return SNARL_OK;
}

/* Room for one more. A dict that was made with room for many has no index until it has more than a few. */
static int reach(struct snarli_dict *dict) {
  if (dict->length > UINT32_MAX / 8)
    return SNARL_TOO_LARGE;
  if (dict->end == dict->room)
    return move(dict, dict->length < 2 ? 4 : dict->length * 2);
  if (dict->end < FEW || dict->index)
    return SNARL_OK;
  if (!(dict->index = index_new(dict->room, &dict->mask)))
    return SNARL_NO_MEMORY;
  index_all(dict, false);
  return SNARL_OK;
}

static void replace(struct snarli_pair *pair, snarl_any item) {
  snarl_any gone = pair->item;
  pair->item = item;
  snarli_any_entered(item);
  snarl_any_drop(&gone);
}

/* The pair is new. Both are the dict's, besides if it fails. */
static int put(struct snarli_dict *dict, snarl_any key, snarl_any item) {
  int status = reach(dict);
  if (status)
    return status;
  struct wanted wanted = wanted_of(key);
  dict->pairs[dict->end] = (struct snarli_pair){key, item, dict->index ? hash_of(&wanted) : 0};
  if (dict->index)
    index_put(dict, dict->end);
  dict->end++;
  dict->length++;
  snarli_any_entered(item);
  return SNARL_OK;
}

/* Whether it may be one: what holds no other values. */
static int check_key(snarl_any key) { return snarli_is_container(key) ? SNARL_UNREPRESENTABLE : snarl_any_status(key); }

int snarli_dict_give(struct snarli_dict *dict, snarl_any key, snarl_any item) {
  struct wanted wanted = wanted_of(key);
  struct snarli_pair *pair = find(dict, &wanted);
  if (!pair)
    return put(dict, key, item);
  replace(pair, item);
  snarl_any_drop(&key);
  return SNARL_OK;
}

int snarli_any_dict_set(snarl_any dict, snarl_any key, snarl_any item) {
  int status = snarli_any_may_enter(dict, SNARL_ANY_DICT, item);
  if (!status)
    status = check_key(key);
  if (!status && (status = snarli_dict_give(snarli_dict_of(dict), snarl_any_keep(key), item)))
    snarl_any_drop(&key); /* ours; the caller's is a copy */
  if (status)
    snarl_any_drop(&item);
  return status;
}

static int put_string(struct snarli_dict *dict, const char *key, snarl_any item) {
  snarl_any made = snarl_any_string(key);
  int status = snarl_any_status(made);
  if (!status)
    status = put(dict, made, item);
  if (status)
    snarl_any_drop(&made);
  return status;
}

int snarli_any_dict_set_string(snarl_any value, const char *key, snarl_any item) {
  int status = key ? snarli_any_may_enter(value, SNARL_ANY_DICT, item) : SNARL_INVALID;
  if (!status) {
    struct wanted wanted = wanted_of_string(key);
    struct snarli_pair *pair = find(snarli_dict_of(value), &wanted);
    if (pair)
      replace(pair, item);
    else
      status = put_string(snarli_dict_of(value), key, item);
  }
  if (status)
    snarl_any_drop(&item);
  return status;
}

/* What it is that has no pairs. */
static snarl_any no_dict(snarl_any value) {
  return snarl_any_error(snarl_any_is_error(value) ? snarl_any_status(value) : SNARL_INVALID);
}

static snarl_any item_of(const struct snarli_pair *pair) {
  return pair ? pair->item : snarl_any_error(SNARL_NOT_FOUND);
}

snarl_any snarli_any_dict_get(snarl_any dict, snarl_any key) {
  if (!snarl_any_is_dict(dict))
    return no_dict(dict);
  int status = check_key(key);
  return status ? snarl_any_error(status) : item_of(snarli_dict_find(snarli_dict_of(dict), key));
}

snarl_any snarli_any_dict_get_string(snarl_any dict, const char *key) {
  if (!snarl_any_is_dict(dict) || !key)
    return no_dict(dict);
  struct wanted wanted = wanted_of_string(key);
  return item_of(find(snarli_dict_of(dict), &wanted));
}

/* Leaves a hole, which the index goes on leading to. */
static snarl_any take(struct snarli_dict *dict, struct snarli_pair *pair) {
  snarl_any item = item_of(pair);
  if (!pair)
    return item;
  snarl_any_drop(&pair->key);
  *pair = (struct snarli_pair){snarl_any_error(SNARL_NOT_FOUND), SNARL_NIL, pair->hash};
  dict->length--;
  if (pair == &dict->pairs[dict->end - 1] && !dict->index)
    dict->end--;
  return item;
}

snarl_any snarli_any_dict_take(snarl_any dict, snarl_any key) {
  if (!snarl_any_is_dict(dict))
    return no_dict(dict);
  int status = check_key(key);
  return status ? snarl_any_error(status) : take(snarli_dict_of(dict), snarli_dict_find(snarli_dict_of(dict), key));
}

snarl_any snarli_any_dict_take_string(snarl_any dict, const char *key) {
  if (!snarl_any_is_dict(dict) || !key)
    return no_dict(dict);
  struct wanted wanted = wanted_of_string(key);
  return take(snarli_dict_of(dict), find(snarli_dict_of(dict), &wanted));
}

bool snarli_any_next_pair(snarl_any value, size_t *place, snarl_any *key, snarl_any *item) {
  if (!snarl_any_is_dict(value))
    return false;
  const struct snarli_dict *dict = snarli_dict_of(value);
  while (*place < dict->end && snarli_is_hole(&dict->pairs[*place]))
    ++*place;
  if (*place >= dict->end)
    return false;
  *key = dict->pairs[*place].key;
  *item = dict->pairs[*place].item;
  ++*place;
  return true;
}

snarl_any snarli_any_dict_of(const snarl_any *keys_and_items, size_t count) {
  snarl_any dict = count % 2 ? snarl_any_error(SNARL_INVALID) : snarli_dict_new((uint32_t)count / 2);
  int status = snarl_any_status(dict);
  for (size_t i = 0; i < count; i += 2) {
    snarl_any key = keys_and_items[i];
    int failed = snarli_any_dict_set(dict, key, i + 1 < count ? keys_and_items[i + 1] : SNARL_NIL);
    snarl_any_drop(&key);
    status = status ? status : failed;
  }
  if (!status)
    return dict;
  snarl_any_drop(&dict);
  return snarl_any_error(status);
}
