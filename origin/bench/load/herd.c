// A herd: many connections hold the same request, which is answered to all of them at once.
//
//   everybody connects -> a scout learns where the stream is -> everybody asks for what comes next
//   -> it is published (by the live stream, or because we tell the test origin to) -> answers
//
// On a live stream the scout makes one blocking reload first, so that the requests go out right
// after a part was published and there is time until the next one. An answer that comes before
// the last request was sent spoils the measurement: those are counted as early.

#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "clock.h"
#include "modes.h"
#include "playlist.h"
#include "tally.h"

#define EVENTS_PER_TURN 512
#define OPENING_AT_ONCE 256
#define LONGEST_PATH 3072

typedef struct {
    Connection connection;
    double answered;  // by the clock; 0: not yet
    bool is_over;
} Member;

typedef struct {
    const Orders *orders;
    int epoll;
    Member *members;
    long opened, answered, early, lost;
    long statuses[6];
    Connection word;      // to the test origin: that it may publish
    double published;     // when it did, by its own word: the machine's monotonic clock
    double asked;         // when the last request had been sent; 0: they are being sent
} Herd;

static int fail(const char *why) {
    fprintf(stderr, "%s\n", why);
    return 1;
}

// ---- The scout: one request at a time

static bool wait_answer(Connection *connection, int epoll, double timeout_s) {
    double end = clock_now() + timeout_s;
    struct epoll_event event;
    while (!should_stop && clock_now() < end) {
        if (epoll_wait(epoll, &event, 1, 100) < 1) continue;
        Progress progress = connection_event(connection, epoll, NULL);
        if (progress == ANSWERED) return connection->status == 200;
        if (progress != NOTHING_YET && progress != OPENED) return false;
    }
    return false;
}

static bool fetch(const Server *server, Connection *connection, const char *path, int epoll,
                  double timeout_s) {
    if (connection->state != IDLE || connection->closes) {
        connection_close(connection);
        if (!connection_open(connection, server, epoll, NULL, 0)) return false;
    }
    return connection_ask(connection, server, path, true) &&
           wait_answer(connection, epoll, timeout_s);
}

static void write_reload(char *path, size_t size, const char *playlist, long msn, int part) {
    snprintf(path, size, "%s%c_HLS_msn=%ld&_HLS_part=%d", playlist,
             strchr(playlist, '?') ? '&' : '?', msn, part);
}

// Finds out what everybody is to ask for; `path` is left empty if that cannot be found out.
static void scout(const Orders *orders, char *path, size_t size) {
    Connection connection;
    Playlist *playlist = NULL;
    const char *where = orders->path;
    int epoll = epoll_create1(EPOLL_CLOEXEC), reloads = orders->release_path ? 0 : 1;
    char reload[LONGEST_PATH];
    snprintf(reload, sizeof reload, "%s", where);
    path[0] = 0;
    connection_make(&connection);
    for (;;) {
        if (!fetch(&orders->server, &connection, reload, epoll, orders->timeout_s) ||
            playlist_read(where, connection.body, connection.body_length, true, clock_now(),
                          &playlist) != GOOD)
            break;
        if (playlist->variant) {
            where = playlist->variant;
            snprintf(reload, sizeof reload, "%s", where);
            continue;
        }
        if (!playlist->can_block || playlist->has_ended) break;
        write_reload(reload, sizeof reload, where, playlist->next_msn, playlist->next_part);
        if (reloads-- > 0) continue;
        if (orders->wants_hint) snprintf(path, size, "%s", playlist->hint ? playlist->hint : "");
        else snprintf(path, size, "%s", reload);
        break;
    }
    connection_close(&connection);
}

// ---- Everybody

static void member_event(Herd *herd, Member *member) {
    Connection *connection = &member->connection;
    switch (connection_event(connection, herd->epoll, member)) {
        case NOTHING_YET: return;
        case OPENED: herd->opened++; return;
        case ANSWERED:
            member->answered = clock_now();
            member->is_over = true;
            herd->answered++;
            herd->statuses[connection->status / 100]++;
            if (herd->asked == 0) herd->early++;
            if (connection->closes) connection_close(connection);
            return;
        default:
            if (!member->is_over) herd->lost++;
            member->is_over = true;
            connection_close(connection);
    }
}

static void word_event(Herd *herd) {
    switch (connection_event(&herd->word, herd->epoll, &herd->word)) {
        case NOTHING_YET:
        case OPENED: return;
        case ANSWERED: {
            char *word = strndup(herd->word.body, herd->word.body_length);
            herd->published = atof(word);
            free(word);
            return;
        }
        default: connection_close(&herd->word);
    }
}

static void turn(Herd *herd, int timeout_ms) {
    struct epoll_event events[EVENTS_PER_TURN];
    int count = epoll_wait(herd->epoll, events, EVENTS_PER_TURN, timeout_ms);
    for (int index = 0; index < count; index++) {
        void *owner = events[index].data.ptr;
        if (owner == &herd->word) word_event(herd);
        else member_event(herd, owner);
    }
}

// A listener's queue is short: only so many connections are being opened at a time.
static void connect_all(Herd *herd) {
    double end = clock_now() + herd->orders->timeout_s;
    long started = 0, number = herd->orders->number;
    while (!should_stop && clock_now() < end && herd->opened + herd->lost < number) {
        while (started < number && started - herd->opened - herd->lost < OPENING_AT_ONCE) {
            Member *member = &herd->members[started];
            connection_make(&member->connection);
            if (!connection_open(&member->connection, &herd->orders->server, herd->epoll, member,
                                 (unsigned)started))
                herd->lost++, member->is_over = true;
            started++;
        }
        turn(herd, 100);
    }
}

static void ask_all(Herd *herd, const char *path) {
    for (long index = 0; index < herd->orders->number; index++) {
        Member *member = &herd->members[index];
        if (member->connection.state != IDLE) continue;
        bool was_sent = connection_ask(&member->connection, &herd->orders->server, path, false);
        if (!was_sent) herd->lost++, member->is_over = true;
        if (index % EVENTS_PER_TURN == 0) turn(herd, 0);  // so that early answers are seen
    }
    turn(herd, 0);
    herd->asked = clock_now();
}

// Lets everybody wait for a while, and then tells the test origin to publish.
static bool release(Herd *herd) {
    const Orders *orders = herd->orders;
    double settled = clock_now() + orders->seconds;
    while (!should_stop && clock_now() < settled) turn(herd, 50);
    herd->early = herd->answered;
    return connection_open(&herd->word, &orders->release, herd->epoll, &herd->word, 0) &&
           connection_ask(&herd->word, &orders->release, orders->release_path, true);
}

static void wait_all(Herd *herd) {
    double end = clock_now() + herd->orders->timeout_s;
    bool has_word = !herd->orders->release_path;
    while (!should_stop && clock_now() < end) {
        has_word = has_word || herd->published > 0;
        if (has_word && herd->answered + herd->lost >= herd->orders->number) break;
        turn(herd, 100);
    }
}

// ---- The report

static int by_time(const void *one, const void *other) {
    double a = *(const double *)one, b = *(const double *)other;
    return (a > b) - (a < b);
}

static void print_times(const char *name, const double *times, long count, double from) {
    long last = count - 1;
    printf("\"%s\": {\"first\": %.2f, \"p50\": %.2f, \"p90\": %.2f, \"p99\": %.2f, \"last\": %.2f}",
           name, (times[0] - from) * 1e3, (times[last / 2] - from) * 1e3,
           (times[(long)(0.9 * (double)last)] - from) * 1e3,
           (times[(long)(0.99 * (double)last)] - from) * 1e3, (times[last] - from) * 1e3);
}

static void report(const Herd *herd) {
    double *times = calloc((size_t)herd->answered + 1, sizeof *times);
    long count = 0;
    for (long index = 0; index < herd->orders->number; index++)
        if (herd->members[index].answered > 0) times[count++] = herd->members[index].answered;
    qsort(times, (size_t)count, sizeof *times, by_time);
    printf("{\"connections\": %ld, \"opened\": %ld, \"answered\": %ld, \"status_200\": %ld, "
           "\"early\": %ld, \"lost\": %ld, \"bytes\": %ld, \"load_cpu_s\": %.3f",
           herd->orders->number, herd->opened, herd->answered, herd->statuses[2], herd->early,
           herd->lost, received_bytes, cpu_seconds());
    if (count > 0) {
        printf(", ");
        print_times("after_first_ms", times, count, times[0]);
    }
    if (count > 0 && herd->published > 0) {
        printf(", ");
        print_times("after_publication_ms", times, count, herd->published);
    }
    printf("}\n");
    fflush(stdout);
}

int run_herd(const Orders *orders) {
    char path[LONGEST_PATH];
    Herd herd = {.orders = orders, .epoll = epoll_create1(EPOLL_CLOEXEC)};
    herd.members = calloc((size_t)orders->number, sizeof *herd.members);
    if (!herd.members) return fail("there is not enough memory");
    connection_make(&herd.word);
    connect_all(&herd);
    scout(orders, path, sizeof path);
    if (!path[0]) return fail("no live low-latency playlist whose next part could be asked for");
    ask_all(&herd, path);
    if (orders->release_path && !release(&herd))
        return fail("the test origin cannot be told to publish");
    wait_all(&herd);
    report(&herd);
    return 0;
}
