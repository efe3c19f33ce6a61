/* SPDX-License-Identifier: MIT
 *
 * The module that module_reuse_ok.c and _bad.c load.
 */
#include <pthread.h>

extern pthread_mutex_t plugin_mutexes[2];
pthread_mutex_t plugin_mutexes[2] = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_MUTEX_INITIALIZER};
