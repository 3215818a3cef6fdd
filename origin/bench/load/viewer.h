// One viewer, as a player behaves.
//
//   joining --playlist--> [multivariant: its first variant] --> fetching --all had--> waiting
//                                                                 ^                     |
//                                                                 '------playlist-------'
//
// Low latency: every part as soon as it is listed, and between parts a blocking reload that the
// server holds until there is another one. Classic: whole segments, and reloads one target
// duration after a playlist that had changed, half of that after one that had not (RFC 8216,
// 6.3.4). One connection, one request at a time: what HTTP/2 would multiplex comes in a row.

#ifndef VIEWER_H
#define VIEWER_H

#include "connection.h"
#include "playback.h"
#include "playlist.h"
#include "timers.h"

typedef enum { NOTHING, PLAYLIST, INITIALIZATION, MEDIA } Wish;

typedef struct {
    Timer timer;  // first: a due timer is turned back into its viewer
    Connection connection;
    Playback playback;
    Wish wish;              // what was asked last, and is being waited for
    Playlist *playlist;     // the newest
    size_t unit;            // of it: what to fetch next
    const char *path;       // of the media playlist, once it is known
    const char *initialization;
    long next_msn;          // the first thing that it does not have
    int next_part;
    double of_segment_s;    // how much of segment next_msn it has
    double began, joined, asked, asked_playlist;
    unsigned number;
    bool has_begun, has_joined, is_changed, was_held, has_ended, has_stalled;
} Viewer;

// What all viewers share.
typedef struct {
    Server server;
    const char *path;
    int epoll;
    Timers timers;
    bool low_latency, delta;
    double timeout_s;
} Audience;

void viewer_make(Viewer *viewer, unsigned number, const char *path);

// Its timer is due: time to begin, to reload, to try again, or an answer is overdue.
void viewer_wake(Viewer *viewer, Audience *audience, double now);

// Something happened on its connection.
void viewer_event(Viewer *viewer, Audience *audience, double now);

// The run is over: a playhead that stands still now counts as well.
void viewer_end(Viewer *viewer, double now);

#endif
