/* SPDX-License-Identifier: Apache-2.0 */
/* users.h - everybody who can log in: the users of a configuration and of the files that it names.
 */
#ifndef CONF_USERS_H
#define CONF_USERS_H

#include "conf/conf.h"
#include "io/crypto.h"

struct user {
    struct ern_slice name;
    uint32_t line;    /* of the file; 0: of the configuration */
    const char *hash; /* of the password, as crypt(3) has it; NULL: nobody logs in by it */
    const struct conf_texts *groups;
};

struct secret { /* of a user, for Digest in one realm, by one algorithm (RFC 7616 3.4.2) */
    struct ern_slice name, realm;
    uint32_t line;
    enum crypto_hash algorithm;
    char a1[CRYPTO_HEX_BYTES];       /* H(A1): hexadecimal digits in lower case */
    char userhash[CRYPTO_HEX_BYTES]; /* H(name:realm), RFC 7616 3.4.4 */
    const struct conf_texts *groups;
};

struct users {
    struct user *user; /* sorted by name; no name stands here twice */
    size_t n;
    struct secret *secret;          /* sorted by algorithm, realm and name */
    const struct secret **userhash; /* the same, by algorithm and userhash */
    size_t secrets_n;
    char *text, *digests; /* of the files */
};

struct users_fault {       /* where a file is wrong */
    enum conf_option file; /* CONF_top_users or CONF_top_digests: this one */
    struct ern_slice path;
    uint32_t line; /* from 1; 0: it cannot be read, and nothing else is said */
    const char *what, *mend;
};

/*
 * Reads them; conf must outlive the result. A user of the configuration counts before one of the
 * file with the same name. He gives his groups to those of the same name that log in by Digest, and
 * has the password of the file if the configuration says none.
 *   ret_fault  written if a file is at fault
 * Returns 0, or a negative errno: -EINVAL with ret_fault->line.
 */
ERN_MUST_USE int users_new(const struct conf *conf, struct users **ret_users,
                           struct users_fault *ret_fault);
void users_free(struct users *users);

/* NULL if nobody has this name. */
const struct user *users_find(const struct users *users, struct ern_slice name);

/* The hash of somebody, the same one for the same number. NULL: nobody has a hash. */
const char *users_decoy(const struct users *users, uint64_t number);

/* The algorithm of Digest with this name, in any case (RFC 7616 3.3), or CRYPTO_HASHES. */
enum crypto_hash users_algorithm(struct ern_slice name);

/* Its name, as RFC 7616 3.3 writes it. */
struct ern_slice users_algorithm_name(enum crypto_hash algorithm);

/* Whose secret it is, by name, or by what userhash says of a name. NULL: nobody's. */
const struct secret *users_secret(const struct users *users, enum crypto_hash algorithm,
                                  struct ern_slice realm, struct ern_slice name);
const struct secret *users_secret_hashed(const struct users *users, enum crypto_hash algorithm,
                                         struct ern_slice realm, struct ern_slice userhash);

#endif
