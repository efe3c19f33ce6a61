/* SPDX-License-Identifier: MIT
 *
 * Who holds what: the count of holders, the end of what nobody holds, and that nothing gets to hold itself, which would
 * never end. Entered by any thread.
 */
#include "heap.h"

snarl_any snarli_any_keep(snarl_any value) {
  __atomic_fetch_add(&value.as.heap->holders, 1, __ATOMIC_RELAXED);
  return value;
}

/* The only holder needs no atomic operation: nobody is there to make another one. */
static bool is_let_go(struct snarli_any_heap *heap) {
  return __atomic_load_n(&heap->holders, __ATOMIC_ACQUIRE) == 1 ||
         !__atomic_sub_fetch(&heap->holders, 1, __ATOMIC_ACQ_REL);
}

/* Lists and dicts that nobody holds wait in a chain, so that no depth of them needs a stack. The lowest bit of a link
 * says that it is one to a dict. */
static void let_go(snarl_any value, uintptr_t *dead) {
  if (value.type < SNARL_ANY_STRING || !is_let_go(value.as.heap))
    return;
  if (!snarli_is_container(value)) {
    free(value.as.heap);
    return;
  }
  value.as.heap->dead = *dead;
  *dead = (uintptr_t)value.as.heap | (value.type == SNARL_ANY_DICT);
}

static void list_end(struct snarli_list *list, uintptr_t *dead) {
  for (uint32_t i = 0; i < list->length; i++)
    if (list->items[i].type >= SNARL_ANY_STRING)
      let_go(list->items[i], dead);
  if (list->items != list->own)
    free(list->items);
  free(list);
}

static void dict_end(struct snarli_dict *dict, uintptr_t *dead) {
  for (uint32_t i = 0; i < dict->end; i++) {
    let_go(dict->pairs[i].key, dead);
    let_go(dict->pairs[i].item, dead);
  }
  if (dict->pairs != dict->own)
    free(dict->pairs);
  free(dict->index);
  free(dict);
}

void snarli_any_drop(snarl_any value) {
  uintptr_t dead = 0;
  let_go(value, &dead);
  while (dead) {
    bool is_dict = dead & 1;
    struct snarli_any_heap *heap = (struct snarli_any_heap *)(dead & ~(uintptr_t)1);
    dead = heap->dead;
    if (is_dict)
      dict_end((struct snarli_dict *)heap, &dead);
    else
      list_end((struct snarli_list *)heap, &dead);
  }
}

/* Whether `inner` is somewhere in `value`, or not to be told within so many levels. */
static int search(snarl_any value, const struct snarli_any_heap *inner, int levels) {
  if (value.as.heap == inner)
    return SNARL_INVALID;
  if (!levels)
    return SNARL_TOO_DEEP;
  int status = SNARL_OK;
  if (value.type == SNARL_ANY_LIST) {
    const struct snarli_list *list = snarli_list_of(value);
    for (uint32_t i = 0; !status && i < list->length; i++)
      if (snarli_is_container(list->items[i]))
        status = search(list->items[i], inner, levels - 1);
    return status;
  }
  const struct snarli_dict *dict = snarli_dict_of(value);
  for (uint32_t i = 0; !status && i < dict->end; i++)
    if (!snarli_is_hole(&dict->pairs[i]) && snarli_is_container(dict->pairs[i].item))
      status = search(dict->pairs[i].item, inner, levels - 1);
  return status;
}

int snarli_any_may_enter(snarl_any container, enum snarl_any_type type, snarl_any item) {
  if (container.type != type)
    return snarl_any_is_error(container) ? snarl_any_status(container) : SNARL_INVALID;
  if (!snarli_is_container(item))
    return snarl_any_status(item);
  if (container.as.heap != item.as.heap && !__atomic_load_n(&container.as.heap->is_inside, __ATOMIC_RELAXED))
    return SNARL_OK;
  return search(item, container.as.heap, SNARL_ANY_DEPTH);
}
