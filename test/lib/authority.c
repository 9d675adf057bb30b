/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/authority.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <gnutls/x509.h>

enum { DAY = 86400 };

static void
must(bool good, const char *what)
{
    if (good)
        return;
    (void)fprintf(stderr, "authority: %s\n", what);
    abort();
}

const char *
authority_path(const struct authority *a, const char *name, const char *suffix)
{
    static char paths[16][128];
    static unsigned next;
    char *path = paths[next++ % 16];

    (void)snprintf(path, sizeof paths[0], "%s/%s%s", a->folder, name, suffix);
    return path;
}

static void
write_file(const char *path, const gnutls_datum_t *text)
{
    FILE *file = fopen(path, "wb");

    must(file && fwrite(text->data, 1, text->size, file) == text->size && fclose(file) == 0, path);
}

static gnutls_x509_privkey_t
make_key(bool rsa)
{
    gnutls_x509_privkey_t key;
    unsigned bits = rsa ? 2048 : GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1);

    must(gnutls_x509_privkey_init(&key) == 0, "key");
    must(gnutls_x509_privkey_generate(key, rsa ? GNUTLS_PK_RSA : GNUTLS_PK_ECDSA, bits, 0) == 0,
         "key");
    return key;
}

static gnutls_x509_crt_t
make_certificate(struct authority *a, const char *name, gnutls_x509_privkey_t key,
                 int64_t expires_s)
{
    unsigned char serial[2] = {1, (unsigned char)++a->serial};
    gnutls_x509_crt_t crt;

    must(gnutls_x509_crt_init(&crt) == 0, "certificate");
    (void)gnutls_x509_crt_set_version(crt, 3);
    (void)gnutls_x509_crt_set_serial(crt, serial, sizeof serial);
    (void)gnutls_x509_crt_set_activation_time(crt, time(NULL) - 2 * DAY);
    (void)gnutls_x509_crt_set_expiration_time(crt, time(NULL) + (expires_s ? expires_s : DAY));
    (void)gnutls_x509_crt_set_key(crt, key);
    must(gnutls_x509_crt_set_dn_by_oid(crt, GNUTLS_OID_X520_COMMON_NAME, 0, name,
                                       (unsigned)strlen(name)) == 0,
         "name");
    return crt;
}

/* Signs the certificate and writes both to the folder. */
static void
finish(struct authority *a, const char *name, gnutls_x509_crt_t crt, gnutls_x509_privkey_t key)
{
    gnutls_datum_t text;

    must(gnutls_x509_crt_sign2(crt, a->crt, a->key, GNUTLS_DIG_SHA256, 0) == 0, "signature");
    must(gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_PEM, &text) == 0, "export");
    write_file(authority_path(a, name, ".pem"), &text);
    gnutls_free(text.data);
    must(gnutls_x509_privkey_export2(key, GNUTLS_X509_FMT_PEM, &text) == 0, "export");
    write_file(authority_path(a, name, ".key"), &text);
    gnutls_free(text.data);
}

void
authority_open(struct authority *a)
{
    *a = (struct authority){.folder = "/tmp/earnest-authority-XXXXXX"};
    must(mkdtemp(a->folder) != NULL, "folder");
    a->key = make_key(false);
    a->crt = make_certificate(a, "an authority for tests", a->key, 0);
    (void)gnutls_x509_crt_set_basic_constraints(a->crt, 1, -1);
    (void)gnutls_x509_crt_set_key_usage(a->crt, GNUTLS_KEY_KEY_CERT_SIGN);
    finish(a, "ca", a->crt, a->key);
    (void)snprintf(a->certificate, sizeof a->certificate, "%s/ca.pem", a->folder);
}

void
authority_close(struct authority *a)
{
    DIR *folder = opendir(a->folder);
    struct dirent *entry;

    must(folder != NULL, a->folder);
    while ((entry = readdir(folder)))
        if (entry->d_name[0] != '.')
            (void)unlinkat(dirfd(folder), entry->d_name, 0);
    (void)closedir(folder);
    (void)rmdir(a->folder);
    gnutls_x509_crt_deinit(a->crt);
    gnutls_x509_privkey_deinit(a->key);
}

void
authority_issue(struct authority *a, const struct issue *issue)
{
    gnutls_x509_privkey_t key = make_key(issue->rsa);
    gnutls_x509_crt_t crt = make_certificate(a, issue->name, key, issue->expires_s);
    char *hosts = strdup(issue->hosts ? issue->hosts : ""), *rest = hosts;

    for (char *host = strtok_r(hosts, " ", &rest); host; host = strtok_r(NULL, " ", &rest))
        must(gnutls_x509_crt_set_subject_alt_name(crt, GNUTLS_SAN_DNSNAME, host,
                                                  (unsigned)strlen(host), GNUTLS_FSAN_APPEND) == 0,
             host);
    (void)gnutls_x509_crt_set_key_usage(crt, GNUTLS_KEY_DIGITAL_SIGNATURE);
    (void)gnutls_x509_crt_set_key_purpose_oid(
        crt, issue->client ? GNUTLS_KP_TLS_WWW_CLIENT : GNUTLS_KP_TLS_WWW_SERVER, 0);
    finish(a, issue->name, crt, key);
    free(hosts);
    gnutls_x509_crt_deinit(crt);
    gnutls_x509_privkey_deinit(key);
}

void
authority_staple(struct authority *a, const char *name)
{
    char command[1024];

    /* GnuTLS can not make such a response. */
    (void)snprintf(command, sizeof command,
                   "cd %s && : >index && openssl ocsp -issuer ca.pem -cert %s.pem -reqout request"
                   " && s=$(openssl x509 -in %s.pem -noout -serial | cut -d= -f2)"
                   " && printf 'V\\t491231235959Z\\t\\t%%s\\tunknown\\t/CN=x\\n' $s >index"
                   " && openssl ocsp -index index -rsigner ca.pem -rkey ca.key -CA ca.pem"
                   " -reqin request -respout %s.ocsp -ndays 1 >log 2>&1",
                   a->folder, name, name, name);
    must(system(command) == 0, command);
}
