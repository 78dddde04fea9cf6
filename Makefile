# anygptd: `make run` starts the daemon, `make demo` talks to it, `make test` runs every test.

# Swift's libraries are linked in, so that what is installed needs no toolchain.
SWIFT_BUILD = swift build -c release --static-swift-stdlib
# Tests see internals, so they are compiled apart from what is run. They run one after the other: many keep all cores
# busy, and those that talk over sockets would wait for them longer than a peer may.
SWIFT_TEST = swift test -c release --scratch-path .build-test -Xswiftc -enable-testing --no-parallel
CONFIG = config.toml
PYTHON = python3
# Their commands, fenced as ```sh, are run by `make test`.
DOCUMENTS = README.md $(sort $(wildcard Documentation/*.md))
# Where `make install` puts things: see Scripts/install.sh.
PREFIX = /usr/local
DESTDIR =
export PREFIX DESTDIR

.PHONY: help run demo demo-picture demo-music build install uninstall test lint format dependencies test-dependencies \
	bench-kernels fuzz train-pocket eval-pocket clean

help:
	@echo "make run            build, and start the daemon with $(CONFIG)"
	@echo "make demo           speak a recorded question to the daemon (starts one if none runs)"
	@echo "make demo-picture   ask it for a picture, by voice, and save that"
	@echo "make demo-music     ask it for music, by voice, and save that"
	@echo "make install        put it where a system has its programs (PREFIX=$(PREFIX), DESTDIR=)"
	@echo "make uninstall      take that away again"
	@echo "make test           build and run every test"
	@echo "make lint           check the formatting of the Swift sources"
	@echo "make bench-kernels  measure the matrix products beside OpenBLAS, and by the numbers' type"
	@echo "make fuzz           feed TARGET with arbitrary bytes for SECONDS, or RUNS of them (see Tests/Fuzzing/README.md)"
	@echo "make eval-pocket    speak to the daemon, judge its answers, write a report (Python: see Training/README.md)"
	@echo "make train-pocket   train the default model further (Python, hours: see Training/README.md)"

run: build
	.build/release/anygptd --config $(CONFIG)

demo: build
	Scripts/demo.sh $(CONFIG)

demo-picture: build
	Scripts/demo.sh $(CONFIG) picture

demo-music: build
	Scripts/demo.sh $(CONFIG) music

build: dependencies
	$(SWIFT_BUILD)

# Builds only where nothing is built yet: `sudo make install` should not compile as root.
install:
	@test -x .build/release/anygptd || $(MAKE) build
	@Scripts/install.sh install

uninstall:
	@Scripts/install.sh uninstall

test: test-dependencies lint
	$(SWIFT_TEST)
	Scripts/test-install.sh .build-test/release
	Scripts/test-python.sh .build-test/release
	Scripts/test-documents.sh .build-test/release $(DOCUMENTS)

lint:
	swift format lint --strict --recursive Package.swift Sources Tests

format:
	swift format --in-place --recursive Package.swift Sources Tests

dependencies:
	@Scripts/dependencies.sh

test-dependencies:
	@Scripts/dependencies.sh test

# Swift's own clang, so that the kernels are compiled as they are in the daemon.
bench-kernels: dependencies
	mkdir -p .build
	for program in packed_product linear whole_numbers; do \
		$$(dirname $$(command -v swift))/clang -O3 -fno-math-errno -Wno-psabi -ISources/CKernels/include \
			Benchmarks/$$program.c $$(find Sources/CKernels -name '*.c') -o .build/$$program \
			$$(pkg-config --cflags --libs openblas) -lm && .build/$$program || exit 1; done

# The gold linker can't link libFuzzer with Swift. Swift's own backtraces would wait for a debugger's data for minutes.
TARGET = pickle
SECONDS = 600
# -1: as many as there is time for.
RUNS = -1
# The longest inputs: archives and pickles as long as their seeds, the rest shorter, which takes less time.
FUZZ_LENGTH_pickle = 5120
FUZZ_LENGTH_zip = 5120
FUZZ_LENGTH_torch = 5120
FUZZ_LENGTH_sentencepiece = 4096
FUZZ_LENGTH_configuration = 1536
FUZZ_LENGTH_opus = 768
FUZZ = .build-fuzz/release/fuzz
fuzz: dependencies
	ANYGPT_FUZZING=1 swift build -c release --scratch-path .build-fuzz --product fuzz -Xswiftc -sanitize=fuzzer,address \
		-Xswiftc -use-ld=lld -Xswiftc -enable-testing -Xcc -fsanitize=address
	$(FUZZ) seeds .build-fuzz/seeds
	mkdir -p .build-fuzz/corpus/$(TARGET) .build-fuzz/found
	SWIFT_BACKTRACE=enable=no ASAN_OPTIONS=detect_leaks=0:malloc_context_size=0:quarantine_size_mb=1:allocator_may_return_null=1 \
		$(FUZZ) $(TARGET) -runs=$(RUNS) -max_total_time=$(SECONDS) -max_len=$(or $(FUZZ_LENGTH_$(TARGET)),1024) \
		-entropic=0 -reduce_inputs=0 -timeout=10 -rss_limit_mb=2048 -print_funcs=0 \
		-artifact_prefix=.build-fuzz/found/$(TARGET)- .build-fuzz/corpus/$(TARGET) .build-fuzz/seeds/$(TARGET)

train-pocket:
	cd Training && $(PYTHON) -m pocket all

# SIZE=full asks more and takes half an hour.
SIZE = quick
eval-pocket:
	@test -x .build/release/anygptd || $(MAKE) build
	@PYTHONPATH=Training:Clients/python/src $(PYTHON) -m evaluation --size $(SIZE) --config $(CONFIG)

clean:
	rm -rf .build .build-test .build-python .build-fuzz
