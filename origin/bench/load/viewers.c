// Many viewers in one loop: they come in at a rate, and are measured once all of them are there.

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>

#include "clock.h"
#include "modes.h"
#include "tally.h"
#include "viewer.h"

#define EVENTS_PER_TURN 512
#define SETTLE_S 2.0
#define LONGEST_WAIT_MS 200

typedef struct {
    double began_s, cpu_before_s, bytes_before;
    bool is_on;
} Measuring;

static void begin_measuring(Measuring *measuring, double now) {
    tally_begin_measuring();
    *measuring = (Measuring){now, cpu_seconds(), (double)received_bytes, true};
    printf("{\"measuring\": true}\n");
    fflush(stdout);
}

static void end_measuring(const Measuring *measuring, double now) {
    if (!measuring->is_on) return;
    tally.measured_s = now - measuring->began_s;
    tally.cpu_s = cpu_seconds() - measuring->cpu_before_s;
    tally.bytes = received_bytes - (long)measuring->bytes_before;
}

static void turn(Audience *audience, double now) {
    struct epoll_event events[EVENTS_PER_TURN];
    for (Timer *due; (due = timers_next_due(&audience->timers, now));)
        viewer_wake((Viewer *)due, audience, now);
    double wait_ms = ceil(timers_wait_s(&audience->timers, now) * 1000);
    int timeout_ms = (int)fmin(fmax(wait_ms, 0), LONGEST_WAIT_MS);
    int count = epoll_wait(audience->epoll, events, EVENTS_PER_TURN, timeout_ms);
    double began = clock_now();
    for (int index = 0; index < count; index++)
        viewer_event(events[index].data.ptr, audience, clock_now());
    double took_s = clock_now() - began;
    if (took_s > tally.longest_turn_s) tally.longest_turn_s = took_s;
}

int run_viewers(const Orders *orders) {
    Audience audience = {
        .server = orders->server,
        .path = orders->path,
        .epoll = epoll_create1(EPOLL_CLOEXEC),
        .low_latency = orders->low_latency,
        .delta = orders->delta,
        .timeout_s = orders->timeout_s,
    };
    Viewer *viewers = calloc((size_t)orders->number, sizeof *viewers);
    if (!viewers) return 1;
    timers_make(&audience.timers, (size_t)orders->number);
    double began = clock_now(), now = began;
    for (long index = 0; index < orders->number; index++) {
        viewer_make(&viewers[index], (unsigned)index, orders->path);
        timers_add(&audience.timers, &viewers[index].timer, began + (double)index / orders->rate);
    }
    Measuring measuring = {0};
    double settled = began + (double)orders->number / orders->rate + SETTLE_S;
    while (!should_stop && (now = clock_now()) < settled + orders->seconds) {
        if (!measuring.is_on && now >= settled) begin_measuring(&measuring, now);
        turn(&audience, now);
    }
    end_measuring(&measuring, now);
    for (long index = 0; index < orders->number; index++) viewer_end(&viewers[index], now);
    tally_print();
    return 0;
}
