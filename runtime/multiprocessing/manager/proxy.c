/* SPDX-License-Identifier: MIT
 *
 * Proxies of a manager's dicts, lists and namespaces: each call is a request and its reply. Entered by any thread.
 */
#include "any/heap.h"
#include "any/pack.h"
#include "trace.h"
#include <string.h>

enum { NAME_MOST = 255 };

/* A call of a proxy: what is asked, with which key and values, given away here. */
struct asked {
  struct snarli_proxy *proxy;
  struct snarl_site *site;
  enum manager_operation operation;
  enum managed_access access;
  int64_t index;
  uint64_t version;
  const struct snarli_key *key; /* NULL: none */
  snarl_any given[2];
  int count; /* of those */
  /* the answer */
  snarl_any value;
  struct manager_reply reply;
};

/* Some kinds of proxies are one type here. */
static int check(const struct snarli_proxy *proxy, struct snarl_site *site) {
  uint32_t kind = proxy ? proxy->object.kind : 0;
  bool is_one = kind == SNARLI_ALIVE(MANAGED_DICT) || kind == SNARLI_ALIVE(MANAGED_LIST) ||
                kind == SNARLI_ALIVE(MANAGED_NAMESPACE);
  if (!is_one)
    return snarli_check_failed(proxy ? &proxy->object : NULL, site);
  return snarli_check(&proxy->manager->object, SNARLI_ALIVE(MANAGER), site);
}

static bool is_list(const struct snarli_proxy *proxy) { return proxy->object.kind == SNARLI_ALIVE(MANAGED_LIST); }

/* What is sent behind a request, packed. */
struct load {
  struct snarli_packed key, given[2];
  snarl_any text; /* of a key that is one */
  int count;
  bool has_key;
};

static int pack_key(struct load *load, const struct snarli_key *key) {
  load->text = key->text ? snarl_any_string(key->text) : snarl_any_keep(key->any);
  if (snarli_is_container(load->text))
    return SNARL_INVALID;
  int status = snarli_packed_begin(&load->key, load->text);
  load->has_key = !status;
  return status;
}

static int pack_all(struct load *load, struct asked *asked) {
  int status = SNARL_OK;
  if (asked->key && is_list(asked->proxy))
    asked->index = snarl_any_as_int(asked->key->any);
  else if (asked->key)
    status = pack_key(load, asked->key);
  for (; !status && load->count < asked->count; load->count += !status)
    status = snarli_packed_begin(&load->given[load->count], asked->given[load->count]);
  return status;
}

static void unload(struct load *load, struct asked *asked) {
  if (load->has_key)
    snarli_packed_end(&load->key);
  while (load->count)
    snarli_packed_end(&load->given[--load->count]);
  snarl_any_drop(&load->text);
  for (int i = 0; i < asked->count; i++)
    snarl_any_drop(&asked->given[i]);
}

static struct packed view(const struct snarli_packed *packed, bool is_there) {
  return is_there ? (struct packed){packed->bytes, packed->size} : (struct packed){NULL, 0};
}

/* The value of a reply that has one. */
static int take_value(struct asked *asked, const struct manager_call *call, int status) {
  bool has_value = (!status || status == SNARL_CHANGED) && call->value.size;
  int unpacked = has_value ? snarli_any_unpack(call->value.bytes, call->value.size, &asked->value) : SNARL_OK;
  return unpacked ? unpacked : status;
}

static int send(struct asked *asked, const struct load *load) {
  struct snarli_manager *inside = asked->proxy->manager->inside;
  struct manager_call call = {.request = {.operation = (uint8_t)asked->operation, .object = asked->proxy->id}};
  call.request.number = asked->index;
  call.request.version = asked->version;
  call.key = view(&load->key, load->has_key);
  call.given = view(&load->given[0], load->count > 0);
  call.second = view(&load->given[1], load->count > 1);
  struct managed managed = {.proxy = asked->proxy, .site = asked->site, .access = asked->access};
  snarli_managed_begin(&managed, call.key, asked->index);
  int status = snarli_manager_call(inside, &call);
  snarli_managed_end(&managed, &call, status);
  if (call.connection)
    status = take_value(asked, &call, status);
  snarli_manager_done(inside, &call);
  asked->reply = call.reply;
  return status;
}

static int ask(struct asked *asked) {
  struct load load = {.count = 0};
  int status = check(asked->proxy, asked->site);
  if (!status)
    status = pack_all(&load, asked);
  if (!status)
    status = send(asked, &load);
  unload(&load, asked);
  return status;
}

/* With the value, or else the status as one. */
static snarl_any answer(struct asked *asked) {
  int status = ask(asked);
  if (!status)
    return asked->value;
  snarl_any_drop(&asked->value);
  return snarl_any_error(status);
}

/* A number, or the status. */
static int64_t number(struct asked *asked) {
  int status = ask(asked);
  snarl_any_drop(&asked->value);
  return status ? status : asked->reply.number;
}

static int finish(struct asked *asked) {
  int status = ask(asked);
  snarl_any_drop(&asked->value);
  return status;
}

#define ASKED(what, how, ...)                                                                                          \
  (&(struct asked){.proxy = proxy, .site = site, .operation = MANAGER_##what, .access = MANAGED_##how, __VA_ARGS__})
#define KEYED(what, how, ...) ASKED(what, how, .key = &key, __VA_ARGS__)

snarl_any snarli_proxy_get(struct snarli_proxy *proxy, struct snarli_key key, struct snarl_site *site) {
  return answer(KEYED(GET, READS, ));
}

int snarli_proxy_set(struct snarli_proxy *proxy, struct snarli_key key, snarl_any item, struct snarl_site *site) {
  return finish(KEYED(SET, WRITES, .given = {item}, .count = 1));
}

/* The items behind one that goes get other places. */
static enum managed_access taking(const struct snarli_proxy *proxy) {
  return proxy && is_list(proxy) ? MANAGED_CHANGES_ALL : MANAGED_CHANGES;
}

snarl_any snarli_proxy_pop(struct snarli_proxy *proxy, struct snarli_key key, struct snarl_site *site) {
  struct asked *asked = KEYED(TAKE, CHANGES, );
  asked->access = taking(proxy);
  return answer(asked);
}

int snarli_proxy_remove(struct snarli_proxy *proxy, struct snarli_key key, struct snarl_site *site) {
  struct asked *asked = KEYED(TAKE, CHANGES, );
  asked->access = taking(proxy);
  return finish(asked);
}

int snarli_proxy_contains(struct snarli_proxy *proxy, struct snarli_key key, struct snarl_site *site) {
  return (int)number(KEYED(HAS, LOOKS, ));
}

snarl_any snarli_proxy_setdefault(struct snarli_proxy *proxy, struct snarli_key key, snarl_any item,
                                  struct snarl_site *site) {
  return answer(KEYED(SETDEFAULT, CHANGES, .given = {item}, .count = 1));
}

snarl_any snarli_proxy_add(struct snarli_proxy *proxy, struct snarli_key key, snarl_any number,
                           struct snarl_site *site) {
  return answer(KEYED(ADD, CHANGES, .given = {number}, .count = 1));
}

int64_t snarli_proxy_append_to(struct snarli_proxy *proxy, struct snarli_key key, snarl_any item,
                               struct snarl_site *site) {
  return number(KEYED(APPEND, CHANGES, .given = {item}, .count = 1));
}

int snarli_proxy_compare_and_set(struct snarli_proxy *proxy, struct snarli_key key, snarl_any from, snarl_any to,
                                 struct snarl_site *site) {
  return finish(KEYED(COMPARE, CHANGES, .given = {from, to}, .count = 2));
}

/* One attempt to make of the version that `asked` has another; its value and version are the newest again if it was
 * too late. */
static int exchange(struct snarli_proxy *proxy, struct snarli_key key, struct asked *seen, snarl_change *function,
                    void *context, struct snarl_site *site) {
  snarl_any new = function(seen->value, context);
  snarl_any_drop(&seen->value);
  if (snarl_any_is_error(new))
    return snarl_any_status(new);
  struct asked *asked = KEYED(EXCHANGE, CHANGES, .version = seen->reply.version, .given = {new}, .count = 1);
  int status = ask(asked);
  seen->value = asked->value;
  seen->reply = asked->reply;
  if (status == SNARL_CHANGED && !seen->reply.version)
    seen->value = snarl_any_error(SNARL_NOT_FOUND);
  return status;
}

int snarli_proxy_change(struct snarli_proxy *proxy, struct snarli_key key, snarl_change *function, void *context,
                        struct snarl_site *site) {
  struct asked *seen = KEYED(GET, LOOKS, );
  int status = ask(seen);
  if (status == SNARL_NOT_FOUND)
    seen->value = snarl_any_error(status);
  else if (status)
    return status;
  if (!function)
    status = snarli_refuse(SNARL_INVALID, proxy, site);
  else
    do
      status = exchange(proxy, key, seen, function, context, site);
    while (status == SNARL_CHANGED);
  snarl_any_drop(&seen->value);
  return status;
}

int64_t snarli_proxy_length(struct snarli_proxy *proxy, struct snarl_site *site) {
  return number(ASKED(LENGTH, LOOKS_ALL, ));
}

snarl_any snarli_proxy_keys(struct snarli_proxy *proxy, struct snarl_site *site) {
  return answer(ASKED(KEYS, LOOKS_ALL, ));
}

snarl_any snarli_proxy_copy(struct snarli_proxy *proxy, struct snarl_site *site) {
  return answer(ASKED(COPY, LOOKS_ALL, ));
}

int snarli_proxy_clear(struct snarli_proxy *proxy, struct snarl_site *site) {
  return finish(ASKED(CLEAR, CHANGES_ALL, ));
}

int snarli_proxy_update(struct snarli_proxy *proxy, snarl_any all, struct snarl_site *site) {
  return finish(ASKED(UPDATE, CHANGES_ALL, .given = {all}, .count = 1));
}

int64_t snarli_proxy_push(struct snarli_proxy *proxy, snarl_any item, struct snarl_site *site) {
  return number(ASKED(PUSH, CHANGES_ALL, .given = {item}, .count = 1));
}

int64_t snarli_proxy_insert(struct snarli_proxy *proxy, int64_t index, snarl_any item, struct snarl_site *site) {
  return number(ASKED(INSERT, CHANGES_ALL, .index = index, .given = {item}, .count = 1));
}

int snarli_proxy_remove_item(struct snarli_proxy *proxy, snarl_any item, struct snarl_site *site) {
  return finish(ASKED(REMOVE, CHANGES_ALL, .given = {item}, .count = 1));
}

int64_t snarli_proxy_index(struct snarli_proxy *proxy, snarl_any item, struct snarl_site *site) {
  return number(ASKED(FIND, LOOKS_ALL, .given = {item}, .count = 1));
}

int snarli_proxy_forget(struct snarli_proxy *proxy, struct snarl_site *site) {
  int status = finish(ASKED(FORGET, CHANGES_ALL, ));
  if (!status)
    snarli_object_end(&proxy->object);
  return status;
}

/* Finds or makes what it stands for. */
static int find(struct snarli_proxy *proxy, enum manager_kind kind, const char *name, struct snarl_site *site) {
  struct snarli_packed packed = {.size = 0};
  snarl_any text = name ? snarl_any_string(name) : SNARL_NIL;
  int status = name ? snarli_packed_begin(&packed, text) : SNARL_OK;
  snarl_any_drop(&text);
  if (status)
    return status;
  struct manager_call call = {.request = {.operation = MANAGER_OPEN, .number = kind}};
  call.key = view(&packed, name != NULL);
  struct managed managed = {.proxy = proxy, .site = site, .access = MANAGED_LOOKS_ALL};
  status = snarli_manager_call(proxy->manager->inside, &call);
  proxy->id = (uint32_t)call.reply.number;
  managed.is_recorded = snarli_records() && proxy->manager->inside->region.identities;
  snarli_managed_end(&managed, &call, status);
  snarli_manager_done(proxy->manager->inside, &call);
  if (name)
    snarli_packed_end(&packed);
  return status;
}

static int begin(struct snarli_proxy *proxy, snarl_manager *manager, enum manager_kind kind, uint32_t alive,
                 const char *name, struct snarl_site *site) {
  int status = snarli_check((const struct snarl_object *)manager, SNARLI_ALIVE(MANAGER), site);
  if (!status && (!proxy || (name && (!*name || strnlen(name, NAME_MOST + 1) > NAME_MOST))))
    status = snarli_refuse(SNARL_INVALID, proxy, site);
  if (status)
    return status;
  *proxy = (struct snarli_proxy){.manager = manager};
  status = find(proxy, kind, name, site);
  return status ? status : snarli_object_begin(&proxy->object, alive, name, site);
}

int snarl_manager_dict_at(snarl_manager *manager, snarl_dict *dict, const char *name, struct snarl_site *site) {
  return begin((struct snarli_proxy *)dict, manager, MANAGER_DICT, SNARLI_ALIVE(MANAGED_DICT), name, site);
}

int snarl_manager_list_at(snarl_manager *manager, snarl_list *list, const char *name, struct snarl_site *site) {
  return begin((struct snarli_proxy *)list, manager, MANAGER_LIST, SNARLI_ALIVE(MANAGED_LIST), name, site);
}

int snarl_manager_namespace_at(snarl_manager *manager, snarl_namespace *space, const char *name,
                               struct snarl_site *site) {
  return begin((struct snarli_proxy *)space, manager, MANAGER_NAMESPACE, SNARLI_ALIVE(MANAGED_NAMESPACE), name, site);
}
