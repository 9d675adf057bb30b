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
#include "io/clock.h"
#include "io/log.h"
#include "serve/admin_parts.h"
#include "serve/audit.h"
#include "serve/guests.h"
#include "serve/pause.h"
#include "serve/why.h"

enum {
    QUEUE = 8,
    LINE_BYTES = 512,
    ANSWER_BYTES = 65536,
    SEND_BYTES = 32768, /* of an answer, when it is sent before its end */
    CLIENT_S = 2,       /* time that a client has for its line, and to take a piece of the answer */
    PAUSE_S_MAX = 30 * 86400,
};

struct admin {
    struct admin_options options;
    int fd, end; /* end: an eventfd */
    struct stat made;
    pthread_t thread;
    bool serves;
    struct log_writer audit; /* of the thread */
    char answer[ANSWER_BYTES];
};

/* ---- answers -----------------------------------------------------------------------------------
 */

static void
send_all(struct admin_call *c)
{
    struct out *o = c->out;

    if (!c->cut && send(c->fd, o->ptr, o->len, MSG_NOSIGNAL) != (ssize_t)o->len)
        c->cut = true;
    *o = out_init(o->ptr, o->cap);
}

void
admin_line(struct admin_call *c)
{
    out_literal(c->out, "}\n");
    if (c->out->len >= SEND_BYTES)
        send_all(c);
}

static void
say_name(struct out *o, const char *name)
{
    out_char(o, o->len == 0 || o->ptr[o->len - 1] == '\n' ? '{' : ',');
    out_char(o, '"');
    out_text(o, name);
    out_literal(o, "\":");
}

void
admin_text(struct admin_call *c, const char *name, struct ern_slice text)
{
    say_name(c->out, name);
    out_char(c->out, '"');
    out_json(c->out, text);
    out_char(c->out, '"');
}

void
admin_number(struct admin_call *c, const char *name, int64_t n)
{
    say_name(c->out, name);
    if (n < 0)
        out_char(c->out, '-');
    out_u64(c->out, n < 0 ? 0 - (uint64_t)n : (uint64_t)n);
}

void
admin_error(struct admin_call *c, const char *what)
{
    c->failed = true;
    admin_text(c, "error", slice_text(what));
    admin_line(c);
}

/* ---- verbs -------------------------------------------------------------------------------------
 */

/* The pause of a site that the configuration has, or NULL; its name is in *ret_name. */
static struct pause *
find_site(const struct admin_call *c, struct ern_slice *ret_name)
{
    const struct conf *conf = c->options->conf;
    struct ern_slice word = c->word[1];

    if (slice_eq(word, ERN_SLICE("-")))
        word = ERN_SLICE("");
    for (size_t i = 0; i < conf->sites_n; i++) {
        *ret_name = conf->sites[i].name;
        if (slice_eq_nocase(*ret_name, word))
            return pause_of(c->options->pauses, *ret_name);
    }
    return NULL;
}

static void
say_pause(struct admin_call *c, struct ern_slice name, const struct pause *pause)
{
    admin_text(c, "site", name.len ? name : ERN_SLICE("-"));
    admin_number(c, "paused_s", pause_left_s(pause, clock_read().run_ms));
    admin_line(c);
}

static void
run_status(struct admin_call *c)
{
    const struct conf *conf = c->options->conf;

    admin_number(c, "supervisor", getppid());
    admin_number(c, "process", getpid());
    admin_number(c, "connections", guests_n(c->options->guests));
    admin_number(c, "reloaded", atomic_load(&c->options->reloads->done));
    admin_number(c, "refused", atomic_load(&c->options->reloads->refused));
    admin_line(c);
    for (size_t i = 0; i < conf->sites_n; i++) {
        const struct pause *pause = pause_of(c->options->pauses, conf->sites[i].name);

        if (pause && pause_left_s(pause, clock_read().run_ms) > 0)
            say_pause(c, conf->sites[i].name, pause);
    }
}

static void
run_limits(struct admin_call *c)
{
    const struct limit_row *row;

    for (unsigned i = 0; (row = limits_row(i)) != NULL; i++) {
        admin_text(c, "limit", row->name);
        admin_number(c, "value", limits_value(&c->options->conf->limits, i));
        admin_line(c);
    }
}

static void
run_pause(struct admin_call *c)
{
    struct ern_slice name;
    struct pause *pause = find_site(c, &name);
    uint64_t seconds;

    c->what = c->word[1];
    if (!u64_parse(c->word[2], PAUSE_S_MAX, &seconds) || seconds == 0) {
        admin_error(c, "a pause is from 1 second to 30 days");
    } else if (!pause) {
        admin_error(c, "there is no such site");
    } else {
        pause_until(pause, clock_read().run_ms + (int64_t)seconds * 1000);
        say_pause(c, name, pause);
    }
}

static void
run_resume(struct admin_call *c)
{
    struct ern_slice name;
    struct pause *pause = find_site(c, &name);

    c->what = c->word[1];

    if (!pause) {
        admin_error(c, "there is no such site");
        return;
    }
    pause_until(pause, 0);
    say_pause(c, name, pause);
}

static void
run_signal(struct admin_call *c)
{
    admin_number(c, "supervisor", getppid());
    admin_line(c);
}

/* why ID [FORM [LANGUAGE]] */
static void
run_why(struct admin_call *c)
{
    bool bengali = c->words_n > 3 && slice_eq(c->word[3], language_tag(LANGUAGE_BN));
    enum language language = bengali ? LANGUAGE_BN : LANGUAGE_EN;
    enum why_form form = WHY_JSON;
    struct trace trace;
    struct why why;

    if (c->words_n > 2 && !why_form_find(c->word[2], &form)) {
        admin_error(c, "the forms are txt, html, json and svg");
    } else if (!c->options->traces || !trace_find(c->options->traces, c->word[1], &trace)) {
        admin_error(c, "that decision is not remembered, or not any more");
    } else {
        why_look(&trace, c->options->conf, c->word[1], language, &why);
        why_write(&why, form, c->out);
    }
}

static const struct {
    const char *name;
    unsigned words_min, words_max;
    bool changes; /* something: it is audited */
    void (*run)(struct admin_call *call);
} verbs[] = {
    {"status", 1, 1, false, run_status},       {"limits", 1, 1, false, run_limits},
    {"pause", 3, 3, true, run_pause},          {"resume", 2, 2, true, run_resume},
    {"reload", 1, 1, true, run_signal},        {"drain", 1, 1, true, run_signal},
    {"credit", 1, 2, false, admin_credit},     {"credit", 4, 4, true, admin_credit},
    {"locks", 1, 1, false, admin_locks},       {"unlock", 2, 2, true, admin_unlock},
    {"jobs", 1, 1, false, admin_jobs},         {"legal", 1, 1, false, admin_legal},
    {"incident", 2, 2, false, admin_incident}, {"why", 2, 4, false, run_why},
};

static void
audit(struct admin *a, const struct admin_call *c)
{
    struct ucred client = {0, (uid_t)-1, (gid_t)-1};
    socklen_t len = sizeof client;

    (void)getsockopt(c->fd, SOL_SOCKET, SO_PEERCRED, &client, &len);
    audit_deed(&a->audit, clock_read().unix_s, client.uid, client.pid, c->word[0], c->what,
               !c->failed);
}

/* Returns false if there are more words than any verb has. */
static bool
split(struct ern_slice line, struct admin_call *c)
{
    while (line.len > 0) {
        size_t n = slice_find(line, ' ');

        if (c->words_n == ADMIN_WORDS)
            return false;
        c->word[c->words_n++] = slice_first(line, n);
        line = slice_skip(line, n < line.len ? n + 1 : n);
    }
    return c->words_n > 0;
}

static void
answer(struct admin *a, struct ern_slice line, struct admin_call *c)
{
    if (split(line, c)) {
        for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++) {
            if (slice_eq(c->word[0], slice_text(verbs[i].name)) &&
                c->words_n >= verbs[i].words_min && c->words_n <= verbs[i].words_max) {
                verbs[i].run(c);
                if (verbs[i].changes)
                    audit(a, c);
                return;
            }
        }
    }
    admin_error(c, "there is no such verb, or it takes other words: see earnest ctl -h");
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
    struct admin_call call = {.options = &a->options, .out = &o, .fd = fd};
    char text[LINE_BYTES];
    struct ern_slice line;

    if (fd < 0)
        return;
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &most, sizeof most);
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &most, sizeof most);
    if (read_line(fd, text, sizeof text, &line)) {
        answer(a, line, &call);
        send_all(&call);
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
admin_open(const struct conf *conf, struct admin **ret_admin)
{
    struct admin *a = calloc(1, sizeof *a);
    const char *path = conf->admin.ptr;
    int error = 0;

    if (!a)
        return -ENOMEM;
    a->options.conf = conf;
    a->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    a->end = eventfd(0, EFD_CLOEXEC);
    if (a->fd < 0 || a->end < 0)
        error = -errno;
    if (!error)
        error = bind_at(a->fd, path);
    if (!error && stat(path, &a->made) < 0)
        error = -errno;
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

int
admin_serve(struct admin *a, const struct admin_options *options)
{
    int error;

    a->options = *options;
    log_writer_init(&a->audit, options->audit);
    error = pthread_create(&a->thread, NULL, serve_all, a);
    a->serves = error == 0;
    return -error;
}

void
admin_close(struct admin *a)
{
    const uint64_t one = 1;
    struct stat there;

    if (!a)
        return;
    (void)!write(a->end, &one, sizeof one);
    if (a->serves)
        (void)pthread_join(a->thread, NULL);
    if (stat(a->options.conf->admin.ptr, &there) == 0 && there.st_ino == a->made.st_ino &&
        there.st_dev == a->made.st_dev) /* else a newer process has its own there */
        (void)unlink(a->options.conf->admin.ptr);
    (void)close(a->fd);
    (void)close(a->end);
    free(a);
}
