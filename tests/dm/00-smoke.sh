#!/bin/bash
# The module loads, the target is there with a version, the module unloads and loads again.
# vm: uml uml-debug qemu-6.1 qemu-6.12
# mem: 256M
# cold: 16M
# timeout: 120
set -eu
dmsetup targets | grep -E '^zram +v[0-9]+\.[0-9]+\.[0-9]+$'
[ "$(blockdev --getsize64 "$COLD")" = $((16 << 20)) ]
modprobe -r dm-zram
if dmsetup targets | grep '^zram '; then exit 1; fi
modprobe dm-zram
dmsetup targets | grep -q '^zram '
