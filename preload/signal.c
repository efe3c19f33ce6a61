/* SPDX-License-Identifier: MIT
 *
 * Installing signal handlers. What handlers do is recorded like everything else; that there is one tells the analyzer
 * that a wait may be ended by it. Entered by any thread and by signal handlers.
 */
#include "wrapper.h"

static void installed(int signal, sighandler_t handler, uint32_t stack) {
  if (handler != SIG_DFL && handler != SIG_IGN && handler != SIG_ERR && snarli_is_recording())
    snarli_record_aux(SNARLI_R_SIGNAL_HANDLER, (unsigned)signal, (uint64_t)(uintptr_t)handler, stack);
}

SNARLI_EXPORT int sigaction(int signal, const struct sigaction *action, struct sigaction *old) {
  sighandler_t handler = action ? action->sa_handler : SIG_DFL; /* before the call: `old` may be the same */
  int result = snarli_real()->sigaction(signal, action, old);
  if (!result)
    installed(signal, handler, SNARLI_STACK_IF_RECORDING);
  return result;
}

SNARLI_EXPORT sighandler_t signal(int signal, sighandler_t handler) {
  sighandler_t old = snarli_real()->signal(signal, handler);
  if (old != SIG_ERR)
    installed(signal, handler, SNARLI_STACK_IF_RECORDING);
  return old;
}

/* What `signal` is in strict System V programs. */
SNARLI_EXPORT sighandler_t __sysv_signal(int signal, sighandler_t handler) {
  sighandler_t old = snarli_real()->__sysv_signal(signal, handler);
  if (old != SIG_ERR)
    installed(signal, handler, SNARLI_STACK_IF_RECORDING);
  return old;
}
