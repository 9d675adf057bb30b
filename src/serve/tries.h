/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tries.h - failed logins, so that who guesses has to wait: each failure past a number doubles the
 * time until the next try. Shared by all threads, bounded in memory whatever names and addresses
 * come.
 */
#ifndef SERVE_TRIES_H
#define SERVE_TRIES_H

#include "base/hash.h"
#include "base/ip.h"

struct tries;

/* One client, as one user and as any user: what is counted for it. */
struct try_keys {
    uint64_t as_user, as_any;
};

/* Returns NULL without memory. */
struct tries *tries_new(int64_t failed_max, struct hash_key key);
void tries_free(struct tries *tries);

/* A client is what ip_client() says. */
struct try_keys tries_keys(const struct tries *tries, const struct ip *client,
                           struct ern_slice user);

/* How many milliseconds it has to wait for its next try, or 0. */
int64_t tries_wait_ms(struct tries *tries, struct try_keys keys, int64_t now_ms);

/* Counts a failure; a success forgets those as this user. */
void tries_fail(struct tries *tries, struct try_keys keys, int64_t now_ms);
void tries_succeed(struct tries *tries, struct try_keys keys);

#endif
