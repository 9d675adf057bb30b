/* SPDX-License-Identifier: Apache-2.0 */
/*
 * listing.h - the page of a directory: HTML, JSON or plain text by Accept, English or Bengali by
 * Accept-Language, sorted as the query asks (?sort=name|size|modified&order=up|down).
 */
#ifndef RES_LISTING_H
#define RES_LISTING_H

#include "res/res.h"

/*
 * Makes the listing of the directory request->below the representation of the request behind
 * decision->self: a stream, which is opened and read only when it is sent. Returns false without
 * memory for it.
 */
ERN_MUST_USE bool listing_open(struct ern_decision *decision);

#endif
