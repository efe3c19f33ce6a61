/* SPDX-License-Identifier: MIT
 *
 * A manager's answers (see store.h): one function for each operation. What a request says is checked before;
 * what does not fit the objects is a status in the reply. The server's one thread.
 */
#include "any/pack.h"
#include "store.h"
#include <string.h>

struct call {
  struct manager_store *store;
  struct manager_thing *thing;
  struct manager_request request;
  struct packed key, value, second;
  struct manager_reply reply;
  struct packed_buffer *out; /* the reply's value, behind its head */
};

static bool is_list(const struct call *call) { return call->thing->kind == MANAGER_LIST; }

/* From the end, if it is below 0. */
static bool place_of(const struct call *call, uint32_t *place) {
  int64_t at = call->request.number, length = call->thing->items.length;
  at += at < 0 ? length : 0;
  *place = (uint32_t)at;
  return at >= 0 && at < length;
}

static struct manager_pair *pair_of(const struct call *call) {
  return snarli_manager_find(&call->thing->pairs, call->key, snarli_manager_hash(call->store, call->key));
}

/* NULL: it is not there. */
static struct manager_item *item_of(const struct call *call) {
  uint32_t place;
  if (is_list(call))
    return place_of(call, &place) ? &call->thing->items.items[place] : NULL;
  struct manager_pair *pair = pair_of(call);
  return pair ? &pair->item : NULL;
}

static int put(struct call *call, struct packed value) {
  return snarli_pack_put(call->out, value.bytes, value.size) ? SNARL_OK : SNARL_NO_MEMORY;
}

static int show(struct call *call, const struct manager_item *item) {
  call->reply.version = item->version;
  return put(call, snarli_manager_view(&item->value));
}

static int become(struct call *call, struct manager_item *item, struct packed value) {
  if (!snarli_manager_assign(&item->value, value))
    return SNARL_NO_MEMORY;
  call->reply.previous = item->version;
  call->reply.version = item->version = ++call->thing->versions;
  return SNARL_OK;
}

/* A key that is not there. */
static int add_pair(struct call *call, struct packed key, struct packed value) {
  struct manager_pairs *pairs = &call->thing->pairs;
  struct manager_pair *pair = snarli_manager_add(pairs, key, snarli_manager_hash(call->store, key));
  if (!pair)
    return SNARL_NO_MEMORY;
  int status = become(call, &pair->item, value);
  if (status)
    snarli_manager_drop(pairs, pair);
  return status;
}

static int set_or_add(struct call *call, struct manager_item *item, struct packed value) {
  if (item)
    return become(call, item, value);
  return is_list(call) ? SNARL_NOT_FOUND : add_pair(call, call->key, value);
}

static int get(struct call *call) {
  struct manager_item *item = item_of(call);
  return item ? show(call, item) : SNARL_NOT_FOUND;
}

static int set(struct call *call) {
  struct manager_item *item = item_of(call);
  call->reply.number = item && snarli_pack_is_same(snarli_manager_view(&item->value), call->value);
  return set_or_add(call, item, call->value);
}

static int take(struct call *call) {
  struct manager_item *item = item_of(call);
  int status = item ? show(call, item) : SNARL_NOT_FOUND;
  if (status)
    return status;
  call->reply.previous = item->version;
  call->reply.version = 0;
  if (is_list(call))
    snarli_manager_delete(&call->thing->items, (uint32_t)(item - call->thing->items.items));
  else
    snarli_manager_drop(&call->thing->pairs, pair_of(call));
  return SNARL_OK;
}

static int has(struct call *call) {
  const struct manager_item *item = item_of(call);
  call->reply.number = item != NULL;
  call->reply.version = item ? item->version : 0;
  return SNARL_OK;
}

static int setdefault(struct call *call) {
  struct manager_item *item = item_of(call);
  if (item)
    return show(call, item);
  int status = put(call, call->value);
  call->reply.number = 1;
  return status ? status : add_pair(call, call->key, call->value);
}

/* What is not there counts as 0. */
static int add(struct call *call) {
  struct manager_item *item = item_of(call);
  unsigned char sum[9], zero = 0;
  struct packed old = item ? snarli_manager_view(&item->value) : (struct packed){&zero, 1};
  struct packed new = {sum, snarli_pack_sum(old, call->value, sum)};
  if (!new.size)
    return SNARL_INVALID;
  int status = put(call, new);
  return status ? status : set_or_add(call, item, new);
}

/* What is not there counts as an empty list. */
static int append(struct call *call) {
  struct manager_item *item = item_of(call);
  struct packed old = item ? snarli_manager_view(&item->value) : (struct packed){NULL, 0};
  uint32_t count = 0;
  if (item && !snarli_pack_open_list(&old, &count))
    return SNARL_INVALID;
  if (old.size + call->value.size > MANAGER_MOST / 2)
    return SNARL_TOO_LARGE;
  struct packed_buffer longer = {NULL, 0, 0};
  bool is_made = snarli_pack_put_list(&longer, count + 1) && snarli_pack_put(&longer, old.bytes, old.size) &&
                 snarli_pack_put(&longer, call->value.bytes, call->value.size);
  struct packed whole = {longer.bytes, longer.size};
  int status = is_made ? set_or_add(call, item, whole) : SNARL_NO_MEMORY;
  snarli_pack_free(&longer);
  call->reply.number = count + 1;
  return status;
}

static int refuse_changed(struct call *call, const struct manager_item *item) {
  int status = item ? show(call, item) : SNARL_OK;
  return status ? status : SNARL_CHANGED;
}

static int exchange(struct call *call) {
  struct manager_item *item = item_of(call);
  if ((item ? item->version : 0) != call->request.version)
    return refuse_changed(call, item);
  return set_or_add(call, item, call->value);
}

static int compare(struct call *call) {
  struct manager_item *item = item_of(call);
  if (!item)
    return SNARL_NOT_FOUND;
  if (!snarli_pack_is_same(snarli_manager_view(&item->value), call->value))
    return refuse_changed(call, item);
  return become(call, item, call->second);
}

static int length(struct call *call) {
  call->reply.number = snarli_manager_length(call->thing);
  return SNARL_OK;
}

/* All of it or, of a dict, its keys alone. */
static bool put_all(struct call *call, bool has_values) {
  const struct manager_thing *thing = call->thing;
  struct packed_buffer *out = call->out;
  bool is_put = has_values && !is_list(call) ? snarli_pack_put_dict(out, thing->pairs.length)
                                             : snarli_pack_put_list(out, snarli_manager_length(thing));
  if (is_list(call))
    for (uint32_t i = 0; i < thing->items.length && is_put && out->size <= MANAGER_MOST; i++)
      is_put = !put(call, snarli_manager_view(&thing->items.items[i].value));
  else
    for (uint32_t i = 0; i < thing->pairs.used && is_put && out->size <= MANAGER_MOST; i++)
      if (thing->pairs.pairs[i].item.version)
        is_put = !put(call, snarli_manager_view(&thing->pairs.pairs[i].key)) &&
                 (!has_values || !put(call, snarli_manager_view(&thing->pairs.pairs[i].item.value)));
  return is_put;
}

static int keys(struct call *call) { return put_all(call, false) ? SNARL_OK : SNARL_NO_MEMORY; }
static int copy(struct call *call) { return put_all(call, true) ? SNARL_OK : SNARL_NO_MEMORY; }

static int clear(struct call *call) {
  snarli_manager_clear(call->thing);
  call->thing->versions++;
  return SNARL_OK;
}

static int push_value(struct call *call, struct packed value, uint32_t at) {
  if (call->thing->items.length == UINT32_MAX)
    return SNARL_TOO_LARGE;
  struct manager_item *item = snarli_manager_insert(&call->thing->items, at);
  int status = item ? become(call, item, value) : SNARL_NO_MEMORY;
  if (item && status)
    snarli_manager_delete(&call->thing->items, at);
  call->reply.number = call->thing->items.length;
  return status;
}

static int extend(struct call *call) {
  struct packed rest = call->value, value;
  uint32_t count;
  if (!snarli_pack_open_list(&rest, &count))
    return SNARL_INVALID;
  int status = SNARL_OK;
  while (!status && snarli_pack_next(&rest, &value, SNARL_ANY_DEPTH))
    status = push_value(call, value, call->thing->items.length);
  return status;
}

static int update_pairs(struct call *call, struct packed rest, bool is_rehearsal) {
  struct packed value;
  int status = SNARL_OK;
  while (!status && snarli_pack_next(&rest, &call->key, 0) && snarli_pack_next(&rest, &value, SNARL_ANY_DEPTH))
    if (!snarli_pack_is_key(call->key))
      status = SNARL_INVALID;
    else if (!is_rehearsal)
      status = set_or_add(call, item_of(call), value);
  return status;
}

static int update(struct call *call) {
  struct packed rest = call->value;
  uint32_t count;
  if (is_list(call))
    return extend(call);
  if (!snarli_pack_open_dict(&rest, &count))
    return SNARL_INVALID;
  int status = update_pairs(call, rest, true);
  return status ? status : update_pairs(call, rest, false);
}

static int push(struct call *call) { return push_value(call, call->value, call->thing->items.length); }

/* Beyond either end is at that end, as in Python. */
static int insert(struct call *call) {
  int64_t at = call->request.number, length = call->thing->items.length;
  at += at < 0 ? length : 0;
  return push_value(call, call->value, (uint32_t)(at < 0 ? 0 : at > length ? length : at));
}

static int find(struct call *call) {
  const struct manager_items *items = &call->thing->items;
  for (uint32_t i = 0; i < items->length; i++)
    if (snarli_pack_is_same(snarli_manager_view(&items->items[i].value), call->value))
      return call->reply.number = i, SNARL_OK;
  return SNARL_NOT_FOUND;
}

static int remove_value(struct call *call) {
  int status = find(call);
  if (!status)
    snarli_manager_delete(&call->thing->items, (uint32_t)call->reply.number);
  return status;
}

static int forget(struct call *call) {
  snarli_manager_forget(call->store, call->thing);
  return SNARL_OK;
}

/* Of what kind, with how many values; PAIRS want a key. */
enum { LISTS = 1, PAIRS = 2, ALL = LISTS | PAIRS };
static const struct {
  int (*function)(struct call *call);
  uint8_t kinds, values;
  bool wants_key;
} operations[MANAGER_OPERATIONS] = {
    [MANAGER_FORGET] = {forget, ALL, 0, false},    [MANAGER_GET] = {get, ALL, 0, true},
    [MANAGER_SET] = {set, ALL, 1, true},           [MANAGER_TAKE] = {take, ALL, 0, true},
    [MANAGER_HAS] = {has, PAIRS, 0, true},         [MANAGER_SETDEFAULT] = {setdefault, PAIRS, 1, true},
    [MANAGER_ADD] = {add, ALL, 1, true},           [MANAGER_APPEND] = {append, ALL, 1, true},
    [MANAGER_EXCHANGE] = {exchange, ALL, 1, true}, [MANAGER_COMPARE] = {compare, ALL, 2, true},
    [MANAGER_LENGTH] = {length, ALL, 0, false},    [MANAGER_KEYS] = {keys, PAIRS, 0, false},
    [MANAGER_COPY] = {copy, ALL, 0, false},        [MANAGER_CLEAR] = {clear, ALL, 0, false},
    [MANAGER_UPDATE] = {update, ALL, 1, false},    [MANAGER_PUSH] = {push, LISTS, 1, false},
    [MANAGER_INSERT] = {insert, LISTS, 1, false},  [MANAGER_REMOVE] = {remove_value, LISTS, 1, false},
    [MANAGER_FIND] = {find, LISTS, 1, false},
};

static int open(struct call *call) {
  int64_t kind = call->request.number;
  if (kind < MANAGER_DICT || kind > MANAGER_NAMESPACE || call->value.size)
    return SNARL_PROTOCOL;
  int status = snarli_manager_open(call->store, call->key, (enum manager_kind)kind, &call->thing);
  call->reply.number = status ? 0 : call->thing->id;
  return status;
}

/* A copy of all has one more list or dict around each item. */
static int check_value(struct packed value, bool is_all) {
  int status = snarli_any_scan(value.bytes, value.size);
  struct packed rest = value, same;
  if (status)
    return status == SNARL_NO_MEMORY ? status : SNARL_PROTOCOL;
  return is_all || snarli_pack_next(&rest, &same, SNARL_ANY_DEPTH - 1) ? SNARL_OK : SNARL_TOO_DEEP;
}

static int split_values(struct call *call, unsigned values) {
  struct packed rest = call->value, *all[] = {&call->value, &call->second};
  bool is_all = call->request.operation == MANAGER_UPDATE;
  int status = SNARL_OK;
  for (unsigned i = 0; i < values && !status; i++)
    status = snarli_pack_next(&rest, all[i], SNARL_ANY_DEPTH) ? check_value(*all[i], is_all) : SNARL_PROTOCOL;
  return status ? status : rest.size ? SNARL_PROTOCOL : SNARL_OK;
}

static int operate(struct call *call) {
  unsigned operation = call->request.operation;
  if (operation == MANAGER_OPEN)
    return open(call);
  if (operation >= MANAGER_OPERATIONS || !operations[operation].function)
    return SNARL_PROTOCOL;
  int status = split_values(call, operations[operation].values);
  if (status)
    return status;
  call->thing = snarli_manager_thing(call->store, call->request.object);
  if (!call->thing)
    return SNARL_NOT_FOUND;
  if (!(operations[operation].kinds & (is_list(call) ? LISTS : PAIRS)) ||
      (call->key.size != 0) != (operations[operation].wants_key && !is_list(call)))
    return SNARL_PROTOCOL;
  return operations[operation].function(call);
}

static int parse(struct call *call, const unsigned char *bytes, size_t size) {
  if (size < sizeof call->request)
    return SNARL_PROTOCOL;
  memcpy(&call->request, bytes, sizeof call->request);
  size_t rest = size - sizeof call->request;
  if (call->request.size != size || call->request.key_size > rest)
    return SNARL_PROTOCOL;
  call->key = (struct packed){bytes + sizeof call->request, call->request.key_size};
  call->value = (struct packed){call->key.bytes + call->key.size, rest - call->key.size};
  return call->key.size && !snarli_pack_is_key(call->key) ? SNARL_PROTOCOL : SNARL_OK;
}

bool snarli_manager_answer(struct manager_store *store, const void *request, size_t size, struct packed_buffer *reply) {
  struct call call = {.store = store, .out = reply};
  size_t begin = reply->size, head = begin + sizeof call.reply;
  if (!snarli_pack_room(reply, sizeof call.reply))
    return false;
  reply->size = head;
  call.reply.status = parse(&call, request, size);
  if (!call.reply.status)
    call.reply.status = operate(&call);
  if (reply->size - begin > MANAGER_MOST)
    call.reply.status = SNARL_TOO_LARGE;
  if (call.reply.status && call.reply.status != SNARL_CHANGED)
    reply->size = head;
  call.reply.size = (uint32_t)(reply->size - begin);
  memcpy(reply->bytes + begin, &call.reply, sizeof call.reply);
  return true;
}
