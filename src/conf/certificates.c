/* SPDX-License-Identifier: Apache-2.0 */
/* certificates.c - are the files that TLS needs there, and do they fit what is served? */
#include "conf/certificates.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "io/tls_link.h"

/* The paths of the i-th certificate. */
static struct tls_certificate
paths_of(const struct conf_listen *listen, size_t i)
{
    bool staple = i < listen->ocsp.n && !slice_eq(listen->ocsp.text[i], ERN_SLICE("-"));

    return (struct tls_certificate){
        .certificate = listen->certificate.text[i].ptr,
        .key = i < listen->key.n ? listen->key.text[i].ptr : NULL,
        .ocsp = staple ? listen->ocsp.text[i].ptr : NULL,
    };
}

int
conf_tls_open(const struct conf *conf, const struct conf_listen *listen,
              const unsigned char *ticket_key, struct tls_replay *replay, struct tls **ret_tls,
              const char **ret_why)
{
    size_t n = listen->certificate.n;
    struct tls_certificate *certificates = calloc(n, sizeof *certificates);
    int result;

    *ret_why = "there is not enough memory";
    if (!certificates)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++)
        certificates[i] = paths_of(listen, i);
    result = tls_open(
        &(struct tls_options){
            .certificates = certificates,
            .certificates_n = n,
            .client_ca = listen->client_ca.ptr,
            .client = (enum tls_client)listen->client_certificate,
            .ticket_key = ticket_key,
            .http2 = listen->http2,
            .early_data = listen->early_data && replay,
            .early_data_max = (uint32_t)conf->limits.early_data_bytes_max,
            .early_window_s = (uint32_t)conf->limits.early_data_window_s,
            .handshake_max = (uint32_t)conf->limits.tls_handshake_bytes_max,
            .replay = replay,
        },
        ret_tls, ret_why);
    free(certificates);
    return result;
}

/* Where and how each fault is told; what of a key that is with its certificate is told there. */
static const struct {
    enum conf_option option;
    bool warning;
    const char *what, *mend;
} faults[] = {
    [TLS_FAULT_NONE] = {CONF_listen_certificate, true, NULL, NULL},
    [TLS_FAULT_CERTIFICATE_FILE] = {CONF_listen_certificate, false,
                                    "the certificate \"%1\" can not be read",
                                    "write the path of a PEM file that this user may read"},
    [TLS_FAULT_CERTIFICATE] = {CONF_listen_certificate, false, "there is no certificate in \"%1\"",
                               "write a PEM file, which has -----BEGIN CERTIFICATE----- in it"},
    [TLS_FAULT_KEY_FILE] = {CONF_listen_key, false, "the key \"%1\" can not be read",
                            "write the path of a PEM file that this user may read"},
    [TLS_FAULT_KEY] = {CONF_listen_key, false, "there is no key that can be used in \"%1\"",
                       "write in key = \"...\" a PEM file with a key that needs no password"},
    [TLS_FAULT_KEY_OTHER] = {CONF_listen_key, false, "the key in \"%1\" is not the certificate's",
                             "write the key that the certificate was made with"},
    [TLS_FAULT_OCSP_FILE] = {CONF_listen_ocsp, false, "the OCSP response \"%1\" can not be read",
                             "write the path of a file that this user may read, or -"},
    [TLS_FAULT_OCSP] = {CONF_listen_ocsp, false,
                        "\"%1\" is not an OCSP response about the certificate",
                        "ask the authority of the certificate for one, or write -"},
    [TLS_FAULT_OCSP_OLD] = {CONF_listen_ocsp, true,
                            "the OCSP response \"%1\" is too old, and is not sent",
                            "ask the authority of the certificate for a new one, or write -"},
};

static void
tell(const struct conf_listen *listen, size_t i, enum tls_fault fault, struct conf_errors *errors)
{
    const struct conf_texts *texts = &listen->certificate;
    const struct conf_say *say;

    if (faults[fault].option == CONF_listen_key && i < listen->key.n)
        texts = &listen->key;
    else if (faults[fault].option == CONF_listen_ocsp)
        texts = &listen->ocsp;
    say = CONF_SAY(faults[fault].what, faults[fault].mend, texts->text[i]);
    if (faults[fault].warning)
        conf_warn(errors, texts->at[i], say);
    else
        conf_wrong(errors, texts->at[i], say);
}

static void
check_certificate(const struct conf_listen *listen, size_t i, struct conf_errors *errors)
{
    struct tls_certificate paths = paths_of(listen, i);
    struct ern_slice path = listen->certificate.text[i];
    int64_t from_s, until_s, now_s = time(NULL);
    enum tls_fault fault = tls_certificate_look(&paths, &from_s, &until_s);

    if (fault)
        tell(listen, i, fault, errors);
    if (now_s > until_s)
        conf_warn(errors, listen->certificate.at[i],
                  CONF_SAY("the certificate \"%1\" has expired",
                           "have it made anew: clients refuse it", path));
    else if (now_s < from_s)
        conf_warn(errors, listen->certificate.at[i],
                  CONF_SAY("the certificate \"%1\" is not good yet",
                           "wait, or look whether the clock of this machine is right", path));
}

/* Is it an address? Clients name none in the handshake (RFC 6066 3). */
static bool
is_address(struct ern_slice host)
{
    bool digits = true;

    for (size_t i = 0; i < host.len; i++)
        digits &= (host.ptr[i] >= '0' && host.ptr[i] <= '9') || host.ptr[i] == '.';
    return digits || slice_starts(host, ERN_SLICE("["));
}

static void
check_host(const struct tls *tls, struct ern_slice host, struct conf_position at,
           struct conf_errors *errors)
{
    if (!slice_is_there(host) || is_address(host) || tls_covers(tls, host))
        return;
    conf_warn(errors, at,
              CONF_SAY("no certificate is for \"%1\"",
                       "add one that names it to certificate, or clients will refuse the site",
                       host));
}

static void
check_hosts(const struct conf *conf, const struct tls *tls, struct conf_errors *errors)
{
    for (size_t i = 0; i < conf->sites_n; i++) {
        const struct conf_site *site = &conf->sites[i];

        check_host(tls, site->name, site->place.at, errors);
        for (size_t j = 0; j < site->aliases.n; j++)
            check_host(tls, site->aliases.text[j], site->aliases.at[j], errors);
    }
}

static void
check_listener(const struct conf *conf, const struct conf_listen *listen,
               struct conf_errors *errors)
{
    static const unsigned char any_key[TLS_TICKET_KEY_BYTES];
    unsigned wrong_n = errors->wrong_n;
    struct tls *tls;
    const char *why;

    for (size_t i = 0; i < listen->certificate.n; i++)
        check_certificate(listen, i, errors);
    if (errors->wrong_n > wrong_n)
        return;
    if (conf_tls_open(conf, listen, any_key, NULL, &tls, &why) < 0) {
        enum conf_option last =
            slice_is_there(listen->client_ca) ? CONF_listen_client_ca : CONF_listen_certificate;

        conf_wrong(errors, listen->place.given[last].value,
                   CONF_SAY("%1", "write the path of a PEM file that this user may read",
                            slice_text(why)));
        return;
    }
    check_hosts(conf, tls, errors);
    tls_close(tls);
}

/* Can they be read? If not, *ret_why says why not. */
static bool
are_readable(struct ern_slice ca, struct ern_slice certificate, struct ern_slice key,
             const char **ret_why)
{
    struct tls_trust *trust;

    if (tls_trust_open(ca.ptr, certificate.ptr, key.ptr, &trust, ret_why) < 0)
        return false;
    tls_trust_close(trust);
    return true;
}

static void
say_unreadable(const struct conf_route *route, enum conf_option option, struct ern_slice path,
               const char *why, struct conf_errors *errors)
{
    conf_wrong(errors, route->place.given[option].value,
               CONF_SAY("\"%1\" can not be read: %2",
                        "write the path of a PEM file that this user may read", path,
                        slice_text(why)));
}

/* Who signs the certificates of servers behind a route: is there somebody? And who are we to them?
 */
static void
check_trust(const struct conf_route *route, struct conf_errors *errors)
{
    const char *why;

    if (slice_is_there(route->ca) && !are_readable(route->ca, ERN_ABSENT, ERN_ABSENT, &why))
        say_unreadable(route, CONF_proxy_ca, route->ca, why, errors);
    else if (slice_is_there(route->certificate) &&
             !are_readable(route->ca, route->certificate, route->key, &why))
        say_unreadable(route, CONF_proxy_certificate, route->certificate, why, errors);
}

void
check_certificates(const struct conf *conf, struct conf_errors *errors)
{
    for (size_t i = 0; i < conf->sites_n; i++)
        for (size_t j = 0; j < conf->sites[i].routes_n; j++)
            check_trust(&conf->sites[i].routes[j], errors);
    for (size_t i = 0; i < conf->listens_n; i++)
        if (conf->listens[i].certificate.n > 0)
            check_listener(conf, &conf->listens[i], errors);
}
