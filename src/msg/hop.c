/* SPDX-License-Identifier: Apache-2.0 */
#include "msg/hop.h"

#include "base/slice.h"
#include "msg/list.h"

/* Fields that end here whether Connection names them or not (RFC 9110 7.6.1), and those of framing.
 */
static bool
is_of_connection(const struct ern_field *f)
{
    static const struct ern_slice others[] = {
        {"Keep-Alive", 10},
        {"Proxy-Connection", 16},
        {"Proxy-Authenticate", 18},
        {"Proxy-Authentication-Info", 25},
    };

    switch (f->id) {
    case ERN_FIELD_connection:
    case ERN_FIELD_te:
    case ERN_FIELD_trailer:
    case ERN_FIELD_upgrade:
    case ERN_FIELD_transfer_encoding:
    case ERN_FIELD_content_length:
    case ERN_FIELD_http2_settings:
    case ERN_FIELD_proxy_authorization:
        return true;
    default:
        break;
    }
    for (size_t i = 0; f->id == ERN_FIELDS && i < sizeof others / sizeof *others; i++)
        if (slice_eq_nocase(f->name, others[i]))
            return true;
    return false;
}

bool
hop_ends(const struct ern_request *m, const struct ern_field *f)
{
    return is_of_connection(f) || list_has(m, ERN_FIELD_connection, f->name);
}

bool
hop_is_disguised(struct ern_slice name)
{
    char text[32]; /* no name that we know is longer */
    struct out o = out_init(text, sizeof text);

    if (slice_find(name, '_') == name.len || name.len > sizeof text)
        return false;
    for (; name.len; name = slice_skip(name, 1)) {
        bool is_low = name.ptr[0] == '_';

        out_slice(&o, is_low ? ERN_SLICE("-") : slice_first(name, 1));
    }
    return ern_field_find(out_done(&o)) != ERN_FIELDS;
}

/* received-protocol RWS received-by: the second word of a member of Via. */
static struct ern_slice
received_by(struct ern_slice member)
{
    struct ern_slice rest = slice_trim(slice_skip(member, slice_find(member, ' ')));

    return slice_first(rest, slice_find(rest, ' '));
}

/* The cdn-id of a member of CDN-Loop. */
static struct ern_slice
cdn_id(struct ern_slice member)
{
    return slice_trim(slice_first(member, slice_find(member, ';')));
}

static bool
names(struct ern_slice list, struct ern_slice pseudonym,
      struct ern_slice (*name_of)(struct ern_slice member))
{
    struct ern_slice member;

    while (list_next(&list, &member))
        if (slice_eq_nocase(name_of(member), pseudonym))
            return true;
    return false;
}

bool
hop_loops(const struct ern_request *m, struct ern_slice pseudonym)
{
    for (unsigned i = 0; i < m->fields_n; i++) {
        const struct ern_field *f = &m->fields[i];

        if (f->id == ERN_FIELD_via && names(f->value, pseudonym, received_by))
            return true;
        if (f->id == ERN_FIELDS && slice_eq_nocase(f->name, ERN_SLICE("CDN-Loop")) &&
            names(f->value, pseudonym, cdn_id))
            return true;
    }
    return false;
}

static bool
goes_on(struct ern_slice protocol)
{
    struct ern_slice name = slice_first(protocol, slice_find(protocol, '/'));

    return !slice_eq_nocase(name, ERN_SLICE("h2c")) && !slice_eq_nocase(name, ERN_SLICE("HTTP")) &&
           !slice_eq_nocase(name, ERN_SLICE("TLS"));
}

bool
hop_write_upgrade(const struct ern_request *m, struct out *o)
{
    struct ern_slice line, member;
    bool any = false;

    for (uint16_t at = 0; ern_request_next(m, ERN_FIELD_upgrade, &at, &line);)
        while (list_next(&line, &member)) {
            if (!goes_on(member))
                continue;
            if (any)
                out_literal(o, ", ");
            out_slice(o, member);
            any = true;
        }
    return any;
}

bool
hop_takes_hints(const struct ern_request *r)
{
    return r->version_major > 1 ||
           slice_eq(ern_request_field(r, ERN_FIELD_sec_fetch_mode), ERN_SLICE("navigate"));
}
