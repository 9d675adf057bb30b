/* SPDX-License-Identifier: Apache-2.0 */
/* tls_look.c - what is wrong with the files of a certificate, one after the other, for people. */
#include <gnutls/ocsp.h>
#include <gnutls/x509.h>

#include "io/tls_parts.h"

/* Reads when the certificate is good. */
static enum tls_fault
look_at_certificate(const gnutls_datum_t *text, int64_t *ret_from_s, int64_t *ret_until_s)
{
    gnutls_x509_crt_t *chain = NULL;
    unsigned n = 0;

    if (gnutls_x509_crt_list_import2(&chain, &n, text, GNUTLS_X509_FMT_PEM, 0) < 0)
        return TLS_FAULT_CERTIFICATE;
    *ret_from_s = gnutls_x509_crt_get_activation_time(chain[0]);
    *ret_until_s = gnutls_x509_crt_get_expiration_time(chain[0]);
    for (unsigned i = 0; i < n; i++)
        gnutls_x509_crt_deinit(chain[i]);
    gnutls_free(chain);
    return TLS_FAULT_NONE;
}

/* Do the files belong together? Here a response that is too old counts, too. */
static enum tls_fault
look_at_rest(const gnutls_datum_t *certificate, const gnutls_datum_t *key,
             const gnutls_datum_t *ocsp)
{
    gnutls_certificate_credentials_t credentials;
    enum tls_fault fault = TLS_FAULT_NONE;
    int code;

    if (gnutls_certificate_allocate_credentials(&credentials) < 0)
        return TLS_FAULT_NONE; /* there is no memory; tls_open() will say so */
    code = gnutls_certificate_set_x509_key_mem2(credentials, certificate, key, GNUTLS_X509_FMT_PEM,
                                                NULL, 0);
    if (code == GNUTLS_E_CERTIFICATE_KEY_MISMATCH)
        fault = TLS_FAULT_KEY_OTHER;
    else if (code < 0)
        fault = TLS_FAULT_KEY;
    else if (ocsp->size > 0) {
        code = tls_staple(credentials, (unsigned)code, ocsp);
        fault = code == GNUTLS_E_EXPIRED ? TLS_FAULT_OCSP_OLD
                : code < 0               ? TLS_FAULT_OCSP
                                         : TLS_FAULT_NONE;
    }
    gnutls_certificate_free_credentials(credentials);
    return fault;
}

enum tls_fault
tls_certificate_look(const struct tls_certificate *paths, int64_t *ret_from_s, int64_t *ret_until_s)
{
    gnutls_datum_t certificate = {NULL, 0}, key = {NULL, 0}, ocsp = {NULL, 0};
    enum tls_fault fault = TLS_FAULT_NONE;

    *ret_from_s = 0;
    *ret_until_s = INT64_MAX;
    if (!tls_ready())
        return TLS_FAULT_NONE; /* tls_open() will say so */
    if (gnutls_load_file(paths->certificate, &certificate) < 0)
        fault = TLS_FAULT_CERTIFICATE_FILE;
    else
        fault = look_at_certificate(&certificate, ret_from_s, ret_until_s);
    if (!fault && gnutls_load_file(paths->key ? paths->key : paths->certificate, &key) < 0)
        fault = TLS_FAULT_KEY_FILE;
    if (!fault && paths->ocsp && gnutls_load_file(paths->ocsp, &ocsp) < 0)
        fault = TLS_FAULT_OCSP_FILE;
    if (!fault)
        fault = look_at_rest(&certificate, &key, &ocsp);
    tls_forget(&certificate);
    tls_forget(&key);
    tls_forget(&ocsp);
    return fault;
}
