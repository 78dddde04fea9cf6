#define _GNU_SOURCE
#include "cfuzzer.h"

#include <sys/mman.h>

int cfuzzer_memory_file(void) { return memfd_create("fuzz", MFD_CLOEXEC); }

void *cfuzzer_map(int file, size_t size) {
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    return memory == MAP_FAILED ? NULL : memory;
}
