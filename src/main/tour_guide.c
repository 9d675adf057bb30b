/* SPDX-License-Identifier: Apache-2.0 */
#include "main/tour_guide.h"

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/num.h"
#include "base/slice.h"
#include "earnest/status.h"
#include "main/heard.h"
#include "msg/form.h"

enum {
    AT_ONCE_MAX = 32, /* more connections than this wait */
    REQUEST_BYTES = 32768,
    ANSWER_BYTES = 1 << 20,
    PATIENCE_S = 10, /* for a server that stops sending, or reading */
};

struct visit {
    const struct tour_guide *guide;
    int fd;
    char request[REQUEST_BYTES];
    char answer[ANSWER_BYTES];
};

/* What a server says that a gateway has trouble with; of each the second part comes a moment later.
 */
static const struct {
    const char *name;
    int then_ms; /* and so long after it, the end */
    const char *says, *then;
} odds[] = {
    {"plain", 0, "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 6\r\n\r\n",
     "plain\n"},
    {"hints", 60,
     "HTTP/1.1 103 Early Hints\r\nLink: </tour/tour.css>; rel=preload; as=style\r\n\r\n",
     "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n"
     "Link: </tour/tour.css>; rel=preload; as=style\r\nContent-Length: 15\r\n\r\n<p>Here it is.\n"},
    {"wordy", 0,
     "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: 61\r\n\r\n",
     "<p>Few words.</p>     <!-- and a remark -->     <p>Two.</p>\n\n"},
    {"garbled", 0, "HTTP/1.1 two hundred\r\n\r\n", ""},
    {"reserved", 0, "HTTP/1.1 306 Unused\r\nContent-Length: 0\r\n\r\n", ""},
    {"ends", 0, "", ""},
    {"silent", PATIENCE_S * 1000, "", ""},
};

static atomic_int visits;

static void
send_all(int fd, struct ern_slice bytes)
{
    while (bytes.len) {
        ssize_t n = send(fd, bytes.ptr, bytes.len, MSG_NOSIGNAL);

        if (n <= 0)
            return;
        bytes = slice_skip(bytes, (size_t)n);
    }
}

/* Begins an answer; its content ends with the connection. */
static void
begin(struct visit *v, enum ern_status_code code, struct ern_slice type)
{
    const struct ern_status *status = ern_status_find(code);
    char head[512];
    struct out o = out_init(head, sizeof head);

    out_literal(&o, "HTTP/1.1 ");
    out_u64(&o, code);
    out_char(&o, ' ');
    out_slice(&o, status->phrase);
    out_literal(&o, "\r\nCache-Control: no-store\r\nConnection: close\r\nContent-Type: ");
    out_slice(&o, type);
    out_literal(&o, "\r\n\r\n");
    send_all(v->fd, out_done(&o));
}

static void
refuse(struct visit *v, enum ern_status_code code, struct ern_slice why)
{
    begin(v, code, ERN_SLICE("text/plain; charset=utf-8"));
    send_all(v->fd, why);
}

/* Receives a request. Returns false if it does not come whole, or is too large. */
static bool
receive(struct visit *v, struct ern_slice *ret_head, struct ern_slice *ret_content)
{
    size_t len = 0, head_len = 0;
    uint64_t content_len = 0;

    while (head_len == 0 || len < head_len + content_len) {
        ssize_t n = recv(v->fd, v->request + len, sizeof v->request - len, 0);
        const char *end;

        if (n <= 0)
            return false;
        len += (size_t)n;
        end = head_len ? NULL : memmem(v->request, len, "\r\n\r\n", 4);
        if (end) {
            struct ern_slice head, value;

            head_len = (size_t)(end - v->request) + 4;
            head = slice_from(v->request, head_len);
            if (heard_field(&head, ERN_SLICE("content-length"), &value) &&
                !u64_parse(value, sizeof v->request - head_len, &content_len))
                return false;
        }
    }
    *ret_head = slice_from(v->request, head_len);
    *ret_content = slice_from(v->request + head_len, (size_t)content_len);
    return true;
}

static bool
has_value(struct ern_slice head, struct ern_slice name, struct ern_slice wanted)
{
    struct ern_slice value;

    return heard_field(&head, name, &value) && slice_eq_nocase(value, wanted);
}

/* Is it a page of the tour that asks? A page of somebody else can send no content of this type
 * without being asked for it first (CORS), and browsers say where a request is from. */
static bool
is_ours(struct ern_slice head)
{
    struct ern_slice rest = head, value;

    return has_value(head, ERN_SLICE("content-type"), ERN_SLICE("message/http")) &&
           (!heard_field(&rest, ERN_SLICE("sec-fetch-site"), &value) ||
            slice_eq_nocase(value, ERN_SLICE("same-origin")));
}

/* Reads what is to be played. Returns false if there is no such thing. */
static bool
read_play(const struct tour_guide *guide, struct ern_slice query, struct tour_play *play)
{
    struct ern_slice name, value, near = ERN_ABSENT;
    uint64_t number;

    while (urlencoded_next(&query, &name, &value)) {
        if (slice_eq(name, ERN_SLICE("near")))
            near = value;
        else if (slice_eq(name, ERN_SLICE("h2")))
            play->h2 = true;
        else if (slice_eq(name, ERN_SLICE("code")) && u64_parse(value, UINT16_MAX, &number))
            play->recipe = tour_recipe_find(guide->table, (unsigned)number);
    }
    if (!play->recipe || play->recipe->steps_n == 0)
        return false;
    if (!slice_is_there(near))
        return true;
    if (!u64_parse(near, TOUR_NEARS, &number) || number >= play->recipe->nears_n)
        return false;
    play->near = &play->recipe->nears[number];
    return true;
}

static void
play(struct visit *v, struct ern_slice head, struct ern_slice query, struct ern_slice content)
{
    struct tour_play what = {.edited = content.len ? content : ERN_ABSENT};
    struct out o = out_init(v->answer, sizeof v->answer);

    if (!is_ours(head)) {
        refuse(v, ERN_403_FORBIDDEN, ERN_SLICE("This is for the pages of the tour.\n"));
    } else if (content.len > TOUR_EDIT_BYTES) {
        refuse(v, ERN_413_CONTENT_TOO_LARGE, ERN_SLICE("A request has at most 8 KiB here.\n"));
    } else if (!read_play(v->guide, query, &what)) {
        refuse(v, ERN_404_NOT_FOUND, ERN_SLICE("There is no such recipe.\n"));
    } else {
        begin(v, ERN_200_OK, ERN_SLICE("application/json")); /* what is played can take its time */
        tour_play(v->guide->ports, &what, &o);
        send_all(v->fd, out_done(&o));
    }
}

/* Waits, or until the other side has ended the connection. */
static void
wait_ms(int fd, int ms)
{
    struct pollfd end = {.fd = fd, .events = POLLRDHUP};

    if (ms)
        (void)poll(&end, 1, ms);
}

static void
be_odd(struct visit *v, struct ern_slice name)
{
    for (unsigned i = 0; i < sizeof odds / sizeof *odds; i++) {
        if (!slice_eq(name, slice_text(odds[i].name)))
            continue;
        send_all(v->fd, slice_text(odds[i].says));
        wait_ms(v->fd, odds[i].then_ms);
        send_all(v->fd, slice_text(odds[i].then));
        return;
    }
    refuse(v, ERN_404_NOT_FOUND, ERN_SLICE("There is nothing odd of this name.\n"));
}

static void
take(struct visit *v)
{
    struct ern_slice head, content, odd = ERN_SLICE("/odd/"), target, path;
    size_t query_at;

    if (!receive(v, &head, &content))
        return;
    target = slice_skip(head, slice_find(head, ' '));
    target = target.len ? slice_skip(target, 1) : target;
    target = slice_first(target, slice_find(target, ' '));
    query_at = slice_find(target, '?');
    path = slice_first(target, query_at);
    if (slice_starts(path, odd))
        be_odd(v, slice_skip(path, odd.len));
    else if (slice_eq(path, ERN_SLICE("/tour/play")) && slice_starts(head, ERN_SLICE("POST ")))
        play(v, head, slice_skip(target, query_at < target.len ? query_at + 1 : query_at), content);
    else
        refuse(v, ERN_404_NOT_FOUND, ERN_SLICE("Nothing is here.\n"));
}

static void *
visit_run(void *visit)
{
    struct visit *v = visit;

    take(v);
    (void)close(v->fd);
    free(v);
    atomic_fetch_sub(&visits, 1);
    return NULL;
}

/* Gives a connection a thread of its own, or ends it. */
static void
welcome(const struct tour_guide *guide, int fd)
{
    const struct timeval patience = {.tv_sec = PATIENCE_S};
    struct visit *v = malloc(sizeof *v);
    pthread_t thread;

    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    if (v) {
        v->guide = guide;
        v->fd = fd;
        atomic_fetch_add(&visits, 1);
        if (pthread_create(&thread, NULL, visit_run, v) == 0) {
            (void)pthread_detach(thread);
            return;
        }
        atomic_fetch_sub(&visits, 1);
        free(v);
    }
    (void)close(fd);
}

static void *
guide_run(void *self)
{
    const struct tour_guide *guide = self;

    for (;;) {
        int fd = accept4(guide->fd, NULL, NULL, SOCK_CLOEXEC);

        if (fd >= 0 && atomic_load(&visits) < AT_ONCE_MAX)
            welcome(guide, fd);
        else if (fd >= 0)
            (void)close(fd);
    }
    return NULL;
}

bool
tour_guide_start(const struct tour_guide *guide)
{
    static struct tour_guide kept; /* one a process */
    pthread_t thread;

    kept = *guide;
    return pthread_create(&thread, NULL, guide_run, &kept) == 0 && pthread_detach(thread) == 0;
}
