/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/admin.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/num.h"
#include "base/out.h"
#include "io/clock.h"
#include "serve/guests.h"
#include "serve/pause.h"

enum {
    QUEUE = 8,
    LINE_BYTES = 512,
    ANSWER_BYTES = 65536,
    CLIENT_S = 2, /* time that a client has for its line, and to take the answer */
    PAUSE_S_MAX = 30 * 86400,
    WORDS = 3,
};

struct admin {
    struct admin_options options;
    int fd, end; /* end: an eventfd */
    struct stat made;
    pthread_t thread;
    char answer[ANSWER_BYTES];
};

struct words {
    struct ern_slice word[WORDS];
    unsigned n;
};

static void
say_text(struct out *o, struct ern_slice text)
{
    out_char(o, '"');
    out_json(o, text);
    out_char(o, '"');
}

static void
say_error(struct out *o, const char *what)
{
    out_literal(o, "{\"error\":");
    say_text(o, slice_text(what));
    out_literal(o, "}\n");
}

/* The pause of a site that the configuration has, or NULL; the name is in *site. */
static struct pause *
find_site(const struct admin *a, struct ern_slice word, struct ern_slice *ret_name)
{
    const struct conf *conf = a->options.conf;

    if (slice_eq(word, ERN_SLICE("-")))
        word = ERN_SLICE("");
    for (size_t i = 0; i < conf->sites_n; i++) {
        *ret_name = conf->sites[i].name;
        if (slice_eq_nocase(*ret_name, word))
            return pause_of(a->options.pauses, *ret_name);
    }
    return NULL;
}

static void
say_pause(struct out *o, struct ern_slice name, const struct pause *pause)
{
    out_literal(o, "{\"site\":");
    say_text(o, name.len ? name : ERN_SLICE("-"));
    out_literal(o, ",\"paused_s\":");
    out_u64(o, (uint64_t)pause_left_s(pause, clock_read().run_ms));
    out_literal(o, "}\n");
}

static void
run_status(struct admin *a, const struct words *words, struct out *o)
{
    const struct conf *conf = a->options.conf;

    (void)words;
    out_literal(o, "{\"supervisor\":");
    out_u64(o, (uint64_t)getppid());
    out_literal(o, ",\"process\":");
    out_u64(o, (uint64_t)getpid());
    out_literal(o, ",\"connections\":");
    out_u64(o, (uint64_t)guests_n(a->options.guests));
    out_literal(o, "}\n");
    for (size_t i = 0; i < conf->sites_n; i++) {
        const struct pause *pause = pause_of(a->options.pauses, conf->sites[i].name);

        if (pause && pause_left_s(pause, clock_read().run_ms) > 0)
            say_pause(o, conf->sites[i].name, pause);
    }
}

static void
run_limits(struct admin *a, const struct words *words, struct out *o)
{
    const struct limit_row *row;

    (void)words;
    for (unsigned i = 0; (row = limits_row(i)) != NULL; i++) {
        out_literal(o, "{\"limit\":");
        say_text(o, row->name);
        out_literal(o, ",\"value\":");
        out_u64(o, (uint64_t)limits_value(&a->options.conf->limits, i));
        out_literal(o, "}\n");
    }
}

static void
run_pause(struct admin *a, const struct words *words, struct out *o)
{
    struct ern_slice name;
    struct pause *pause = find_site(a, words->word[1], &name);
    uint64_t seconds;

    if (!u64_parse(words->word[2], PAUSE_S_MAX, &seconds) || seconds == 0) {
        say_error(o, "a pause is from 1 second to 30 days");
    } else if (!pause) {
        say_error(o, "there is no such site");
    } else {
        pause_until(pause, clock_read().run_ms + (int64_t)seconds * 1000);
        say_pause(o, name, pause);
    }
}

static void
run_resume(struct admin *a, const struct words *words, struct out *o)
{
    struct ern_slice name;
    struct pause *pause = find_site(a, words->word[1], &name);

    if (!pause) {
        say_error(o, "there is no such site");
        return;
    }
    pause_until(pause, 0);
    say_pause(o, name, pause);
}

static const struct {
    const char *name;
    unsigned words;
    void (*run)(struct admin *a, const struct words *words, struct out *o);
} verbs[] = {
    {"status", 1, run_status},
    {"limits", 1, run_limits},
    {"pause", 3, run_pause},
    {"resume", 2, run_resume},
};

/* Returns false if there are more words than any verb has. */
static bool
split(struct ern_slice line, struct words *ret)
{
    ret->n = 0;
    while (line.len > 0) {
        size_t n = slice_find(line, ' ');

        if (ret->n == WORDS)
            return false;
        ret->word[ret->n++] = slice_first(line, n);
        line = slice_skip(line, n < line.len ? n + 1 : n);
    }
    return ret->n > 0;
}

static void
answer(struct admin *a, struct ern_slice line, struct out *o)
{
    struct words words;

    if (split(line, &words)) {
        for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++) {
            if (slice_eq(words.word[0], slice_text(verbs[i].name)) && words.n == verbs[i].words) {
                verbs[i].run(a, &words, o);
                return;
            }
        }
    }
    say_error(o, "write status, limits, pause SITE SECONDS, or resume SITE");
}

/* Reads the line, within the time that a client has. Returns false if none came. */
static bool
read_line(int fd, char *line, size_t cap, struct ern_slice *ret_line)
{
    int64_t end_ms = clock_read().run_ms + CLIENT_S * 1000;
    size_t len = 0;

    while (len < cap && clock_read().run_ms < end_ms) {
        ssize_t n = read(fd, line + len, cap - len);

        if (n <= 0)
            return false;
        len += (size_t)n;
        *ret_line = slice_first(slice_from(line, len), slice_find(slice_from(line, len), '\n'));
        if (ret_line->len < len)
            return true;
    }
    return false;
}

static void
serve_one(struct admin *a)
{
    const struct timeval most = {CLIENT_S, 0};
    struct out o = out_init(a->answer, sizeof a->answer);
    int fd = accept4(a->fd, NULL, NULL, SOCK_CLOEXEC);
    char text[LINE_BYTES];
    struct ern_slice line;

    if (fd < 0)
        return;
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &most, sizeof most);
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &most, sizeof most);
    if (read_line(fd, text, sizeof text, &line)) {
        answer(a, line, &o);
        if (o.full) { /* half an object helps nobody */
            o = out_init(a->answer, sizeof a->answer);
            say_error(&o, "the answer is too long");
        }
        (void)send(fd, o.ptr, o.len, MSG_NOSIGNAL);
    }
    (void)close(fd);
}

static void *
serve_all(void *admin)
{
    struct admin *a = admin;
    struct pollfd fds[] = {{.fd = a->fd, .events = POLLIN}, {.fd = a->end, .events = POLLIN}};

    while (fds[1].revents == 0) {
        if (poll(fds, 2, -1) < 0 && errno != EINTR)
            break;
        if (fds[0].revents)
            serve_one(a);
    }
    return NULL;
}

/* Binds the socket with mode 0600, from its first moment on: no thread makes files meanwhile. */
static int
bind_at(int fd, const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct ern_slice text = slice_text(path);
    struct stat there;
    mode_t mask;
    int bound;

    if (text.len >= sizeof address.sun_path)
        return -ENAMETOOLONG;
    memcpy(address.sun_path, path, text.len);
    if (lstat(path, &there) == 0 && S_ISSOCK(there.st_mode))
        (void)unlink(path);
    mask = umask(0177);
    bound = bind(fd, (const struct sockaddr *)&address, sizeof address);
    (void)umask(mask);
    return bound < 0 || listen(fd, QUEUE) < 0 ? -errno : 0;
}

int
admin_open(const struct admin_options *options, struct admin **ret_admin)
{
    struct admin *a = calloc(1, sizeof *a);
    const char *path = options->conf->admin.ptr;
    int error = 0;

    if (!a)
        return -ENOMEM;
    a->options = *options;
    a->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    a->end = eventfd(0, EFD_CLOEXEC);
    if (a->fd < 0 || a->end < 0)
        error = -errno;
    if (!error)
        error = bind_at(a->fd, path);
    if (!error && stat(path, &a->made) < 0)
        error = -errno;
    if (!error)
        error = -pthread_create(&a->thread, NULL, serve_all, a);
    if (!error) {
        *ret_admin = a;
        return 0;
    }
    if (a->fd >= 0)
        (void)close(a->fd);
    if (a->end >= 0)
        (void)close(a->end);
    free(a);
    return error;
}

void
admin_close(struct admin *a)
{
    const uint64_t one = 1;
    struct stat there;

    if (!a)
        return;
    (void)!write(a->end, &one, sizeof one);
    (void)pthread_join(a->thread, NULL);
    if (stat(a->options.conf->admin.ptr, &there) == 0 && there.st_ino == a->made.st_ino &&
        there.st_dev == a->made.st_dev) /* else a newer process has its own there */
        (void)unlink(a->options.conf->admin.ptr);
    (void)close(a->fd);
    (void)close(a->end);
    free(a);
}
