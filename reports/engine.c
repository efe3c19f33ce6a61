/* SPDX-License-Identifier: MIT
 *
 * Graphviz, kept quiet. Process-wide state: one thread at a time.
 */
#include "engine.h"
#include <errno.h>

static int swallow(char *message) {
  (void)message;
  return 0;
}

/* One context for the whole process: Graphviz' text measuring remembers fonts of a context that is gone and reads them
 * in the next one. It also saves looking for the plugins again. */
static GVC_t *shared;

int engine_open(struct engine *engine) {
  engine->hook = agseterrf(swallow);
  if (shared == NULL)
    shared = gvContext();
  engine->context = shared;
  return shared == NULL ? ENOMEM : 0;
}

void engine_close(struct engine *engine) { agseterrf(engine->hook); }

int engine_layout(struct engine *engine, const char *text, const char *how, Agraph_t **graph) {
  *graph = agmemread(text);
  if (*graph == NULL)
    return EINVAL;
  if (gvLayout(engine->context, *graph, how) == 0)
    return 0;
  agclose(*graph);
  *graph = NULL;
  return ENOTSUP;
}

void engine_drop(struct engine *engine, Agraph_t *graph) {
  gvFreeLayout(engine->context, graph);
  agclose(graph);
}
