/* SPDX-License-Identifier: Apache-2.0 */
/* Tokens, signed by HMAC here; test/scenario/test_bearer.py has them by others, with other keys. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/slice.h"
#include "io/crypto.h"
#include "io/jwt.h"

#define SECRET "0123456789abcdef0123456789abcdef"
#define KEY "{\"kty\":\"oct\",\"kid\":\"h\",\"k\":\"MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY\"}"
#define HEADER "{\"alg\":\"HS256\"}"
#define CLAIMS "\"iss\":\"us\",\"aud\":\"here\",\"sub\":\"ann\",\"exp\":1060"

enum { NOW_S = 1000 };

static const struct ern_slice audience[] = {{"there", 5}, {"here", 4}};
static const struct jwt_rules rules = {
    .issuer = {"us", 2}, .audience = audience, .audience_n = 2, .algorithms = 1U << JWK_HS256};

static void
encode(struct out *o, struct ern_slice bytes)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

    for (size_t bit = 0; bit < 8 * bytes.len; bit += 6) {
        unsigned two = (unsigned)(unsigned char)bytes.ptr[bit / 8] << 8;

        if (bit / 8 + 1 < bytes.len)
            two |= (unsigned char)bytes.ptr[bit / 8 + 1];
        out_char(o, alphabet[two >> (10 - bit % 8) & 63]);
    }
}

/* A token that is signed with the secret. */
static struct ern_slice
token_of(const char *header, const char *claims, char *memory, size_t cap)
{
    struct out o = out_init(memory, cap);
    unsigned char mac[CRYPTO_BYTES];

    encode(&o, slice_text(header));
    out_char(&o, '.');
    encode(&o, slice_text(claims));
    crypto_mac(ERN_SLICE(SECRET), out_done(&o), mac);
    out_char(&o, '.');
    encode(&o, slice_from((const char *)mac, sizeof mac));
    assert_false(o.full);
    return out_done(&o);
}

static struct jwk_set *
set_of(const char *json)
{
    struct jwk_set *set = NULL;

    assert_int_equal(jwk_set_new(slice_text(json), &set), 0);
    return set;
}

static void
each_fault_is_found(void **state)
{
    static const struct {
        const char *header, *claims;
        enum jwt_fault fault;
    } rows[] = {
        {HEADER, "{" CLAIMS "}", JWT_FINE},
        {"{\"alg\":\"HS256\",\"kid\":\"h\",\"typ\":\"JWT\"}", "{" CLAIMS "}", JWT_FINE},
        {HEADER, "{" CLAIMS ",\"nbf\":1000}", JWT_FINE},
        {HEADER, "{" CLAIMS ",\"nbf\":1030}", JWT_FINE},
        {HEADER, "{\"iss\":\"us\",\"aud\":[\"x\",\"here\"],\"sub\":\"a\",\"exp\":971.5}", JWT_FINE},
        {"{\"alg\":\"none\"}", "{" CLAIMS "}", JWT_ALGORITHM},
        {"{\"alg\":\"NONE\"}", "{" CLAIMS "}", JWT_ALGORITHM},
        {"{\"alg\":\"hs256\"}", "{" CLAIMS "}", JWT_ALGORITHM},
        {"{\"alg\":\"RS256\"}", "{" CLAIMS "}", JWT_ALGORITHM},
        {"{\"alg\":1}", "{" CLAIMS "}", JWT_ALGORITHM},
        {"{}", "{" CLAIMS "}", JWT_ALGORITHM},
        {"[]", "{" CLAIMS "}", JWT_MALFORMED},
        {"{\"alg\":\"HS256\",\"alg\":\"none\"}", "{" CLAIMS "}", JWT_MALFORMED},
        {"{\"alg\":\"HS256\",\"crit\":[\"exp\"]}", "{" CLAIMS "}", JWT_MALFORMED},
        {"{\"alg\":\"HS256\",\"kid\":\"x\"}", "{" CLAIMS "}", JWT_SIGNATURE},
        {HEADER, "{\"iss\":\"us\",\"aud\":\"here\",\"sub\":\"ann\"}", JWT_MALFORMED},
        {HEADER, "{\"iss\":\"us\",\"aud\":\"here\",\"sub\":\"a\",\"exp\":\"1060\"}", JWT_MALFORMED},
        {HEADER, "{\"iss\":\"us\",\"aud\":\"here\",\"sub\":\"a\",\"exp\":1e300}", JWT_MALFORMED},
        {HEADER, "{\"iss\":\"us\",\"aud\":\"here\",\"sub\":\"a\",\"exp\":970}", JWT_EXPIRED},
        {HEADER, "{" CLAIMS ",\"nbf\":1031}", JWT_EARLY},
        {HEADER, "{" CLAIMS ",\"nbf\":null}", JWT_MALFORMED},
        {HEADER, "{\"iss\":\"me\",\"aud\":\"here\",\"sub\":\"a\",\"exp\":1060}", JWT_CLAIMS},
        {HEADER, "{\"aud\":\"here\",\"sub\":\"a\",\"exp\":1060}", JWT_CLAIMS},
        {HEADER, "{\"iss\":\"us\",\"aud\":\"her\",\"sub\":\"a\",\"exp\":1060}", JWT_CLAIMS},
        {HEADER, "{\"iss\":\"us\",\"aud\":[],\"sub\":\"a\",\"exp\":1060}", JWT_CLAIMS},
        {HEADER, "{\"iss\":\"us\",\"sub\":\"a\",\"exp\":1060}", JWT_CLAIMS},
        {HEADER, "{\"iss\":\"us\",\"aud\":\"here\",\"exp\":1060}", JWT_CLAIMS},
        {HEADER, "{\"iss\":\"us\",\"aud\":\"here\",\"sub\":\"\",\"exp\":1060}", JWT_CLAIMS},
        {HEADER, "{\"iss\":\"us\",\"aud\":\"here\",\"sub\":\"a\\nb\",\"exp\":1060}", JWT_CLAIMS},
        {HEADER, "{" CLAIMS, JWT_MALFORMED},
    };
    struct jwk_set *set = set_of("{\"keys\":[" KEY "]}");
    char memory[1024];

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct ern_slice token = token_of(rows[i].header, rows[i].claims, memory, sizeof memory);
        struct jwt jwt;
        enum jwt_fault fault = jwt_read(token, &rules, set, NOW_S, &jwt);

        if (fault != rows[i].fault)
            fail_msg("%s %s: %d", rows[i].header, rows[i].claims, fault);
        if (fault == JWT_FINE)
            jwt_done(&jwt);
    }
    jwk_set_free(set);
}

static void
no_byte_may_be_another(void **state)
{
    struct jwk_set *set = set_of("{\"keys\":[" KEY "]}");
    char memory[1024];
    struct ern_slice token = token_of(HEADER, "{" CLAIMS "}", memory, sizeof memory);
    struct jwt jwt;

    (void)state;
    for (size_t i = 0; i < token.len; i++) {
        char before = memory[i];

        memory[i] = before == 'A' ? 'B' : 'A';
        assert_int_not_equal(jwt_read(token, &rules, set, NOW_S, &jwt), JWT_FINE);
        memory[i] = before;
        assert_int_not_equal(jwt_read(slice_first(token, i), &rules, set, NOW_S, &jwt), JWT_FINE);
    }
    assert_int_equal(jwt_read(token, &rules, NULL, NOW_S, &jwt), JWT_SIGNATURE);
    assert_int_equal(jwt_read(token, &rules, set, NOW_S, &jwt), JWT_FINE);
    assert_string_equal(jwt.subject.ptr, "ann");
    assert_string_equal(jwt.scope.ptr, "");
    assert_int_equal(jwt.until_s, 1060);
    jwt_done(&jwt);
    jwk_set_free(set);
}

static void
keys_of_no_use_are_passed_over(void **state)
{
    static const char *const rows[] = {
        "",
        "[]",
        "{}",
        "{\"keys\":{}}",
        "{\"keys\":[]}",
        "{\"keys\":[1]}",
        "{\"keys\":[" KEY "]",
        "{\"keys\":[{\"kty\":\"oct\",\"k\":\"MDEyMzQ1Njc4OWFiY2RlZg\"}]}", /* 16 bytes */
        "{\"keys\":[{\"kty\":\"oct\",\"k\":\"not base64url\"}]}",
        "{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"X25519\",\"x\":\"11qYAYKxCrfVS_"
        "7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}]}",
        "{\"keys\":[{\"kty\":\"RSA\",\"n\":\"0vx7agoebGcQ\",\"e\":\"AQAB\"}]}",
        "{\"keys\":[{\"kty\":\"oct\",\"use\":\"enc\",\"k\":"
        "\"MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY\"}]}",
        "{\"keys\":[{\"kty\":\"oct\",\"alg\":\"RS256\",\"k\":"
        "\"MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY\"}]}",
    };
    struct jwk_set *set;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (jwk_set_new(slice_text(rows[i]), &set) != -EINVAL)
            fail_msg("%s", rows[i]);
    jwk_set_free(set_of("{\"keys\":[{\"kty\":\"new\"}," KEY "]}"));
}

/* RFC 8037 A.4 */
static void
a_signature_of_somebody_else_is_good(void **state)
{
    static const char signature[] =
        "\x86\x0c\x98\xd2\x29\x7f\x30\x60\xa3\x3f\x42\x73\x96\x72\xd6\x1b"
        "\x53\xcf\x3a\xde\xfe\xd3\xd3\xc6\x72\xf3\x20\xdc\x02\x1b\x41\x1e"
        "\x9d\x59\xb8\x62\x8d\xc3\x51\xe2\x48\xb8\x8b\x29\x46\x8e\x0e\x41"
        "\x85\x5b\x0f\xb7\xd8\x3b\xb1\x5b\xe9\x02\xbf\xcc\xb8\xcd\x0a\x02";
    const struct ern_slice text =
        ERN_SLICE("eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc");
    struct jwk_set *set = set_of("{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":"
                                 "\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}]}");

    (void)state;
    assert_true(jwk_verifies(set, JWK_EDDSA, ERN_ABSENT, text, slice_from(signature, 64)));
    assert_false(jwk_verifies(set, JWK_HS256, ERN_ABSENT, text, slice_from(signature, 64)));
    assert_false(jwk_verifies(set, JWK_EDDSA, ERN_SLICE("x"), text, slice_from(signature, 64)));
    assert_false(jwk_verifies(set, JWK_EDDSA, ERN_ABSENT, text, slice_from(signature, 63)));
    jwk_set_free(set);
}

static void
scopes_are_names(void **state)
{
    (void)state;
    assert_true(jwt_scope_has(ERN_SLICE("a bc d"), ERN_SLICE("bc")));
    assert_true(jwt_scope_has(ERN_SLICE("bc"), ERN_SLICE("bc")));
    assert_false(jwt_scope_has(ERN_SLICE("a bcd"), ERN_SLICE("bc")));
    assert_false(jwt_scope_has(ERN_SLICE(""), ERN_SLICE("bc")));
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_fault_is_found),
        cmocka_unit_test(no_byte_may_be_another),
        cmocka_unit_test(keys_of_no_use_are_passed_over),
        cmocka_unit_test(a_signature_of_somebody_else_is_good),
        cmocka_unit_test(scopes_are_names),
    };

    return cmocka_run_group_tests_name("jwt", tests, NULL, NULL);
}
