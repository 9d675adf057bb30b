/* SPDX-License-Identifier: Apache-2.0 */
/* admin_parts.h - what the files of the admin socket share. */
#ifndef SERVE_ADMIN_PARTS_H
#define SERVE_ADMIN_PARTS_H

#include "base/out.h"
#include "serve/admin.h"

enum { ADMIN_WORDS = 4 };

struct admin_call { /* one line of one client */
    const struct admin_options *options;
    struct ern_slice word[ADMIN_WORDS]; /* the verb first */
    unsigned words_n;
    struct out *out; /* the answer */
    int fd;          /* where it goes */
    bool cut;        /* the client takes no more */
    bool failed;     /* an error was told */
    /* What a line of the audit says was acted on; never a secret. */
    struct ern_slice what;
    char what_text[64];
};

/* Ends an object of the answer; what is there goes out when it is much. */
void admin_line(struct admin_call *call);

/* "name":"text"; a comma goes before, unless it is the first of its object. */
void admin_text(struct admin_call *call, const char *name, struct ern_slice text);
void admin_number(struct admin_call *call, const char *name, int64_t n);

/* {"error": "what"} */
void admin_error(struct admin_call *call, const char *what);

/* The verbs of admin_state.c, about what is kept. */
void admin_credit(struct admin_call *call);
void admin_locks(struct admin_call *call);
void admin_unlock(struct admin_call *call);
void admin_jobs(struct admin_call *call);
void admin_legal(struct admin_call *call);
void admin_incident(struct admin_call *call);

#endif
