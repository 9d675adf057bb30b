/* SPDX-License-Identifier: Apache-2.0 */
/*
 * journal.h - changes of files that the database must follow. The intent is kept before the rename,
 * and taken away with the rows that follow from it. A crash in between is put right at the next
 * start, a failure in between before anything else is changed.
 */
#ifndef DAV_JOURNAL_H
#define DAV_JOURNAL_H

#include "dav/share.h"

/*
 * Begins a change of the share: takes share->writing, puts right what an earlier one has left, and
 * begins a STORE_WRITE session. On an error none of it is held.
 */
ERN_MUST_USE int journal_begin(struct share *share, struct store_session **ret_session);

/* Ends the session (NULL: it was lost) and the change. 0 says that it is kept; otherwise what it
 * did to the files is put right, at once or when the next one begins. */
ERN_MUST_USE int journal_end(struct share *share, struct store_session *session, bool commit);

/* Keeps the intent: 0 says that it survives, with all that the session has done so far. session is
 * ended, and a new one given; or NULL, with an error. */
ERN_MUST_USE int journal_keep(struct share *share, struct store_session **session,
                              struct intent *intent);

/* The rows that follow from a change that was made to the files, and the end of the intent. */
ERN_MUST_USE int journal_follow(struct store_session *session, const struct intent *intent,
                                int64_t now_s);

/* Finishes or drops what a process that is no more had begun; while this one is alone. */
ERN_MUST_USE int journal_recover(struct share *share);

#endif
