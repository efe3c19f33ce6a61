/* SPDX-License-Identifier: MIT
 *
 * The tables made from records.def. Pure; any thread.
 */
#include "reader_private.h"
#include <string.h>

static const struct trace_record_info infos[256] = {
#define RECORD(id, NAME, text_, family_, phase_, arg_, object_, aux_)                                                  \
  [id] = {.text = text_,                                                                                               \
          .family = SNARLI_##family_,                                                                                  \
          .phase = SNARLI_##phase_,                                                                                    \
          .arg = SNARLI_ARG_##arg_,                                                                                    \
          .object = SNARLI_OBJECT_##object_,                                                                           \
          .aux = SNARLI_AUX_##aux_},
#include <snarl/trace/records.def>
};

const uint8_t record_ranks[256] = {
#define RECORD(id, NAME, text, family, phase, arg, object, aux)                                                        \
  [id] = (id) == SNARLI_R_OWNER || (id) == SNARLI_R_TIME ? RANK_STREAM : SNARLI_##phase + 1,
#include <snarl/trace/records.def>
};

const struct trace_record_info *trace_record_info(unsigned type) {
  return type < 256 && infos[type].text ? &infos[type] : NULL;
}

int trace_record_type(const char *text) {
  for (int type = 0; type < 256; type++)
    if (infos[type].text && strcmp(infos[type].text, text) == 0)
      return type;
  return -1;
}
