/* Load for an N17 server in C, so that the server and not the client is what is measured.
 *
 * n17_load HOST PORT OPENING REQUESTS CONNECTIONS WINDOW SECONDS RATE
 *
 * OPENING is a file with what a connection begins with (preface, SETTINGS, WINDOW_UPDATE), REQUESTS one with
 * HEADERS frames that each are a whole request, both as they go over the wire; the stream of each is replaced,
 * so they must not need a dynamic table. RATE 0 keeps all windows full, else so many requests a second are
 * sent and times count from when a request was due. One thread, which never sleeps. A server that allows
 * fewer streams than WINDOW is heeded; a connection without streams left is made anew.
 * Prints JSON: times are upper bounds of buckets 1 % apart, in microseconds.
 *
 * Of header fields only :status is read, which comes first. One that the server put into its dynamic table
 * counts under 000; 200, 204, 206, 304, 400, 404 and 500 never need it.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define READ_SIZE (1 << 18)
#define WRITE_SIZE (1 << 18)
#define CONTROL_SIZE 64 /* kept free behind requests: an answer to SETTINGS or PING always finds room */
#define BUCKETS 2400
#define FIRST_NS 1000.0
#define WAIT_NS 5000000000
#define LARGEST_FRAME 16384
#define REFILL (1u << 30)
#define HTTP_STATUSES 600
#ifndef LAST_STREAM
#define LAST_STREAM 0x7fffffffu
#endif

enum { DATA, HEADERS, PRIORITY, RESET, SETTINGS, PUSH, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION };
enum { ACK = 1, END_STREAM = 1, END_HEADERS = 4, PADDED = 8, PRIORITISED = 0x20 };
enum { PERMITTED, BLOCKED, TRACKED, UNKNOWN, STATUSES, NONE = STATUSES };

struct message {
    uint32_t at, size;
};

struct request {
    int64_t due; /* 0: nothing is asked on this stream */
    uint32_t stream;
    uint16_t http;
    uint8_t status;
};

struct connection {
    int socket;
    uint32_t window, waiting, next, taken;
    struct request *asked; /* by half the stream modulo a power of two */
    uint8_t *in, *out;
    size_t in_size, out_size, out_at;
    int ready, leaving, gone;
};

struct times {
    uint64_t buckets[BUCKETS], count;
};

static const char *host;
static int port, events;
static uint8_t *opening, *requests;
static size_t opening_size;
static struct message *messages;
static struct connection *connections;
static uint32_t message_count, message_next, wanted, ring;
static uint64_t sent, answered, unasked, resets, leaves, statuses[STATUSES + 1], http[HTTP_STATUSES];
static struct times to_answer, too_late;

static int64_t now_ns(void) {
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return (int64_t)at.tv_sec * 1000000000 + at.tv_nsec;
}

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static uint32_t u24(const uint8_t *at) { return (uint32_t)at[0] << 16 | (uint32_t)at[1] << 8 | at[2]; }

static uint32_t u32(const uint8_t *at) { return (uint32_t)at[0] << 24 | u24(at + 1); }

static void put_u32(uint8_t *at, uint32_t value) {
    at[0] = (uint8_t)(value >> 24), at[1] = (uint8_t)(value >> 16), at[2] = (uint8_t)(value >> 8),
    at[3] = (uint8_t)value;
}

static uint8_t *whole_file(const char *path, size_t *size) {
    FILE *file = fopen(path, "rb");
    if (!file) fail(path);
    fseek(file, 0, SEEK_END);
    *size = (size_t)ftell(file);
    rewind(file);
    uint8_t *data = malloc(*size + 1);
    if (!data || fread(data, 1, *size, file) != *size) fail(path);
    fclose(file);
    return data;
}

static void count_time(struct times *times, int64_t ns) {
    int bucket = ns <= FIRST_NS ? 0 : (int)ceil(log((double)ns / FIRST_NS) / log(1.01) - 1e-9);
    times->buckets[bucket < BUCKETS ? bucket : BUCKETS - 1]++;
    times->count++;
}

static double percentile(const struct times *times, double percent) {
    uint64_t rank = (uint64_t)ceil((double)times->count * percent / 100 - 1e-9), seen = 0;
    for (int bucket = 0; bucket < BUCKETS; bucket++)
        if ((seen += times->buckets[bucket]) >= rank && seen) return FIRST_NS * pow(1.01, bucket) / 1000;
    return 0;
}

static void flush(struct connection *c) {
    while (c->out_at < c->out_size) {
        ssize_t took = send(c->socket, c->out + c->out_at, c->out_size - c->out_at, MSG_NOSIGNAL);
        if (took < 0) {
            if (errno == EAGAIN || errno == EINTR) return;
            c->gone = 1;
            return;
        }
        c->out_at += (size_t)took;
    }
    c->out_at = c->out_size = 0;
}

/* A frame of the connection itself into the buffer. */
static void control(struct connection *c, uint8_t kind, uint8_t flags, const uint8_t *data, uint32_t size) {
    if (c->out_size + 9 + size > WRITE_SIZE) {
        c->gone = 1; /* it asks and asks, and takes no answer */
        return;
    }
    uint8_t *at = c->out + c->out_size;
    put_u32(at, size << 8 | kind);
    at[4] = flags;
    put_u32(at + 5, 0);
    if (size) memcpy(at + 9, data, size);
    c->out_size += 9 + size;
}

/* One more request into the buffer; 0: there is no room. */
static int ask(struct connection *c, int64_t due) {
    struct message *m = &messages[message_next];
    struct request *place = &c->asked[c->next >> 1 & ring];
    if (c->gone || c->leaving || c->waiting >= c->window || c->next > LAST_STREAM || place->due ||
        c->out_size + m->size > WRITE_SIZE - CONTROL_SIZE)
        return 0;
    memcpy(c->out + c->out_size, requests + m->at, m->size);
    put_u32(c->out + c->out_size + 5, c->next);
    c->out_size += m->size;
    *place = (struct request){due, c->next, 0, NONE};
    c->next += 2;
    c->waiting++;
    sent++;
    if (++message_next == message_count) message_next = 0;
    return 1;
}

/* An integer of HPACK (RFC 7541 clause 5.1); -1: it does not end or is large. */
static int integer(const uint8_t **at, const uint8_t *end, uint8_t mask) {
    uint32_t value = *(*at)++ & mask;
    if (value < mask) return (int)value;
    for (int shift = 0; *at < end && shift < 21; shift += 7) {
        uint8_t octet = *(*at)++;
        value += (uint32_t)(octet & 0x7f) << shift;
        if (!(octet & 0x80)) return (int)value;
    }
    return -1;
}

/* Three digits, in plain or in Huffman's code: 0 to 2 have five bits, 3 to 9 six. */
static uint16_t three_digits(const uint8_t *at, const uint8_t *end) {
    uint32_t value = 0, bits = 0, size, coded;
    if (at == end) return 0;
    coded = *at & 0x80, size = *at++ & 0x7f;
    if (size > 3 || size > (uint32_t)(end - at)) return 0;
    if (!coded) {
        for (uint32_t i = 0; i < size; i++) {
            if (at[i] < '0' || at[i] > '9') return 0;
            value = value * 10 + at[i] - '0';
        }
        return size == 3 ? (uint16_t)value : 0;
    }
    for (uint32_t i = 0; i < 3; i++) bits = bits << 8 | (i < size ? at[i] : 0xff);
    bits <<= 8;
    for (int i = 0; i < 3; i++) {
        uint32_t five = bits >> 27, six = bits >> 26;
        if (five <= 2)
            value = value * 10 + five, bits <<= 5;
        else if (six >= 0x19 && six <= 0x1f)
            value = value * 10 + six - 0x19 + 3, bits <<= 6;
        else
            return 0;
    }
    return (uint16_t)value;
}

/* The status at the front of a header block, 0: it cannot be known. */
static uint16_t http_status(const uint8_t *at, const uint8_t *end) {
    static const uint16_t listed[] = {200, 204, 206, 304, 400, 404, 500};
    while (at < end && (*at & 0xe0) == 0x20) /* a change of the table's size */
        if (integer(&at, end, 0x1f) < 0) return 0;
    if (at == end) return 0;
    int whole = *at & 0x80, index = integer(&at, end, whole ? 0x7f : *at & 0x40 ? 0x3f : 0x0f);
    if (index < 8 || index > 14) return 0;
    uint16_t status = whole ? listed[index - 8] : three_digits(at, end);
    return status < HTTP_STATUSES ? status : 0;
}

/* What the first piece of a body says of the equipment. */
static uint8_t status_in(uint16_t status, const uint8_t *body, uint32_t size) {
    static const char good[] = "{\"status\":\"", unknown[] = "ERROR_EQUIPMENT_UNKNOWN";
    if (status == 200 && size > sizeof good && !memcmp(body, good, sizeof good - 1)) {
        uint8_t letter = body[sizeof good - 1];
        return letter == 'W' ? PERMITTED : letter == 'B' ? BLOCKED : letter == 'G' ? TRACKED : NONE;
    }
    return status == 404 && memmem(body, size, unknown, sizeof unknown - 1) ? UNKNOWN : NONE;
}

static struct request *asked_on(struct connection *c, uint32_t stream) {
    struct request *found = &c->asked[stream >> 1 & ring];
    return found->due && found->stream == stream ? found : NULL;
}

static void finish(struct connection *c, struct request *of, int64_t now) {
    count_time(&to_answer, now - of->due);
    http[of->http]++;
    statuses[of->status]++;
    of->due = 0;
    c->waiting--;
    answered++;
}

static void heed(struct connection *c, const uint8_t *settings, uint32_t size) {
    for (; size >= 6; settings += 6, size -= 6) {
        uint32_t value = u32(settings + 2);
        if (settings[0] == 0 && settings[1] == 3) c->window = value < wanted ? value : wanted;
    }
    control(c, SETTINGS, ACK, NULL, 0);
    c->ready = 1;
}

/* Heeds a frame; 0: the connection is of no use any more. */
static int heed_frame(struct connection *c, uint8_t kind, uint8_t flags, uint32_t stream, const uint8_t *data,
                      uint32_t size, int64_t now) {
    struct request *of;
    if (!c->ready && kind != SETTINGS) return 0;
    if (kind == DATA || kind == HEADERS) {
        if (kind == DATA && (c->taken += size) >= REFILL) {
            uint8_t more[4];
            put_u32(more, c->taken);
            control(c, WINDOW_UPDATE, 0, more, 4);
            c->taken = 0;
        }
        if (flags & PADDED) {
            if (!size || data[0] >= size) return 0;
            size -= 1u + data[0], data++;
        }
        if (kind == HEADERS && flags & PRIORITISED) {
            if (size < 5) return 0;
            size -= 5, data += 5;
        }
        of = asked_on(c, stream);
        if (!of) {
            unasked += flags & END_STREAM ? 1 : 0;
            return 1;
        }
        /* Informational ones come before the one that counts, trailers after it. */
        if (kind == HEADERS && of->http < 200) of->http = http_status(data, data + size);
        if (kind == DATA && size && of->status == NONE) of->status = status_in(of->http, data, size);
        if (flags & END_STREAM) finish(c, of, now);
        return 1;
    }
    if (kind == SETTINGS && !(flags & ACK)) heed(c, data, size);
    if (kind == PING && !(flags & ACK)) control(c, PING, ACK, data, size <= 8 ? size : 8);
    if (kind == GOAWAY) leaves += !c->leaving, c->leaving = 1; /* a graceful end sends two */
    if (kind == RESET && (of = asked_on(c, stream))) of->due = 0, c->waiting--, resets++;
    return kind != PUSH;
}

static void take(struct connection *c) {
    while (!c->gone) {
        ssize_t got = read(c->socket, c->in + c->in_size, READ_SIZE - c->in_size);
        if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
        if (got <= 0) {
            c->gone = 1;
            return;
        }
        c->in_size += (size_t)got;
        int64_t now = now_ns();
        size_t at = 0;
        while (c->in_size - at >= 9) {
            const uint8_t *frame = c->in + at;
            uint32_t size = u24(frame);
            if (size > LARGEST_FRAME) {
                c->gone = 1;
                return;
            }
            if (c->in_size - at < 9 + size) break;
            at += 9 + size;
            if (!heed_frame(c, frame[3], frame[4], u32(frame + 5) & 0x7fffffff, frame + 9, size, now)) {
                c->gone = 1;
                return;
            }
        }
        memmove(c->in, c->in + at, c->in_size - at);
        c->in_size -= at;
        if ((size_t)got < READ_SIZE / 2) return;
    }
}

/* Makes a connection, also in place of one without streams left, and awaits the server's settings. */
static void connect_to_server(struct connection *c) {
    int one = 1;
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    if (c->socket > 0) close(c->socket);
    c->socket = socket(AF_INET, SOCK_STREAM, 0);
    if (c->socket < 0 || inet_pton(AF_INET, host, &name.sin_addr) != 1) fail(host);
    if (connect(c->socket, (struct sockaddr *)&name, sizeof name)) fail("connect");
    setsockopt(c->socket, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    fcntl(c->socket, F_SETFL, O_NONBLOCK);
    c->window = wanted, c->next = 1;
    c->waiting = c->taken = 0;
    c->in_size = c->out_at = 0;
    c->ready = c->leaving = c->gone = 0;
    memcpy(c->out, opening, opening_size);
    c->out_size = opening_size;
    for (int64_t until = now_ns() + WAIT_NS; !c->ready;) {
        flush(c);
        take(c);
        if (c->gone || now_ns() > until) {
            fprintf(stderr, "the server told no settings: does it speak HTTP/2 with prior knowledge?\n");
            exit(1);
        }
    }
    struct epoll_event event = {.events = EPOLLIN | EPOLLET, .data.ptr = c};
    if (epoll_ctl(events, EPOLL_CTL_ADD, c->socket, &event)) fail("epoll");
}

static void read_requests(const char *path) {
    size_t all;
    requests = whole_file(path, &all);
    messages = calloc(all / 9 + 1, sizeof *messages);
    for (size_t at = 0; at < all;) {
        uint32_t size = all - at < 9 ? 0 : 9 + u24(requests + at);
        if (!size || size > all - at || requests[at + 3] != HEADERS ||
            requests[at + 4] != (END_STREAM | END_HEADERS)) {
            fprintf(stderr, "%s: not all of it are whole requests\n", path);
            exit(1);
        }
        messages[message_count++] = (struct message){(uint32_t)at, size};
        at += size;
    }
    if (!message_count) {
        fprintf(stderr, "%s: no request\n", path);
        exit(1);
    }
}

int main(int argc, char **argv) {
    if (argc != 9) {
        fprintf(stderr, "n17_load HOST PORT OPENING REQUESTS CONNECTIONS WINDOW SECONDS RATE\n");
        return 2;
    }
    host = argv[1], port = atoi(argv[2]);
    opening = whole_file(argv[3], &opening_size);
    read_requests(argv[4]);
    int count = atoi(argv[5]);
    wanted = (uint32_t)atoi(argv[6]);
    double seconds = atof(argv[7]), rate = atof(argv[8]);
    if (count < 1 || wanted < 1 || wanted > 1 << 20 || opening_size > WRITE_SIZE - CONTROL_SIZE) {
        fprintf(stderr, "CONNECTIONS from 1, WINDOW from 1 to %d, OPENING a few octets\n", 1 << 20);
        return 2;
    }
    for (ring = 1; ring < wanted * 4; ring *= 2) {}
    ring--;
    connections = calloc((size_t)count, sizeof *connections);
    events = epoll_create1(0);
    for (int i = 0; i < count; i++) {
        struct connection *c = &connections[i];
        c->asked = calloc(ring + 1, sizeof *c->asked);
        c->in = malloc(READ_SIZE);
        c->out = malloc(WRITE_SIZE);
        connect_to_server(c);
    }
    struct rusage before, after;
    getrusage(RUSAGE_SELF, &before);
    int64_t begun = now_ns(), until = begun + (int64_t)(seconds * 1e9), last = begun, looked = begun, idle = 0;
    uint64_t asked = 0, total = (uint64_t)(seconds * rate);
    int turn = 0, did = 1;
    struct epoll_event ready[64];
    for (;;) {
        int64_t now = now_ns();
        uint64_t waiting = 0, so_far = sent;
        int usable = 0;
        if (!did) idle += now - looked;
        for (int i = 0; i < count; i++) {
            struct connection *c = &connections[i];
            if (c->next > LAST_STREAM && !c->waiting && !c->gone && !c->leaving) connect_to_server(c);
            waiting += c->gone ? 0 : c->waiting;
            usable += !c->gone && !c->leaving;
        }
        int sending = usable && (rate > 0 ? asked < total && now < until + WAIT_NS : now < until);
        if (!sending && (!waiting || now > until + WAIT_NS)) break;
        if (sending && rate > 0) {
            uint64_t due = (uint64_t)((double)(now - begun) * rate / 1e9) + 1;
            if (due > total) due = total;
            for (int full = 0; asked < due && full < count; turn = (turn + 1) % count) {
                /* Never 0: that means nothing is asked on this stream. */
                int64_t when = begun + (int64_t)((double)asked * 1e9 / rate) + 1;
                if (ask(&connections[turn], when)) {
                    /* Late by our own doing is what fell due after our last look. */
                    count_time(&too_late, now - (when > looked ? when : looked));
                    asked++, full = 0;
                } else {
                    full++;
                }
            }
        } else if (sending) {
            for (int i = 0; i < count; i++)
                if (connections[i].waiting * 2 <= connections[i].window)
                    while (ask(&connections[i], now)) {}
        }
        looked = now;
        for (int i = 0; i < count; i++)
            if (connections[i].out_size && !connections[i].gone) flush(&connections[i]);
        int found = epoll_wait(events, ready, 64, 0);
        uint64_t had = answered;
        for (int i = 0; i < found; i++) take(ready[i].data.ptr);
        if (answered != had) last = now_ns();
        did = found > 0 || sent != so_far;
    }
    int64_t wall = now_ns() - begun;
    getrusage(RUSAGE_SELF, &after);
    int gone = 0;
    for (int i = 0; i < count; i++) gone += connections[i].gone;
    double took = (double)(last - begun) / 1e9, had_core = 0;
    const struct timeval *used[] = {&after.ru_utime, &after.ru_stime, &before.ru_utime, &before.ru_stime};
    for (int i = 0; i < 4; i++) had_core += (i < 2 ? 1 : -1) * ((double)used[i]->tv_sec + used[i]->tv_usec / 1e6);
    printf("{\"sent\": %llu, \"answered\": %llu, \"refused\": %llu, \"unasked\": %llu, \"closed\": %d,\n",
           (unsigned long long)sent, (unsigned long long)answered, (unsigned long long)statuses[NONE],
           (unsigned long long)unasked, gone);
    printf(" \"reset\": %llu, \"going_away\": %llu, \"due\": %llu,\n", (unsigned long long)resets,
           (unsigned long long)leaves, (unsigned long long)(rate > 0 ? total : sent));
    printf(" \"seconds\": %.6f, \"answers_per_second\": %.1f,\n", took, took > 0 ? (double)answered / took : 0);
    printf(" \"permitted\": %llu, \"blocked\": %llu, \"tracked\": %llu, \"unknown\": %llu,\n \"http\": {",
           (unsigned long long)statuses[PERMITTED], (unsigned long long)statuses[BLOCKED],
           (unsigned long long)statuses[TRACKED], (unsigned long long)statuses[UNKNOWN]);
    const char *between = "";
    for (int status = 0; status < HTTP_STATUSES; status++)
        if (http[status]) {
            printf("%s\"%03d\": %llu", between, status, (unsigned long long)http[status]);
            between = ", ";
        }
    /* It never sleeps: what it did not have of its core somebody else had, or the machine below took. */
    printf("},\n \"busy_share\": %.3f, \"core_share\": %.3f,\n", 1 - (double)idle / (double)wall,
           had_core * 1e9 / (double)wall);
    const struct times *shown[] = {&too_late, &to_answer};
    for (int i = 0; i < 2; i++) {
        printf(" \"%s\": {\"50\": %.1f, \"90\": %.1f, \"99\": %.1f, \"99.9\": %.1f, \"100\": %.1f}%s\n",
               i ? "microseconds" : "late_microseconds", percentile(shown[i], 50), percentile(shown[i], 90),
               percentile(shown[i], 99), percentile(shown[i], 99.9), percentile(shown[i], 100), i ? "}" : ",");
    }
    return 0;
}
