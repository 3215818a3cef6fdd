#include "viewer.h"

#include <stdio.h>
#include <string.h>

#include "tally.h"

#define RETRY_S 1.0         // as hls.js waits after an error
#define NOT_HELD_WAIT_S 0.2 // a server that does not hold blocking reloads is not to be stormed
#define FOR_GOOD_S 1e9
#define LONGEST_PATH 3072

static void advance(Viewer *viewer, Audience *audience, double now);

void viewer_make(Viewer *viewer, unsigned number, const char *path) {
    *viewer = (Viewer){.number = number, .path = path};
    connection_make(&viewer->connection);
}

// ---- Asking

static void rest(Viewer *viewer, Audience *audience, double until) {
    viewer->wish = NOTHING;
    timers_set(&audience->timers, &viewer->timer, until);
}

static void fail(Viewer *viewer, Audience *audience, double now, ErrorKind kind) {
    tally.errors[kind]++;
    connection_close(&viewer->connection);
    rest(viewer, audience, now + RETRY_S);
}

static void ask(Viewer *viewer, Audience *audience, double now, Wish wish, const char *path) {
    Connection *connection = &viewer->connection;
    viewer->wish = wish;
    viewer->asked = now;
    timers_set(&audience->timers, &viewer->timer, now + audience->timeout_s);
    if (connection->state == CLOSED) {
        if (!connection_open(connection, &audience->server, audience->epoll, viewer,
                             viewer->number)) {
            fail(viewer, audience, now, ERROR_REFUSED);
            return;
        }
        tally.opened++;
    }
    if (!connection_ask(connection, &audience->server, path, wish == PLAYLIST))
        fail(viewer, audience, now, ERROR_BROKEN_OFF);
}

static void ask_playlist(Viewer *viewer, Audience *audience, double now) {
    const Playlist *known = viewer->playlist;
    char path[LONGEST_PATH];
    viewer->was_held = audience->low_latency && known && known->can_block;
    viewer->asked_playlist = now;
    if (!viewer->was_held) {
        ask(viewer, audience, now, PLAYLIST, viewer->path);
        return;
    }
    char mark = strchr(viewer->path, '?') ? '&' : '?';
    int length = snprintf(path, sizeof path, "%s%c_HLS_msn=%ld", viewer->path, mark,
                          known->next_msn);
    if (known->part_target_s > 0)
        length += snprintf(path + length, sizeof path - (size_t)length, "&_HLS_part=%d",
                           known->next_part);
    if (audience->delta && known->can_skip)
        snprintf(path + length, sizeof path - (size_t)length, "&_HLS_skip=YES");
    ask(viewer, audience, now, PLAYLIST, path);
}

static void ask_again(Viewer *viewer, Audience *audience, double now) {
    tally.reopened++;
    connection_close(&viewer->connection);
    if (viewer->wish == PLAYLIST) ask_playlist(viewer, audience, now);
    else if (viewer->wish != NOTHING) advance(viewer, audience, now);
}

// ---- Where to join, and what to fetch

static void join(Viewer *viewer, const Audience *audience, double now) {
    const Playlist *playlist = viewer->playlist;
    double hold_s = audience->low_latency && playlist->part_target_s > 0
        ? (playlist->part_hold_back_s > 0 ? playlist->part_hold_back_s : 3 * playlist->part_target_s)
        : (playlist->hold_back_s > 0 ? playlist->hold_back_s : 3 * playlist->target_s);
    double total_s = 0;
    size_t first = playlist->count;
    while (first > 0) {
        total_s += playlist->units[--first].duration_s;
        if (total_s >= hold_s && playlist->units[first].is_independent) break;
    }
    playback_begin(&viewer->playback, total_s > hold_s ? total_s - hold_s : 0);
    viewer->next_msn = playlist->units[first].msn;
    viewer->next_part = playlist->units[first].part == WHOLE ? 0 : playlist->units[first].part;
    viewer->of_segment_s = 0;
    viewer->has_joined = true;
    viewer->joined = now;
}

static bool is_wanted(const Viewer *viewer, const Unit *unit) {
    if (unit->msn != viewer->next_msn) return unit->msn > viewer->next_msn;
    return unit->part == WHOLE || unit->part >= viewer->next_part;
}

static void find_next_unit(Viewer *viewer, const Audience *audience, double now) {
    const Playlist *playlist = viewer->playlist;
    viewer->unit = playlist->count;
    if (playlist->count == 0) return;
    const Unit *last = &playlist->units[playlist->count - 1];
    if (viewer->has_joined && last->msn + 1 < viewer->next_msn) {
        tally.rewound++;
        viewer->has_joined = false;
    }
    if (!viewer->has_joined) join(viewer, audience, now);
    while (viewer->unit > 0 && is_wanted(viewer, &playlist->units[viewer->unit - 1]))
        viewer->unit--;
    long gap = playlist->units[0].msn - viewer->next_msn;
    if (gap > 1 || (gap == 1 && viewer->next_part == 0)) tally.skipped++;
}

static double reload_due(const Viewer *viewer) {
    double target_s = viewer->playlist->target_s;
    return viewer->asked_playlist + (viewer->is_changed ? target_s : target_s / 2);
}

static void advance(Viewer *viewer, Audience *audience, double now) {
    const Playlist *playlist = viewer->playlist;
    if (!playlist) {
        ask_playlist(viewer, audience, now);
        return;
    }
    if (viewer->unit < playlist->count) {
        const Unit *unit = &playlist->units[viewer->unit];
        bool needs_other = unit->initialization && unit->initialization != viewer->initialization;
        ask(viewer, audience, now, needs_other ? INITIALIZATION : MEDIA,
            needs_other ? unit->initialization : unit->path);
    } else if (playlist->has_ended) {
        viewer->has_ended = true;
        rest(viewer, audience, now + FOR_GOOD_S);
    } else if (!audience->low_latency || !playlist->can_block) {
        double due = reload_due(viewer);
        if (due > now) rest(viewer, audience, due);
        else ask_playlist(viewer, audience, now);
    } else if (viewer->was_held && !viewer->is_changed) {
        tally.errors[ERROR_NOT_HELD]++;
        rest(viewer, audience, now + NOT_HELD_WAIT_S);
    } else {
        ask_playlist(viewer, audience, now);
    }
}

// ---- Answers

static bool had_playlist(Viewer *viewer, Audience *audience, double now) {
    static const ErrorKind ERRORS[] = {
        [NOT_A_PLAYLIST] = ERROR_NOT_A_PLAYLIST,
        [ELSEWHERE] = ERROR_OTHER_SERVER,
        [BYTE_RANGES] = ERROR_BYTE_RANGES,
    };
    const Connection *connection = &viewer->connection;
    Playlist *playlist;
    Verdict verdict = playlist_read(viewer->path, connection->body, connection->body_length,
                                    audience->low_latency, now, &playlist);
    tally.playlists++;
    if (verdict != GOOD) {
        fail(viewer, audience, now, ERRORS[verdict]);
        return false;
    }
    if (!viewer->was_held) histogram_add(&tally.playlist_answer, now - viewer->asked);
    if (playlist->variant) {
        viewer->path = playlist->variant;
        playlist_release(playlist);
        return true;
    }
    viewer->is_changed = playlist != viewer->playlist;
    playlist_release(viewer->playlist);
    viewer->playlist = playlist;
    find_next_unit(viewer, audience, now);
    if (viewer->is_changed && viewer->was_held && playlist->count > 0) {
        double known_since = playlist->units[playlist->count - 1].known_since;
        if (known_since > viewer->joined) histogram_add(&tally.playlist_late, now - known_since);
    }
    return true;
}

static void count_stall(Viewer *viewer, double stalled_s) {
    if (stalled_s <= 0) return;
    tally.stalls++;
    tally.stalled_s += stalled_s;
    if (stalled_s > tally.longest_stall_s) tally.longest_stall_s = stalled_s;
    if (!viewer->has_stalled) tally.stalled_viewers++;
    viewer->has_stalled = true;
}

static void had_media(Viewer *viewer, double now) {
    const Unit *unit = &viewer->playlist->units[viewer->unit++];
    bool was_playing = viewer->playback.is_playing;
    double duration_s = unit->duration_s;
    tally.media++;
    histogram_add(&tally.media_answer, now - viewer->asked);
    if (unit->known_since > viewer->joined)
        histogram_add(&tally.part_late, now - unit->known_since);
    if (unit->msn != viewer->next_msn) viewer->of_segment_s = 0;
    else if (unit->part == WHOLE) duration_s -= viewer->of_segment_s;
    viewer->of_segment_s += duration_s;
    viewer->next_msn = unit->part == WHOLE ? unit->msn + 1 : unit->msn;
    viewer->next_part = unit->part + 1;  // 0 after a whole segment
    if (unit->part == WHOLE) viewer->of_segment_s = 0;
    count_stall(viewer, playback_add(&viewer->playback, now, duration_s));
    if (!was_playing && viewer->playback.is_playing) {
        histogram_add(&tally.start, now - viewer->began);
        tally.playing++;
    }
}

static void had_bad_status(Viewer *viewer, Audience *audience, double now) {
    tally_status(viewer->connection.status);
    if (viewer->connection.closes) connection_close(&viewer->connection);
    playlist_release(viewer->playlist);
    viewer->playlist = NULL;  // so that the next thing asked is a plain playlist
    rest(viewer, audience, now + RETRY_S);
}

static void had_answer(Viewer *viewer, Audience *audience, double now) {
    if (viewer->connection.status != 200) {
        had_bad_status(viewer, audience, now);
        return;
    }
    if (viewer->wish == PLAYLIST) {
        if (!had_playlist(viewer, audience, now)) return;
    } else if (viewer->wish == INITIALIZATION) {
        tally.initializations++;
        viewer->initialization = viewer->playlist->units[viewer->unit].initialization;
    } else {
        had_media(viewer, now);
    }
    if (viewer->connection.closes) {
        tally.reopened++;
        connection_close(&viewer->connection);
    }
    advance(viewer, audience, now);
}

void viewer_event(Viewer *viewer, Audience *audience, double now) {
    switch (connection_event(&viewer->connection, audience->epoll, viewer)) {
        case NOTHING_YET:
        case OPENED: break;
        case ANSWERED: had_answer(viewer, audience, now); break;
        case HUNG_UP: ask_again(viewer, audience, now); break;
        case REFUSED: fail(viewer, audience, now, ERROR_REFUSED); break;
        case BROKEN: fail(viewer, audience, now, ERROR_BROKEN_OFF); break;
        case MALFORMED: fail(viewer, audience, now, ERROR_NOT_HTTP); break;
    }
}

void viewer_wake(Viewer *viewer, Audience *audience, double now) {
    if (!viewer->has_begun) {
        viewer->has_begun = true;
        viewer->began = now;
        tally.viewers++;
    }
    if (viewer->wish != NOTHING) {
        fail(viewer, audience, now, ERROR_TIMED_OUT);
    } else if (viewer->playlist && viewer->unit >= viewer->playlist->count) {
        ask_playlist(viewer, audience, now);
    } else {
        advance(viewer, audience, now);
    }
}

void viewer_end(Viewer *viewer, double now) {
    if (!viewer->has_ended) count_stall(viewer, playback_dry_s(&viewer->playback, now));
}
