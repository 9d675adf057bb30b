/* SPDX-License-Identifier: Apache-2.0 */
/* tls_early_test.c - early data is read early, and read once (RFC 8446 8). */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "io/tls.h"
#include "lib/authority.h"
#include "lib/tls_peer.h"

#define REQUEST "GET / HTTP/1.1\r\nHost: one.test\r\n\r\n"

enum { WHOLE = 1 << 20, THREADS = 4, ROUNDS = 50, WINDOW_S = 3 };

static const unsigned char ticket_key[TLS_TICKET_KEY_BYTES] = {7};

static struct authority authority;
static struct tls_certificate site;
static struct tls_replay *replay;

static struct tls *
open_tls(bool early, uint32_t window_s, uint32_t max)
{
    struct tls *tls = NULL;
    const char *why = NULL;

    if (tls_open(&(struct tls_options){.certificates = &site,
                                       .certificates_n = 1,
                                       .ticket_key = ticket_key,
                                       .http2 = true,
                                       .early_data = early,
                                       .early_data_max = max,
                                       .early_window_s = window_s,
                                       .handshake_max = 65536,
                                       .replay = replay},
                 &tls, &why) < 0)
        fail_msg("%s", why);
    return tls;
}

/* What the client of a first session gets. */
static gnutls_datum_t
ticket_from(const struct tls *tls)
{
    struct tls_peer *c = calloc(1, sizeof *c);
    struct tls_session *session;
    gnutls_datum_t ticket = {NULL, 0};
    char text[16];

    assert_non_null(c);
    tls_peer_init(c, &(struct tls_peer_options){.host = "one.test", .alpn = "http/1.1"});
    assert_int_equal(tls_session_new(tls, &session), 0);
    assert_int_equal(tls_peer_shake(c, session, WHOLE), -EAGAIN);
    assert_true(tls_is_ready(session));
    assert_int_equal(gnutls_record_recv(c->gnutls, text, sizeof text), GNUTLS_E_AGAIN);
    assert_int_equal(gnutls_session_get_data2(c->gnutls, &ticket), 0);
    tls_session_free(session);
    tls_peer_free(c);
    free(c);
    return ticket;
}

/* A client that has sent its ClientHello and a request as early data. */
static struct tls_peer *
early_client(const struct tls *tls, const char *alpn)
{
    struct tls_peer *c = calloc(1, sizeof *c);
    gnutls_datum_t ticket = ticket_from(tls);

    assert_non_null(c);
    tls_peer_init(c, &(struct tls_peer_options){
                         .host = "one.test", .alpn = alpn, .ticket = &ticket, .early = REQUEST});
    tls_peer_step(c);
    assert_true(c->out_len > sizeof REQUEST);
    gnutls_free(ticket.data);
    return c;
}

static void
client_free(struct tls_peer *c)
{
    tls_peer_free(c);
    free(c);
}

/* Feeds the flight to a new session. Returns whether its early data came out. */
static bool
is_accepted(const struct tls *tls, struct ern_slice flight)
{
    struct tls_session *session;
    char plain[256], memory[8192];
    struct out out = out_init(memory, sizeof memory);
    ssize_t n;
    bool early;

    if (tls_session_new(tls, &session) < 0)
        abort();
    n = tls_read(session, &flight, plain, sizeof plain, &out);
    early = n > 0;
    if (early && (!tls_last_was_early(session) || tls_is_ready(session) ||
                  !slice_eq(slice_from(plain, (size_t)n), ERN_SLICE(REQUEST))))
        abort();
    if (!early && n != -EAGAIN)
        abort();
    tls_session_free(session);
    return early;
}

static struct ern_slice
flight_of(const struct tls_peer *c)
{
    return slice_from(c->out, c->out_len);
}

static void
it_is_read_before_the_handshake_is_finished(void **state)
{
    struct tls *tls = open_tls(true, 60, 16384);

    (void)state;
    for (size_t split = 1; split < 700; split += split < 4 ? 1 : 97) {
        struct tls_peer *c = early_client(tls, "http/1.1");
        struct tls_session *session;
        char memory[256], text[16];
        struct out plain = out_init(memory, sizeof memory), out;
        ssize_t n;

        assert_int_equal(tls_session_new(tls, &session), 0);
        assert_int_equal(tls_peer_feed(c, session, split, &plain), -EAGAIN);
        assert_true(slice_eq(out_done(&plain), ERN_SLICE(REQUEST)));
        assert_false(tls_is_ready(session));
        assert_true(tls_known(session).early);
        assert_true(slice_eq(tls_known(session).host, ERN_SLICE("one.test")));
        out = out_init(c->in + c->in_len, sizeof c->in - c->in_len);
        assert_int_equal(tls_write(session, ERN_SLICE("answer"), &out), -EAGAIN);

        assert_int_equal(tls_peer_shake(c, session, split), -EAGAIN);
        assert_int_equal(c->code, 0);
        assert_true(tls_is_ready(session));
        assert_true(tls_known(session).resumed);
        assert_true(tls_known(session).early);
        out = out_init(c->in + c->in_len, sizeof c->in - c->in_len);
        assert_int_equal(tls_write(session, ERN_SLICE("answer"), &out), 0);
        c->in_len += out.len;
        do
            n = gnutls_record_recv(c->gnutls, text, sizeof text);
        while (n == GNUTLS_E_AGAIN && c->in_at < c->in_len);
        assert_true(slice_eq(slice_from(text, (size_t)n), ERN_SLICE("answer")));
        plain.len = 0;
        assert_int_equal(gnutls_record_send(c->gnutls, "more", 4), 4);
        assert_int_equal(tls_peer_feed(c, session, split, &plain), -EAGAIN);
        assert_true(slice_eq(out_done(&plain), ERN_SLICE("more")));
        assert_false(tls_last_was_early(session));
        tls_session_free(session);
        client_free(c);
    }
    tls_close(tls);
}

static void
a_replay_is_refused(void **state)
{
    struct tls *tls = open_tls(true, 60, 16384), *other;
    struct tls_peer *c = early_client(tls, "http/1.1");

    (void)state;
    assert_true(is_accepted(tls, flight_of(c)));
    for (int i = 0; i < 3; i++)
        assert_false(is_accepted(tls, flight_of(c)));
    client_free(c);
    /* Nor does it help to ask another listener, or another generation of processes. */
    c = early_client(tls, "http/1.1");
    other = open_tls(true, 60, 16384);
    assert_false(is_accepted(other, flight_of(c)));
    assert_true(is_accepted(tls, flight_of(c)));
    client_free(c);
    tls_close(other);
    tls_close(tls);
}

static void
processes_share_the_memory(void **state)
{
    struct tls *tls = open_tls(true, 60, 16384);
    struct tls_peer *c = early_client(tls, "http/1.1");
    int status = -1;
    pid_t child = fork();

    (void)state;
    if (child == 0)
        _exit(is_accepted(tls, flight_of(c)) ? 0 : 1);
    assert_true(child > 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_false(is_accepted(tls, flight_of(c)));
    client_free(c);
    tls_close(tls);
}

struct race {
    const struct tls *tls;
    struct ern_slice flight;
    pthread_barrier_t barrier;
    unsigned accepted;
};

static void *
race_main(void *race)
{
    struct race *r = race;

    (void)pthread_barrier_wait(&r->barrier);
    if (is_accepted(r->tls, r->flight))
        (void)__atomic_add_fetch(&r->accepted, 1, __ATOMIC_RELAXED);
    return NULL;
}

static void
of_threads_that_race_one_wins(void **state)
{
    struct tls *tls = open_tls(true, 60, 16384);

    (void)state;
    for (int round = 0; round < ROUNDS; round++) {
        struct tls_peer *c = early_client(tls, "http/1.1");
        struct race race = {.tls = tls, .flight = flight_of(c)};
        pthread_t threads[THREADS];

        (void)pthread_barrier_init(&race.barrier, NULL, THREADS);
        for (int i = 0; i < THREADS; i++)
            assert_int_equal(pthread_create(&threads[i], NULL, race_main, &race), 0);
        for (int i = 0; i < THREADS; i++)
            (void)pthread_join(threads[i], NULL);
        (void)pthread_barrier_destroy(&race.barrier);
        assert_int_equal(race.accepted, 1);
        client_free(c);
    }
    tls_close(tls);
}

static void
what_comes_too_late_is_refused(void **state)
{
    struct tls *tls = open_tls(true, WINDOW_S, 16384);
    struct tls_peer *early = early_client(tls, "http/1.1"), *seen = early_client(tls, "http/1.1");

    (void)state;
    assert_true(is_accepted(tls, flight_of(seen)));
    (void)sleep(WINDOW_S + 2);
    assert_false(is_accepted(tls, flight_of(early)));
    assert_false(is_accepted(tls, flight_of(seen)));
    client_free(early);
    client_free(seen);
    /* The record has moved on, and new tickets are good. */
    early = early_client(tls, "http/1.1");
    (void)is_accepted(tls, flight_of(early));
    client_free(early);
    (void)sleep(1);
    early = early_client(tls, "http/1.1");
    assert_true(is_accepted(tls, flight_of(early)));
    client_free(early);
    tls_close(tls);
}

static void
it_stays_with_its_protocol(void **state)
{
    struct tls *tls = open_tls(true, 60, 16384);
    struct tls_peer *c = early_client(tls, "h2 http/1.1");

    (void)state;
    assert_false(is_accepted(tls, flight_of(c)));
    client_free(c);
    tls_close(tls);
}

/* Early data that is not accepted is skipped, and the handshake goes on in full. */
static void
without_it_the_handshake_goes_on(void **state)
{
    struct tls *with = open_tls(true, 60, 16384), *without = open_tls(false, 60, 16384);
    struct tls_peer *c = early_client(with, "http/1.1");
    struct tls_session *session;
    char memory[256];
    struct out plain = out_init(memory, sizeof memory);

    (void)state;
    assert_int_equal(tls_session_new(without, &session), 0);
    assert_int_equal(tls_peer_shake(c, session, WHOLE), -EAGAIN);
    assert_int_equal(c->code, 0);
    assert_true(tls_is_ready(session));
    assert_false(tls_known(session).early);
    assert_int_equal(gnutls_record_send(c->gnutls, "now", 3), 3);
    assert_int_equal(tls_peer_feed(c, session, WHOLE, &plain), -EAGAIN);
    assert_true(slice_eq(out_done(&plain), ERN_SLICE("now")));
    assert_false(tls_last_was_early(session));
    tls_session_free(session);
    client_free(c);
    tls_close(without);
    tls_close(with);
}

/* More than early_data_max ends the session. */
static void
it_has_its_limit(void **state)
{
    struct tls *large = open_tls(true, 60, 16384), *small = open_tls(true, 60, 8);
    struct tls_peer *c = early_client(large, "http/1.1");
    struct tls_session *session;
    char memory[256];
    struct out plain = out_init(memory, sizeof memory);

    (void)state;
    assert_int_equal(tls_session_new(small, &session), 0);
    assert_int_equal(tls_peer_feed(c, session, WHOLE, &plain), -EBADMSG);
    assert_int_equal(plain.len, 0);
    tls_session_free(session);
    client_free(c);
    tls_close(small);
    tls_close(large);
}

static int
setup(void **state)
{
    (void)state;
    authority_open(&authority);
    authority_issue(&authority, &(struct issue){"one", "one.test", false, false, 0});
    site = (struct tls_certificate){authority_path(&authority, "one", ".pem"),
                                    authority_path(&authority, "one", ".key"), NULL};
    return tls_replay_open(&replay);
}

static int
teardown(void **state)
{
    (void)state;
    tls_replay_close(replay);
    authority_close(&authority);
    return 0;
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_read_before_the_handshake_is_finished),
        cmocka_unit_test(a_replay_is_refused),
        cmocka_unit_test(processes_share_the_memory),
        cmocka_unit_test(of_threads_that_race_one_wins),
        cmocka_unit_test(what_comes_too_late_is_refused),
        cmocka_unit_test(it_stays_with_its_protocol),
        cmocka_unit_test(without_it_the_handshake_goes_on),
        cmocka_unit_test(it_has_its_limit),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
