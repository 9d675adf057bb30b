/* SPDX-License-Identifier: Apache-2.0 */
#include "io/jwt.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/slice.h"

enum {
    LEEWAY_S = 30, /* between clocks (RFC 7519 4.1.4) */
    SUBJECT_BYTES_MAX = 255,
    SIGNATURE_BYTES_MAX = 1024
};

struct parts { /* of a token, in base64url (RFC 7515 7.1) */
    struct ern_slice header, claims, signature;
    struct ern_slice text; /* what is signed */
};

struct ern_slice
jwt_fault_text(enum jwt_fault fault)
{
    static const char *const texts[] = {
        [JWT_FINE] = "",
        [JWT_MALFORMED] = "it is no JSON Web Token",
        [JWT_ALGORITHM] = "its algorithm is not one of those accepted here",
        [JWT_SIGNATURE] = "its signature is wrong, or by a key that is not known",
        [JWT_CLAIMS] = "it is not from this issuer, or not for this server",
        [JWT_EXPIRED] = "it has expired",
        [JWT_EARLY] = "it is not valid yet",
    };

    return slice_text(texts[fault]);
}

static bool
cut(struct ern_slice token, struct parts *ret)
{
    size_t first = slice_find(token, '.'), second;

    ret->header = slice_first(token, first);
    if (first == token.len)
        return false;
    ret->claims = slice_skip(token, first + 1);
    second = slice_find(ret->claims, '.');
    if (second == ret->claims.len)
        return false;
    ret->signature = slice_skip(ret->claims, second + 1);
    ret->claims = slice_first(ret->claims, second);
    ret->text = slice_first(token, first + 1 + second);
    return ret->claims.len > 0 && ret->header.len > 0 &&
           slice_find(ret->signature, '.') == ret->signature.len;
}

/* Reads an object that is written in base64url; NULL if it is none. */
static json_t *
object_of(struct ern_slice text)
{
    char *memory = malloc(text.len + 1);
    struct out o = out_init(memory, memory ? text.len : 0);
    json_t *json = NULL;

    if (memory && base64url_read(text, &o) && !o.full)
        json = json_loadb(o.ptr, o.len, JSON_REJECT_DUPLICATES, NULL);
    free(memory);
    if (json_is_object(json))
        return json;
    json_decref(json);
    return NULL;
}

static struct ern_slice
member(const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);

    return json_is_string(value) ? slice_from(json_string_value(value), json_string_length(value))
                                 : ERN_ABSENT;
}

static struct jwt_text
copy(struct ern_slice text)
{
    struct jwt_text to = {malloc(text.len + 1), text.len};

    if (!to.ptr)
        return to;
    if (text.len)
        memcpy(to.ptr, text.ptr, text.len);
    to.ptr[text.len] = '\0';
    return to;
}

struct jwt_text
jwt_issuer(struct ern_slice token)
{
    struct jwt_text issuer = {NULL, 0};
    struct parts parts;
    json_t *claims = cut(token, &parts) ? object_of(parts.claims) : NULL;

    if (slice_is_there(member(claims, "iss")))
        issuer = copy(member(claims, "iss"));
    json_decref(claims);
    return issuer;
}

/* ---- the signature -----------------------------------------------------------------------------
 */

static enum jwt_fault
look_at_signature(const struct parts *parts, const struct jwt_rules *rules,
                  const struct jwk_set *keys)
{
    char memory[SIGNATURE_BYTES_MAX];
    struct out signature = out_init(memory, sizeof memory);
    json_t *header = object_of(parts->header);
    enum jwk_algorithm algorithm = jwk_algorithm_find(member(header, "alg"));
    enum jwt_fault fault = JWT_FINE;

    if (!header || json_object_get(header, "crit")) /* RFC 7515 4.1.11: no extension is known */
        fault = JWT_MALFORMED;
    else if (algorithm == JWK_ALGORITHMS || !(rules->algorithms >> algorithm & 1))
        fault = JWT_ALGORITHM;
    else if (!keys || !base64url_read(parts->signature, &signature) || signature.full ||
             !jwk_verifies(keys, algorithm, member(header, "kid"), parts->text,
                           out_done(&signature)))
        fault = JWT_SIGNATURE;
    json_decref(header);
    return fault;
}

/* ---- the claims --------------------------------------------------------------------------------
 */

static bool
is_for(const json_t *claims, const struct jwt_rules *rules)
{
    const json_t *audience = json_object_get(claims, "aud");
    size_t n = json_is_array(audience) ? json_array_size(audience) : 1;

    for (size_t i = 0; i < n; i++) {
        const json_t *one = json_is_array(audience) ? json_array_get(audience, i) : audience;

        for (size_t j = 0; json_is_string(one) && j < rules->audience_n; j++)
            if (slice_eq(slice_from(json_string_value(one), json_string_length(one)),
                         rules->audience[j]))
                return true;
    }
    return false;
}

/* A name that can stand in a log and in a lock. */
static bool
is_subject(struct ern_slice name)
{
    for (size_t i = 0; i < name.len; i++)
        if ((unsigned char)name.ptr[i] < 0x20 || name.ptr[i] == 0x7f)
            return false;
    return name.len > 0 && name.len <= SUBJECT_BYTES_MAX;
}

/* A time in seconds (RFC 7519 2, NumericDate). Returns false if it is no number. */
static bool
time_of(const json_t *claims, const char *name, int64_t *ret_s)
{
    const json_t *value = json_object_get(claims, name);
    double s = json_number_value(value);

    if (!json_is_number(value) || !(s > -1e15 && s < 1e15))
        return false;
    *ret_s = (int64_t)s;
    return true;
}

static enum jwt_fault
look_at_claims(const json_t *claims, const struct jwt_rules *rules, int64_t now_s,
               int64_t *ret_until_s)
{
    int64_t from_s = now_s;

    if (!claims || !time_of(claims, "exp", ret_until_s) ||
        (json_object_get(claims, "nbf") && !time_of(claims, "nbf", &from_s)))
        return JWT_MALFORMED;
    if (!slice_eq(member(claims, "iss"), rules->issuer) || !is_for(claims, rules) ||
        !is_subject(member(claims, "sub")))
        return JWT_CLAIMS;
    if (now_s >= *ret_until_s + LEEWAY_S)
        return JWT_EXPIRED;
    return now_s + LEEWAY_S < from_s ? JWT_EARLY : JWT_FINE;
}

enum jwt_fault
jwt_read(struct ern_slice token, const struct jwt_rules *rules, const struct jwk_set *keys,
         int64_t now_s, struct jwt *ret)
{
    struct parts parts;
    enum jwt_fault fault =
        cut(token, &parts) ? look_at_signature(&parts, rules, keys) : JWT_MALFORMED;
    json_t *claims = fault == JWT_FINE ? object_of(parts.claims) : NULL;

    if (fault == JWT_FINE)
        fault = look_at_claims(claims, rules, now_s, &ret->until_s);
    if (fault == JWT_FINE) {
        ret->subject = copy(member(claims, "sub"));
        ret->scope = copy(member(claims, "scope"));
        if (!ret->subject.ptr || !ret->scope.ptr) {
            jwt_done(ret);
            fault = JWT_MALFORMED;
        }
    }
    json_decref(claims);
    return fault;
}

void
jwt_done(struct jwt *jwt)
{
    free(jwt->subject.ptr);
    free(jwt->scope.ptr);
    jwt->subject.ptr = jwt->scope.ptr = NULL;
}

bool
jwt_scope_has(struct ern_slice scope, struct ern_slice name)
{
    while (scope.len) {
        size_t n = slice_find(scope, ' ');

        if (slice_eq(slice_first(scope, n), name))
            return true;
        scope = slice_skip(scope, n < scope.len ? n + 1 : n);
    }
    return false;
}
