// What the program can do, and what both modes are told.

#ifndef MODES_H
#define MODES_H

#include <signal.h>
#include <stdbool.h>

#include "connection.h"

typedef struct {
    Server server;
    const char *path;
    long number;           // viewers, or connections
    double seconds;        // to measure, once everybody is in
    double rate;           // viewers that come in per second
    double timeout_s;
    bool low_latency, delta;
    bool wants_hint;       // herd: hold the hinted part instead of the next playlist
    Server release;        // herd: whom to ask, and for what, to have everybody answered;
    const char *release_path;  // NULL: the live stream does that by itself
} Orders;

// Set by SIGINT and SIGTERM: report what there is, and end.
extern volatile sig_atomic_t should_stop;

int run_viewers(const Orders *orders);
int run_herd(const Orders *orders);

#endif
