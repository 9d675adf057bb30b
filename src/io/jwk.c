/* SPDX-License-Identifier: Apache-2.0 */
#include "io/jwk.h"

#include <errno.h>
#include <gnutls/abstract.h>
#include <gnutls/crypto.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/slice.h"
#include "io/crypto.h"
#include "io/file.h"
#include "io/tls_parts.h"

enum {
    KEYS_MAX = 64,
    TRIES_MAX = 4, /* keys that are tried where no name says which */
    NUMBER_BYTES = 1024,
    SECRET_BYTES_MIN = 32, /* RFC 7518 3.2 */
    SECRET_BYTES_MAX = 512,
    RSA_BITS_MIN = 2048, /* RFC 7518 3.3 */
    RSA_BITS_MAX = 8192,
    HALF_BYTES = 32, /* of a signature by ES256: R, and S */
    FILE_BYTES_MAX = 1 << 20,
};

struct key {
    enum jwk_algorithm algorithm;
    char *kid;              /* NULL: it has no name */
    gnutls_pubkey_t public; /* NULL: it is a secret, */
    char *secret;           /* this */
    size_t secret_n;
};

struct jwk_set {
    struct key keys[KEYS_MAX];
    size_t n;
};

static const struct ern_slice names[JWK_ALGORITHMS] = {
    [JWK_HS256] = {"HS256", 5},
    [JWK_RS256] = {"RS256", 5},
    [JWK_ES256] = {"ES256", 5},
    [JWK_EDDSA] = {"EdDSA", 5},
};

enum jwk_algorithm
jwk_algorithm_find(struct ern_slice name)
{
    unsigned a = 0;

    while (a < JWK_ALGORITHMS && !slice_eq(name, names[a]))
        a++;
    return (enum jwk_algorithm)a;
}

/* ---- reading -----------------------------------------------------------------------------------
 */

/* A member that is a string; absent if there is none. */
static struct ern_slice
member(const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);

    return json_is_string(value) ? slice_from(json_string_value(value), json_string_length(value))
                                 : ERN_ABSENT;
}

/* A member that is bytes in base64url. Returns false if there is none, or more than fit. */
static bool
bytes(const json_t *object, const char *name, struct out *o)
{
    struct ern_slice text = member(object, name);

    return text.len > 0 && base64url_read(text, o) && !o->full && o->len > 0;
}

static bool
read_secret(const json_t *from, struct key *to)
{
    char memory[SECRET_BYTES_MAX];
    struct out o = out_init(memory, sizeof memory);
    bool fits = bytes(from, "k", &o) && o.len >= SECRET_BYTES_MIN;

    if (fits) {
        to->secret = malloc(o.len);
        to->secret_n = o.len;
    }
    if (fits && to->secret)
        memcpy(to->secret, memory, o.len);
    explicit_bzero(memory, sizeof memory);
    return fits && to->secret;
}

static gnutls_datum_t
datum(const struct out *o)
{
    return (gnutls_datum_t){(unsigned char *)o->ptr, (unsigned)o->len};
}

static bool
read_rsa(const json_t *from, struct key *to)
{
    char n_bytes[NUMBER_BYTES + 1], e_bytes[NUMBER_BYTES];
    struct out n = out_init(n_bytes, sizeof n_bytes), e = out_init(e_bytes, sizeof e_bytes);
    gnutls_datum_t modulus, exponent;
    unsigned bits = 0;

    if (!bytes(from, "n", &n) || !bytes(from, "e", &e))
        return false;
    modulus = datum(&n);
    exponent = datum(&e);
    return gnutls_pubkey_import_rsa_raw(to->public, &modulus, &exponent) >= 0 &&
           gnutls_pubkey_get_pk_algorithm(to->public, &bits) == GNUTLS_PK_RSA &&
           bits >= RSA_BITS_MIN && bits <= RSA_BITS_MAX;
}

static bool
read_point(const json_t *from, struct key *to)
{
    char x_bytes[HALF_BYTES], y_bytes[HALF_BYTES];
    struct out x = out_init(x_bytes, sizeof x_bytes), y = out_init(y_bytes, sizeof y_bytes);
    bool is_edwards = to->algorithm == JWK_EDDSA;
    gnutls_datum_t first, second;

    if (!bytes(from, "x", &x) || (!is_edwards && !bytes(from, "y", &y)))
        return false;
    first = datum(&x);
    second = datum(&y);
    return gnutls_pubkey_import_ecc_raw(
               to->public, is_edwards ? GNUTLS_ECC_CURVE_ED25519 : GNUTLS_ECC_CURVE_SECP256R1,
               &first, is_edwards ? NULL : &second) >= 0;
}

/* The types of keys, and what each is for: RFC 7518 6, RFC 8037 2. */
static const struct type {
    struct ern_slice kty, crv;
    enum jwk_algorithm algorithm;
    bool (*read)(const json_t *from, struct key *to);
} types[] = {
    {{"oct", 3}, {NULL, 0}, JWK_HS256, read_secret},
    {{"RSA", 3}, {NULL, 0}, JWK_RS256, read_rsa},
    {{"EC", 2}, {"P-256", 5}, JWK_ES256, read_point},
    {{"OKP", 3}, {"Ed25519", 7}, JWK_EDDSA, read_point},
};

static const struct type *
type_of(const json_t *from)
{
    struct ern_slice kty = member(from, "kty"), crv = member(from, "crv");

    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (slice_eq(kty, types[i].kty) &&
            (!slice_is_there(types[i].crv) || slice_eq(crv, types[i].crv)))
            return &types[i];
    return NULL;
}

static void
key_done(struct key *key)
{
    if (key->public)
        gnutls_pubkey_deinit(key->public);
    if (key->secret)
        explicit_bzero(key->secret, key->secret_n);
    free(key->secret);
    free(key->kid);
}

/* Reads one key. Returns false if it is of no use. */
static bool
key_read(const json_t *from, struct key *to)
{
    const struct type *type = type_of(from);
    struct ern_slice kid = member(from, "kid"), alg = member(from, "alg"),
                     use = member(from, "use");
    bool is_good;

    *to = (struct key){.kid = NULL};
    if (!type || (slice_is_there(use) && !slice_eq(use, ERN_SLICE("sig"))) ||
        (slice_is_there(alg) && jwk_algorithm_find(alg) != type->algorithm))
        return false;
    to->algorithm = type->algorithm;
    is_good =
        (type->read == read_secret || gnutls_pubkey_init(&to->public) >= 0) && type->read(from, to);
    if (is_good && slice_is_there(kid)) {
        to->kid = strndup(kid.ptr, kid.len);
        is_good = to->kid != NULL;
    }
    if (!is_good)
        key_done(to);
    return is_good;
}

int
jwk_set_new(struct ern_slice text, struct jwk_set **ret_set)
{
    json_t *json = json_loadb(text.ptr, text.len, JSON_REJECT_DUPLICATES, NULL);
    const json_t *keys = json_object_get(json, "keys");
    struct jwk_set *set = calloc(1, sizeof *set);
    int error = set && tls_ready() ? 0 : -ENOMEM;

    for (size_t i = 0; !error && set->n < KEYS_MAX && i < json_array_size(keys); i++)
        set->n += key_read(json_array_get(keys, i), &set->keys[set->n]);
    json_decref(json);
    if (!error && set->n == 0)
        error = -EINVAL;
    if (error)
        jwk_set_free(set);
    else
        *ret_set = set;
    return error;
}

int
jwk_set_read(const char *path, struct jwk_set **ret_set)
{
    char *text;
    size_t n;
    int error = file_read_whole(path, FILE_BYTES_MAX, &text, &n);

    if (error)
        return error;
    error = jwk_set_new(slice_from(text, n), ret_set);
    explicit_bzero(text, n);
    free(text);
    return error;
}

void
jwk_set_free(struct jwk_set *set)
{
    if (!set)
        return;
    for (size_t i = 0; i < set->n; i++)
        key_done(&set->keys[i]);
    free(set);
}

/* ---- signatures --------------------------------------------------------------------------------
 */

static bool
verify_secret(const struct key *key, struct ern_slice text, struct ern_slice signature)
{
    unsigned char mac[CRYPTO_BYTES];

    crypto_mac(slice_from(key->secret, key->secret_n), text, mac);
    return signature.len == sizeof mac && crypto_same(mac, signature.ptr, sizeof mac);
}

/* R and S side by side (RFC 7518 3.4), where GnuTLS wants them as X9.62 has them. */
static bool
verify_point(const struct key *key, const gnutls_datum_t *text, const gnutls_datum_t *signature)
{
    gnutls_datum_t r = {signature->data, HALF_BYTES},
                   s = {signature->data + HALF_BYTES, HALF_BYTES};
    gnutls_datum_t both;
    bool is_good;

    if (signature->size != 2 * HALF_BYTES || gnutls_encode_rs_value(&both, &r, &s) < 0)
        return false;
    is_good =
        gnutls_pubkey_verify_data2(key->public, GNUTLS_SIGN_ECDSA_SHA256, 0, text, &both) >= 0;
    gnutls_free(both.data);
    return is_good;
}

static bool
verify(const struct key *key, struct ern_slice text, struct ern_slice signature)
{
    const gnutls_datum_t data = {(unsigned char *)(uintptr_t)text.ptr, (unsigned)text.len};
    const gnutls_datum_t sign = {(unsigned char *)(uintptr_t)signature.ptr,
                                 (unsigned)signature.len};

    switch (key->algorithm) {
    case JWK_HS256:
        return verify_secret(key, text, signature);
    case JWK_ES256:
        return verify_point(key, &data, &sign);
    case JWK_RS256:
        return gnutls_pubkey_verify_data2(key->public, GNUTLS_SIGN_RSA_SHA256, 0, &data, &sign) >=
               0;
    case JWK_EDDSA:
        return gnutls_pubkey_verify_data2(key->public, GNUTLS_SIGN_EDDSA_ED25519, 0, &data,
                                          &sign) >= 0;
    case JWK_ALGORITHMS:
        break;
    }
    return false;
}

bool
jwk_verifies(const struct jwk_set *set, enum jwk_algorithm algorithm, struct ern_slice kid,
             struct ern_slice text, struct ern_slice signature)
{
    unsigned tries = 0;

    for (size_t i = 0; i < set->n && tries < TRIES_MAX; i++) {
        const struct key *key = &set->keys[i];

        if (key->algorithm != algorithm ||
            (slice_is_there(kid) && !(key->kid && slice_eq(kid, slice_text(key->kid)))))
            continue;
        tries++;
        if (verify(key, text, signature))
            return true;
    }
    return false;
}
