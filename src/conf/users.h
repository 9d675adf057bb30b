/* SPDX-License-Identifier: Apache-2.0 */
/* users.h - everybody who can log in: the users of a configuration and of the file that it names.
 */
#ifndef CONF_USERS_H
#define CONF_USERS_H

#include "conf/conf.h"

struct user {
    struct ern_slice name;
    uint32_t line;    /* of the file; 0: of the configuration */
    const char *hash; /* of the password, as crypt(3) has it */
    const struct conf_texts *groups;
};

struct users {
    struct user *user; /* sorted by name; no name stands here twice */
    size_t n;
    char *text; /* of the file */
};

struct users_fault { /* where the file is wrong */
    uint32_t line;   /* from 1; 0: it cannot be read, and nothing else is said */
    const char *what, *mend;
};

/*
 * Reads them; conf must outlive the result. A user of the configuration counts before one of the
 * file with the same name.
 *   ret_fault  written if the file is at fault
 * Returns 0, or a negative errno: -EINVAL with ret_fault->line.
 */
ERN_MUST_USE int users_new(const struct conf *conf, struct users **ret_users,
                           struct users_fault *ret_fault);
void users_free(struct users *users);

/* NULL if nobody has this name. */
const struct user *users_find(const struct users *users, struct ern_slice name);

#endif
