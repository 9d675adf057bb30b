/* SPDX-License-Identifier: Apache-2.0 */
#include "io/tls_dev.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include <gnutls/x509.h>

#include "lib/authority.h"
#include "lib/tls_peer.h"

static char root[] = "/tmp/earnest-dev-XXXXXX";
static char folder[64];

static struct tls_dev
make(const char *host)
{
    struct tls_dev dev;
    const char *why = NULL;

    if (tls_dev_make(folder, slice_text(host), &dev, &why) < 0)
        fail_msg("%s", why);
    return dev;
}

static gnutls_datum_t
load(const char *path)
{
    gnutls_datum_t text;

    assert_int_equal(gnutls_load_file(path, &text), 0);
    return text;
}

/* Does a client that trusts the authority shake hands with it as this host? */
static bool
is_trusted(const struct tls_dev *dev, const char *host)
{
    static const unsigned char ticket_key[TLS_TICKET_KEY_BYTES] = {1};
    struct tls_certificate site = {dev->certificate, dev->key, NULL};
    struct tls_peer *peer = calloc(1, sizeof *peer);
    struct tls_session *session;
    struct tls *tls;
    const char *why;
    bool trusted;

    assert_non_null(peer);
    assert_int_equal(tls_open(&(struct tls_options){.certificates = &site,
                                                    .certificates_n = 1,
                                                    .ticket_key = ticket_key,
                                                    .early_data_max = 1024,
                                                    .handshake_max = 65536},
                              &tls, &why),
                     0);
    assert_int_equal(tls_session_new(tls, &session), 0);
    tls_peer_init(peer, &(struct tls_peer_options){.ca = dev->authority, .host = host});
    (void)tls_peer_shake(peer, session, 1 << 20);
    trusted = peer->code == 0 && tls_is_ready(session);
    tls_session_free(session);
    tls_peer_free(peer);
    tls_close(tls);
    free(peer);
    return trusted;
}

static bool
is_same_file(const char *path, const gnutls_datum_t *before)
{
    gnutls_datum_t now = load(path);
    bool same = now.size == before->size && memcmp(now.data, before->data, now.size) == 0;

    gnutls_free(now.data);
    return same;
}

static void
it_is_for_this_machine_alone(void **state)
{
    struct tls_dev dev = make("Desk.example");
    struct stat status;

    (void)state;
    assert_true(is_trusted(&dev, "localhost"));
    assert_true(is_trusted(&dev, "desk.example"));
    assert_true(is_trusted(&dev, "127.0.0.1"));
    assert_true(is_trusted(&dev, "::1"));
    assert_false(is_trusted(&dev, "example.org"));
    assert_int_equal(stat(dev.key, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
    assert_int_equal(stat(folder, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0700);
}

static void
it_is_made_once(void **state)
{
    struct tls_dev dev = make("desk.example");
    gnutls_datum_t authority = load(dev.authority), certificate = load(dev.certificate);

    (void)state;
    dev = make("desk.example");
    assert_true(is_same_file(dev.authority, &authority));
    assert_true(is_same_file(dev.certificate, &certificate));
    /* Under another name the machine keeps its authority, which may not speak for that name. */
    dev = make("laptop.example");
    assert_true(is_same_file(dev.authority, &authority));
    assert_true(is_same_file(dev.certificate, &certificate));
    assert_true(is_trusted(&dev, "localhost"));
    assert_false(is_trusted(&dev, "laptop.example"));
    /* What is lost is made anew, and trusted as before. */
    assert_int_equal(unlink(dev.key), 0);
    dev = make("desk.example");
    assert_true(is_same_file(dev.authority, &authority));
    assert_false(is_same_file(dev.certificate, &certificate));
    assert_true(is_trusted(&dev, "desk.example"));
    gnutls_free(authority.data);
    gnutls_free(certificate.data);
}

/* Somebody who has the key of the authority issues a certificate for another's name. */
static void
its_authority_can_not_speak_for_others(void **state)
{
    struct tls_dev dev = make("desk.example"), forged = dev;
    struct authority thief;
    char command[4 * TLS_DEV_PATH_BYTES];

    (void)state;
    authority_open(&thief);
    authority_issue(&thief, &(struct issue){"x", "example.org", false, false, 0});
    (void)snprintf(command, sizeof command,
                   "cd %s && openssl req -new -key x.key -subj /CN=x -out x.csr 2>/dev/null &&"
                   " echo subjectAltName=DNS:example.org >x.ext &&"
                   " openssl x509 -req -in x.csr -CA %s -CAkey %s/authority.key -days 1"
                   " -CAcreateserial -CAserial x.serial -extfile x.ext -out x.pem 2>/dev/null",
                   thief.folder, dev.authority, folder);
    assert_int_equal(system(command), 0);
    (void)snprintf(forged.certificate, sizeof forged.certificate, "%s/x.pem", thief.folder);
    (void)snprintf(forged.key, sizeof forged.key, "%s/x.key", thief.folder);
    assert_false(is_trusted(&forged, "example.org"));
    authority_close(&thief);
}

static void
odd_host_names_are_left_out(void **state)
{
    static const char *const names[] = {"", "a b", "127.0.0.1", "x/y", "1"};

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct tls_dev dev = make(names[i]);

        assert_true(is_trusted(&dev, "localhost"));
    }
}

static void
where_nothing_can_be_written_it_fails(void **state)
{
    struct tls_dev dev;
    const char *why = NULL;

    (void)state;
    assert_true(tls_dev_make("/proc/earnest/dev", ERN_SLICE("x"), &dev, &why) < 0);
    assert_non_null(why);
}

static int
setup(void **state)
{
    (void)state;
    if (!mkdtemp(root))
        return -1;
    return snprintf(folder, sizeof folder, "%s/config/dev", root) > 0 ? 0 : -1;
}

static int
teardown(void **state)
{
    static const char *const names[] = {"dev/authority.pem", "dev/authority.key",
                                        "dev/localhost.pem", "dev/localhost.key"};
    char path[128];

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        (void)snprintf(path, sizeof path, "%s/config/%s", root, names[i]);
        (void)unlink(path);
    }
    (void)rmdir(folder);
    (void)snprintf(path, sizeof path, "%s/config", root);
    (void)rmdir(path);
    return rmdir(root);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_for_this_machine_alone),
        cmocka_unit_test(it_is_made_once),
        cmocka_unit_test(its_authority_can_not_speak_for_others),
        cmocka_unit_test(odd_host_names_are_left_out),
        cmocka_unit_test(where_nothing_can_be_written_it_fails),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
