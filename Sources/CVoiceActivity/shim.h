#pragma once
#include <stddef.h>
#include <stdint.h>

// WebRTC's voice activity detector. libwebrtc-audio-processing.so.1 exports these C functions, but its package installs
// only the C++ headers of AudioProcessing, which runs the same detector behind much else; so they are declared here, as
// in WebRTC's common_audio/vad/include/webrtc_vad.h of that version.

typedef struct WebRtcVadInst VadInst;

/// A detector that still wants WebRtcVad_Init, or NULL when there is no memory.
VadInst *WebRtcVad_Create(void);

void WebRtcVad_Free(VadInst *detector);

/// Back to the first state, mode 0. 0 or -1.
int WebRtcVad_Init(VadInst *detector);

/// 0 (lets most through) to 3 (most aggressive). 0 or -1.
int WebRtcVad_set_mode(VadInst *detector, int mode);

/// 1 voice, 0 none, -1 wrong arguments. 10, 20 or 30 ms at 8, 16, 32 or 48 kHz.
int WebRtcVad_Process(VadInst *detector, int sample_rate, const int16_t *samples, size_t count);
