/* SPDX-License-Identifier: MIT
 *
 * Graphviz, kept quiet: its complaints go nowhere near the traced program's terminal, its failures come back as errno.
 * Graphviz keeps process-wide state (parser, message hook): one thread at a time.
 */
#ifndef SNARL_REPORTS_ENGINE_H
#define SNARL_REPORTS_ENGINE_H

#include <graphviz/gvc.h>

struct engine {
  GVC_t *context;
  agusererrf hook; /* what was there before */
};

/* 0 or ENOMEM; engine_close in either case. */
int engine_open(struct engine *engine);
void engine_close(struct engine *engine);

/* Parses a graph and lays it out by the engine called `how`. 0 and a graph to give back with engine_drop; EINVAL: the
 * text is no graph, ENOTSUP: Graphviz has no such engine here. */
int engine_layout(struct engine *engine, const char *text, const char *how, Agraph_t **graph);
void engine_drop(struct engine *engine, Agraph_t *graph);

#endif
