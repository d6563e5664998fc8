# SPDX-License-Identifier: GPL-2.0
# dm-zram: what a user or developer asks for. The module itself is described in Kbuild.
#
#   make [KDIR=<kernel headers or build tree>] [W=1] [C=2]
#
# Each kernel's objects go to a directory of their own, build/<kernel release>, in which the
# sources are symbolic links; so builds for several kernels do not meet.

TOP  := $(CURDIR)
KDIR ?= /lib/modules/$(shell uname -r)/build

# Goals that build the module need a kernel; the others do not look for one.
ifneq ($(filter-out check unit fuzz style demo help clean bench bench-zsmalloc bench-cold bench-path bench-policy check-oom check-pressure soak man install-tools uninstall-tools install-system uninstall-system deb check-system,$(or $(MAKECMDGOALS),all)),)
KREL := $(shell cat '$(KDIR)/include/config/kernel.release' 2>/dev/null)
ifeq ($(KREL),)
$(error No kernel build tree in $(KDIR): install the headers of the running kernel, or give KDIR=)
endif
# A tree configured for User Mode Linux builds nothing else.
ifneq ($(shell grep -s '^CONFIG_UML=y' '$(KDIR)/.config'),)
export ARCH := um
endif
# The compiler which built the kernel, when it is here: gcc-12 of Debian's kernels, not gcc.
KCC := $(firstword $(subst ",,$(shell sed -n 's/^CONFIG_CC_VERSION_TEXT=//p' '$(KDIR)/.config')))
KCC := $(notdir $(shell command -v '$(patsubst x86_64-linux-gnu-%,%,$(KCC))'))
CCARG := $(if $(filter default undefined,$(origin CC)),$(if $(KCC),CC=$(KCC)),CC=$(CC))
endif
BUILD ?= $(TOP)/build/$(KREL)

.PHONY: all modules module-dir install uninstall clean help check demo unit fuzz style bench bench-zsmalloc bench-cold bench-path bench-policy check-oom check-pressure soak

all: modules

module-dir:
	@scripts/lib/farm '$(TOP)' '$(BUILD)'

modules: module-dir
	+@$(MAKE) --no-print-directory -C '$(KDIR)' M='$(BUILD)' $(CCARG) modules

install: modules install-tools
	+@$(MAKE) --no-print-directory -C '$(KDIR)' M='$(BUILD)' $(CCARG) INSTALL_MOD_DIR=updates modules_install
	depmod $(if $(INSTALL_MOD_PATH),-b '$(INSTALL_MOD_PATH)') '$(KREL)'

uninstall: uninstall-tools
	rm -f '$(INSTALL_MOD_PATH)/lib/modules/$(KREL)/updates/dm-zram.ko'*
	depmod $(if $(INSTALL_MOD_PATH),-b '$(INSTALL_MOD_PATH)') '$(KREL)'

include scripts/tools.mk
include scripts/system.mk

clean:
	rm -rf build
	@if [ -e tests/unit/Makefile ]; then $(MAKE) --no-print-directory -C tests/unit clean; fi

check:
	@tests/run $(T)

unit:
	+@$(MAKE) --no-print-directory -C tests/unit check

fuzz:
	+@$(MAKE) --no-print-directory -C tests/fuzz fuzz

style:
	@scripts/style

demo:
	@scripts/demo

bench:
	@tests/bench/all $(if $(ROUNDS),-r $(ROUNDS)) $(if $(SIZE),-s $(SIZE)) $(if $(OOM),-o $(OOM)) $(if $(JOBS),-j $(JOBS)) $(if $(DIGEST),-d) $(T)

bench-zsmalloc:
	@tests/bench/run zsmalloc $(if $(ROUNDS),-r $(ROUNDS)) $(T)

bench-cold:
	@tests/bench/run cold $(if $(ROUNDS),-r $(ROUNDS)) $(if $(SIZE),-s $(SIZE)) $(T)

bench-path:
	@tests/bench/run path $(if $(ROUNDS),-r $(ROUNDS)) $(T)

bench-policy:
	+@traces=$$(tests/bench/traces/record $(T)) && \
		$(MAKE) --no-print-directory -C tests/unit policy-sim \
		TRACES="$$traces $(if $(T),,loop scan stream zipf zipf+scan phases once)"

check-oom:
	@tests/oom/run $(if $(KIND),-k $(KIND)) $(if $(SIZE),-s $(SIZE)) $(if $(ROUNDS),-r $(ROUNDS)) $(if $(JOBS),-j $(JOBS)) $(ROWS)

check-pressure:
	@tests/oom/pressure $(if $(KIND),-k $(KIND)) $(CASES)

HOURS ?= 1
soak:
	@tests/soak -m "$$(awk 'BEGIN { printf "%d", $(HOURS) * 60 }')" $(if $(KIND),-k $(KIND)) $(if $(SEED),-s $(SEED))

help:
	@echo 'make                build dm-zram.ko for the running kernel, in build/<release>'
	@echo 'make KDIR=<dir>     build it for another kernel; W=1 and C=2 as in the kernel'
	@echo 'make install        install it, and the command dmzram (INSTALL_MOD_PATH= to put it below another root)'
	@echo 'make install-tools  only the command dmzram, its completion, the man pages (PREFIX=/usr, DESTDIR=)'
	@echo 'make uninstall      remove it again'
	@echo 'make check          everything that must hold before a commit; T=<pattern> for some of it'
	@echo 'make deb            Debian packages, in build/deb: dm-zram-dkms and dm-zram-tools'
	@echo 'make check-system   installed from its packages on a Debian with systemd, udev and LVM; T=<pattern> for some of it'
	@echo 'make unit           the tests in user space'
	@echo 'make fuzz           the fuzz targets, for a while'
	@echo 'make style          checkpatch, sparse and shellcheck'
	@echo 'make demo           swap on dm-zram in a small machine, live'
	@echo 'make bench          all benches, results.json, plots and a digest in build/bench; T=, ROUNDS=, SIZE=, OOM=, JOBS=, DIGEST=1'
	@echo 'make bench-zsmalloc our allocator against zram and its zsmalloc; T=, ROUNDS= for some of it'
	@echo 'make bench-cold     writing back to a cold disk, against zram; T=, ROUNDS=, SIZE='
	@echo 'make bench-path     reads and writes of blocks in RAM, against zram and the codec alone'
	@echo 'make bench-policy   policies on recorded and generated traces; T=<trace> for some of it'
	@echo 'make check-oom      the scenarios in which zram alone fails, and who survives; KIND=, SIZE=, ROUNDS=, JOBS=, ROWS='
	@echo 'make check-pressure memory that runs out, in ways that zram is known for; KIND=, CASES=spin or CASES=spin/dm-zram'
	@echo 'make soak HOURS=n   swap, a file system and every disturbance at once, on the debug kernel; KIND=, SEED='
	@echo 'make clean          remove everything that was built here (kernels stay in the cache)'
	@echo
	@echo 'scripts/vm uml      a shell in a guest with the module loaded; scripts/vm --help for more'
