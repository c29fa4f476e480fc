# SPDX-License-Identifier: GPL-2.0
#
# The front door: kbuild's targets are forwarded to the composed kernel tree
# (build/source, see scripts/compose), with objects in build/out or in O=.
# The few targets of our own stand below; "make help" lists both.
#
# All kbuild targets of one command line go to one sub-make, which knows about
# mixed targets ("make defconfig all") and shares the job server.

ARCH ?= um
ifneq ($(ARCH),um)
$(error ARCH=$(ARCH): this tree builds ARCH=um only; use "make ARCH=um", or \
	the generic kernel for other architectures)
endif
ifneq ($(shell uname -sm),Linux x86_64)
$(error The host is $(shell uname -sm), but only x86-64 Linux can build and \
	run this port)
endif
export ARCH

top := $(CURDIR)
ifneq ($(words $(subst :, ,$(top))),1)
$(error The path of this folder must not contain blanks or colons: $(top))
endif

.NOTPARALLEL:
.SUFFIXES:

# --- where things are -----------------------------------------------------

# As in kbuild: O= of the command line, else KBUILD_OUTPUT; relative to here.
ifeq ($(origin O),command line)
out-given := $(O)
else
out-given := $(KBUILD_OUTPUT)
endif
out := $(abspath $(or $(out-given),build/out))
# The kernel for the user: at the root, or only in O= if that was given.
linux := $(if $(out-given),$(out)/linux,$(top)/linux)

source := $(top)/build/source
images := $(top)/build/images

# Debian's python3-* packages serve Debian's interpreter only.
python := $(firstword $(wildcard /usr/bin/python3) python3)

# --- what is passed to kbuild ---------------------------------------------

kbuild-args := ARCH=um O=$(out)
ifdef M
kbuild-args += M=$(abspath $(M))
endif
# ccache, unless the user chose a compiler.
ifeq ($(filter command% override,$(origin CC))$(LLVM),)
ifneq ($(shell command -v ccache),)
kbuild-args += CC="ccache $(CROSS_COMPILE)gcc"
# Look objects up by kbuild's own dependency files: a miss costs no extra
# run of the preprocessor, which is a third of a cold build.
export CCACHE_DEPEND := 1
# Another checkout, such as CI's, finds the same objects.
export CCACHE_BASEDIR := $(top)
export CCACHE_NOHASHDIR := 1
endif
endif
kbuild = $(MAKE) --no-print-directory -C $(source) $(kbuild-args)

# --- sorting the targets --------------------------------------------------

own-goals := help dep run test test-long bench images install \
	     clean mrproper distclean compose tools install-tools __default
own-files := $(images)/busybox.img
kbuild-goals := $(filter-out $(own-goals) $(own-files),$(MAKECMDGOALS))
# These cannot start without a configuration; defconfig serves if there is none.
need-config := all linux vmlinux modules modules_prepare prepare \
	       modules_install compile_commands.json scripts_gdb \
	       %.o %.ko %.i %.s %.lst %/
is-build := $(or $(if $(kbuild-goals),,y),\
	      $(filter $(need-config),$(kbuild-goals)))
make-config := $(and $(is-build),$(if $(M)$(filter %config,$(kbuild-goals)),,y))
make-linux := $(or $(if $(kbuild-goals),,y),\
		$(filter all linux vmlinux,$(kbuild-goals)))
make-linux := $(if $(M),,$(make-linux))

.PHONY: $(own-goals) $(kbuild-goals) __kbuild __source

__default: __kbuild
$(kbuild-goals): __kbuild
	@:

compose: __source

__source:
	@scripts/install-deps --check build
	@scripts/compose

__kbuild: __source
ifneq ($(make-config),)
	+@if [ ! -e $(out)/.config ]; then \
		echo "No configuration in $(out): taking defconfig"; \
		$(kbuild) defconfig; \
	fi
endif
	+@$(kbuild) $(kbuild-goals)
ifneq ($(make-linux),)
	@if [ -e $(out)/linux ] && \
	    { [ ! -e $(linux) ] || [ $(out)/linux -nt $(linux) ]; }; then \
		cp --reflink=auto -p $(out)/linux $(linux).new && \
		mv $(linux).new $(linux); \
	fi
endif

# --- targets of our own ---------------------------------------------------

dep:
	@echo "make dep is not needed: dependencies are tracked while building"

# modules_install into MODULES_DIR/<release>.  kbuild and depmod know only
# a prefix of lib/modules, so give them one that leads there.
install:
	@if [ -z "$(MODULES_DIR)" ]; then \
		echo "make install: say where the modules go, for example" \
		     "make install MODULES_DIR=/mnt/lib/modules" >&2; \
		exit 1; \
	fi
	+@$(MAKE) --no-print-directory modules
	+@mkdir -p "$(MODULES_DIR)" && dir=$$(mktemp -d) && \
	  trap 'rm -rf "$$dir"' EXIT && mkdir "$$dir/lib" && \
	  ln -s "$$(realpath "$(MODULES_DIR)")" "$$dir/lib/modules" && \
	  $(kbuild) INSTALL_MOD_PATH="$$dir" modules_install

$(images)/busybox.img: scripts/mkimage
	@scripts/install-deps image
	@scripts/mkimage busybox $@

images: $(images)/busybox.img
	@scripts/install-deps image
	@scripts/mkimage debian $(images)/debian.img

# The host tools need no kernel tree.
tools:
	+@$(MAKE) --no-print-directory -C tools/um

install-tools:
	+@$(MAKE) --no-print-directory -C tools/um install

# The terminal belongs to the guest here, ARGS= adds to its command line.
run:
	@scripts/install-deps build image
	+@$(MAKE) --no-print-directory linux
	+@$(MAKE) --no-print-directory $(images)/busybox.img
	@exec $(linux) ubd0=$(images)/busybox.img mem=256M $(ARGS)

test test-long bench:
	@scripts/install-deps build image $(if $(filter bench,$@),bench,test)
	+@$(MAKE) --no-print-directory all
	@$(python) tools/testing/um/run.py $@ $(if $(T),-k '$(T)')

ifdef M
clean:
	+@$(kbuild) $@
else
# Nothing is unpacked in order to be cleaned.
clean mrproper:
	+@if [ -e $(source)/Makefile ] && [ -e $(out) ]; then $(kbuild) $@; fi
	@rm -f $(linux)

distclean: mrproper
	@rm -rf $(if $(out-given),,build)
endif

help:
	@echo  'Targets of this tree:'
	@echo  '  run             - Build what is missing and boot to a shell on this terminal'
	@echo  '                    (ARGS="..." adds to the command line)'
	@echo  '  test            - Run the tests of CI (T=pattern selects some)'
	@echo  '  test-long       - Run all tests, hours of them'
	@echo  '  bench           - Measure, against the host'
	@echo  '  images          - Build root images in build/images'
	@echo  '  install MODULES_DIR=<dir>'
	@echo  '                  - Install the modules in <dir>/<release>'
	@echo  '  tools           - Build the tools for the host in build/tools'
	@echo  '  install-tools   - Install them with their manual pages (PREFIX=/usr/local, DESTDIR=)'
	@echo  '  compose         - Only make the kernel tree, build/source'
	@echo  '  dep             - Not needed'
	@echo  ''
	@echo  'Objects are in build/out, or in O=<dir>; ./linux is the kernel.'
	@echo  ''
	+@if [ -e $(source)/Makefile ]; then scripts/compose && $(kbuild) help; \
	  else echo "The kernel's own targets are listed once build/source exists (make compose)."; fi
