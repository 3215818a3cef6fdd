// Playlists, as far as a viewer needs them (RFC 8216, and its low-latency successor).
//
// Thousands of viewers are given the same bytes. The last few playlists are remembered, so that
// the same text is parsed once, and a viewer holds a reference instead of a copy.

#ifndef PLAYLIST_H
#define PLAYLIST_H

#include <stdbool.h>
#include <stddef.h>

// What is fetched as one: a part, or a whole segment (`part` is WHOLE).
typedef struct {
    const char *path;
    const char *initialization;  // what must be fetched before it, or NULL
    double duration_s;
    double known_since;          // when any viewer first saw it listed, by the clock
    long msn;
    int part;
    bool is_independent;
} Unit;

#define WHOLE (-1)

typedef struct {
    int references;
    const char *path;     // where it came from
    char *text;
    size_t length;
    const char *variant;  // of a multivariant playlist: the first one; NULL in a media playlist
    const char *hint;     // EXT-X-PRELOAD-HINT of a part, or NULL
    Unit *units;
    size_t count;
    double target_s, part_target_s, hold_back_s, part_hold_back_s;
    bool can_block, can_skip, has_ended;
    long next_msn;        // what a blocking reload asks for
    int next_part;
} Playlist;

typedef enum { GOOD, NOT_A_PLAYLIST, ELSEWHERE, BYTE_RANGES } Verdict;

// Reads what came from `path`. With `by_parts`, segments that list parts are given as parts. The
// caller owns a reference to `*result` if the verdict is GOOD.
Verdict playlist_read(const char *path, const char *text, size_t length, bool by_parts, double now,
                      Playlist **result);

void playlist_release(Playlist *playlist);

// The scheme and authority that absolute URIs must have to be followed.
extern const char *playlist_base;

#endif
