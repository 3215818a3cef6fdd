// What is counted, and the one JSON object that tells of it.

#ifndef TALLY_H
#define TALLY_H

#include "histogram.h"

typedef enum {
    ERROR_REFUSED,
    ERROR_BROKEN_OFF,
    ERROR_TIMED_OUT,
    ERROR_NOT_HTTP,
    ERROR_NOT_A_PLAYLIST,
    ERROR_OTHER_SERVER,
    ERROR_BYTE_RANGES,
    ERROR_STATUS_4XX,
    ERROR_STATUS_5XX,
    ERROR_STATUS_OTHER,
    ERROR_NOT_HELD,  // a blocking reload was answered without the part that it waits for
    ERROR_KINDS,
} ErrorKind;

typedef struct {
    // Of the whole run: what goes wrong while viewers come in counts, too.
    long viewers, playing, stalls, stalled_viewers, skipped, rewound;
    double stalled_s, longest_stall_s;
    long opened, reopened;
    long errors[ERROR_KINDS];
    Histogram start;  // from the first request to the first picture

    // Of the measured time, which begins when everybody is in.
    double measured_s, cpu_s, longest_turn_s;
    long playlists, media, initializations, bytes;
    Histogram playlist_answer, media_answer;  // from the request to the last byte
    Histogram playlist_late, part_late;       // from when the first viewer saw it listed
} Tally;

extern Tally tally;

// Counts an answer that is not 200.
void tally_status(int status);

// Forgets what was measured before everybody was in.
void tally_begin_measuring(void);

void tally_print(void);

// CPU time of this process so far.
double cpu_seconds(void);

#endif
