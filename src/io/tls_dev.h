/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tls_dev.h - certificates for a machine of one's own, from an authority that was made on it and
 * can speak for nothing else.
 */
#ifndef IO_TLS_DEV_H
#define IO_TLS_DEV_H

#include "base/out.h"

enum { TLS_DEV_PATH_BYTES = 4096 };

struct tls_dev { /* paths of PEM files, NUL-terminated */
    char authority[TLS_DEV_PATH_BYTES];
    char certificate[TLS_DEV_PATH_BYTES];
    char key[TLS_DEV_PATH_BYTES];
};

/*
 * Makes what is not yet in the folder, or is about to expire: an authority that is constrained to
 * localhost, the loopback addresses and this host, and a certificate of it for these.
 *   folder   made, with those that it is in, if it is not there; its files are readable by their
 *            owner alone
 *   host     the name of this host; what is no DNS name is left out
 *   ret_why  on failure a constant text that says what went wrong
 * Returns 0, or a negative errno.
 */
ERN_MUST_USE int tls_dev_make(const char *folder, struct ern_slice host, struct tls_dev *ret_dev,
                              const char **ret_why);

#endif
