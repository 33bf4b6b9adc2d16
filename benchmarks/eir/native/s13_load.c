/* Load for an S13 server in C, so that the server and not the client is what is measured.
 *
 * s13_load HOST PORT CER REQUESTS CONNECTIONS WINDOW SECONDS RATE
 *
 * CER is a file with one capabilities exchange request, REQUESTS one with ME-Identity-Check-Requests, both as
 * they go over the wire; the hop-by-hop identifier of each is replaced. RATE 0 keeps all windows full, else so
 * many requests a second are sent and times count from when a request was due. One thread, which never sleeps.
 * Prints JSON: times are upper bounds of buckets 1 % apart, in microseconds.
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
#define BUCKETS 2400
#define FIRST_NS 1000.0
#define STATUSES 4

struct message {
    uint32_t at, size;
};

struct connection {
    int socket;
    uint32_t window, waiting, next, oldest;
    int64_t *due; /* by identifier modulo the window's power of two */
    uint8_t *in, *out;
    size_t in_size, out_size, out_at;
    int gone;
};

static uint8_t *requests;
static struct message *messages;
static uint32_t message_count, message_next;
static uint64_t sent, answered, refused, unasked, statuses[STATUSES], buckets[BUCKETS];
static uint32_t ring;

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

static int connected(const char *host, int port, const uint8_t *cer, size_t cer_size) {
    int made = socket(AF_INET, SOCK_STREAM, 0), one = 1;
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    if (made < 0 || inet_pton(AF_INET, host, &name.sin_addr) != 1) fail(host);
    if (connect(made, (struct sockaddr *)&name, sizeof name)) fail("connect");
    setsockopt(made, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (write(made, cer, cer_size) != (ssize_t)cer_size) fail("capabilities exchange");
    uint8_t answer[4096];
    size_t have = 0;
    while (have < 4 || have < u24(answer + 1)) {
        ssize_t got = read(made, answer + have, sizeof answer - have);
        if (got <= 0) {
            fprintf(stderr, "the server closed the connection before the capabilities exchange was over\n");
            exit(1);
        }
        have += (size_t)got;
    }
    fcntl(made, F_SETFL, O_NONBLOCK);
    return made;
}

/* What an answer says: the Equipment-Status, 3 for unknown equipment, -1 for a refusal. */
static int status_of(const uint8_t *message, uint32_t size) {
    int status = -1;
    if (message[4] & 0x20) return -1;
    for (uint32_t at = 20; at + 8 <= size;) {
        uint32_t code = u32(message + at), length = u24(message + at + 5);
        if (length < 8 || at + length > size) return -1;
        if (code == 1445 && length == 16) status = (int)u32(message + at + 12);
        if (code == 297) /* Experimental-Result: 5422 is its last attribute */
            status = u32(message + at + length - 4) == 5422 ? 3 : -1;
        at += (length + 3) & ~3u;
    }
    return status >= 0 && status < STATUSES ? status : -1;
}

static void count_time(int64_t ns) {
    int bucket = ns <= FIRST_NS ? 0 : (int)ceil(log((double)ns / FIRST_NS) / log(1.01) - 1e-9);
    buckets[bucket < BUCKETS ? bucket : BUCKETS - 1]++;
}

static double percentile(double percent, uint64_t total) {
    uint64_t rank = (uint64_t)ceil((double)total * percent / 100 - 1e-9), seen = 0;
    for (int bucket = 0; bucket < BUCKETS; bucket++)
        if ((seen += buckets[bucket]) >= rank && seen) return FIRST_NS * pow(1.01, bucket) / 1000;
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

/* One more request into the buffer; 0: there is no room. */
static int ask(struct connection *c, int64_t due) {
    struct message *m = &messages[message_next];
    if (c->gone || c->waiting >= c->window || c->out_size + m->size > WRITE_SIZE) return 0;
    memcpy(c->out + c->out_size, requests + m->at, m->size);
    put_u32(c->out + c->out_size + 12, c->next);
    put_u32(c->out + c->out_size + 16, c->next);
    c->out_size += m->size;
    c->due[c->next++ & ring] = due;
    c->waiting++;
    sent++;
    if (++message_next == message_count) message_next = 0;
    return 1;
}

static void take(struct connection *c) {
    for (;;) {
        ssize_t got = read(c->socket, c->in + c->in_size, READ_SIZE - c->in_size);
        if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
        if (got <= 0) {
            c->gone = 1;
            return;
        }
        c->in_size += (size_t)got;
        int64_t now = now_ns();
        size_t at = 0;
        while (c->in_size - at >= 20) {
            uint32_t size = u24(c->in + at + 1);
            if (size < 20 || size > READ_SIZE) {
                c->gone = 1;
                return;
            }
            if (c->in_size - at < size) break;
            uint8_t *message = c->in + at;
            at += size;
            if (u24(message + 5) != 324 || message[4] & 0x80) continue;
            int64_t *due = &c->due[u32(message + 12) & ring];
            if (!*due) {
                unasked++;
                continue;
            }
            count_time(now - *due);
            *due = 0;
            c->waiting--;
            answered++;
            int status = status_of(message, size);
            if (status < 0)
                refused++;
            else
                statuses[status]++;
        }
        memmove(c->in, c->in + at, c->in_size - at);
        c->in_size -= at;
        if ((size_t)got < READ_SIZE / 2) return;
    }
}

int main(int argc, char **argv) {
    if (argc != 9) {
        fprintf(stderr, "s13_load HOST PORT CER REQUESTS CONNECTIONS WINDOW SECONDS RATE\n");
        return 2;
    }
    size_t cer_size, all;
    uint8_t *cer = whole_file(argv[3], &cer_size);
    requests = whole_file(argv[4], &all);
    int count = atoi(argv[5]);
    uint32_t window = (uint32_t)atoi(argv[6]);
    double seconds = atof(argv[7]), rate = atof(argv[8]);
    messages = calloc(all / 20 + 1, sizeof *messages);
    for (uint32_t at = 0; at + 20 <= all; at += u24(requests + at + 1))
        messages[message_count++] = (struct message){at, u24(requests + at + 1)};
    for (ring = 1; ring < window * 4; ring *= 2) {}
    struct connection *all_connections = calloc((size_t)count, sizeof *all_connections);
    int poll = epoll_create1(0);
    for (int i = 0; i < count; i++) {
        struct connection *c = &all_connections[i];
        c->socket = connected(argv[1], atoi(argv[2]), cer, cer_size);
        c->window = window;
        c->due = calloc(ring, sizeof *c->due);
        c->in = malloc(READ_SIZE);
        c->out = malloc(WRITE_SIZE);
        struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = c};
        if (epoll_ctl(poll, EPOLL_CTL_ADD, c->socket, &event)) fail("epoll");
    }
    ring--;
    int64_t begun = now_ns(), until = begun + (int64_t)(seconds * 1e9), last = begun;
    uint64_t asked = 0, total = (uint64_t)(seconds * rate);
    int turn = 0;
    struct epoll_event events[64];
    for (;;) {
        int64_t now = now_ns();
        uint64_t waiting = 0;
        for (int i = 0; i < count; i++) waiting += all_connections[i].gone ? 0 : all_connections[i].waiting;
        int sending = rate > 0 ? asked < total && now < until + 5000000000 : now < until;
        if (!sending && (!waiting || now > until + 5000000000)) break;
        if (sending && rate > 0) {
            uint64_t due = (uint64_t)((double)(now - begun) * rate / 1e9) + 1;
            if (due > total) due = total;
            for (int full = 0; asked < due && full < count; turn = (turn + 1) % count) {
                /* Never 0: that means nothing is asked under this identifier. */
                if (ask(&all_connections[turn], begun + (int64_t)((double)asked * 1e9 / rate) + 1))
                    asked++, full = 0;
                else
                    full++;
            }
        } else if (sending) {
            for (int i = 0; i < count; i++)
                if (all_connections[i].waiting * 2 <= window)
                    while (ask(&all_connections[i], now)) {}
        }
        for (int i = 0; i < count; i++)
            if (all_connections[i].out_size && !all_connections[i].gone) flush(&all_connections[i]);
        int ready = epoll_wait(poll, events, 64, 0);
        uint64_t before = answered;
        for (int i = 0; i < ready; i++)
            if (events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) take(events[i].data.ptr);
        if (answered != before) last = now_ns();
    }
    int gone = 0;
    for (int i = 0; i < count; i++) gone += all_connections[i].gone;
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    double took = (double)(last - begun) / 1e9;
    printf("{\"sent\": %llu, \"answered\": %llu, \"refused\": %llu, \"unasked\": %llu, \"closed\": %d,\n",
           (unsigned long long)sent, (unsigned long long)answered, (unsigned long long)refused,
           (unsigned long long)unasked, gone);
    printf(" \"due\": %llu, \"seconds\": %.6f, \"answers_per_second\": %.1f,\n",
           (unsigned long long)(rate > 0 ? total : sent), took, (double)answered / took);
    printf(" \"permitted\": %llu, \"blocked\": %llu, \"tracked\": %llu, \"unknown\": %llu,\n",
           (unsigned long long)statuses[0], (unsigned long long)statuses[1], (unsigned long long)statuses[2],
           (unsigned long long)statuses[3]);
    printf(" \"microseconds\": {\"50\": %.1f, \"90\": %.1f, \"99\": %.1f, \"99.9\": %.1f, \"100\": %.1f}}\n",
           percentile(50, answered), percentile(90, answered), percentile(99, answered),
           percentile(99.9, answered), percentile(100, answered));
    return 0;
}
