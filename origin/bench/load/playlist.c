#define _GNU_SOURCE
#include "playlist.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REMEMBERED 8
#define LONGEST_PATH 2048
#define SIGHTINGS (1 << 16)
#define PARTS_PER_SEGMENT 256

const char *playlist_base = "";

static Playlist *remembered[REMEMBERED];
static int newest;

// ---- When a unit was first seen, by anybody

static struct { long key; double at; } sighting[SIGHTINGS];

static double known_since(long msn, int part, double now) {
    long key = msn * PARTS_PER_SEGMENT + part + 2;
    unsigned long slot = (unsigned long)key % SIGHTINGS;
    if (sighting[slot].key != key) {
        sighting[slot].key = key;
        sighting[slot].at = now;
    }
    return sighting[slot].at;
}

// ---- Text

// The value of an attribute on a tag's line, or NULL; quotes are left out, `*length` is set.
static const char *attribute(const char *line, const char *name, size_t *length) {
    size_t size = strlen(name);
    for (const char *at = strchr(line, ':'); at; at = strchr(at + 1, ',')) {
        const char *begin = at + 1;
        while (*begin == ' ') begin++;
        if (strncmp(begin, name, size) != 0 || begin[size] != '=') continue;
        begin += size + 1;
        if (*begin == '"') {
            *length = strcspn(++begin, "\"");
        } else {
            *length = strcspn(begin, ",");
        }
        return begin;
    }
    return NULL;
}

static double number(const char *line, const char *name) {
    size_t length;
    const char *value = attribute(line, name, &length);
    return value ? atof(value) : 0;
}

static bool says_yes(const char *line, const char *name) {
    size_t length;
    const char *value = attribute(line, name, &length);
    return value && length == 3 && strncmp(value, "YES", 3) == 0;
}

// Where a URI on the playlist at `base` leads, as a path; NULL: to another server.
static char *resolve(const char *base, const char *uri, size_t length) {
    char path[LONGEST_PATH];
    size_t origin = strlen(playlist_base);
    if (length > origin && strncasecmp(uri, playlist_base, origin) == 0 && uri[origin] == '/') {
        snprintf(path, sizeof path, "%.*s", (int)(length - origin), uri + origin);
    } else if (memmem(uri, length, "://", 3) || (length > 1 && uri[0] == '/' && uri[1] == '/')) {
        return NULL;
    } else if (uri[0] == '/') {
        snprintf(path, sizeof path, "%.*s", (int)length, uri);
    } else {
        size_t folder = strcspn(base, "?");
        while (folder > 0 && base[folder - 1] != '/') folder--;
        snprintf(path, sizeof path, "%.*s%.*s", (int)folder, base, (int)length, uri);
    }
    return strdup(path);
}

// ---- Parsing

typedef struct {
    Playlist *playlist;
    double now;
    bool by_parts;
    Verdict verdict;
    size_t room;
    long msn;
    int part;             // parts of the segment that is being read
    double duration_s;    // of the segment that the next URI names
    bool is_variant;      // the next URI is a multivariant playlist's
    const char *initialization;
} Reader;

static const char *resolved(Reader *reader, const char *uri, size_t length) {
    const char *path = resolve(reader->playlist->path, uri, length);
    if (!path) reader->verdict = ELSEWHERE;
    return path;
}

// One copy for ever of what viewers keep when the playlist is long gone; equal if the same.
static const char *interned(const char *path) {
    static struct Name { const char *path; struct Name *next; } *names;
    if (!path) return NULL;
    for (struct Name *name = names; name; name = name->next) {
        if (strcmp(name->path, path) != 0) continue;
        free((char *)path);
        return name->path;
    }
    struct Name *name = malloc(sizeof *name);
    *name = (struct Name){path, names};
    names = name;
    return path;
}

static const char *uri_attribute(Reader *reader, const char *line) {
    size_t length;
    const char *uri = attribute(line, "URI", &length);
    return uri ? resolved(reader, uri, length) : NULL;
}

static void add_unit(Reader *reader, const char *path, double duration_s, int part,
                     bool is_independent) {
    Playlist *playlist = reader->playlist;
    if (playlist->count == reader->room) {
        reader->room = reader->room * 2 + 64;
        playlist->units = realloc(playlist->units, reader->room * sizeof(Unit));
        if (!playlist->units) abort();
    }
    playlist->units[playlist->count++] = (Unit){
        .path = path,
        .initialization = reader->initialization,
        .duration_s = duration_s,
        .known_since = known_since(reader->msn, part, reader->now),
        .msn = reader->msn,
        .part = part,
        .is_independent = is_independent,
    };
}

static bool begins(const char *line, const char *tag) {
    return strncmp(line, tag, strlen(tag)) == 0;
}

static void read_server_control(Playlist *playlist, const char *line) {
    playlist->can_block = says_yes(line, "CAN-BLOCK-RELOAD");
    playlist->can_skip = number(line, "CAN-SKIP-UNTIL") > 0;
    playlist->hold_back_s = number(line, "HOLD-BACK");
    playlist->part_hold_back_s = number(line, "PART-HOLD-BACK");
}

static void read_part(Reader *reader, const char *line) {
    if (!reader->by_parts) return;
    size_t length;
    if (attribute(line, "BYTERANGE", &length)) reader->verdict = BYTE_RANGES;
    const char *path = uri_attribute(reader, line);
    if (path)
        add_unit(reader, path, number(line, "DURATION"), reader->part,
                 says_yes(line, "INDEPENDENT"));
    reader->part++;
}

static void read_tag(Reader *reader, const char *line) {
    Playlist *playlist = reader->playlist;
    size_t length;
    if (begins(line, "#EXTINF:")) reader->duration_s = atof(line + 8);
    else if (begins(line, "#EXT-X-PART:")) read_part(reader, line);
    else if (begins(line, "#EXT-X-STREAM-INF:")) reader->is_variant = true;
    else if (begins(line, "#EXT-X-MEDIA-SEQUENCE:")) reader->msn = atol(line + 22);
    else if (begins(line, "#EXT-X-TARGETDURATION:")) playlist->target_s = atof(line + 22);
    else if (begins(line, "#EXT-X-PART-INF:")) playlist->part_target_s = number(line, "PART-TARGET");
    else if (begins(line, "#EXT-X-SERVER-CONTROL:")) read_server_control(playlist, line);
    else if (begins(line, "#EXT-X-SKIP:")) reader->msn += (long)number(line, "SKIPPED-SEGMENTS");
    else if (begins(line, "#EXT-X-ENDLIST")) playlist->has_ended = true;
    else if (begins(line, "#EXT-X-BYTERANGE:")) reader->verdict = BYTE_RANGES;
    else if (begins(line, "#EXT-X-MAP:")) {
        if (attribute(line, "BYTERANGE", &length)) reader->verdict = BYTE_RANGES;
        reader->initialization = interned(uri_attribute(reader, line));
    } else if (begins(line, "#EXT-X-PRELOAD-HINT:") && reader->by_parts) {
        free((char *)playlist->hint);
        playlist->hint = uri_attribute(reader, line);
    }
}

static void read_uri(Reader *reader, const char *line) {
    Playlist *playlist = reader->playlist;
    const char *path = resolved(reader, line, strlen(line));
    if (reader->is_variant) {
        if (!playlist->variant) playlist->variant = interned(path);
        else free((char *)path);
        reader->is_variant = false;
        return;
    }
    if (reader->part == 0) {
        if (path) add_unit(reader, path, reader->duration_s, WHOLE, true);
    } else {
        free((char *)path);
    }
    reader->msn++;
    reader->part = 0;
}

static void read_lines(Reader *reader) {
    char *lines = strndup(reader->playlist->text, reader->playlist->length), *rest = NULL;
    for (char *line = strtok_r(lines, "\r\n", &rest); line; line = strtok_r(NULL, "\r\n", &rest)) {
        if (*line == '#') read_tag(reader, line);
        else read_uri(reader, line);
    }
    free(lines);
    reader->playlist->next_msn = reader->msn;
    reader->playlist->next_part = reader->part;
}

// ---- Remembering

void playlist_release(Playlist *playlist) {
    if (!playlist || --playlist->references > 0) return;
    for (size_t index = 0; index < playlist->count; index++) free((char *)playlist->units[index].path);
    free(playlist->units);
    free(playlist->text);
    free((char *)playlist->hint);
    free(playlist);
}

static Playlist *find(const char *path, const char *text, size_t length) {
    for (int back = 0; back < REMEMBERED; back++) {
        Playlist *playlist = remembered[(newest - back + REMEMBERED) % REMEMBERED];
        if (playlist && playlist->length == length && memcmp(playlist->text, text, length) == 0 &&
            strcmp(playlist->path, path) == 0)
            return playlist;
    }
    return NULL;
}

static void remember(Playlist *playlist) {
    newest = (newest + 1) % REMEMBERED;
    playlist_release(remembered[newest]);
    remembered[newest] = playlist;
    playlist->references++;
}

Verdict playlist_read(const char *path, const char *text, size_t length, bool by_parts, double now,
                      Playlist **result) {
    *result = find(path, text, length);
    if (*result) {
        (*result)->references++;
        return GOOD;
    }
    if (length < 7 || memcmp(text, "#EXTM3U", 7) != 0) return NOT_A_PLAYLIST;
    Playlist *playlist = calloc(1, sizeof *playlist);
    *playlist = (Playlist){.references = 1, .path = path, .length = length};
    playlist->text = memcpy(malloc(length), text, length);
    Reader reader = {.playlist = playlist, .now = now, .by_parts = by_parts};
    read_lines(&reader);
    if (reader.verdict == GOOD && !playlist->variant && playlist->target_s <= 0)
        reader.verdict = NOT_A_PLAYLIST;
    if (reader.verdict != GOOD) {
        playlist_release(playlist);
        return reader.verdict;
    }
    remember(playlist);
    *result = playlist;
    return GOOD;
}
