// What glibc hides behind _GNU_SOURCE, which Swift's importer does not define.
#pragma once

/// Names the calling thread, as top and debuggers show it; longer names are cut to 15 bytes.
void cplatform_set_thread_name(const char *name);
/// The processors that this process may run on (its affinity, not the machine's size); at least 1.
int cplatform_processor_count(void);
