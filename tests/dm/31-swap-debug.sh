#!/bin/bash
# 30-swap on the debug kernel, which takes 100 MiB for itself.
# vm: uml-debug
# mem: 192M
# cold: 640M
# cpus: 2
# timeout: 300
exec "$(dirname "$0")/30-swap.sh"
