/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tls_hosts.c - which certificates are for which host.
 *
 * Certificates that name the same host stand together in one set, so that GnuTLS chooses among them
 * by what the client can verify (ECDSA or RSA). A name of a certificate is a host, or a wildcard
 * for the leftmost label (RFC 9525 6.3); the host itself goes before a wildcard.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include <gnutls/ocsp.h>
#include <gnutls/x509.h>

#include "io/tls_parts.h"

struct files { /* of one certificate */
    gnutls_datum_t certificate, key, ocsp;
};

struct name {   /* that a certificate has */
    char *text; /* in lower case */
    struct ern_slice host;
    size_t certificate; /* which */
    size_t set;
};

struct set {
    gnutls_certificate_credentials_t credentials;
    const struct name *names; /* its certificates are those of these n names */
    size_t n;
};

struct tls_hosts {
    struct files *files;
    size_t files_n;
    gnutls_datum_t client_ca;
    struct name *names; /* sorted by host, and each host once when all is made */
    size_t names_n, names_cap;
    struct set *sets;
    size_t sets_n;
    size_t standard; /* the set for hosts that none covers */
};

static int
refuse(int error, const char *why, const char **ret_why)
{
    *ret_why = why;
    return error;
}

static int
load(const char *path, gnutls_datum_t *ret, const char *why, const char **ret_why)
{
    return gnutls_load_file(path, ret) < 0 ? refuse(-ENOENT, why, ret_why) : 0;
}

static int
add_name(struct tls_hosts *h, struct ern_slice host, size_t certificate)
{
    struct name *name;
    char *text;

    if (h->names_n == h->names_cap) {
        size_t cap = h->names_cap ? 2 * h->names_cap : 16;
        struct name *more = reallocarray(h->names, cap, sizeof *more);

        if (!more)
            return -ENOMEM;
        h->names = more;
        h->names_cap = cap;
    }
    text = malloc(host.len + 1);
    if (!text)
        return -ENOMEM;
    for (size_t i = 0; i < host.len; i++)
        text[i] = lower(host.ptr[i]);
    name = &h->names[h->names_n++];
    *name = (struct name){text, slice_from(text, host.len), certificate, 0};
    return 0;
}

/* Adds the DNS names of the first certificate in the file: those of the subjectAltName, for
 * the common name is no longer looked at (RFC 9525). */
static int
add_names(struct tls_hosts *h, size_t certificate)
{
    gnutls_x509_crt_t *chain = NULL;
    unsigned n = 0;
    int result = 0;

    if (gnutls_x509_crt_list_import2(&chain, &n, &h->files[certificate].certificate,
                                     GNUTLS_X509_FMT_PEM, 0) < 0)
        return -EINVAL;
    for (unsigned i = 0; n > 0 && result == 0; i++) {
        char text[TLS_HOST_MAX + 1];
        size_t len = sizeof text;
        int type = gnutls_x509_crt_get_subject_alt_name(chain[0], i, text, &len, NULL);

        if (type == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
            break;
        if (type == GNUTLS_SAN_DNSNAME)
            result = add_name(h, slice_from(text, len), certificate);
    }
    for (unsigned i = 0; i < n; i++)
        gnutls_x509_crt_deinit(chain[i]);
    gnutls_free(chain);
    return result;
}

static int
load_certificate(struct tls_hosts *h, const struct tls_certificate *paths, const char **ret_why)
{
    struct files *files = &h->files[h->files_n++];
    int result = load(paths->certificate, &files->certificate,
                      "the file of a certificate can not be read", ret_why);

    if (result == 0)
        result = load(paths->key ? paths->key : paths->certificate, &files->key,
                      "the file of a key can not be read", ret_why);
    if (result == 0 && paths->ocsp)
        result = load(paths->ocsp, &files->ocsp, "the file of an OCSP response can not be read",
                      ret_why);
    if (result == 0 && add_names(h, h->files_n - 1) < 0)
        result = refuse(-EINVAL, "the file of a certificate holds none", ret_why);
    return result;
}

static int
compare_hosts(struct ern_slice a, struct ern_slice b)
{
    size_t n = a.len < b.len ? a.len : b.len;
    int order = n ? memcmp(a.ptr, b.ptr, n) : 0;

    return order ? order : (a.len > b.len) - (a.len < b.len);
}

static int
compare_names(const void *left, const void *right)
{
    const struct name *a = left, *b = right;
    int order = compare_hosts(a->host, b->host);

    return order ? order : (a->certificate > b->certificate) - (a->certificate < b->certificate);
}

int
tls_staple(gnutls_certificate_credentials_t credentials, unsigned i, const gnutls_datum_t *ocsp)
{
    int code =
        gnutls_certificate_set_ocsp_status_request_mem(credentials, ocsp, i, GNUTLS_X509_FMT_DER);

    if (code < 0 && code != GNUTLS_E_EXPIRED)
        code = gnutls_certificate_set_ocsp_status_request_mem(credentials, ocsp, i,
                                                              GNUTLS_X509_FMT_PEM);
    return code;
}

/* Adds a certificate to credentials. An OCSP response that is too old is left out, as clients would
 * not take it either. */
static int
fill(gnutls_certificate_credentials_t credentials, const struct files *files, const char **ret_why)
{
    int i = gnutls_certificate_set_x509_key_mem2(credentials, &files->certificate, &files->key,
                                                 GNUTLS_X509_FMT_PEM, NULL, 0);
    int code = 0;

    if (i < 0)
        return refuse(-EINVAL,
                      i == GNUTLS_E_CERTIFICATE_KEY_MISMATCH
                          ? "a certificate and its key do not belong together"
                          : "the file of a key holds none, or one that can not be used",
                      ret_why);
    if (files->ocsp.size == 0)
        return 0;
    code = tls_staple(credentials, (unsigned)i, &files->ocsp);
    if (code >= 0 || code == GNUTLS_E_EXPIRED)
        return 0;
    return refuse(-EINVAL, "an OCSP response does not belong to its certificate", ret_why);
}

static bool
is_same_set(const struct set *set, const struct name *names, size_t n)
{
    bool same = set->n == n;

    for (size_t i = 0; same && i < n; i++)
        same = set->names[i].certificate == names[i].certificate;
    return same;
}

/* The set of the certificates of n names, made if it is not there. */
static int
set_of(struct tls_hosts *h, const struct name *names, size_t n, size_t *ret_set,
       const char **ret_why)
{
    struct set *set;
    int result = 0;

    for (size_t i = 0; i < h->sets_n; i++)
        if (is_same_set(&h->sets[i], names, n)) {
            *ret_set = i;
            return 0;
        }
    set = &h->sets[h->sets_n];
    if (gnutls_certificate_allocate_credentials(&set->credentials) < 0)
        return refuse(-ENOMEM, "there is not enough memory", ret_why);
    *ret_set = h->sets_n++;
    set->names = names;
    set->n = n;
    for (size_t i = 0; i < n && result == 0; i++)
        if (i == 0 || names[i].certificate != names[i - 1].certificate)
            result = fill(set->credentials, &h->files[names[i].certificate], ret_why);
    if (result == 0 && h->client_ca.size > 0 &&
        gnutls_certificate_set_x509_trust_mem(set->credentials, &h->client_ca,
                                              GNUTLS_X509_FMT_PEM) <= 0)
        result = refuse(-EINVAL, "the file of the client authority holds no certificate", ret_why);
    return result;
}

/* How many names from the front are for the same host. */
static size_t
run_of(const struct name *names, size_t n)
{
    size_t i = 1;

    while (i < n && slice_eq(names[i].host, names[0].host))
        i++;
    return i;
}

/* Makes the sets, and keeps which is for which host. */
static int
make_sets(struct tls_hosts *h, const char **ret_why)
{
    static const struct name first = {NULL, {NULL, 0}, 0, 0};
    int result = 0;

    qsort(h->names, h->names_n, sizeof *h->names, compare_names);
    h->sets = calloc(h->names_n + 1, sizeof *h->sets);
    if (!h->sets)
        return refuse(-ENOMEM, "there is not enough memory", ret_why);
    for (size_t i = 0, n; i < h->names_n && result == 0; i += n) {
        size_t set;

        n = run_of(h->names + i, h->names_n - i);
        result = set_of(h, h->names + i, n, &set, ret_why);
        for (size_t j = i; result == 0 && j < i + n; j++)
            h->names[j].set = set;
    }
    for (size_t i = 0; i < h->names_n && result == 0; i++)
        if (h->names[i].certificate == 0) {
            h->standard = h->names[i].set;
            return 0;
        }
    return result ? result : set_of(h, &first, 1, &h->standard, ret_why);
}

void
tls_forget(gnutls_datum_t *datum)
{
    if (datum->data)
        gnutls_memset(datum->data, 0, datum->size);
    gnutls_free(datum->data);
    *datum = (gnutls_datum_t){NULL, 0};
}

/* The keys are in the credentials now. */
static void
forget_files(struct tls_hosts *h)
{
    for (size_t i = 0; i < h->files_n; i++) {
        tls_forget(&h->files[i].certificate);
        tls_forget(&h->files[i].key);
        tls_forget(&h->files[i].ocsp);
    }
    free(h->files);
    h->files = NULL;
    h->files_n = 0;
    tls_forget(&h->client_ca);
}

int
tls_hosts_new(const struct tls_options *options, struct tls_hosts **ret_hosts, const char **ret_why)
{
    struct tls_hosts *h = calloc(1, sizeof *h);
    int result = 0;

    assert(options->certificates_n > 0);
    if (!h)
        return refuse(-ENOMEM, "there is not enough memory", ret_why);
    h->files = calloc(options->certificates_n, sizeof *h->files);
    if (!h->files)
        result = refuse(-ENOMEM, "there is not enough memory", ret_why);
    if (result == 0 && options->client_ca)
        result = load(options->client_ca, &h->client_ca,
                      "the file of the client authority can not be read", ret_why);
    for (size_t i = 0; i < options->certificates_n && result == 0; i++)
        result = load_certificate(h, &options->certificates[i], ret_why);
    if (result == 0)
        result = make_sets(h, ret_why);
    forget_files(h);
    if (result < 0)
        tls_hosts_free(h);
    else
        *ret_hosts = h;
    return result;
}

void
tls_hosts_free(struct tls_hosts *h)
{
    if (!h)
        return;
    for (size_t i = 0; i < h->sets_n; i++)
        gnutls_certificate_free_credentials(h->sets[i].credentials);
    for (size_t i = 0; i < h->names_n; i++)
        free(h->names[i].text);
    free(h->sets);
    free(h->names);
    free(h);
}

static int
compare_host(const void *host, const void *name)
{
    return compare_hosts(*(const struct ern_slice *)host, ((const struct name *)name)->host);
}

/* The name that covers the host, or NULL. */
static const struct name *
find(const struct tls_hosts *h, struct ern_slice host)
{
    size_t label = slice_find(host, '.');
    char text[1 + TLS_HOST_MAX];
    struct out o = out_init(text, sizeof text);
    const struct name *name = NULL;
    struct ern_slice wildcard;

    if (host.len && h->names_n)
        name = bsearch(&host, h->names, h->names_n, sizeof *h->names, compare_host);
    if (name || !h->names_n || label == 0 || label == host.len)
        return name;
    out_char(&o, '*');
    out_slice(&o, slice_skip(host, label));
    wildcard = out_done(&o);
    return bsearch(&wildcard, h->names, h->names_n, sizeof *h->names, compare_host);
}

gnutls_certificate_credentials_t
tls_hosts_find(const struct tls_hosts *h, struct ern_slice host)
{
    const struct name *name = find(h, host);

    return h->sets[name ? name->set : h->standard].credentials;
}

bool
tls_covers(const struct tls *tls, struct ern_slice host)
{
    char text[TLS_HOST_MAX];

    if (host.len > sizeof text)
        return false;
    for (size_t i = 0; i < host.len; i++)
        text[i] = lower(host.ptr[i]);
    return find(tls->hosts, slice_from(text, host.len)) != NULL;
}
