/* SPDX-License-Identifier: Apache-2.0 */
/* target.h - the request target (RFC 9112 3.2), its authority, and its path. */
#ifndef MSG_TARGET_H
#define MSG_TARGET_H

#include "base/out.h"
#include "code/finding.h"
#include "earnest/message.h"

/*
 * Reads the target of a request whose method is set, and sets form, authority (if the target has
 * one), path and query.
 *   target   not empty; any bytes, for those that are not visible ASCII are found here
 *   ret_at   offset of the offending byte in target, when there is a finding
 * Returns FINDING_none, or FINDING_target_form, target_syntax, target_encoding, host_syntax.
 * A fragment is target_syntax: it is never sent (RFC 9110 7.1). An OPTIONS request with an
 * absolute-form that ends with its authority is in asterisk-form (RFC 9112 3.2.4).
 */
enum finding target_parse(struct ern_slice target, struct ern_request *request, size_t *ret_at);

/*
 * Is this uri-host [ ":" port ] (RFC 9110 7.2)? Reg-names, IPv4, and IPv6 or a later version in
 * brackets (RFC 3986 3.2.2); the host not empty; no userinfo, no zone; port 0 to 65535 or empty.
 * The empty text is one only if may_be_empty.
 */
bool authority_is(struct ern_slice authority, bool may_be_empty);

/* The host of an authority that authority_is() took, without its port; brackets stay. */
struct ern_slice authority_host(struct ern_slice authority);

struct path {
    struct ern_slice text; /* decoded, begins with a slash, no empty and no dot segments */
    bool escapes;          /* it climbed above the root; text is then empty */
};

/*
 * Decodes a path once, joins repeated slashes and removes dot segments (RFC 3986 5.2.4), which are
 * recognised in decoded form. A slash at the end stays, and "." or ".." at the end leave one.
 *   path     from target_parse(): begins with a slash
 *   o        room for the text; path.len bytes always do. A path that is in this form already is
 *            not written to it: ret_path->text is then the path itself
 *   ret_at   offset of the offending byte in path, when there is a finding
 * Returns FINDING_none, target_encoding, target_nul (%00) or target_slash (%2F). On a finding, and
 * if o was too small (o->full says so), the text is empty.
 */
enum finding path_read(struct ern_slice path, struct out *o, struct path *ret_path, size_t *ret_at);

/* Has the path, as it came, no empty and no dot segments, however these are encoded? Then whoever
 * resolves it comes to the same. */
bool path_is_plain(struct ern_slice path);

/* Writes a decoded path as a URI path: all but pchar and "/" percent-encoded, in upper case. */
void path_write(struct out *o, struct ern_slice text);

#endif
