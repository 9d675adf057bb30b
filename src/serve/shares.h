/* SPDX-License-Identifier: Apache-2.0 */
/*
 * shares.h - what the writable folders of a configuration need besides their files: the store, the
 * routes of uploads and jobs, and the thread that does what was accepted.
 */
#ifndef SERVE_SHARES_H
#define SERVE_SHARES_H

#include "earnest/slice.h"

struct conf;
struct share;
struct shares;
struct store;
struct site_table;

/*
 * Opens them all, once the process is who it stays. Without a writable folder or a
 * price it is nothing, and *ret_shares NULL. State that cannot be reached is complained of and no
 * error: reading goes on. Returns 0, or a negative errno.
 */
ERN_MUST_USE int shares_open(struct site_table *table, const struct conf *conf,
                             struct shares **ret_shares);

/* The writable folders. */
unsigned shares_n(const struct shares *shares);
struct share *shares_at(const struct shares *shares, unsigned i);

/* The store that they share; NULL: there is none, or it cannot be reached. */
struct store *shares_store(const struct shares *shares);

/* Before the pool and the table are closed: ends the thread. NULL is fine. */
void shares_stop(struct shares *shares);

/* After the table is freed, which closes the folders. NULL is fine. */
void shares_free(struct shares *shares);

#endif
