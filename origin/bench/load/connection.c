#define _GNU_SOURCE
#include "connection.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#define FIRST_SOURCE 0x7F000002u  // 127.0.0.2
#define KEPT_READ (64 << 10)
#define HEAD_READ 2048            // of an answer whose body is discarded
#define DISCARD_READ (4 << 20)
#define LONGEST_HEAD (16 << 10)

long received_bytes;

// Where answers are read; only what comes in pieces is copied to a connection's own stash.
static char shared[KEPT_READ];

void connection_make(Connection *connection) {
    *connection = (Connection){.fd = -1, .state = CLOSED};
}

void connection_close(Connection *connection) {
    if (connection->fd >= 0) close(connection->fd);
    free(connection->stash);
    connection_make(connection);
}

static void forget_stash(Connection *connection) {
    free(connection->stash);
    connection->stash = NULL;
    connection->stash_length = connection->stash_capacity = 0;
}

static void stash_room(Connection *connection, size_t more) {
    size_t needed = connection->stash_length + more;
    if (needed <= connection->stash_capacity) return;
    connection->stash_capacity = needed * 2;
    connection->stash = realloc(connection->stash, connection->stash_capacity);
    if (!connection->stash) abort();
}

static void stash_add(Connection *connection, const char *data, size_t length) {
    stash_room(connection, length);
    memcpy(connection->stash + connection->stash_length, data, length);
    connection->stash_length += length;
}

static bool bind_source(int fd, const Server *server, unsigned index) {
    if (server->sources == 0) return true;
    int on = 1;
    struct sockaddr_in source = {.sin_family = AF_INET};
    source.sin_addr.s_addr = htonl(FIRST_SOURCE + index % (unsigned)server->sources);
    setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
    return bind(fd, (struct sockaddr *)&source, sizeof source) == 0;
}

bool connection_open(Connection *connection, const Server *server, int epoll, void *owner,
                     unsigned index) {
    int on = 1;
    int fd = socket(server->address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) return false;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    struct epoll_event wanted = {.events = EPOLLOUT, .data.ptr = owner};
    if (!bind_source(fd, server, index) ||
        (connect(fd, (const struct sockaddr *)&server->address, server->address_size) != 0 &&
         errno != EINPROGRESS) ||
        epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &wanted) != 0) {
        close(fd);
        return false;
    }
    connection->fd = fd;
    connection->state = OPENING;
    return true;
}

bool connection_ask(Connection *connection, const Server *server, const char *path,
                    bool keeps_body) {
    char request[4096];
    int length = snprintf(request, sizeof request,
                          "GET %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: tidecast-bench\r\n"
                          "Accept: */*\r\n\r\n", path, server->host);
    if (length >= (int)sizeof request) return false;
    connection->keeps_body = keeps_body;
    if (connection->state == OPENING) {
        stash_add(connection, request, (size_t)length);
        return true;
    }
    forget_stash(connection);  // the answer before this one
    connection->state = HEAD;
    return send(connection->fd, request, (size_t)length, MSG_NOSIGNAL) == length;
}

static Progress finish_opening(Connection *connection, int epoll, void *owner) {
    int error = 0;
    socklen_t size = sizeof error;
    getsockopt(connection->fd, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error != 0) return REFUSED;
    struct epoll_event wanted = {.events = EPOLLIN | EPOLLRDHUP, .data.ptr = owner};
    epoll_ctl(epoll, EPOLL_CTL_MOD, connection->fd, &wanted);
    connection->state = IDLE;
    if (connection->stash_length > 0) {
        ssize_t sent = send(connection->fd, connection->stash, connection->stash_length,
                            MSG_NOSIGNAL);
        if (sent != (ssize_t)connection->stash_length) return BROKEN;
        forget_stash(connection);
        connection->state = HEAD;
    }
    return OPENED;
}

static Progress answered(Connection *connection, const char *body, size_t length) {
    connection->body = body;
    connection->body_length = length;
    connection->has_answered = true;
    connection->state = IDLE;
    return ANSWERED;
}

// ---- The head

static const char *header(const char *head, const char *end, const char *name) {
    size_t length = strlen(name);
    for (const char *line = head; line && line < end;) {
        line = memchr(line, '\n', (size_t)(end - line));
        if (!line || end - ++line <= (long)length) return NULL;
        if (strncasecmp(line, name, length) == 0 && line[length] == ':') {
            line += length + 1;
            while (line < end && *line == ' ') line++;
            return line;
        }
    }
    return NULL;
}

// Returns where the body begins, or NULL: what came is not HTTP.
static const char *read_head(Connection *connection, const char *data, const char *end) {
    if (end - data < 12 || memcmp(data, "HTTP/1.", 7) != 0) return NULL;
    connection->status = atoi(data + 9);
    if (connection->status < 200 || connection->status > 599) return NULL;
    const char *length = header(data, end, "content-length");
    const char *coding = header(data, end, "transfer-encoding");
    const char *closing = header(data, end, "connection");
    connection->closes = data[7] == '0' || (closing && strncasecmp(closing, "close", 5) == 0);
    connection->framing = BY_CLOSE;
    connection->left = 0;
    if (connection->status == 204 || connection->status == 304) {
        connection->framing = BY_LENGTH;
    } else if (coding && strncasecmp(coding, "chunked", 7) == 0) {
        connection->framing = BY_CHUNKS;
        connection->chunks = (Chunks){.state = CHUNK_SIZE};
    } else if (length) {
        connection->framing = BY_LENGTH;
        connection->left = atol(length);
        if (connection->left < 0) return NULL;
    }
    return end;
}

// ---- The body

static int hex(char digit) {
    if (digit >= '0' && digit <= '9') return digit - '0';
    if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
    if (digit >= 'A' && digit <= 'F') return digit - 'A' + 10;
    return -1;
}

// Takes the chunks' frames out of what came, in place; returns how much is left of it.
static size_t unchunk(Chunks *chunks, char *data, size_t length) {
    size_t out = 0;
    for (size_t at = 0; at < length && chunks->state != CHUNKS_DONE;) {
        if (chunks->state == CHUNK_DATA) {
            size_t here = length - at;
            if (here > (size_t)chunks->left) here = (size_t)chunks->left;
            memmove(data + out, data + at, here);
            out += here;
            at += here;
            chunks->left -= (long)here;
            if (chunks->left == 0) chunks->state = CHUNK_END;
            continue;
        }
        char byte = data[at++];
        if (chunks->state == CHUNK_SIZE) {
            if (hex(byte) >= 0 && chunks->left < (1L << 40))
                chunks->left = chunks->left * 16 + hex(byte);
            if (byte != '\n') continue;
            chunks->state = chunks->left > 0 ? CHUNK_DATA : CHUNK_TRAILER;
            chunks->line_is_empty = true;
        } else if (chunks->state == CHUNK_END) {
            if (byte == '\n') chunks->state = CHUNK_SIZE;
        } else if (byte == '\n') {
            if (chunks->line_is_empty) chunks->state = CHUNKS_DONE;
            chunks->line_is_empty = true;
        } else if (byte != '\r') {
            chunks->line_is_empty = false;
        }
    }
    return out;
}

// Bytes of the body have come to `data`; returns whether it is complete, and sets their number.
static bool take_body(Connection *connection, char *data, size_t *length) {
    if (connection->framing == BY_CHUNKS) {
        *length = unchunk(&connection->chunks, data, *length);
        return connection->chunks.state == CHUNKS_DONE;
    }
    if (connection->framing == BY_CLOSE) return false;
    if (*length > (size_t)connection->left) *length = (size_t)connection->left;
    connection->left -= (long)*length;
    return connection->left == 0;
}

static Progress read_failed(Connection *connection, ssize_t got) {
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return NOTHING_YET;
    if (got == 0 && connection->state == BODY && connection->framing == BY_CLOSE) {
        connection->closes = true;
        return answered(connection, connection->stash, connection->stash_length);
    }
    return BROKEN;
}

static Progress discard_body(Connection *connection) {
    for (;;) {
        ssize_t got;
        if (connection->framing == BY_LENGTH) {
            size_t most = connection->left < DISCARD_READ ? (size_t)connection->left : DISCARD_READ;
            got = recv(connection->fd, NULL, most, MSG_TRUNC);
        } else {
            got = recv(connection->fd, shared, sizeof shared, 0);
        }
        if (got <= 0) return read_failed(connection, got);
        received_bytes += got;
        size_t length = (size_t)got;
        if (take_body(connection, shared, &length)) return answered(connection, NULL, 0);
    }
}

static Progress keep_body(Connection *connection) {
    stash_room(connection, KEPT_READ);
    char *end = connection->stash + connection->stash_length;
    ssize_t got = recv(connection->fd, end, KEPT_READ, 0);
    if (got <= 0) return read_failed(connection, got);
    received_bytes += got;
    size_t length = (size_t)got;
    bool is_complete = take_body(connection, end, &length);
    connection->stash_length += length;
    if (!is_complete) return NOTHING_YET;
    return answered(connection, connection->stash, connection->stash_length);
}

static Progress start_answer(Connection *connection) {
    size_t most = connection->keeps_body ? sizeof shared : HEAD_READ;
    ssize_t got = recv(connection->fd, shared, most, 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return NOTHING_YET;
    if (got <= 0)
        return connection->has_answered && connection->stash_length == 0 ? HUNG_UP : BROKEN;
    received_bytes += got;
    char *data = shared;
    size_t length = (size_t)got;
    if (connection->stash_length > 0) {
        stash_add(connection, shared, length);
        data = connection->stash;
        length = connection->stash_length;
    }
    char *blank = memmem(data, length, "\r\n\r\n", 4);
    if (!blank) {
        if (length > LONGEST_HEAD) return MALFORMED;
        if (data == shared) stash_add(connection, data, length);
        return NOTHING_YET;
    }
    if (!read_head(connection, data, blank + 2)) return MALFORMED;
    char *body = blank + 4;
    size_t have = length - (size_t)(body - data);
    connection->state = BODY;
    if (take_body(connection, body, &have)) return answered(connection, body, have);
    if (!connection->keeps_body) {
        forget_stash(connection);
        return discard_body(connection);
    }
    if (data == shared) {
        stash_add(connection, body, have);
    } else {
        memmove(connection->stash, body, have);
        connection->stash_length = have;
    }
    return NOTHING_YET;
}

Progress connection_event(Connection *connection, int epoll, void *owner) {
    switch (connection->state) {
        case CLOSED: return NOTHING_YET;
        case OPENING: return finish_opening(connection, epoll, owner);
        case IDLE: return HUNG_UP;  // nothing was asked: it can only be the end
        case HEAD: return start_answer(connection);
        case BODY: return connection->keeps_body ? keep_body(connection) : discard_body(connection);
    }
    return NOTHING_YET;
}
