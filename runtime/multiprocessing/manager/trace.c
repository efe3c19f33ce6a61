/* SPDX-License-Identifier: MIT
 *
 * What the trace is told of a manager's dicts and lists (see trace.h). Entered by any thread.
 */
#include "trace.h"
#include "any/pack.h"
#include <stdio.h>
#include <string.h>

static uint64_t mixed(uint64_t hash) {
  hash = (hash ^ hash >> 31) * 0x9e3779b97f4a7c15u;
  return (hash ^ hash >> 29) * 0xbf58476d1ce4e5b9u;
}

/* Of a thing there are two: what all changes give, and what changes of all of it give. */
static uint64_t address_of(const struct snarli_proxy *proxy, uint64_t which, struct packed key) {
  uint64_t hash = mixed((uint64_t)proxy->id << 2 | which);
  for (size_t i = 0; i < key.size; i++)
    hash = (hash ^ key.bytes[i]) * 1099511628211ull;
  return snarli_region_identity(&proxy->manager->inside->region, mixed(hash));
}

static uint64_t any_change(const struct managed *managed) {
  return address_of(managed->proxy, 1, (struct packed){NULL, 0});
}
static uint64_t whole_change(const struct managed *managed) {
  return address_of(managed->proxy, 2, (struct packed){NULL, 0});
}

static void note(const struct managed *managed, enum snarli_record_type type, uint64_t address) {
  snarli_record_aux(type, 0, address, snarli_place(managed->site));
}

/* "manager dict scores, key Ada" */
static int describe(char *text, size_t room, const struct snarli_proxy *proxy, struct packed key, int64_t index) {
  const char *name = proxy->object.name ? proxy->object.name : "without a name";
  if (proxy->object.kind == SNARLI_ALIVE(MANAGED_LIST))
    return snprintf(text, room, "manager list %s, item %lld", name, (long long)index);
  bool is_dict = proxy->object.kind == SNARLI_ALIVE(MANAGED_DICT);
  int size =
      snprintf(text, room, "manager %s %s, %s ", is_dict ? "dict" : "namespace", name, is_dict ? "key" : "attribute");
  snarl_any value = SNARL_NIL, words = SNARL_NIL;
  if (snarli_any_unpack(key.bytes, key.size, &value) == SNARL_OK)
    words = snarl_any_text(value);
  const char *shown = snarl_any_as_string(snarl_any_is_string(value) ? value : words);
  if (size > 0 && (size_t)size < room)
    size += snprintf(text + size, room - (size_t)size, "%s", shown ? shown : "?");
  snarl_any_drop(&value);
  snarl_any_drop(&words);
  return size;
}

/* Which items this process has told the names of: once each, or again when another has taken its place. */
enum { NAMED = 1024 };
static uint64_t named[NAMED];

static bool must_name(uint64_t address) {
  uint64_t *place = &named[address % NAMED];
  return __atomic_exchange_n(place, address, __ATOMIC_RELAXED) != address;
}

static void name_item(const struct managed *managed, struct packed key, int64_t index) {
  char text[160];
  int size = describe(text, sizeof text, managed->proxy, key, index);
  size = size < (int)sizeof text ? size : (int)sizeof text - 1;
  if (size > 0)
    snarli_record_aux(SNARLI_R_OBJECT_NAMED, 0, managed->item, snarli_blob_string(text, (size_t)size));
}

/* A request gives what its reader takes: stamped before it is sent. */
static SNARLI_COLD void begin(struct managed *managed, struct packed key, int64_t index) {
  struct packed place = {(const unsigned char *)&index, sizeof index};
  bool is_all = managed->access >= MANAGED_CHANGES_ALL;
  managed->item = is_all ? 0 : address_of(managed->proxy, 0, key.size ? key : place);
  if (managed->item && must_name(managed->item)) {
    snarli_record_aux(SNARLI_R_MANAGED_VERSION, SNARLI_V_NONE, managed->item, 0); /* there it is */
    name_item(managed, key, index);
  }
  if (managed->access == MANAGED_CHANGES_ALL)
    note(managed, SNARLI_R_MANAGED_GIVEN, whole_change(managed));
  if (managed->access != MANAGED_WRITES && managed->access != MANAGED_CHANGES)
    return;
  note(managed, SNARLI_R_MANAGED_GIVEN, managed->item);
  note(managed, SNARLI_R_MANAGED_GIVEN, any_change(managed));
}

void snarli_managed_begin(struct managed *managed, struct packed key, int64_t index) {
  managed->is_recorded = snarli_records() && managed->proxy->manager->inside->region.identities;
  if (managed->is_recorded)
    begin(managed, key, index);
}

static void version(const struct managed *managed, enum snarli_version_of what, uint64_t value) {
  snarli_record_aux(SNARLI_R_MANAGED_VERSION, (unsigned)what, managed->item, (uint32_t)value);
}

/* MessagePack's nil, false and true. */
static bool is_flag(struct packed value) {
  return value.size == 1 && (value.bytes[0] == 0xc0 || value.bytes[0] == 0xc2 || value.bytes[0] == 0xc3);
}

static SNARLI_COLD void end(const struct managed *managed, const struct manager_call *call) {
  const struct manager_reply *reply = &call->reply;
  bool writes = managed->access == MANAGED_WRITES || managed->access == MANAGED_CHANGES;
  if (managed->item) {
    if (writes)
      version(managed, SNARLI_V_OVERWRITTEN, reply->previous);
    if (managed->access == MANAGED_WRITES && reply->number)
      version(managed, is_flag(call->given) ? SNARLI_V_AGREED : SNARLI_V_SAME, 0);
    version(managed, SNARLI_V_NOW, reply->version);
    note(managed,
         managed->access == MANAGED_WRITES    ? SNARLI_R_MANAGED_WRITTEN
         : managed->access == MANAGED_READS   ? SNARLI_R_MANAGED_READ
         : managed->access == MANAGED_CHANGES ? SNARLI_R_MANAGED_CHANGED
                                              : SNARLI_R_MANAGED_LOOKED,
         managed->item);
  } else {
    note(managed, SNARLI_R_MANAGED_LOOKED, any_change(managed));
  }
  if (managed->access != MANAGED_WRITES)
    note(managed, SNARLI_R_MANAGED_LOOKED, whole_change(managed));
}

/* What was answered, was seen; also that it is not there, or has changed. */
void snarli_managed_end(struct managed *managed, const struct manager_call *call, int status) {
  bool was_seen = status >= 0 || status == SNARL_NOT_FOUND || status == SNARL_CHANGED;
  bool has_changed = status >= 0 && (call->request.operation != MANAGER_SETDEFAULT || call->reply.number);
  if (!managed->is_recorded || !was_seen)
    return;
  if (!has_changed && (managed->access == MANAGED_CHANGES || managed->access == MANAGED_WRITES))
    managed->access = MANAGED_LOOKS;
  end(managed, call);
}
