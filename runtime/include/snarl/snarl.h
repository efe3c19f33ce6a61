/* SPDX-License-Identifier: MIT
 *
 * Python's threading and multiprocessing for C, with every operation in the trace under its own name. See
 * runtime/README.md.
 */
#ifndef SNARL_SNARL_H
#define SNARL_SNARL_H

#include <snarl/any.h>
#include <snarl/barrier.h>
#include <snarl/base.h>
#include <snarl/condition.h>
#include <snarl/connection.h>
#include <snarl/entry.h>
#include <snarl/event.h>
#include <snarl/executor.h>
#include <snarl/future.h>
#include <snarl/given.h>
#include <snarl/local.h>
#include <snarl/lock.h>
#include <snarl/manager.h>
#include <snarl/once.h>
#include <snarl/pool.h>
#include <snarl/process.h>
#include <snarl/process_executor.h>
#include <snarl/process_queue.h>
#include <snarl/proxy.h>
#include <snarl/queue.h>
#include <snarl/rwlock.h>
#include <snarl/semaphore.h>
#include <snarl/shareable_list.h>
#include <snarl/shared.h>
#include <snarl/shared_memory.h>
#include <snarl/shared_things.h>
#include <snarl/thread.h>
#include <snarl/timer.h>
#include <snarl/value.h>
#include <snarl/with.h>

#endif
