/* SPDX-License-Identifier: Apache-2.0 */
#include "io/password.h"

#include <crypt.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "io/crypto.h"

enum { HASH_BYTES_MIN = 40 /* a shorter one is only the setting of a method */ };

_Static_assert(PASSWORD_HASH_BYTES >= CRYPT_OUTPUT_SIZE, "a hash fits");
_Static_assert(PASSWORD_BYTES_MAX < CRYPT_MAX_PASSPHRASE_SIZE, "a password fits");

bool
password_is_hash(const char *hash)
{
    /* Without the sign at the front it is the old hash of DES, or no hash at all. */
    return hash[0] == '$' && strlen(hash) >= HASH_BYTES_MIN &&
           crypt_checksalt(hash) == CRYPT_SALT_OK;
}

/* Hashes password as setting has it. Returns 0 or a negative errno. */
static int
hash_with(struct ern_slice password, const char *setting, char ret_hash[PASSWORD_HASH_BYTES])
{
    struct crypt_data *data = NULL;
    char text[PASSWORD_BYTES_MAX + 1];
    const char *hash;
    int error = password.len > PASSWORD_BYTES_MAX ? -EINVAL : 0;

    if (!error) {
        data = calloc(1, sizeof *data);
        error = data ? 0 : -ENOMEM;
    }
    if (!error) {
        memcpy(text, password.ptr, password.len);
        text[password.len] = '\0';
        hash = crypt_r(text, setting, data);
        if (hash && hash[0] != '*')
            memcpy(ret_hash, hash, strlen(hash) + 1);
        else
            error = -EINVAL;
        explicit_bzero(text, sizeof text);
        explicit_bzero(data, sizeof *data);
    }
    free(data);
    return error;
}

bool
password_matches(struct ern_slice password, const char *hash)
{
    char made[PASSWORD_HASH_BYTES];
    size_t len;

    if (hash_with(password, hash, made) < 0)
        return false;
    len = strlen(made);
    return len == strlen(hash) && crypto_same(made, hash, len);
}

int
password_hash(struct ern_slice password, char ret_hash[PASSWORD_HASH_BYTES])
{
    char setting[CRYPT_GENSALT_OUTPUT_SIZE];

    if (!crypt_gensalt_rn("$y$", 0, NULL, 0, setting, sizeof setting))
        return -errno;
    return hash_with(password, setting, ret_hash);
}
