// One keep-alive HTTP/1.1 connection: a request goes out, an answer comes in.
//
// Bodies that nobody reads (media) are discarded inside of the kernel wherever their length is
// known, and an answer that arrives in one piece is read where it lies: the load has to cost less
// than the server that it measures. Sockets never block; events are level-triggered.

#ifndef CONNECTION_H
#define CONNECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

// The server under measurement.
typedef struct {
    struct sockaddr_storage address;
    socklen_t address_size;
    const char *host;  // what the Host header says
    int sources;       // loopback source addresses to spread connections over; 0: the kernel's
} Server;

typedef enum { CLOSED, OPENING, IDLE, HEAD, BODY } ConnectionState;

typedef enum { BY_LENGTH, BY_CHUNKS, BY_CLOSE } Framing;

typedef enum {
    NOTHING_YET,  // come back at the next event
    OPENED,       // the connection stands, and what was asked is on its way
    ANSWERED,     // `status`, `body` and `body_length` hold until the next connection_ask
    HUNG_UP,      // closed between two answers, as servers may: ask again
    REFUSED,      // nobody listens there, or the kernel has no port left
    BROKEN,       // closed or reset in the middle of something
    MALFORMED,    // what came is not HTTP
} Progress;

typedef enum { CHUNK_SIZE, CHUNK_DATA, CHUNK_END, CHUNK_TRAILER, CHUNKS_DONE } ChunkState;

typedef struct {
    ChunkState state;
    long left;
    bool line_is_empty;
} Chunks;

typedef struct {
    int fd;
    ConnectionState state;
    bool keeps_body;       // whether the answer being waited for is to be read
    bool closes;           // the server said that it closes after this answer
    bool has_answered;     // so that a hang-up on the next request is no error
    int status;
    Framing framing;
    long left;             // of the body, where its length is known
    Chunks chunks;
    const char *body;      // of the answer; not terminated
    size_t body_length;
    char *stash;           // an answer that came in pieces, or a request that waits for OPENED
    size_t stash_length, stash_capacity;
} Connection;

void connection_make(Connection *connection);

// Opens a socket and watches it with `epoll`; events carry `owner`. `index` picks the source.
bool connection_open(Connection *connection, const Server *server, int epoll, void *owner,
                     unsigned index);

// Asks for `path`; the connection is OPENING or IDLE. False: the socket did not take it.
bool connection_ask(Connection *connection, const Server *server, const char *path,
                    bool keeps_body);

// Something happened on the socket. At ANSWERED it is IDLE again (CLOSED if the server closes).
Progress connection_event(Connection *connection, int epoll, void *owner);

void connection_close(Connection *connection);

extern long received_bytes;

#endif
