/* SPDX-License-Identifier: Apache-2.0 */
/*
 * admin.h - the socket that the server is looked into and steered by, for whoever may open it: a
 * Unix socket with mode 0600, served by a thread of its own.
 *
 * A client sends one line, a verb and its words with a space between, and gets lines of JSON, an
 * object each; or, of why, the form that it asks for. What can not be done is {"error": "..."}.
 *
 *   status              the processes, connections, how often the configuration was read again and
 *                       how often it was refused, and what is paused
 *   limits              every limit and its value
 *   pause SITE SECONDS  the site answers 503; SITE is its name, or - for the one without
 *   resume SITE         it is back in service
 *   credit              every account: the digest of its key, and what it has
 *   credit KEY          the account of a key
 *   credit add KEY N    N more credits for it, on the disk when this is answered
 *   locks               the locks of writable folders: where, whose, for how long
 *   unlock TOKEN        breaks one
 *   jobs                what was accepted to be done later
 *   legal               the demands that are in force
 *   incident ID         what is known of an incident, which a 500 names
 *   why ID FORM LANG    a decision, explained (why.h): as txt, html, json (the default) or svg, in
 *                       en (the default) or bn
 *
 *   reload, drain       the process id of the supervisor: these are signals to it, SIGHUP and
 *                       SIGTERM, which its own user sends
 */
#ifndef SERVE_ADMIN_H
#define SERVE_ADMIN_H

#include <stdatomic.h>

#include "conf/conf.h"

struct admin;
struct guests;
struct incidents;
struct legal;
struct log;
struct meter;
struct pauses;
struct shares;
struct traces;

struct reloads { /* shared by all processes of a server; the supervisor counts */
    atomic_uint done, refused;
};

struct admin_options { /* all of it lives longer */
    const struct conf *conf;
    struct guests *guests;
    struct pauses *pauses;
    const struct reloads *reloads;
    struct meter *meter;   /* NULL: there is no credit */
    struct shares *shares; /* NULL: there are no writable folders */
    struct legal *legal;   /* NULL: there is no record of demands */
    struct incidents *incidents;
    struct log *audit;           /* NULL: not written */
    const struct traces *traces; /* NULL: decisions are not remembered */
};

/* Opens the socket of the configuration, in the place of one that was left there. Returns 0 or a
 * negative errno. */
ERN_MUST_USE int admin_open(const struct conf *conf, struct admin **ret_admin);

/* Serves it, once there is all that is to be looked into. Returns 0 or a negative errno. */
ERN_MUST_USE int admin_serve(struct admin *admin, const struct admin_options *options);
void admin_close(struct admin *admin); /* NULL is fine */

#endif
