// The load generator of `tidecast bench`: viewers, or a herd. Its caller has resolved names and
// looked at the playlist; everything comes as options, and a report goes out as JSON.

#include <getopt.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "modes.h"
#include "playlist.h"

volatile sig_atomic_t should_stop;

enum { ADDRESS = 256, PORT, HOST, BASE, PATH, NUMBER, SECONDS, RATE, SOURCES, TIMEOUT, LOW_LATENCY,
       DELTA, HINT, RELEASE_PORT, RELEASE_PATH };

static const struct option OPTIONS[] = {
    {"address", required_argument, NULL, ADDRESS},   // numeric: 127.0.0.1 or ::1
    {"port", required_argument, NULL, PORT},
    {"host", required_argument, NULL, HOST},         // what the Host header says
    {"base", required_argument, NULL, BASE},         // http://host:port of URIs that are followed
    {"path", required_argument, NULL, PATH},
    {"number", required_argument, NULL, NUMBER},
    {"seconds", required_argument, NULL, SECONDS},
    {"rate", required_argument, NULL, RATE},
    {"sources", required_argument, NULL, SOURCES},
    {"timeout", required_argument, NULL, TIMEOUT},
    {"low-latency", no_argument, NULL, LOW_LATENCY},
    {"delta", no_argument, NULL, DELTA},
    {"hint", no_argument, NULL, HINT},
    {"release-port", required_argument, NULL, RELEASE_PORT},
    {"release-path", required_argument, NULL, RELEASE_PATH},
    {NULL, 0, NULL, 0},
};

static bool find_server(Server *server, const char *address, const char *port) {
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST}, *found;
    if (!address || !port || getaddrinfo(address, port, &hints, &found) != 0) return false;
    memcpy(&server->address, found->ai_addr, found->ai_addrlen);
    server->address_size = found->ai_addrlen;
    freeaddrinfo(found);
    return true;
}

static void stop(int number) {
    (void)number;
    should_stop = 1;
}

static bool read_options(int count, char **arguments, Orders *orders) {
    const char *address = NULL, *port = NULL, *release_port = NULL;
    for (int option; (option = getopt_long(count, arguments, "", OPTIONS, NULL)) != -1;) {
        switch (option) {
            case ADDRESS: address = optarg; break;
            case PORT: port = optarg; break;
            case HOST: orders->server.host = optarg; break;
            case BASE: playlist_base = optarg; break;
            case PATH: orders->path = optarg; break;
            case NUMBER: orders->number = atol(optarg); break;
            case SECONDS: orders->seconds = atof(optarg); break;
            case RATE: orders->rate = atof(optarg); break;
            case SOURCES: orders->server.sources = atoi(optarg); break;
            case TIMEOUT: orders->timeout_s = atof(optarg); break;
            case LOW_LATENCY: orders->low_latency = true; break;
            case DELTA: orders->delta = true; break;
            case HINT: orders->wants_hint = true; break;
            case RELEASE_PORT: release_port = optarg; break;
            case RELEASE_PATH: orders->release_path = optarg; break;
            default: return false;
        }
    }
    if (release_port) {
        orders->release.host = "localhost";
        if (!find_server(&orders->release, "127.0.0.1", release_port)) return false;
    }
    return find_server(&orders->server, address, port) && orders->server.host && orders->path &&
           orders->number > 0 && orders->rate > 0;
}

static void raise_descriptor_limit(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

int main(int count, char **arguments) {
    Orders orders = {.number = 1, .seconds = 10, .rate = 1000, .timeout_s = 15};
    const char *mode = count > 1 ? arguments[1] : "";
    if (count > 1 && !read_options(count - 1, arguments + 1, &orders)) {
        fprintf(stderr, "unusable options\n");
        return 2;
    }
    raise_descriptor_limit();
    signal(SIGINT, stop);
    signal(SIGTERM, stop);
    if (strcmp(mode, "viewers") == 0) return run_viewers(&orders);
    if (strcmp(mode, "herd") == 0) return run_herd(&orders);
    fprintf(stderr, "usage: %s viewers|herd OPTIONS\n", arguments[0]);
    return 2;
}
