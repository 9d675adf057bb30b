/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SERVE_ERROR_H
#define SERVE_ERROR_H

#include "code/language.h"
#include "serve/exchange.h"

struct error_content {
    struct ern_slice type; /* media type */
    enum language language;
    struct ern_slice text; /* in the exchange's arena, or the worker's */
};

/*
 * Writes the content of an answer that has no representation: what happened and why, as
 * problem+json, HTML or plain text by Accept, in English or Bengali by Accept-Language. It never
 * fails to be acceptable: the least wrong form is taken (RFC 9110 15.5.7 asks no more of it).
 */
struct error_content error_write(struct exchange *exchange);

/* Frees what a worker keeps of problems that are the same each time. */
void error_forget(struct worker *worker);

#endif
