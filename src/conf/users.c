/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/users.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/num.h"
#include "conf/value.h"
#include "io/file.h"
#include "io/password.h"

enum {
    FILE_BYTES_MAX = 16 << 20,
    LINE_BYTES_MIN = 40, /* of one that is taken: a shorter one is wrong, and the last */
    SECRET_LINE_BYTES_MIN = 36,
};

static const struct conf_texts no_groups;

/* ---- the file ----------------------------------------------------------------------------------
 */

/* Reads "NAME:HASH"; what stands after a second colon is for others. Ends the hash with a NUL. */
static bool
take_user(struct users *users, char *line, size_t len, struct users_fault *fault)
{
    struct ern_slice text = slice_from(line, len), rest;
    struct user *ret = &users->user[users->n++];

    ret->line = fault->line;
    ret->groups = &no_groups;
    ret->name = slice_first(text, slice_find(text, ':'));
    fault->what = "this line is not NAME:HASH";
    fault->mend = "write what earnest passwd NAME prints";
    if (ret->name.len == 0 || ret->name.len == text.len || !value_is_clean(text))
        return false;
    rest = slice_skip(text, ret->name.len + 1);
    line[ret->name.len + 1 + slice_find(rest, ':')] = '\0';
    ret->hash = rest.ptr;
    fault->what = "the hash in this line is not one that is safe to keep";
    return password_is_hash(ret->hash);
}

/* Gives each line that is not empty and no comment to take(), without its end and with a NUL. */
static int
read_lines(struct users *users, char *text, size_t len, struct users_fault *fault,
           bool (*take)(struct users *users, char *line, size_t len, struct users_fault *fault))
{
    for (size_t at = 0, end; at < len; at = end + 1) {
        size_t n;

        end = at + slice_find(slice_from(text + at, len - at), '\n');
        n = slice_trim(slice_from(text + at, end - at)).len;
        n -= n > 0 && text[at + n - 1] == '\r';
        fault->line++;
        if (n == 0 || text[at] == '#')
            continue;
        text[at + n] = '\0';
        if (!take(users, text + at, n, fault))
            return -EINVAL;
    }
    return 0;
}

/* ---- the table ---------------------------------------------------------------------------------
 */

static int
compare_texts(struct ern_slice a, struct ern_slice b)
{
    size_t n = a.len < b.len ? a.len : b.len;
    int order = n ? memcmp(a.ptr, b.ptr, n) : 0;

    return order ? order : (a.len > b.len) - (a.len < b.len);
}

static int
compare_names(const void *left, const void *right)
{
    return compare_texts(((const struct user *)left)->name, ((const struct user *)right)->name);
}

static int
compare_lines(const void *left, const void *right)
{
    uint32_t a = ((const struct user *)left)->line, b = ((const struct user *)right)->line;
    int order = compare_names(left, right);

    return order ? order : (a > b) - (a < b);
}

/* Sorts, and leaves one user of each name: that of the configuration, whose line is 0. If it says
 * no password, that of the file is his. */
static int
settle(struct users *users, struct users_fault *fault)
{
    size_t n = 0;

    if (users->n > 1)
        qsort(users->user, users->n, sizeof *users->user, compare_lines);
    for (size_t i = 0; i < users->n; i++) {
        const struct user *user = &users->user[i];
        struct user *last = n ? &users->user[n - 1] : NULL;

        if (!last || compare_names(user, last) != 0) {
            users->user[n++] = *user;
        } else if (last->line) {
            fault->line = user->line;
            fault->what = "this name stands in the file twice";
            fault->mend = "leave one of the two out";
            return -EINVAL;
        } else if (!last->hash) {
            last->hash = user->hash;
            last->line = user->line;
        }
    }
    users->n = n;
    return 0;
}

const struct user *
users_find(const struct users *users, struct ern_slice name)
{
    struct user wanted = {.name = name};

    return users->n ? bsearch(&wanted, users->user, users->n, sizeof *users->user, compare_names)
                    : NULL;
}

const char *
users_decoy(const struct users *users, uint64_t number)
{
    for (size_t i = 0; i < users->n; i++) {
        const struct user *user = &users->user[(number + i) % users->n];

        if (user->hash)
            return user->hash;
    }
    return NULL;
}

/* ---- secrets of Digest -------------------------------------------------------------------------
 */

static const struct ern_slice algorithms[CRYPTO_HASHES] = {
    [CRYPTO_SHA256] = {"SHA-256", 7},
    [CRYPTO_SHA512_256] = {"SHA-512-256", 11},
    [CRYPTO_MD5] = {"MD5", 3},
};

enum { HEX_SHA = 64, HEX_MD5 = 32 };

enum crypto_hash
users_algorithm(struct ern_slice name)
{
    unsigned a = 0;

    while (a < CRYPTO_HASHES && !slice_eq_nocase(name, algorithms[a]))
        a++;
    return (enum crypto_hash)a;
}

struct ern_slice
users_algorithm_name(enum crypto_hash algorithm)
{
    return algorithms[algorithm];
}

/* Takes what stands before the next colon off the front. */
static struct ern_slice
next_part(struct ern_slice *text)
{
    size_t n = slice_find(*text, ':');
    struct ern_slice part = slice_first(*text, n);

    *text = slice_skip(*text, n < text->len ? n + 1 : n);
    return part;
}

static bool
read_hex(struct ern_slice text, char *ret)
{
    for (size_t i = 0; i < text.len; i++) {
        ret[i] = lower(text.ptr[i]);
        if (hex_value(ret[i]) < 0)
            return false;
    }
    return true;
}

/* Reads "NAME:REALM:HASH", as htdigest writes it; an algorithm may stand after it. Without it, the
 * length of the hash says whether it is of MD5 or of SHA-256. */
static bool
take_secret(struct users *users, char *line, size_t len, struct users_fault *fault)
{
    struct secret *s = &users->secret[users->secrets_n++];
    struct ern_slice text = slice_from(line, len), a1, algorithm;
    const struct user *user;

    fault->what = "this line is not NAME:REALM:HASH";
    fault->mend = "write what earnest passwd --digest REALM NAME prints";
    if (!value_is_clean(text))
        return false;
    s->name = next_part(&text);
    s->realm = next_part(&text);
    a1 = next_part(&text);
    algorithm = next_part(&text);
    s->algorithm = slice_is_there(algorithm) && algorithm.len ? users_algorithm(algorithm)
                   : a1.len == HEX_MD5                        ? CRYPTO_MD5
                                                              : CRYPTO_SHA256;
    if (s->name.len == 0 || s->realm.len == 0 || s->algorithm == CRYPTO_HASHES ||
        a1.len != (s->algorithm == CRYPTO_MD5 ? HEX_MD5 : HEX_SHA) || !read_hex(a1, s->a1))
        return false;
    s->line = fault->line;
    (void)crypto_joined(s->algorithm, (const struct ern_slice[]){s->name, s->realm}, 2,
                        s->userhash);
    user = users_find(users, s->name);
    s->groups = user ? user->groups : &no_groups;
    return true;
}

static int
compare_secrets(const void *left, const void *right)
{
    const struct secret *a = left, *b = right;
    int order = (a->algorithm > b->algorithm) - (a->algorithm < b->algorithm);

    if (!order)
        order = compare_texts(a->realm, b->realm);
    return order ? order : compare_texts(a->name, b->name);
}

static int
compare_userhashes(const void *left, const void *right)
{
    const struct secret *a = *(const struct secret *const *)left;
    const struct secret *b = *(const struct secret *const *)right;
    int order = (a->algorithm > b->algorithm) - (a->algorithm < b->algorithm);

    return order ? order : memcmp(a->userhash, b->userhash, sizeof a->userhash);
}

static int
sort_secrets(struct users *users, struct users_fault *fault)
{
    size_t n = users->secrets_n;

    if (n > 1)
        qsort(users->secret, n, sizeof *users->secret, compare_secrets);
    for (size_t i = 0; i < n; i++) {
        users->userhash[i] = &users->secret[i];
        if (i == 0 || compare_secrets(&users->secret[i - 1], &users->secret[i]) != 0)
            continue;
        fault->line = users->secret[i].line;
        fault->what = "this name stands in the file twice, for one realm and algorithm";
        fault->mend = "leave one of the two out";
        return -EINVAL;
    }
    if (n > 1)
        qsort(users->userhash, n, sizeof *users->userhash, compare_userhashes);
    return 0;
}

const struct secret *
users_secret(const struct users *users, enum crypto_hash algorithm, struct ern_slice realm,
             struct ern_slice name)
{
    struct secret wanted = {.name = name, .realm = realm, .algorithm = algorithm};

    return users->secrets_n ? bsearch(&wanted, users->secret, users->secrets_n,
                                      sizeof *users->secret, compare_secrets)
                            : NULL;
}

const struct secret *
users_secret_hashed(const struct users *users, enum crypto_hash algorithm, struct ern_slice realm,
                    struct ern_slice userhash)
{
    struct secret wanted = {.algorithm = algorithm};
    const struct secret *key = &wanted, *const * found;

    if (users->secrets_n == 0 || userhash.len > sizeof wanted.userhash ||
        !read_hex(userhash, wanted.userhash))
        return NULL;
    found = bsearch(&key, users->userhash, users->secrets_n, sizeof *users->userhash,
                    compare_userhashes);
    return found && slice_eq((*found)->realm, realm) ? *found : NULL;
}

/* ---- all of them -------------------------------------------------------------------------------
 */

/* The users of the file, and those of the configuration. */
static int
read_users(const struct conf *conf, struct users *users, struct users_fault *fault)
{
    size_t len = 0;
    int error = 0;

    fault->file = CONF_top_users;
    fault->path = conf->users;
    if (slice_is_there(conf->users))
        error = file_read_whole(conf->users.ptr, FILE_BYTES_MAX, &users->text, &len);
    if (error)
        return error;
    users->user = calloc(conf->accounts_n + len / LINE_BYTES_MIN + 2, sizeof *users->user);
    error = users->user ? read_lines(users, users->text, len, fault, take_user) : -ENOMEM;
    for (size_t i = 0; !error && i < conf->accounts_n; i++) {
        const struct conf_user *from = &conf->accounts[i];

        users->user[users->n++] =
            (struct user){.name = from->name, .hash = from->password.ptr, .groups = &from->groups};
    }
    return error ? error : settle(users, fault);
}

static int
read_secrets(const struct conf *conf, struct users *users, struct users_fault *fault)
{
    size_t len = 0, most;
    int error;

    if (!slice_is_there(conf->digests))
        return 0;
    *fault = (struct users_fault){.file = CONF_top_digests, .path = conf->digests};
    error = file_read_whole(conf->digests.ptr, FILE_BYTES_MAX, &users->digests, &len);
    if (error)
        return error;
    most = len / SECRET_LINE_BYTES_MIN + 2;
    users->secret = calloc(most, sizeof *users->secret);
    users->userhash = calloc(most, sizeof(const struct secret *));
    error = users->secret && users->userhash
                ? read_lines(users, users->digests, len, fault, take_secret)
                : -ENOMEM;
    return error ? error : sort_secrets(users, fault);
}

int
users_new(const struct conf *conf, struct users **ret_users, struct users_fault *ret_fault)
{
    struct users *users = calloc(1, sizeof *users);
    int error = users ? 0 : -ENOMEM;

    *ret_fault = (struct users_fault){.file = CONF_top_users, .path = conf->users};
    if (!error)
        error = read_users(conf, users, ret_fault);
    if (!error)
        error = read_secrets(conf, users, ret_fault);
    if (error) {
        if (error != -EINVAL)
            ret_fault->line = 0;
        users_free(users);
        return error;
    }
    *ret_users = users;
    return 0;
}

void
users_free(struct users *users)
{
    if (!users)
        return;
    free(users->user);
    free(users->text);
    if (users->secret)
        explicit_bzero(users->secret, users->secrets_n * sizeof *users->secret);
    free(users->secret);
    free(users->userhash);
    free(users->digests);
    free(users);
}
