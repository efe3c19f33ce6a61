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

int engine_open(struct engine *engine) {
  engine->hook = agseterrf(swallow);
  engine->context = gvContext();
  return engine->context == NULL ? ENOMEM : 0;
}

void engine_close(struct engine *engine) {
  if (engine->context != NULL)
    gvFreeContext(engine->context);
  agseterrf(engine->hook);
}

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
