/* SPDX-License-Identifier: Apache-2.0 */
/* tls.c - what one listener speaks TLS with. */
#include "io/tls.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#ifdef __aarch64__
#include <sys/auxv.h>
#endif

#include <gnutls/crypto.h>

#include "io/tls_parts.h"

/*
 * TLS 1.2 and 1.3, only with AEAD ciphers, and with keys that are forgotten. Of the ciphers the one
 * that costs this machine least comes first.
 */
#define PRIORITY(ciphers)                                                                          \
    "NONE:+VERS-TLS1.3:+VERS-TLS1.2:" ciphers ":+AEAD:+ECDHE-ECDSA:+ECDHE-RSA:"                    \
    "+GROUP-X25519:+GROUP-SECP256R1:+GROUP-SECP384R1:+SIGN-EDDSA-ED25519:"                         \
    "+SIGN-ECDSA-SHA256:+SIGN-ECDSA-SECP256R1-SHA256:+SIGN-ECDSA-SHA384:"                          \
    "+SIGN-ECDSA-SECP384R1-SHA384:+SIGN-RSA-PSS-RSAE-SHA256:+SIGN-RSA-PSS-RSAE-SHA384:"            \
    "+SIGN-RSA-SHA256:+SIGN-RSA-SHA384:+COMP-NULL:+CTYPE-X509:%SERVER_PRECEDENCE"

static const char with_aes[] = PRIORITY("+AES-128-GCM:+AES-256-GCM:+CHACHA20-POLY1305");
static const char without_aes[] = PRIORITY("+CHACHA20-POLY1305:+AES-128-GCM:+AES-256-GCM");

bool
tls_ready(void)
{
    return gnutls_global_init() == 0;
}

static bool
has_aes(void)
{
#if defined __x86_64__ || defined __i386__
    return __builtin_cpu_supports("aes") && __builtin_cpu_supports("pclmul");
#elif defined __aarch64__
    enum { HAS_AES = 1 << 3, HAS_PMULL = 1 << 4 };

    return (getauxval(AT_HWCAP) & (HAS_AES | HAS_PMULL)) == (HAS_AES | HAS_PMULL);
#else
    return false;
#endif
}

/*
 * The key of this listener's tickets: HMAC under that of all. What a client had to prove goes into
 * it, so that no ticket comes from a listener that asked for less.
 */
static int
derive_ticket_key(struct tls *tls, const struct tls_options *options)
{
    gnutls_datum_t ca = {NULL, 0};
    gnutls_hmac_hd_t hmac;
    unsigned char client = (unsigned char)options->client;
    int code;

    if (options->client_ca && gnutls_load_file(options->client_ca, &ca) < 0)
        return -EIO;
    code = gnutls_hmac_init(&hmac, GNUTLS_MAC_SHA512, options->ticket_key, TLS_TICKET_KEY_BYTES);
    if (code == 0) {
        code = gnutls_hmac(hmac, &client, 1);
        if (code == 0 && ca.size > 0)
            code = gnutls_hmac(hmac, ca.data, ca.size);
        gnutls_hmac_deinit(hmac, tls->ticket_key);
    }
    gnutls_free(ca.data);
    return code < 0 ? -EIO : 0;
}

int
tls_open(const struct tls_options *options, struct tls **ret_tls, const char **ret_why)
{
    struct tls *tls = calloc(1, sizeof *tls);
    int result;

    static_assert(sizeof tls->ticket_key == 64, "that of HMAC with SHA-512");
    assert(options->client == TLS_CLIENT_NONE || options->client_ca);
    assert(!options->early_data || options->replay);
    assert(options->early_data_max > 0);
    *ret_why = "there is not enough memory";
    if (!tls || !tls_ready()) {
        free(tls);
        return -ENOMEM;
    }
    tls->client = options->client;
    tls->http2 = options->http2;
    tls->early_data_max = options->early_data_max;
    tls->handshake_max = options->handshake_max;
    result = gnutls_priority_init(&tls->priority, has_aes() ? with_aes : without_aes, NULL) < 0
                 ? -EINVAL
                 : tls_hosts_new(options, &tls->hosts, ret_why);
    if (result == 0)
        result = derive_ticket_key(tls, options);
    if (result == 0 && options->early_data)
        result = tls_replay_window_new(options->replay, options->early_window_s, &tls->window);
    if (result < 0)
        tls_close(tls);
    else
        *ret_tls = tls;
    return result;
}

void
tls_close(struct tls *tls)
{
    if (!tls)
        return;
    if (tls->priority)
        gnutls_priority_deinit(tls->priority);
    tls_hosts_free(tls->hosts);
    tls_replay_window_free(tls->window);
    gnutls_memset(tls->ticket_key, 0, sizeof tls->ticket_key);
    free(tls);
}
