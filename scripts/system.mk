# SPDX-License-Identifier: GPL-2.0
# What ties dm-zram to a running system (systemd, udev, initramfs-tools), the Debian packages, and the
# system tests. Needs no kernel. Read by the Makefile at the top, after tools.mk.
#
#   make install-system [PREFIX=/usr] [DESTDIR=]    a part of make install
#   make deb                                        packages, in build/deb
#   make check-system [KIND=uml] [T=<pattern>]      tests/system/run

PREFIX ?= /usr
DESTDIR ?= $(INSTALL_MOD_PATH)
SYSTEM_LIB := $(DESTDIR)$(PREFIX)/lib
SYSTEM_HOOKS := $(DESTDIR)$(if $(filter /usr,$(PREFIX)),/usr/share,/etc)/initramfs-tools/hooks

.PHONY: install-system uninstall-system deb check-system

install: install-system
uninstall: uninstall-system

SYSTEM_PARTS := conf.awk conf.sh unit.sh
SYSTEM_PROGRAMS := dm-zram-setup dm-zram-header
SYSTEM_UNITS := dm-zram-setup@.service dm-zram@.service dmzram-record.service dmzram-record.timer
SYSTEM_RULES := 59-dm-zram.rules 69-dm-zram.rules

# put MODE FILE DIRECTORY: with the places of this installation in it.
put = install -d '$(3)' && sed -e 's|/usr/lib/dm-zram|$(PREFIX)/lib/dm-zram|g' -e 's|/usr/sbin/dmzram|$(PREFIX)/sbin/dmzram|g' \
	-e 's|/usr/lib/systemd/system/|$(PREFIX)/lib/systemd/system/|g' '$(2)' >'$(3)/$(notdir $(2))' && chmod $(1) '$(3)/$(notdir $(2))'
define newline


endef
puts = $(foreach f,$(2),$(call put,$(1),$(f),$(3))$(newline)	@)

install-system:
	@$(call puts,644,$(SYSTEM_PARTS:%=systemd/%),$(SYSTEM_LIB)/dm-zram):
	@$(call puts,755,$(SYSTEM_PROGRAMS:%=systemd/%),$(SYSTEM_LIB)/dm-zram):
	@$(call puts,644,$(SYSTEM_UNITS:%=systemd/%),$(SYSTEM_LIB)/systemd/system):
	@$(call puts,755,systemd/dm-zram-generator,$(SYSTEM_LIB)/systemd/system-generators):
	@$(call puts,644,$(SYSTEM_RULES:%=udev/%),$(SYSTEM_LIB)/udev/rules.d):
	@$(call puts,755,initramfs/dm-zram,$(SYSTEM_HOOKS)):
	install -D -m 644 systemd/dm-zram.conf '$(DESTDIR)$(PREFIX)/share/doc/dm-zram-tools/examples/dm-zram.conf'

uninstall-system:
	rm -f $(SYSTEM_PARTS:%='$(SYSTEM_LIB)/dm-zram/%') $(SYSTEM_PROGRAMS:%='$(SYSTEM_LIB)/dm-zram/%') \
		$(SYSTEM_UNITS:%='$(SYSTEM_LIB)/systemd/system/%') '$(SYSTEM_LIB)/systemd/system-generators/dm-zram-generator' \
		$(SYSTEM_RULES:%='$(SYSTEM_LIB)/udev/rules.d/%') '$(SYSTEM_HOOKS)/dm-zram' \
		'$(DESTDIR)$(PREFIX)/share/doc/dm-zram-tools/examples/dm-zram.conf'
	-rmdir --ignore-fail-on-non-empty '$(SYSTEM_LIB)/dm-zram' '$(DESTDIR)$(PREFIX)/share/doc/dm-zram-tools/examples' \
		'$(DESTDIR)$(PREFIX)/share/doc/dm-zram-tools'

deb:
	@scripts/deb

check-system:
	@tests/system/run $(if $(KIND),-k $(KIND)) $(T)
