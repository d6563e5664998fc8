# shellcheck shell=bash disable=SC2154 # sourced by guest
# The trace "swap-desktop"; see swap-desktop.py.

work() {
	swap_on
	python3 "$here/swap-desktop.py"
}
