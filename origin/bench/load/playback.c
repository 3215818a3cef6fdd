#include "playback.h"

// Clocks are read a moment after the bytes came: a stall of less than this is none.
#define TOLERANCE_S 0.001

// A player does not start on its last frame: it wants a little beyond the playhead.
#define START_AHEAD_S 0.1

void playback_begin(Playback *playback, double starts_at_s) {
    *playback = (Playback){.starts_at_s = starts_at_s};
}

double playback_dry_s(const Playback *playback, double now) {
    if (!playback->is_playing) return 0;
    double playhead = playback->starts_at_s + (now - playback->started) - playback->stalled_s;
    double dry_s = playhead - playback->buffered_s;
    return dry_s > TOLERANCE_S ? dry_s : 0;
}

double playback_add(Playback *playback, double now, double duration_s) {
    double waited_s = playback_dry_s(playback, now);
    if (waited_s > 0) {
        playback->stalled_s += waited_s;
        playback->stalls++;
    }
    playback->buffered_s += duration_s;
    if (!playback->is_playing && playback->buffered_s >= playback->starts_at_s + START_AHEAD_S) {
        playback->is_playing = true;
        playback->started = now;
    }
    return waited_s;
}
