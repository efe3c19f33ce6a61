/* SPDX-License-Identifier: MIT
 *
 * Descriptors, endpoints and channels: who holds what (see channel.h). One thread per model.
 */
#include "channel.h"
#include "parts.h"

static uint64_t key_hash(enum snarli_channel_kind kind, uint64_t device, uint64_t key) {
  return map_mix(map_mix(map_mix(kind) ^ device) ^ key);
}

static bool is_socket(enum snarli_channel_kind kind) { return kind == SNARLI_C_STREAM || kind == SNARLI_C_MESSAGES; }

/* Both kinds of thing are found by a hash and a chain of places. */

static struct channel *channel_find(struct model *model, enum snarli_channel_kind kind, uint64_t device, uint64_t key) {
  uint32_t i = map_get(&model->channel_hash, key_hash(kind, device, key));
  for (; i != MAP_NONE; i = model->channels.items[i]->next) {
    struct channel *channel = model->channels.items[i];
    if (channel->kind == kind && channel->device == device && channel->key == key)
      return channel;
  }
  return NULL;
}

static struct channel *channel_make(struct model *model, struct process *process, const struct snarli_channel *what,
                                    uint64_t key, struct origin created) {
  struct channel *channel = arena_resize(model->arena, NULL, sizeof *channel);
  *channel = (struct channel){.kind = what->kind, .device = what->device, .key = key, .capacity = what->capacity};
  channel->object = object_new(model, process, 0, SNARLI_CHANNEL);
  channel->object->channel = channel;
  channel->object->created = created;
  channel->object->is_used = true;
  channel->sent = what->content;
  channel->messages = what->kind == SNARLI_C_SYSV ? what->peer : what->content;
  uint64_t hash = key_hash(channel->kind, channel->device, key);
  channel->next = map_get(&model->channel_hash, hash);
  uint32_t place;
  if (model->free_channels.count) {
    place = model->free_channels.items[--model->free_channels.count];
  } else {
    place = (uint32_t)model->channels.count;
    vector_push(model->arena, &model->channels) = NULL;
  }
  model->channels.items[place] = channel;
  map_put(model->arena, &model->channel_hash, hash, place);
  return channel;
}

static void channel_unlink(struct model *model, struct channel *channel) {
  uint64_t hash = key_hash(channel->kind, channel->device, channel->key);
  uint32_t i = map_get(&model->channel_hash, hash), before = MAP_NONE;
  while (model->channels.items[i] != channel) {
    before = i;
    i = model->channels.items[i]->next;
  }
  if (before != MAP_NONE)
    model->channels.items[before]->next = channel->next;
  else if (channel->next != MAP_NONE)
    map_put(model->arena, &model->channel_hash, hash, channel->next);
  else
    map_remove(&model->channel_hash, hash);
  model->channels.items[i] = NULL;
  vector_push(model->arena, &model->free_channels) = i;
}

/* The object may outlive its channel, in a wait or in a check that pinned it. */
static void channel_leave(struct model *model, struct channel *channel) {
  if (!channel || --channel->refs)
    return;
  channel_unlink(model, channel);
  channel->object->channel = NULL;
  object_retire(model, channel->object);
  arena_release(model->arena, channel);
}

static struct endpoint *endpoint_find(struct model *model, const struct snarli_channel *what) {
  uint32_t i = map_get(&model->endpoint_hash, key_hash(what->kind, what->device, what->self));
  for (; i != MAP_NONE; i = model->endpoints.items[i]->next) {
    struct endpoint *endpoint = model->endpoints.items[i];
    if (endpoint->kind == what->kind && endpoint->device == what->device && endpoint->self == what->self)
      return endpoint;
  }
  return NULL;
}

static void endpoint_unlink(struct model *model, struct endpoint *endpoint) {
  uint64_t hash = key_hash(endpoint->kind, endpoint->device, endpoint->self);
  uint32_t i = map_get(&model->endpoint_hash, hash), before = MAP_NONE;
  while (model->endpoints.items[i] != endpoint) {
    before = i;
    i = model->endpoints.items[i]->next;
  }
  if (before != MAP_NONE)
    model->endpoints.items[before]->next = endpoint->next;
  else if (endpoint->next != MAP_NONE)
    map_put(model->arena, &model->endpoint_hash, hash, endpoint->next);
  else
    map_remove(&model->endpoint_hash, hash);
  model->endpoints.items[i] = NULL;
  vector_push(model->arena, &model->free_endpoints) = i;
}

void endpoint_leave(struct model *model, struct endpoint *endpoint) {
  if (!endpoint || --endpoint->refs)
    return;
  endpoint_unlink(model, endpoint);
  channel_leave(model, endpoint->in);
  if (endpoint->out != endpoint->in)
    channel_leave(model, endpoint->out);
  for (size_t i = 0; i < endpoint->watched.count; i++)
    endpoint_leave(model, endpoint->watched.items[i].endpoint);
  vector_free(model->arena, &endpoint->watched);
  arena_release(model->arena, endpoint);
}

static struct channel *channel_join(struct model *model, struct event *event, const struct trace_channel *blob,
                                    uint64_t key) {
  struct channel *channel = channel_find(model, blob->what.kind, blob->what.device, key);
  if (!channel) {
    struct origin created = {event->process->index, blob->what.stack, event->record->time, event->thread->serial};
    channel = channel_make(model, event->process, &blob->what, key, created);
    channel->object->name = *blob->name ? blob->name : NULL;
    channel->is_made = event->record->arg & SNARLI_E_MADE;
    channel->is_unlinked = event->record->arg & SNARLI_E_UNLINKED;
  }
  channel->refs++;
  return channel;
}

static struct endpoint *endpoint_make(struct model *model, struct event *event, const struct trace_channel *blob) {
  struct endpoint *endpoint = arena_resize(model->arena, NULL, sizeof *endpoint);
  const struct snarli_channel *what = &blob->what;
  *endpoint = (struct endpoint){.kind = what->kind, .device = what->device, .self = what->self};
  if (what->kind == SNARLI_C_PIDFD)
    endpoint->pid = (uint32_t)what->self;
  else if (what->kind != SNARLI_C_EPOLL)
    endpoint->in = channel_join(model, event, blob, what->self);
  if (is_socket(what->kind) && what->peer && what->peer != what->self)
    endpoint->out = channel_join(model, event, blob, what->peer);
  else if (!is_socket(what->kind))
    endpoint->out = endpoint->in;
  uint64_t hash = key_hash(what->kind, what->device, what->self);
  endpoint->next = map_get(&model->endpoint_hash, hash);
  uint32_t place;
  if (model->free_endpoints.count) {
    place = model->free_endpoints.items[--model->free_endpoints.count];
  } else {
    place = (uint32_t)model->endpoints.count;
    vector_push(model->arena, &model->endpoints) = NULL;
  }
  model->endpoints.items[place] = endpoint;
  map_put(model->arena, &model->endpoint_hash, hash, place);
  return endpoint;
}

/* Descriptors. */

static struct descriptors *descriptors_of(struct model *model, struct process *process) {
  if (!process->descriptors)
    process->descriptors = arena_alloc(model->arena, sizeof *process->descriptors);
  return process->descriptors;
}

static struct descriptor *find(const struct process *process, uint64_t fd) {
  if (!process->descriptors)
    return NULL;
  uint32_t i = map_get(&process->descriptors->places, fd);
  return i == MAP_NONE ? NULL : &process->descriptors->items.items[i];
}

const struct descriptor *descriptor_at(const struct process *process, uint64_t fd) { return find(process, fd); }

void descriptor_close(struct model *model, struct process *process, uint64_t fd) {
  struct descriptor *descriptor = find(process, fd);
  if (!descriptor)
    return;
  struct endpoint *endpoint = descriptor->endpoint;
  descriptor->endpoint = NULL;
  vector_push(model->arena, &process->descriptors->free) = map_get(&process->descriptors->places, fd);
  map_remove(&process->descriptors->places, fd);
  endpoint->descriptors--;
  endpoint_leave(model, endpoint);
}

static void descriptor_add(struct model *model, struct process *process, uint32_t fd, struct endpoint *endpoint,
                           uint8_t ends, bool is_confirmed) {
  endpoint->refs++; /* first: it may be what the number stands for already */
  endpoint->descriptors++;
  descriptor_close(model, process, fd);
  struct descriptors *all = descriptors_of(model, process);
  uint32_t place = (uint32_t)all->items.count;
  if (all->free.count)
    place = all->free.items[--all->free.count];
  else
    (void)vector_push(model->arena, &all->items);
  all->items.items[place] =
      (struct descriptor){.endpoint = endpoint, .fd = fd, .ends = ends, .is_confirmed = is_confirmed};
  map_put(model->arena, &all->places, fd, place);
}

void descriptor_copy(struct model *model, struct process *process, uint32_t fd, uint64_t of) {
  const struct descriptor *original = find(process, of);
  if (original)
    descriptor_add(model, process, fd, original->endpoint, original->ends, true);
  else
    descriptor_close(model, process, fd);
}

static bool is_again(const struct endpoint *endpoint, const struct trace_channel *blob, unsigned ends) {
  bool is_connection = endpoint->kind == SNARLI_C_STREAM && blob->what.device == 0;
  return !(is_connection && ends & SNARLI_E_MADE); /* the ports were used again, and the old one's end was not seen */
}

void descriptor_open(struct model *model, struct event *event) {
  const struct trace_channel *blob = trace_channel(model->trace, event->process->index, event->record->aux);
  uint32_t fd = (uint32_t)event->record->object;
  unsigned ends = event->record->arg;
  if (!blob)
    return;
  if (blob->what.kind == SNARLI_C_EVENT && !blob->what.self) {
    descriptors_of(model, event->process)->has_events = true;
    return;
  }
  struct endpoint *endpoint = endpoint_find(model, &blob->what);
  if (endpoint && !is_again(endpoint, blob, ends)) {
    if (endpoint->in)
      object_doubt(model, endpoint->in->object);
    if (endpoint->out)
      object_doubt(model, endpoint->out->object);
  }
  if (!endpoint)
    endpoint = endpoint_make(model, event, blob);
  if (endpoint->in && blob->what.capacity)
    endpoint->in->capacity = blob->what.capacity;
  if (is_socket(endpoint->kind) && endpoint->out && !(ends & SNARLI_E_MADE) && !endpoint->descriptors)
    endpoint->in->is_made = endpoint->out->is_made = false; /* this end came from outside */
  descriptor_add(model, event->process, fd, endpoint, ends & (SNARLI_E_RECEIVE | SNARLI_E_SEND), true);
}

void descriptors_begin(struct model *model, struct process *process, const struct process *parent) {
  if (!parent || !parent->descriptors)
    return;
  const struct descriptors *from = parent->descriptors;
  struct descriptors *to = descriptors_of(model, process);
  to->are_known = process->info->forked && from->are_known;
  to->has_events |= process->info->forked && from->has_events;
  for (size_t i = 0; i < from->items.count; i++)
    if (from->items.items[i].endpoint && map_get(&to->places, from->items.items[i].fd) == MAP_NONE)
      descriptor_add(model, process, from->items.items[i].fd, from->items.items[i].endpoint, from->items.items[i].ends,
                     process->info->forked);
}

/* What was thought to be inherited, but is not there. */
void descriptors_settle(struct model *model, struct process *process) {
  struct descriptors *all = descriptors_of(model, process);
  all->are_known = true;
  for (size_t i = 0; i < all->items.count; i++)
    if (all->items.items[i].endpoint && !all->items.items[i].is_confirmed &&
        all->items.items[i].endpoint->kind != SNARLI_C_SYSV)
      descriptor_close(model, process, all->items.items[i].fd);
}

void descriptors_end(struct model *model, struct process *process) {
  struct descriptors *all = process->descriptors;
  for (size_t i = 0; all && i < all->items.count; i++)
    if (all->items.items[i].endpoint)
      descriptor_close(model, process, all->items.items[i].fd);
}
