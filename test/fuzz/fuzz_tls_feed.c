/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_tls_feed.c - a stranger's bytes in a session, in pieces of the size that the first byte
 * says. No plaintext comes of them; what was consumed stays consumed; what ended stays ended in the
 * same way; and no more is said than what a handshake needs.
 */
#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

#include "io/tls.h"
#include "lib/authority.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct authority authority;
static struct tls *tls;

static void
remove_authority(void)
{
    tls_close(tls);
    authority_close(&authority);
}

static void
open_once(void)
{
    static const unsigned char ticket_key[TLS_TICKET_KEY_BYTES] = {1};
    struct tls_certificate site;
    struct tls_replay *replay;
    const char *why;

    authority_open(&authority);
    authority_issue(&authority, &(struct issue){"one", "one.test", false, false, 0});
    site = (struct tls_certificate){authority_path(&authority, "one", ".pem"),
                                    authority_path(&authority, "one", ".key"), NULL};
    if (tls_replay_open(&replay) < 0 ||
        tls_open(&(struct tls_options){.certificates = &site,
                                       .certificates_n = 1,
                                       .client = TLS_CLIENT_OPTIONAL,
                                       .client_ca = authority.certificate,
                                       .ticket_key = ticket_key,
                                       .http2 = true,
                                       .early_data = true,
                                       .early_data_max = 16384,
                                       .early_window_s = 60,
                                       .handshake_max = 65536,
                                       .replay = replay},
                 &tls, &why) < 0)
        abort();
    (void)atexit(remove_authority);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char memory[1 << 16], plain[1 << 15];
    struct tls_session *session;
    struct ern_slice rest = slice_from((const char *)data, size);
    struct out out = out_init(memory, sizeof memory);
    size_t piece = 1;
    ssize_t n = -EAGAIN;

    if (!tls)
        open_once();
    if (size > 0) {
        piece = data[0] ? data[0] : size;
        rest = slice_skip(rest, 1);
    }
    if (tls_session_new(tls, &session) < 0)
        abort();
    while (n == -EAGAIN && rest.len) {
        struct ern_slice cipher = slice_first(rest, piece < rest.len ? piece : rest.len);
        size_t fed = cipher.len;

        n = tls_read(session, &cipher, plain, sizeof plain, &out);
        assert(n != -EAGAIN || cipher.len == 0);
        assert(n != -EPROTO || cipher.len == fed);
        rest = slice_skip(rest, fed - cipher.len);
    }
    assert(n < 0); /* nobody guesses a key */
    assert(!tls_is_ready(session));
    assert(!out.full);
    if (n != -EAGAIN)
        assert(tls_read(session, &rest, plain, sizeof plain, &out) == n);
    tls_session_free(session);
    return 0;
}
