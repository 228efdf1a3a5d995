# Syncline's everyday commands. `make demo` or `make test` may be the first thing typed on a fresh
# Debian 12 machine: each installs what it needs.
.DEFAULT_GOAL := help
SHELL := /bin/bash
SEEDS ?= 10000
SCENARIO ?= day
SUDO := $(shell [ "$$(id -u)" = 0 ] || echo sudo)
# No more compilers at once than memory allows (about 1.5 GB each), nor than there are cores.
JOBS ?= $(shell n=$$(nproc); m=$$(awk '/MemAvailable/{print int($$2/1500000)}' /proc/meminfo); \
	[ $$m -lt 1 ] && m=1; [ $$m -lt $$n ] && echo $$m || echo $$n)

.PHONY: help install build demo test unit asan tsan fuzz simulate bench format lint package clean

help:  ## this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | \
		awk -F'\t' '{printf "  make %-10s %s\n", $$1, $$2}'

# There for one kind of processor only; without it, something is slower (decisions/0047).
AMD64_ONLY := libipsec-mb-dev

install:  ## Debian packages of packages.txt that are missing
	@[ "$$(dpkg --print-architecture)" = amd64 ] || without='$(AMD64_ONLY)'; \
	missing=$$(grep -vE '^(#|$$)' packages.txt | grep -vxF "$${without:-none}" | while read -r p; do \
		dpkg-query -W -f='$${Status}' $$p 2>/dev/null | grep -q 'ok installed' || echo $$p; done); \
	if [ -n "$$missing" ]; then \
		echo "installing:" $$missing; \
		$(SUDO) apt-get update -qq && \
		DEBIAN_FRONTEND=noninteractive $(SUDO) apt-get install -y -qq --no-install-recommends \
			$$missing >/dev/null; \
	fi

build: install  ## build/syncline, optimised
	@cmake --preset release >/dev/null
	@ninja -C build -j $(JOBS)

demo: install  ## a fleet of five on this machine, a kill -9, and the proof; SCENARIO=migration
	@cmake --preset release >/dev/null
	@ninja -C build -j $(JOBS) syncline hex_selfplay  # the tests wait for `make test`
	@KEEP=$(KEEP) python3 examples/demo.py --scenario $(SCENARIO)

test: build  ## every test: units, processes, simulation, tidiness
	@ctest --test-dir build --output-on-failure -j $(JOBS)

unit: build  ## only the fast ones
	@ctest --test-dir build --output-on-failure -j $(JOBS) -L unit

asan tsan:  ## the tests under AddressSanitizer + UBSan, or ThreadSanitizer
	@$(MAKE) --no-print-directory install
	@cmake --preset $@ >/dev/null
	@ninja -C build-$@ -j $(JOBS)
	@ctest --test-dir build-$@ --output-on-failure -j $(JOBS) -LE slow

fuzz: install  ## each parser against made-up input, for a bounded number of runs
	@cmake --preset fuzz >/dev/null
	@ninja -C build-fuzz -j $(JOBS) fuzz_targets
	@ctest --test-dir build-fuzz --output-on-failure -j $(JOBS) -L fuzz

package: build  ## build/package/syncline_VERSION_ARCH.deb
	@python3 deploy/package.py

simulate: build  ## SEEDS=10000 whole fleets on virtual time
	@build/simulation/simulate --seeds 1..$(SEEDS)

bench: build  ## every benchmark, beside the peer tools
	@python3 bench/run.py

format:  ## clang-format all sources
	@git ls-files '*.cpp' '*.hpp' | xargs clang-format -i

lint: build  ## clang-tidy over the sources
	@git ls-files 'src/*.cpp' | xargs -P $(JOBS) -n 4 clang-tidy -p build --quiet

clean:  ## remove build folders and the demo's fleet
	@rm -rf build build-* demo-fleet
