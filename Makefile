# anygptd: `make run` starts the daemon, `make demo` talks to it, `make test` runs every test.

SWIFT_BUILD = swift build -c release
# Tests see internals, so they are compiled apart from what is run.
SWIFT_TEST = swift test -c release --scratch-path .build-test -Xswiftc -enable-testing
CONFIG = config.toml
PYTHON = python3

.PHONY: help run demo build test lint format dependencies train-pocket clean

help:
	@echo "make run            build, and start the daemon with $(CONFIG)"
	@echo "make demo           speak a recorded question to the daemon (starts one if none runs)"
	@echo "make test           build and run every test"
	@echo "make lint           check the formatting of the Swift sources"
	@echo "make train-pocket   train the default model anew (Python, hours: see Training/README.md)"

run: build
	.build/release/anygptd --config $(CONFIG)

demo: build
	Scripts/demo.sh $(CONFIG)

build: dependencies
	$(SWIFT_BUILD)

test: dependencies lint
	$(SWIFT_TEST)

lint:
	swift format lint --strict --recursive Package.swift Sources Tests

format:
	swift format --in-place --recursive Package.swift Sources Tests

dependencies:
	@Scripts/dependencies.sh

train-pocket:
	cd Training && $(PYTHON) -m pocket all

clean:
	rm -rf .build .build-test
