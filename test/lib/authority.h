/* SPDX-License-Identifier: Apache-2.0 */
/* authority.h - a certificate authority in a folder of its own, for tests. What fails ends the
 * test. */
#ifndef TEST_AUTHORITY_H
#define TEST_AUTHORITY_H

#include <stdbool.h>
#include <stdint.h>

struct authority {
    char folder[64];
    char certificate[96]; /* the path of its PEM file */
    void *crt, *key;
    unsigned serial;
};

struct issue {
    const char *name;  /* of the files NAME.pem and NAME.key */
    const char *hosts; /* with spaces between; NULL: none */
    bool rsa;          /* else ECDSA with P-256 */
    bool client;       /* for clients, else for servers */
    int64_t expires_s; /* from now; 0: a day */
};

void authority_open(struct authority *a);

/* Removes the folder and all that is in it. */
void authority_close(struct authority *a);

void authority_issue(struct authority *a, const struct issue *issue);

/* Makes NAME.ocsp, which says that the certificate NAME is good. */
void authority_staple(struct authority *a, const char *name);

/* The path of a file in the folder; kept until the 16th call after it. */
const char *authority_path(const struct authority *a, const char *name, const char *suffix);

#endif
