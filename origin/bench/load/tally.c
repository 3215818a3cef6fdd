#include "tally.h"

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

Tally tally;

static const char *const ERROR_NAMES[ERROR_KINDS] = {
    [ERROR_REFUSED] = "refused",
    [ERROR_BROKEN_OFF] = "broken_off",
    [ERROR_TIMED_OUT] = "timed_out",
    [ERROR_NOT_HTTP] = "not_http",
    [ERROR_NOT_A_PLAYLIST] = "not_a_playlist",
    [ERROR_OTHER_SERVER] = "other_server",
    [ERROR_BYTE_RANGES] = "byte_ranges",
    [ERROR_STATUS_4XX] = "status_4xx",
    [ERROR_STATUS_5XX] = "status_5xx",
    [ERROR_STATUS_OTHER] = "status_other",
    [ERROR_NOT_HELD] = "not_held",
};

void tally_status(int status) {
    if (status >= 400 && status < 500) tally.errors[ERROR_STATUS_4XX]++;
    else if (status >= 500) tally.errors[ERROR_STATUS_5XX]++;
    else tally.errors[ERROR_STATUS_OTHER]++;
}

void tally_begin_measuring(void) {
    tally.longest_turn_s = 0;
    tally.playlists = tally.media = tally.initializations = tally.bytes = 0;
    memset(&tally.playlist_answer, 0, sizeof(Histogram));
    memset(&tally.media_answer, 0, sizeof(Histogram));
    memset(&tally.playlist_late, 0, sizeof(Histogram));
    memset(&tally.part_late, 0, sizeof(Histogram));
}

double cpu_seconds(void) {
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    return (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
           (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
}

static void print_rates(void) {
    long requests = tally.playlists + tally.media + tally.initializations;
    double seconds = tally.measured_s > 0 ? tally.measured_s : 1;
    printf("\"measured_s\": %.2f, \"requests\": %ld, \"requests_per_s\": %.1f, ",
           tally.measured_s, requests, (double)requests / seconds);
    printf("\"gbit_per_s\": %.4f, \"playlists\": %ld, \"media\": %ld, ",
           (double)tally.bytes * 8 / seconds / 1e9, tally.playlists, tally.media);
    printf("\"load\": {\"cpu_percent\": %.1f, \"longest_turn_ms\": %.1f}",
           tally.cpu_s / seconds * 100, tally.longest_turn_s * 1000);
}

static void print_errors(void) {
    const char *separator = "";
    printf("\"errors\": {");
    for (int kind = 0; kind < ERROR_KINDS; kind++) {
        if (tally.errors[kind] == 0) continue;
        printf("%s\"%s\": %ld", separator, ERROR_NAMES[kind], tally.errors[kind]);
        separator = ", ";
    }
    printf("}");
}

void tally_print(void) {
    printf("{\"viewers\": %ld, \"playing\": %ld, ", tally.viewers, tally.playing);
    printf("\"stalls\": {\"count\": %ld, \"viewers\": %ld, \"seconds\": %.3f, \"longest_s\": %.3f}, ",
           tally.stalls, tally.stalled_viewers, tally.stalled_s, tally.longest_stall_s);
    printf("\"skipped\": %ld, \"rewound\": %ld, ", tally.skipped, tally.rewound);
    printf("\"connections\": {\"opened\": %ld, \"reopened\": %ld}, ", tally.opened, tally.reopened);
    print_errors();
    printf(", ");
    print_rates();
    printf(", ");
    histogram_print("start_ms", &tally.start);
    printf(", ");
    histogram_print("playlist_ms", &tally.playlist_answer);
    printf(", ");
    histogram_print("media_ms", &tally.media_answer);
    printf(", \"late_ms\": {");
    histogram_print("playlist", &tally.playlist_late);
    printf(", ");
    histogram_print("part", &tally.part_late);
    printf("}}\n");
    fflush(stdout);
}
