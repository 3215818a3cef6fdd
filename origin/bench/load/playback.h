// A player's buffer: what has arrived, and how far the playhead has got.
//
// The playhead starts some seconds into what is fetched first (the hold-back decides where), as
// soon as that moment has arrived, and then runs in real time. When it reaches the end of the
// buffer it stands still until more arrives: that is a stall. Time is passed in.

#ifndef PLAYBACK_H
#define PLAYBACK_H

#include <stdbool.h>

typedef struct {
    bool is_playing;
    double starts_at_s;   // where the playhead begins, in seconds of media
    double started;       // when it began, by the clock
    double buffered_s;    // media that has arrived, from the first byte fetched
    double stalled_s;     // how long it has stood still so far
    long stalls;
} Playback;

void playback_begin(Playback *playback, double starts_at_s);

// Media has arrived; returns how long the playhead had been waiting for it (0: it had not).
double playback_add(Playback *playback, double now, double duration_s);

// How long the playhead has been standing still at `now` (0: it runs, or never ran).
double playback_dry_s(const Playback *playback, double now);

#endif
