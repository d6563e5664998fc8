# SPDX-License-Identifier: GPL-2.0
# The command dmzram, its completion and the man pages: built and installed. Needs no kernel. Read by the
# Makefile at the top.
#
#   make man                                       man pages, in build/man (rst2man: python3-docutils)
#   make install-tools [PREFIX=/usr] [DESTDIR=]    without the module; also a part of make install

PREFIX ?= /usr
DESTDIR ?= $(INSTALL_MOD_PATH)
TOOLS_SBIN := $(DESTDIR)$(PREFIX)/sbin
TOOLS_LIB := $(DESTDIR)$(PREFIX)/lib/dm-zram
TOOLS_COMPLETION := $(DESTDIR)$(PREFIX)/share/bash-completion/completions
TOOLS_MAN := $(DESTDIR)$(PREFIX)/share/man

# A page NAME.N of Documentation/NAME.rst.
MAN_PAGES := dmzram.8 dm-zram.7 $(if $(wildcard $(TOP)/Documentation/dm-zram.conf.rst),dm-zram.conf.5)

.PHONY: man install-tools uninstall-tools

man: $(MAN_PAGES:%=$(TOP)/build/man/%)

.SECONDEXPANSION:
$(TOP)/build/man/%: $(TOP)/Documentation/$$(basename $$*).rst
	@mkdir -p '$(@D)'
	rst2man --halt=2 '$<' '$@.new'
	@mv '$@.new' '$@'

# Without rst2man the rest is installed all the same.
install-tools: $(if $(shell command -v rst2man),man)
	install -d '$(TOOLS_SBIN)' '$(TOOLS_LIB)' '$(TOOLS_COMPLETION)'
	sed "s|^lib=/usr/lib/dm-zram\b|lib=$(PREFIX)/lib/dm-zram|" scripts/dmzram >'$(TOOLS_SBIN)/dmzram'
	chmod 755 '$(TOOLS_SBIN)/dmzram'
	install -m 644 scripts/dmzram.d/* '$(TOOLS_LIB)'
	install -m 644 scripts/dmzram.bash '$(TOOLS_COMPLETION)/dmzram'
	@if command -v rst2man >/dev/null; then \
		for page in $(MAN_PAGES); do \
			install -D -m 644 "build/man/$$page" "$(TOOLS_MAN)/man$${page##*.}/$$page" || exit; \
		done; \
	else \
		echo 'no rst2man (python3-docutils): the man pages are not installed'; \
	fi

uninstall-tools:
	rm -f '$(TOOLS_SBIN)/dmzram' '$(TOOLS_COMPLETION)/dmzram' \
		$(foreach page,dmzram.8 dm-zram.7 dm-zram.conf.5,'$(TOOLS_MAN)/man$(subst .,,$(suffix $(page)))/$(page)')
	rm -f $(foreach f,$(notdir $(wildcard $(TOP)/scripts/dmzram.d/*)),'$(TOOLS_LIB)/$(f)')
	-rmdir '$(TOOLS_LIB)'
