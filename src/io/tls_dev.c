/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tls_dev.c - an authority for one machine. It is a root that users tell their browsers to trust,
 * so it is constrained (RFC 5280 4.2.1.10): whoever steals its key can pose as this machine, and as
 * no site of the Internet.
 */
#include "io/tls_dev.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <gnutls/crypto.h>
#include <gnutls/x509.h>

#include "io/tls_parts.h"

enum {
    DAY_S = 86400,
    AUTHORITY_DAYS = 3650,
    CERTIFICATE_DAYS = 397, /* browsers refuse what is good for longer */
    RENEW_DAYS = 30,
    SERIAL_BYTES = 16,
};

struct pair {
    gnutls_x509_crt_t certificate;
    gnutls_x509_privkey_t key;
};

static const char *const networks[] = {"127.0.0.0/8", "::1/128"};
static const struct ern_slice addresses[] = {{"\x7f\0\0\1", 4},
                                             {"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1", 16}};

static gnutls_datum_t
datum(struct ern_slice text)
{
    return (gnutls_datum_t){(unsigned char *)(uintptr_t)text.ptr, (unsigned)text.len};
}

/* Writes FOLDER/NAME, NUL-terminated. */
static bool
join(char *path, const char *folder, const char *name)
{
    struct out o = out_init(path, TLS_DEV_PATH_BYTES);

    out_text(&o, folder);
    out_char(&o, '/');
    out_text(&o, name);
    out_char(&o, '\0');
    return !o.full;
}

/* Makes the folder, and those that it is in. */
static int
make_folder(const char *folder)
{
    char path[TLS_DEV_PATH_BYTES];
    struct ern_slice text = slice_text(folder);

    if (text.len >= sizeof path)
        return -ENAMETOOLONG;
    for (size_t i = 0; i <= text.len; i++) {
        path[i] = i < text.len ? text.ptr[i] : '\0';
        if (i == 0 || (path[i] != '/' && path[i]))
            continue;
        path[i] = '\0';
        if (mkdir(path, 0700) < 0 && errno != EEXIST)
            return -errno;
        path[i] = i < text.len ? '/' : '\0';
    }
    return 0;
}

/* The file has all of the text, or is as it was. */
static int
write_file(const char *path, const gnutls_datum_t *text)
{
    char temporary[TLS_DEV_PATH_BYTES + 4];
    struct out o = out_init(temporary, sizeof temporary);
    int fd, result = 0;

    out_text(&o, path);
    out_literal(&o, ".new");
    out_char(&o, '\0');
    if (o.full)
        return -ENAMETOOLONG;
    (void)unlink(temporary);
    fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return -errno;
    if (write(fd, text->data, text->size) != (ssize_t)text->size)
        result = -EIO;
    if (close(fd) < 0 || (result == 0 && rename(temporary, path) < 0))
        result = -errno;
    if (result < 0)
        (void)unlink(temporary);
    return result;
}

static void
pair_free(struct pair *p)
{
    if (p->certificate)
        gnutls_x509_crt_deinit(p->certificate);
    if (p->key)
        gnutls_x509_privkey_deinit(p->key);
    *p = (struct pair){NULL, NULL};
}

static int
pair_init(struct pair *p)
{
    *p = (struct pair){NULL, NULL};
    return gnutls_x509_crt_init(&p->certificate) < 0 || gnutls_x509_privkey_init(&p->key) < 0
               ? -ENOMEM
               : 0;
}

/* Reads both from their files. Returns false, with nothing kept, if they are not good for long. */
static bool
pair_load(struct pair *p, const char *certificate_path, const char *key_path)
{
    gnutls_datum_t certificate = {NULL, 0}, key = {NULL, 0};
    bool good = pair_init(p) == 0 && gnutls_load_file(certificate_path, &certificate) == 0 &&
                gnutls_load_file(key_path, &key) == 0 &&
                gnutls_x509_crt_import(p->certificate, &certificate, GNUTLS_X509_FMT_PEM) == 0 &&
                gnutls_x509_privkey_import(p->key, &key, GNUTLS_X509_FMT_PEM) == 0 &&
                gnutls_x509_crt_get_expiration_time(p->certificate) >
                    time(NULL) + (time_t)RENEW_DAYS * DAY_S;

    tls_forget(&certificate);
    tls_forget(&key);
    if (!good)
        pair_free(p);
    return good;
}

/* A key, and a certificate of it that has still to be filled and signed. */
static int
pair_make(struct pair *p, const char *name, int days)
{
    unsigned char serial[SERIAL_BYTES], id[64];
    size_t id_len = sizeof id;
    int code;

    if (pair_init(p) < 0)
        return -ENOMEM;
    code = gnutls_x509_privkey_generate(p->key, GNUTLS_PK_ECDSA,
                                        GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0);
    if (code == 0)
        code = gnutls_rnd(GNUTLS_RND_NONCE, serial, sizeof serial);
    serial[0] = (unsigned char)((serial[0] & 0x7f) | 0x40); /* positive, and not short */
    if (code == 0)
        code = gnutls_x509_crt_set_version(p->certificate, 3);
    if (code == 0)
        code = gnutls_x509_crt_set_serial(p->certificate, serial, sizeof serial);
    if (code == 0) /* an hour, for the clock of a virtual machine next door */
        code = gnutls_x509_crt_set_activation_time(p->certificate, time(NULL) - 3600);
    if (code == 0)
        code =
            gnutls_x509_crt_set_expiration_time(p->certificate, time(NULL) + (time_t)days * DAY_S);
    if (code == 0)
        code = gnutls_x509_crt_set_key(p->certificate, p->key);
    if (code == 0)
        code = gnutls_x509_crt_set_dn_by_oid(p->certificate, GNUTLS_OID_X520_COMMON_NAME, 0, name,
                                             (unsigned)slice_text(name).len);
    if (code == 0)
        code = gnutls_x509_crt_get_key_id(p->certificate, 0, id, &id_len);
    if (code == 0)
        code = gnutls_x509_crt_set_subject_key_id(p->certificate, id, id_len);
    return code < 0 ? -EIO : 0;
}

/* Signs the certificate by the authority, and writes both; the key first, for the certificate is
 * what is looked for. */
static int
pair_store(struct pair *p, const struct pair *authority, const char *certificate_path,
           const char *key_path)
{
    gnutls_datum_t certificate = {NULL, 0}, key = {NULL, 0};
    int result = -EIO;

    if (gnutls_x509_crt_sign2(p->certificate, authority->certificate, authority->key,
                              GNUTLS_DIG_SHA256, 0) == 0 &&
        gnutls_x509_crt_export2(p->certificate, GNUTLS_X509_FMT_PEM, &certificate) == 0 &&
        gnutls_x509_privkey_export2_pkcs8(p->key, GNUTLS_X509_FMT_PEM, NULL, 0, &key) == 0)
        result = write_file(key_path, &key);
    if (result == 0)
        result = write_file(certificate_path, &certificate);
    tls_forget(&certificate);
    tls_forget(&key);
    return result;
}

/* The authority can speak for this machine alone. */
static int
constrain(gnutls_x509_crt_t certificate, struct ern_slice host)
{
    gnutls_x509_name_constraints_t names;
    gnutls_datum_t name = datum(ERN_SLICE("localhost"));
    int code = gnutls_x509_name_constraints_init(&names);

    if (code < 0)
        return -ENOMEM;
    code = gnutls_x509_name_constraints_add_permitted(names, GNUTLS_SAN_DNSNAME, &name);
    name = datum(host);
    if (code == 0 && host.len > 0)
        code = gnutls_x509_name_constraints_add_permitted(names, GNUTLS_SAN_DNSNAME, &name);
    for (size_t i = 0; i < sizeof networks / sizeof *networks && code == 0; i++) {
        code = gnutls_x509_cidr_to_rfc5280(networks[i], &name);
        if (code == 0) {
            code = gnutls_x509_name_constraints_add_permitted(names, GNUTLS_SAN_IPADDRESS, &name);
            gnutls_free(name.data);
        }
    }
    if (code == 0)
        code = gnutls_x509_crt_set_name_constraints(certificate, names, 1);
    gnutls_x509_name_constraints_deinit(names);
    return code < 0 ? -EIO : 0;
}

static int
authority_make(struct pair *p, struct ern_slice host)
{
    int result = pair_make(p, "Earnest, for this machine alone", AUTHORITY_DAYS);

    if (result < 0)
        return result;
    if (gnutls_x509_crt_set_basic_constraints(p->certificate, 1, 0) < 0 ||
        gnutls_x509_crt_set_key_usage(p->certificate, GNUTLS_KEY_KEY_CERT_SIGN) < 0)
        return -EIO;
    return constrain(p->certificate, host);
}

/* May the authority speak for the host? It was made when this machine may have had another name. */
static bool
is_permitted(const struct pair *authority, struct ern_slice host)
{
    gnutls_x509_name_constraints_t names;
    gnutls_datum_t name = datum(host);
    unsigned critical;
    bool permitted;

    if (host.len == 0 || gnutls_x509_name_constraints_init(&names) < 0)
        return false;
    permitted =
        gnutls_x509_crt_get_name_constraints(authority->certificate, names, 0, &critical) == 0 &&
        gnutls_x509_name_constraints_check(names, GNUTLS_SAN_DNSNAME, &name) != 0;
    gnutls_x509_name_constraints_deinit(names);
    return permitted;
}

static int
set_name(gnutls_x509_crt_t certificate, gnutls_x509_subject_alt_name_t type, struct ern_slice name)
{
    return gnutls_x509_crt_set_subject_alt_name(certificate, type, name.ptr, (unsigned)name.len,
                                                GNUTLS_FSAN_APPEND);
}

static int
server_make(struct pair *p, const struct pair *authority, struct ern_slice host)
{
    int result = pair_make(p, "localhost", CERTIFICATE_DAYS), code;
    unsigned char id[64];
    size_t id_len = sizeof id;

    if (result < 0)
        return result;
    code = set_name(p->certificate, GNUTLS_SAN_DNSNAME, ERN_SLICE("localhost"));
    for (size_t i = 0; i < sizeof addresses / sizeof *addresses && code == 0; i++)
        code = set_name(p->certificate, GNUTLS_SAN_IPADDRESS, addresses[i]);
    if (code == 0 && is_permitted(authority, host))
        code = set_name(p->certificate, GNUTLS_SAN_DNSNAME, host);
    if (code == 0)
        code = gnutls_x509_crt_set_basic_constraints(p->certificate, 0, -1);
    if (code == 0)
        code = gnutls_x509_crt_set_key_usage(p->certificate, GNUTLS_KEY_DIGITAL_SIGNATURE);
    if (code == 0)
        code = gnutls_x509_crt_set_key_purpose_oid(p->certificate, GNUTLS_KP_TLS_WWW_SERVER, 0);
    if (code == 0)
        code = gnutls_x509_crt_get_subject_key_id(authority->certificate, id, &id_len, NULL);
    if (code == 0)
        code = gnutls_x509_crt_set_authority_key_id(p->certificate, id, id_len);
    return code < 0 ? -EIO : 0;
}

/* Is the certificate the authority's, and for the host if it may be? */
static bool
server_is_right(const struct pair *server, const struct pair *authority, struct ern_slice host)
{
    unsigned status = 0;
    char text[TLS_HOST_MAX + 1];
    struct out o = out_init(text, sizeof text);

    out_slice(&o, host);
    out_char(&o, '\0');
    return gnutls_x509_crt_verify(server->certificate, &authority->certificate, 1, 0, &status) ==
               0 &&
           status == 0 &&
           (!is_permitted(authority, host) ||
            gnutls_x509_crt_check_hostname(server->certificate, text) != 0);
}

/* A DNS name with nothing but letters, digits and hyphens in its labels (RFC 1123 2.1). */
static bool
is_name(struct ern_slice host)
{
    bool letters = false;

    if (host.len == 0 || host.len > TLS_HOST_MAX)
        return false;
    for (size_t i = 0; i < host.len; i++) {
        char c = lower(host.ptr[i]);

        letters |= c >= 'a' && c <= 'z';
        if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '-' && c != '.')
            return false;
    }
    return letters;
}

int
tls_dev_make(const char *folder, struct ern_slice host, struct tls_dev *ret_dev,
             const char **ret_why)
{
    struct pair authority = {NULL, NULL}, server = {NULL, NULL};
    char authority_key[TLS_DEV_PATH_BYTES];
    int result = make_folder(folder);

    *ret_why = "the folder for the certificates can not be made";
    if (result < 0)
        return result;
    if (!join(ret_dev->authority, folder, "authority.pem") ||
        !join(authority_key, folder, "authority.key") ||
        !join(ret_dev->certificate, folder, "localhost.pem") ||
        !join(ret_dev->key, folder, "localhost.key"))
        return -ENAMETOOLONG;
    if (!is_name(host))
        host = ERN_SLICE("");
    *ret_why = "the certificates can not be made";
    if (!tls_ready())
        return -ENOMEM;
    if (!pair_load(&authority, ret_dev->authority, authority_key)) {
        result = authority_make(&authority, host);
        if (result == 0)
            result = pair_store(&authority, &authority, ret_dev->authority, authority_key);
    }
    if (result == 0 && pair_load(&server, ret_dev->certificate, ret_dev->key) &&
        !server_is_right(&server, &authority, host))
        pair_free(&server);
    if (result == 0 && !server.certificate) {
        result = server_make(&server, &authority, host);
        if (result == 0)
            result = pair_store(&server, &authority, ret_dev->certificate, ret_dev->key);
    }
    pair_free(&server);
    pair_free(&authority);
    return result;
}
