/* SPDX-License-Identifier: Apache-2.0 */
/*
 * journal.h - changes of files that the database must follow. The intent is kept before the rename,
 * and taken away with the rows that follow from it; a crash in between is finished at the next
 * start.
 */
#ifndef DAV_JOURNAL_H
#define DAV_JOURNAL_H

#include "dav/share.h"

/* Keeps the intent: 0 says that it survives. session is ended, and a new one given. */
ERN_MUST_USE int journal_keep(struct share *share, struct store_session **session,
                              struct intent *intent);

/* The rows that follow from a change that was made to the files, and the end of the intent. */
ERN_MUST_USE int journal_follow(struct store_session *session, const struct intent *intent,
                                int64_t now_s);

/* Finishes or drops what a process that is no more had begun; while this one is alone. */
ERN_MUST_USE int journal_recover(struct share *share, int64_t now_s);

#endif
