/* SPDX-License-Identifier: Apache-2.0 */
/* tls_test.c - sessions against clients of GnuTLS, over memory. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <gnutls/x509.h>

#include "io/tls.h"
#include "lib/authority.h"
#include "lib/tls_peer.h"

#define ONLY_12 "NORMAL:-VERS-ALL:+VERS-TLS1.2"
#define ONLY_13 "NORMAL:-VERS-ALL:+VERS-TLS1.3"

enum { WHOLE = 1 << 20, PLAIN_BYTES = 1 << 16 };

static const char *const versions[] = {ONLY_12, ONLY_13};
static const unsigned char ticket_key[TLS_TICKET_KEY_BYTES] = {1, 2, 3};

static struct authority authority, strangers;
static struct tls_certificate sites[4];
static struct tls *tls; /* of all sites, without anything special */

static struct tls_options
options(void)
{
    return (struct tls_options){
        .certificates = sites,
        .certificates_n = 4,
        .ticket_key = ticket_key,
        .http2 = true,
        .handshake_max = 65536,
        .early_data_max = 16384,
        .early_window_s = 60,
    };
}

static struct tls *
open_tls(const struct tls_options *o)
{
    struct tls *opened = NULL;
    const char *why = NULL;

    if (tls_open(o, &opened, &why) < 0)
        fail_msg("%s", why);
    return opened;
}

/* A client and a session. */
struct pair {
    struct tls_peer client;
    struct tls_session *session;
};

static struct pair *
pair_new(const struct tls *with, const struct tls_peer_options *o)
{
    struct pair *p = calloc(1, sizeof *p);

    assert_non_null(p);
    tls_peer_init(&p->client, o);
    assert_int_equal(tls_session_new(with, &p->session), 0);
    return p;
}

static void
pair_free(struct pair *p)
{
    tls_peer_free(&p->client);
    tls_session_free(p->session);
    free(p);
}

/* The two shake hands, which must succeed. */
static struct pair *
pair_ready(const struct tls *with, const struct tls_peer_options *o)
{
    struct pair *p = pair_new(with, o);
    ssize_t n = tls_peer_shake(&p->client, p->session, WHOLE);

    if (p->client.code != 0 || !tls_is_ready(p->session))
        fail_msg("client: %s; server: %zd, %s", gnutls_strerror(p->client.code), n,
                 tls_why(p->session));
    return p;
}

/* The client says something, which must arrive. */
static void
say(struct pair *p, struct ern_slice text)
{
    static char memory[PLAIN_BYTES];
    struct out plain = out_init(memory, sizeof memory);

    for (struct ern_slice rest = text; rest.len;) {
        ssize_t n = gnutls_record_send(p->client.gnutls, rest.ptr, rest.len);

        assert_true(n > 0);
        rest = slice_skip(rest, (size_t)n);
    }
    assert_int_equal(tls_peer_feed(&p->client, p->session, WHOLE, &plain), -EAGAIN);
    assert_true(slice_eq(out_done(&plain), text));
    assert_false(tls_last_was_early(p->session));
}

/* The server says something, which must arrive. */
static void
answer(struct pair *p, struct ern_slice text)
{
    static char memory[PLAIN_BYTES];
    struct tls_peer *c = &p->client;
    struct out out = out_init(c->in + c->in_len, sizeof c->in - c->in_len);
    size_t got = 0;

    assert_int_equal(tls_write(p->session, text, &out), 0);
    assert_true(out.len <= tls_room(text.len));
    c->in_len += out.len;
    while (got < text.len) {
        ssize_t n = gnutls_record_recv(c->gnutls, memory + got, sizeof memory - got);

        if (n != GNUTLS_E_AGAIN) /* a ticket came first */
            assert_true(n > 0);
        got += n > 0 ? (size_t)n : 0;
    }
    assert_true(slice_eq(slice_from(memory, got), text));
}

/* A ticket of a session that shook hands before. */
static gnutls_datum_t
ticket_of(struct pair *p)
{
    gnutls_datum_t ticket = {NULL, 0};

    answer(p, ERN_SLICE("here is your ticket"));
    assert_int_equal(gnutls_session_get_data2(p->client.gnutls, &ticket), 0);
    return ticket;
}

static gnutls_datum_t
ticket_from(const struct tls *with, const struct tls_peer_options *o)
{
    struct pair *p = pair_ready(with, o);
    gnutls_datum_t ticket = ticket_of(p);

    pair_free(p);
    return ticket;
}

static void
speaks_both_versions(void **state)
{
    static char large[50000];

    (void)state;
    memset(large, 'x', sizeof large);
    for (size_t i = 0; i < 2; i++) {
        struct pair *p = pair_ready(
            tls, &(struct tls_peer_options){authority.certificate, "one.test", versions[i],
                                            "h2 http/1.1", NULL, NULL, NULL, NULL});
        struct tls_known known = tls_known(p->session);

        assert_true(slice_eq(known.version, i ? ERN_SLICE("TLS1.3") : ERN_SLICE("TLS1.2")));
        assert_true(slice_eq(known.host, ERN_SLICE("one.test")));
        assert_true(known.h2);
        assert_false(known.resumed);
        assert_false(known.early);
        assert_false(slice_is_there(known.subject));
        say(p, ERN_SLICE("hello"));
        answer(p, ERN_SLICE("good day"));
        say(p, slice_from(large, sizeof large));
        answer(p, slice_from(large, sizeof large));
        pair_free(p);
    }
}

static void
input_may_be_split_anywhere(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct tls_peer_options o = {.host = "one.test", .priority = versions[i]};
        size_t len = 0;

        for (size_t split = 1; split <= (len ? len : 1); split += split < 8 ? 1 : 7) {
            struct pair *p = pair_new(tls, &o);

            assert_int_equal(tls_peer_shake(&p->client, p->session, split), -EAGAIN);
            assert_true(tls_is_ready(p->session));
            len = p->client.out_len;
            say(p, ERN_SLICE("hello"));
            pair_free(p);
        }
        assert_true(len > 200);
    }
}

static void
output_may_be_taken_in_parts(void **state)
{
    struct pair *p = pair_new(tls, &(struct tls_peer_options){.host = "one.test"});
    struct tls_peer *c = &p->client;
    struct ern_slice cipher;
    char plain[16], part[TLS_OUT_MIN];
    unsigned full = 0;
    ssize_t n;

    (void)state;
    tls_peer_step(c);
    cipher = slice_from(c->out, c->out_len);
    do {
        struct out out = out_init(part, sizeof part);

        n = tls_read(p->session, &cipher, plain, sizeof plain, &out);
        memcpy(c->in + c->in_len, part, out.len);
        c->in_len += out.len;
        full += n == -ENOBUFS;
    } while (n == -ENOBUFS);
    c->out_at = c->out_len;
    assert_int_equal(n, -EAGAIN);
    assert_true(full > 0);
    (void)tls_peer_shake(c, p->session, WHOLE);
    assert_int_equal(c->code, 0);
    say(p, ERN_SLICE("hello"));
    pair_free(p);
}

/* However small the records are that the client asks for (RFC 8449), tls_room() is enough. */
static void
small_records_have_room(void **state)
{
    static char large[50000];

    (void)state;
    memset(large, 'x', sizeof large);
    for (size_t i = 0; i < 2; i++) {
        struct pair *p = pair_new(tls, &(struct tls_peer_options){.priority = versions[i]});

        assert_int_equal(gnutls_record_set_max_recv_size(p->client.gnutls, 512), 0);
        (void)tls_peer_shake(&p->client, p->session, WHOLE);
        assert_true(tls_is_ready(p->session));
        answer(p, slice_from(large, sizeof large));
        assert_true(p->client.in_len > sizeof large + sizeof large / 512 * 20);
        pair_free(p);
    }
}

static void
without_room_nothing_is_written(void **state)
{
    struct pair *p = pair_ready(tls, &(struct tls_peer_options){.host = "one.test"});
    char memory[2 * TLS_OUT_MIN];
    struct out out = out_init(memory, tls_room(100) - 1);

    (void)state;
    assert_true(tls_room(100) <= sizeof memory);
    memset(memory, 'y', sizeof memory);
    assert_int_equal(tls_write(p->session, slice_from(memory, 100), &out), -ENOBUFS);
    assert_int_equal(out.len, 0);
    answer(p, ERN_SLICE("later"));
    pair_free(p);
}

/* The common name of the certificate that the server sent. */
static void
check_certificate(const struct pair *p, const char *expected, gnutls_pk_algorithm_t algorithm)
{
    unsigned n = 0;
    const gnutls_datum_t *chain = gnutls_certificate_get_peers(p->client.gnutls, &n);
    gnutls_x509_crt_t crt;
    char name[64];
    size_t len = sizeof name;

    assert_non_null(chain);
    assert_int_equal(gnutls_x509_crt_init(&crt), 0);
    assert_int_equal(gnutls_x509_crt_import(crt, &chain[0], GNUTLS_X509_FMT_DER), 0);
    assert_int_equal(
        gnutls_x509_crt_get_dn_by_oid(crt, GNUTLS_OID_X520_COMMON_NAME, 0, 0, name, &len), 0);
    assert_string_equal(name, expected);
    assert_int_equal(gnutls_x509_crt_get_pk_algorithm(crt, NULL), algorithm);
    gnutls_x509_crt_deinit(crt);
}

static void
the_name_chooses_the_certificate(void **state)
{
    static const struct {
        const char *host, *priority, *certificate;
        gnutls_pk_algorithm_t algorithm;
    } rows[] = {
        {"one.test", ONLY_13, "one", GNUTLS_PK_ECDSA},
        {"ONE.Test", ONLY_13, "one", GNUTLS_PK_ECDSA},
        {"one.test", ONLY_12, "one", GNUTLS_PK_ECDSA},
        {"one.test", ONLY_13 ":-SIGN-ALL:+SIGN-RSA-PSS-RSAE-SHA256", "one-rsa", GNUTLS_PK_RSA},
        {"one.test", ONLY_12 ":-SIGN-ALL:+SIGN-RSA-SHA256", "one-rsa", GNUTLS_PK_RSA},
        {"two.test", ONLY_13, "two", GNUTLS_PK_ECDSA},
        {"www.two.test", ONLY_12, "wild", GNUTLS_PK_ECDSA},
        {"www.two.test", ONLY_13, "wild", GNUTLS_PK_ECDSA},
        {"exact.two.test", ONLY_13, "two", GNUTLS_PK_ECDSA},
        {"a.b.two.test", ONLY_13, "one", GNUTLS_PK_ECDSA},
        {"elsewhere.test", ONLY_13, "one", GNUTLS_PK_ECDSA},
        {NULL, ONLY_12, "one", GNUTLS_PK_ECDSA},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct pair *p = pair_ready(
            tls, &(struct tls_peer_options){.host = rows[i].host, .priority = rows[i].priority});

        print_message("# row %zu\n", i);
        check_certificate(p, rows[i].certificate, rows[i].algorithm);
        pair_free(p);
    }
}

static void
the_protocol_is_agreed_on(void **state)
{
    static const struct {
        const char *offered;
        bool http2, h2;
        int result;
    } rows[] = {
        {"h2 http/1.1", true, true, -EAGAIN},      {"http/1.1 h2", true, true, -EAGAIN},
        {"http/1.1", true, false, -EAGAIN},        {NULL, true, false, -EAGAIN},
        {"h2 http/1.1", false, false, -EAGAIN},    {"h2", false, false, -EPROTONOSUPPORT},
        {"spdy/1", true, false, -EPROTONOSUPPORT},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct tls_options o = options();
        struct tls *with;
        struct pair *p;
        gnutls_datum_t chosen = {NULL, 0};

        o.http2 = rows[i].http2;
        with = open_tls(&o);
        p = pair_new(with, &(struct tls_peer_options){.alpn = rows[i].offered});
        print_message("# row %zu\n", i);
        assert_int_equal(tls_peer_shake(&p->client, p->session, WHOLE), rows[i].result);
        assert_int_equal(tls_is_ready(p->session), rows[i].result == -EAGAIN);
        assert_int_equal(tls_known(p->session).h2, rows[i].h2);
        if (rows[i].result == -EAGAIN && rows[i].offered) {
            assert_int_equal(gnutls_alpn_get_selected_protocol(p->client.gnutls, &chosen), 0);
            assert_int_equal(chosen.size, rows[i].h2 ? 2 : 8);
        } else if (rows[i].offered) {
            assert_int_equal(gnutls_alert_get(p->client.gnutls), GNUTLS_A_NO_APPLICATION_PROTOCOL);
        }
        pair_free(p);
        tls_close(with);
    }
}

/* Does a ticket of `from` with these options lead to a resumed session at `to` with those? */
static bool
resumes(const struct tls *from, struct tls_peer_options before, const struct tls *to,
        struct tls_peer_options after)
{
    gnutls_datum_t ticket = ticket_from(from, &before);
    struct pair *p;
    bool resumed;

    after.ticket = &ticket;
    p = pair_ready(to, &after);
    resumed = tls_known(p->session).resumed;
    assert_int_equal(gnutls_session_is_resumed(p->client.gnutls) != 0, resumed);
    say(p, ERN_SLICE("hello"));
    pair_free(p);
    gnutls_free(ticket.data);
    return resumed;
}

static void
a_session_resumes_at_its_host_alone(void **state)
{
    struct tls_options o = options();
    struct tls *again = open_tls(&o), *asks;

    (void)state;
    o.client = TLS_CLIENT_OPTIONAL;
    o.client_ca = authority.certificate;
    asks = open_tls(&o);
    for (size_t i = 0; i < 2; i++) {
        struct tls_peer_options one = {.host = "one.test", .priority = versions[i]};
        struct tls_peer_options two = {.host = "two.test", .priority = versions[i]};
        struct tls_peer_options none = {.priority = versions[i]};
        struct tls_peer_options h2 = {
            .host = "one.test", .priority = versions[i], .alpn = "h2 http/1.1"};
        struct tls_peer_options upper = {.host = "One.TEST", .priority = versions[i]};

        assert_true(resumes(tls, one, tls, one));
        assert_true(resumes(tls, one, again, one));
        assert_true(resumes(tls, none, tls, none));
        assert_true(resumes(tls, h2, tls, h2));
        assert_true(resumes(tls, one, tls, upper) || i == 0); /* 1.2: GnuTLS compares cases */
        assert_false(resumes(tls, one, tls, two));
        assert_false(resumes(tls, one, tls, none));
        assert_false(resumes(tls, none, tls, one));
        assert_false(resumes(tls, h2, tls, one));
        assert_false(resumes(tls, one, asks, one));
        assert_true(resumes(asks, one, asks, one));
    }
    tls_close(again);
    tls_close(asks);
}

static void
another_key_makes_tickets_void(void **state)
{
    static const unsigned char other_key[TLS_TICKET_KEY_BYTES] = {9};
    struct tls_options o = options();
    struct tls_peer_options one = {.host = "one.test"};
    struct tls *other;

    (void)state;
    o.ticket_key = other_key;
    other = open_tls(&o);
    assert_false(resumes(tls, one, other, one));
    tls_close(other);
}

/* The path of a file of a client; "strange" is the ann of another authority. */
static const char *
client_file(const char *name, const char *suffix)
{
    if (!name)
        return NULL;
    return slice_eq(slice_text(name), ERN_SLICE("strange"))
               ? authority_path(&strangers, "ann", suffix)
               : authority_path(&authority, name, suffix);
}

static void
client_certificates_are_asked_for(void **state)
{
    static const struct {
        enum tls_client client;
        const char *name; /* of the certificate that the client has */
        int result;
        bool known;
    } rows[] = {
        {TLS_CLIENT_NONE, "ann", -EAGAIN, false},
        {TLS_CLIENT_OPTIONAL, NULL, -EAGAIN, false},
        {TLS_CLIENT_OPTIONAL, "ann", -EAGAIN, true},
        {TLS_CLIENT_REQUIRED, "ann", -EAGAIN, true},
        {TLS_CLIENT_REQUIRED, NULL, -EACCES, false},
        {TLS_CLIENT_OPTIONAL, "late", -EACCES, false},
        {TLS_CLIENT_OPTIONAL, "one", -EACCES, false}, /* it is for a server */
        {TLS_CLIENT_REQUIRED, "strange", -EACCES, false},
    };

    (void)state;
    for (size_t i = 0; i < 2 * sizeof rows / sizeof *rows; i++) {
        const char *name = rows[i / 2].name;
        struct tls_options o = options();
        struct tls *with;
        struct pair *p;
        struct tls_known known;

        print_message("# row %zu\n", i);
        o.client = rows[i / 2].client;
        o.client_ca = o.client == TLS_CLIENT_NONE ? NULL : authority.certificate;
        with = open_tls(&o);
        p = pair_new(with, &(struct tls_peer_options){.priority = versions[i % 2],
                                                      .certificate = client_file(name, ".pem"),
                                                      .key = client_file(name, ".key")});
        assert_int_equal(tls_peer_shake(&p->client, p->session, WHOLE), rows[i / 2].result);
        known = tls_known(p->session);
        assert_int_equal(slice_is_there(known.subject), rows[i / 2].known);
        if (rows[i / 2].known) {
            assert_true(slice_eq(known.subject, ERN_SLICE("CN=ann")));
            assert_int_equal(known.fingerprint.len, TLS_FINGERPRINT_BYTES);
        }
        pair_free(p);
        tls_close(with);
    }
}

static void
a_resumed_client_is_known_again(void **state)
{
    struct tls_options o = options();
    struct tls *with;

    (void)state;
    o.client = TLS_CLIENT_REQUIRED;
    o.client_ca = authority.certificate;
    with = open_tls(&o);
    for (size_t i = 0; i < 2; i++) {
        struct tls_peer_options c = {.priority = versions[i],
                                     .certificate = authority_path(&authority, "ann", ".pem"),
                                     .key = authority_path(&authority, "ann", ".key")};
        gnutls_datum_t ticket = ticket_from(with, &c);
        struct pair *p;

        c.ticket = &ticket;
        p = pair_ready(with, &c);
        assert_true(tls_known(p->session).resumed);
        assert_true(slice_eq(tls_known(p->session).subject, ERN_SLICE("CN=ann")));
        pair_free(p);
        gnutls_free(ticket.data);
    }
    tls_close(with);
}

static void
the_staple_is_sent(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct pair *p = pair_ready(tls, &(struct tls_peer_options){.ca = authority.certificate,
                                                                    .host = "two.test",
                                                                    .priority = versions[i]});

        assert_true(gnutls_ocsp_status_request_is_checked(p->client.gnutls, 0) != 0);
        pair_free(p);
        p = pair_ready(tls, &(struct tls_peer_options){.ca = authority.certificate,
                                                       .host = "one.test",
                                                       .priority = versions[i]});
        assert_true(gnutls_ocsp_status_request_is_checked(p->client.gnutls, 0) == 0);
        pair_free(p);
    }
}

static void
a_changed_byte_ends_the_session(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct pair *p = pair_ready(tls, &(struct tls_peer_options){.priority = versions[i]});
        char memory[64];
        struct out plain = out_init(memory, sizeof memory);
        size_t before = p->client.in_len;

        assert_int_equal(gnutls_record_send(p->client.gnutls, "hello", 5), 5);
        p->client.out[p->client.out_len - 1] ^= 1;
        assert_int_equal(tls_peer_feed(&p->client, p->session, WHOLE, &plain), -EBADMSG);
        assert_int_equal(plain.len, 0);
        assert_true(p->client.in_len > before); /* an alert */
        assert_int_equal(tls_peer_feed(&p->client, p->session, WHOLE, &plain), -EBADMSG);
        assert_int_equal(tls_write(p->session, ERN_SLICE("x"), &plain), -EBADMSG);
        assert_true(slice_text(tls_why(p->session)).len > 0);
        pair_free(p);
    }
}

static void
plain_http_is_told_apart(void **state)
{
    static const char *const texts[] = {"GET / HTTP/1.1\r\n\r\n", "PRI * HTTP/2.0\r\n", "\r\n",
                                        "x"};

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct ern_slice cipher = slice_text(texts[i]);
        struct tls_session *session;
        char plain[16], memory[TLS_OUT_MIN];
        struct out out = out_init(memory, sizeof memory);

        assert_int_equal(tls_session_new(tls, &session), 0);
        assert_int_equal(tls_read(session, &cipher, plain, sizeof plain, &out), -EPROTO);
        assert_true(slice_eq(cipher, slice_text(texts[i])));
        assert_int_equal(out.len, 0);
        tls_session_free(session);
    }
}

static void
both_sides_say_goodbye(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct pair *p = pair_ready(tls, &(struct tls_peer_options){.priority = versions[i]});
        struct tls_peer *c = &p->client;
        char memory[64];
        struct out plain = out_init(memory, sizeof memory), out;
        ssize_t n;

        answer(p, ERN_SLICE("the last answer"));
        out = out_init(c->in + c->in_len, sizeof c->in - c->in_len);
        assert_int_equal(tls_bye(p->session, &out), 0);
        assert_true(out.len > 0);
        c->in_len += out.len;
        do
            n = gnutls_record_recv(c->gnutls, memory, sizeof memory);
        while (n == GNUTLS_E_AGAIN && c->in_at < c->in_len);
        assert_int_equal(n, 0);
        assert_int_equal(gnutls_bye(c->gnutls, GNUTLS_SHUT_WR), 0);
        assert_int_equal(tls_peer_feed(c, p->session, WHOLE, &plain), 0);
        pair_free(p);
    }
}

static void
what_is_old_or_weak_is_refused(void **state)
{
    static const char *const priorities[] = {
        "NORMAL:-VERS-ALL:+VERS-TLS1.1", "NORMAL:-VERS-ALL:+VERS-TLS1.0",
        ONLY_12 ":-KX-ALL:+RSA",         ONLY_12 ":-CIPHER-ALL:+AES-128-CBC",
        ONLY_12 ":-KX-ALL:+DHE-RSA",
    };

    (void)state;
    for (size_t i = 0; i < sizeof priorities / sizeof *priorities; i++) {
        struct pair *p = pair_new(tls, &(struct tls_peer_options){.priority = priorities[i]});

        print_message("# %s\n", priorities[i]);
        assert_int_equal(tls_peer_shake(&p->client, p->session, WHOLE), -EPROTONOSUPPORT);
        assert_int_equal(p->client.code, GNUTLS_E_FATAL_ALERT_RECEIVED);
        pair_free(p);
    }
}

static void
nothing_is_negotiated_anew(void **state)
{
    struct pair *p = pair_ready(tls, &(struct tls_peer_options){.priority = ONLY_12});

    (void)state;
    p->client.code = GNUTLS_E_AGAIN;
    assert_int_equal(tls_peer_shake(&p->client, p->session, WHOLE), -EBADMSG);
    assert_int_equal(gnutls_alert_get(p->client.gnutls), GNUTLS_A_NO_RENEGOTIATION);
    pair_free(p);
}

static void
a_handshake_has_its_limit(void **state)
{
    /* A ClientHello of 65535 bytes in records with 4 of them; alerts amid it. */
    static const char hello[] = "\x16\x03\x03\x00\x04\x01\x00\xff\xff",
                      alert[] = "\x15\x03\x03\x00\x02\x01\x5a";
    static const struct ern_slice floods[] = {{hello, 9}, {alert, 7}};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct tls_options o = options();
        struct tls *with;
        char plain[16], memory[4 * TLS_OUT_MIN];
        struct tls_session *session;
        struct ern_slice cipher = floods[0];
        struct out out = out_init(memory, sizeof memory);
        ssize_t n;
        size_t fed = 0;

        o.handshake_max = 20000;
        o.early_data_max = 1024;
        with = open_tls(&o);
        assert_int_equal(tls_session_new(with, &session), 0);
        n = tls_read(session, &cipher, plain, sizeof plain, &out);
        while (n == -EAGAIN && fed < 100000) {
            cipher = floods[i];
            fed += cipher.len;
            n = tls_read(session, &cipher, plain, sizeof plain, &out);
        }
        print_message("# %zu bytes: %s\n", fed, tls_why(session));
        assert_int_equal(n, i == 0 ? -EMSGSIZE : -ECONNABORTED);
        assert_true(fed < 25000);
        assert_int_equal(out.len > 0, i == 0); /* an alert is not answered with one */
        assert_true(out.len < TLS_OUT_MIN);
        tls_session_free(session);
        tls_close(with);
    }
}

static void
bad_files_are_told(void **state)
{
    struct tls_certificate bad[] = {
        {authority_path(&authority, "nothing", ".pem"), NULL, NULL},
        {sites[0].certificate, sites[1].key, NULL},
        {sites[0].key, sites[0].key, NULL},
        {sites[0].certificate, NULL, NULL},
        {sites[0].certificate, sites[0].key, sites[0].key},
    };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct tls_options o = options();
        struct tls *opened = NULL;
        const char *why = NULL;

        o.certificates = &bad[i];
        o.certificates_n = 1;
        assert_true(tls_open(&o, &opened, &why) < 0);
        assert_null(opened);
        assert_non_null(why);
        print_message("# %s\n", why);
    }
}

static int
setup(void **state)
{
    static const struct issue issues[] = {
        {"one", "one.test", false, false, 0},
        {"one-rsa", "one.test", true, false, 0},
        {"two", "two.test exact.two.test", false, false, 0},
        {"wild", "*.two.test", false, false, 0},
        {"ann", NULL, false, true, 0},
        {"late", NULL, false, true, -60},
    };
    struct tls_options o;

    (void)state;
    authority_open(&authority);
    for (size_t i = 0; i < sizeof issues / sizeof *issues; i++)
        authority_issue(&authority, &issues[i]);
    authority_staple(&authority, "two");
    for (size_t i = 0; i < 4; i++)
        sites[i] = (struct tls_certificate){
            authority_path(&authority, issues[i].name, ".pem"),
            authority_path(&authority, issues[i].name, ".key"),
            i == 2 ? authority_path(&authority, "two", ".ocsp") : NULL,
        };
    for (size_t i = 0; i < 4; i++) { /* those paths are kept only for a while */
        sites[i].certificate = strdup(sites[i].certificate);
        sites[i].key = strdup(sites[i].key);
        sites[i].ocsp = sites[i].ocsp ? strdup(sites[i].ocsp) : NULL;
    }
    authority_open(&strangers);
    authority_issue(&strangers, &(struct issue){"ann", NULL, false, true, 0});
    o = options();
    tls = open_tls(&o);
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    for (size_t i = 0; i < 4; i++) {
        free((void *)(uintptr_t)sites[i].certificate);
        free((void *)(uintptr_t)sites[i].key);
        free((void *)(uintptr_t)sites[i].ocsp);
    }
    tls_close(tls);
    authority_close(&authority);
    authority_close(&strangers);
    return 0;
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(speaks_both_versions),
        cmocka_unit_test(input_may_be_split_anywhere),
        cmocka_unit_test(output_may_be_taken_in_parts),
        cmocka_unit_test(small_records_have_room),
        cmocka_unit_test(without_room_nothing_is_written),
        cmocka_unit_test(the_name_chooses_the_certificate),
        cmocka_unit_test(the_protocol_is_agreed_on),
        cmocka_unit_test(a_session_resumes_at_its_host_alone),
        cmocka_unit_test(another_key_makes_tickets_void),
        cmocka_unit_test(client_certificates_are_asked_for),
        cmocka_unit_test(a_resumed_client_is_known_again),
        cmocka_unit_test(the_staple_is_sent),
        cmocka_unit_test(a_changed_byte_ends_the_session),
        cmocka_unit_test(plain_http_is_told_apart),
        cmocka_unit_test(both_sides_say_goodbye),
        cmocka_unit_test(what_is_old_or_weak_is_refused),
        cmocka_unit_test(nothing_is_negotiated_anew),
        cmocka_unit_test(a_handshake_has_its_limit),
        cmocka_unit_test(bad_files_are_told),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
