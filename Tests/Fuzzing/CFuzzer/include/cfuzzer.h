// libFuzzer's way in for programs that have a main of their own (llvm.org/docs/LibFuzzer.html, "Using libFuzzer as a
// library").
#pragma once

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerRunDriver(int *argc, char ***argv, int (*one_input)(const uint8_t *data, size_t size));

/// A file in memory without a name: its descriptor, -1 when there is none to be had.
int cfuzzer_memory_file(void);

/// The file's memory, which may be written as far as the file goes; NULL when there is none to be had.
void *cfuzzer_map(int file, size_t size);
