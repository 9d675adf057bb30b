/* SPDX-License-Identifier: Apache-2.0 */
/* password.h - hashes of passwords, as crypt(3) has them. */
#ifndef IO_PASSWORD_H
#define IO_PASSWORD_H

#include <stdbool.h>
#include <stddef.h>

#include "earnest/slice.h"

enum {
    PASSWORD_BYTES_MAX = (1 << 9) - 1, /* longer passwords match nothing */
    PASSWORD_HASH_BYTES = 384,         /* of a hash with its NUL, at most */
};

/* Is it a hash by a method that is fit for passwords today: yescrypt, bcrypt, SHA-crypt, scrypt? */
bool password_is_hash(const char *hash);

/*
 * Is this the password that the hash was made of? Takes as long as its method wants, some tens of
 * milliseconds, and as long for a wrong password as for the right one.
 */
bool password_matches(struct ern_slice password, const char *hash);

/* Makes a hash by yescrypt, with fresh salt. Returns 0, or a negative errno. */
ERN_MUST_USE int password_hash(struct ern_slice password, char ret_hash[PASSWORD_HASH_BYTES]);

#endif
