# shellcheck shell=bash disable=SC2207
# Completion of dmzram for bash: commands, options, devices, settings. What it offers as options is what
# the command's own --help lists.

_dmzram_devices() { dmsetup ls --target zram 2>/dev/null | sed '/^No devices/d; s/[[:space:]].*//'; }

_dmzram() {
	local cur=${COMP_WORDS[COMP_CWORD]} command=${COMP_WORDS[1]-} self=${COMP_WORDS[0]} words=""
	local settings="mem_limit= algorithm= cold_algorithm= policy= mode= segment_size= reserve= demote_age=
		compact_slack= overcommit discard_passdown= wear_budget="

	COMPREPLY=()
	if [ "$COMP_CWORD" = 1 ]; then
		COMPREPLY=($(compgen -W "create swap remove format up detach probe status top advise record set demote drain
			compact move resize help" -- "$cur"))
		return
	fi
	# A value behind "KEY=" comes as a word of its own.
	if [ "$cur" = "=" ] || [ "${COMP_WORDS[COMP_CWORD - 1]}" = "=" ]; then
		local key=${COMP_WORDS[COMP_CWORD - 1]}
		if [ "$cur" = "=" ]; then cur=""; else key=${COMP_WORDS[COMP_CWORD - 2]}; fi
		case $key in
		algorithm) words="lz4 lzo-rle zstd" ;;
		cold_algorithm) words="none zstd" ;;
		policy) words="age fifo" ;;
		mode) words="volatile" ;;
		discard_passdown) words="on off" ;;
		esac
		COMPREPLY=($(compgen -W "$words" -- "$cur"))
		return
	fi
	case $cur in
	-*)
		words=$("$self" "$command" --help 2>/dev/null | grep -oE -- '(^| )--[a-z-]+')
		COMPREPLY=($(compgen -W "$words --help" -- "$cur"))
		return
		;;
	/*)
		COMPREPLY=($(compgen -f -- "$cur"))
		compopt -o filenames 2>/dev/null
		return
		;;
	esac
	case $command in
	create | format) words=$settings ;;
	swap) words="$(_dmzram_devices) $settings" ;;
	up | probe) words="" ;;
	set) if [ "$COMP_CWORD" = 2 ]; then words=$(_dmzram_devices); else words=$settings; fi ;;
	demote) if [ "$COMP_CWORD" = 2 ]; then words=$(_dmzram_devices); else words=all; fi ;;
	resize) if [ "$COMP_CWORD" = 2 ]; then words=$(_dmzram_devices); else words=max; fi ;;
	move) [ "$COMP_CWORD" != 2 ] || words=$(_dmzram_devices) ;;
	help) words="create swap remove format up detach probe status top advise record set demote drain compact move resize" ;;
	*) words=$(_dmzram_devices) ;;
	esac
	COMPREPLY=($(compgen -W "$words" -- "$cur"))
	case ${COMPREPLY[0]-} in *=) compopt -o nospace 2>/dev/null ;; esac
}

complete -F _dmzram dmzram
