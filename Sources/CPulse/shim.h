#pragma once
#include <pulse/pulseaudio.h>
#include <sys/time.h>

// A macro made of another macro: Float in the machine's own byte order.
static const pa_sample_format_t cpulse_float32 = PA_SAMPLE_FLOAT32NE;

// The main loop's timers are function pointers that take a moment of the wall clock: one function each.

static inline pa_time_event *cpulse_timer_start(
    pa_mainloop_api *api, pa_usec_t microseconds, pa_time_event_cb_t callback, void *userdata) {
    struct timeval moment;
    pa_timeval_add(pa_gettimeofday(&moment), microseconds);
    return api->time_new(api, &moment, callback, userdata);
}

static inline void cpulse_timer_free(pa_mainloop_api *api, pa_time_event *timer) {
    api->time_free(timer);
}
