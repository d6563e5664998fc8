#!/bin/bash
# 30-swap on the debug kernel, which takes 100 MiB for itself.
# One processor: with two, User Mode Linux lets a process write to a page that is being swapped out
# (flush_tlb_page() reaches the process when it comes back from the kernel), and the write is lost.
# vm: uml-debug
# mem: 192M
# cold: 640M
# cpus: 1
# timeout: 900
exec "$(dirname "$0")/30-swap.sh"
