/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_jwt.c - a token by a stranger, who does not know the secret, is never good; signed by us it
 * is good only with a subject that can stand in a log, and before it expires.
 *
 * Input: a token; it is looked at as it is, and its first two parts again with our signature.
 */
#include <stdlib.h>

#include "base/slice.h"
#include "io/crypto.h"
#include "io/jwt.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { TEXT_BYTES = 1 << 15, NOW_S = 1800000000 };

static const char json[] =
    "{\"keys\":[{\"kty\":\"oct\",\"k\":\"MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY\"}]}";
static const struct ern_slice audience = {"here", 4};
static const struct jwt_rules rules = {
    .issuer = {"us", 2}, .audience = &audience, .audience_n = 1, .algorithms = 1U << JWK_HS256};

static void
check(bool holds)
{
    if (!holds)
        abort();
}

/* The MAC of text in base64url. */
static void
sign(struct ern_slice text, struct out *o)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    unsigned char mac[CRYPTO_BYTES + 1] = {0};

    crypto_mac(ERN_SLICE("0123456789abcdef0123456789abcdef"), text, mac);
    for (unsigned bit = 0; bit < 8 * CRYPTO_BYTES; bit += 6)
        out_char(o, alphabet[(mac[bit / 8] << 8 | mac[bit / 8 + 1]) >> (10 - bit % 8) & 63]);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct jwk_set *set;
    struct ern_slice token = slice_from((const char *)data, size);
    size_t first = slice_find(token, '.'),
           second = first < size ? first + 1 + slice_find(slice_skip(token, first + 1), '.') : size;
    char memory[TEXT_BYTES];
    struct out o = out_init(memory, sizeof memory);
    struct jwt_text issuer = jwt_issuer(token);
    struct jwt jwt;

    if (!set)
        check(jwk_set_new(slice_text(json), &set) == 0);
    free(issuer.ptr);
    check(jwt_read(token, &rules, set, NOW_S, &jwt) != JWT_FINE);
    out_slice(&o, slice_first(token, second));
    out_char(&o, '.');
    sign(slice_first(token, second), &o);
    if (o.full || jwt_read(out_done(&o), &rules, set, NOW_S, &jwt) != JWT_FINE)
        return 0;
    check(jwt.until_s > NOW_S - 60 && jwt.subject.len > 0 && jwt.subject.len < 256);
    for (size_t i = 0; i < jwt.subject.len; i++)
        check((unsigned char)jwt.subject.ptr[i] >= 0x20 && jwt.subject.ptr[i] != 0x7f);
    jwt_done(&jwt);
    memory[o.len - 1] = memory[o.len - 1] == 'A' ? 'E' : 'A';
    check(jwt_read(out_done(&o), &rules, set, NOW_S, &jwt) != JWT_FINE);
    return 0;
}
