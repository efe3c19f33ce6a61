# SPDX-License-Identifier: MIT
# Programs on libsnarl, in the rows of ../programs.cmake.
program(pool_starvation_bad             HANGS pool-starvation            pool-0,pool-1)
program(pool_starvation_ok              ENDS  -                          -)
program(pool_leak_bad                   ENDS  pool-leak                  main)
program(pool_leak_ok                    ENDS  -                          -)
program(lost_exception_bad              ENDS  lost-exception             pool-0)
program(lost_exception_ok               ENDS  -                          -)
program(hang_queue_bad                  HANGS deadlock                   consumer,main)
program(hang_queue_ok                   ENDS  -                          -)
