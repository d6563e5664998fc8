#!/bin/bash
# 68-swap-reload on the debug kernel, with one processor: see 31-swap-debug.sh.
# vm: uml-debug
# mem: 192M
# cold: 640M
# cpus: 1
# timeout: 900
exec "$(dirname "$0")/68-swap-reload.sh"
