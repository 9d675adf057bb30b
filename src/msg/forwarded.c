/* SPDX-License-Identifier: Apache-2.0 */
#include "msg/forwarded.h"

#include "base/chars.h"
#include "base/num.h"
#include "msg/list.h"
#include "msg/target.h"

enum { PORT_DIGITS_MAX = 5 };

/* obfnode, obfport = "_" 1*( ALPHA / DIGIT / "." / "_" / "-" ) */
static bool
obfuscated_is(struct ern_slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if (!char_is(text.ptr[i], CHAR_ALPHA | CHAR_DIGIT) && text.ptr[i] != '.' &&
            text.ptr[i] != '_' && text.ptr[i] != '-')
            return false;
    return text.len > 1 && text.ptr[0] == '_';
}

/* nodename = IPv4address / "[" IPv6address "]" / "unknown" / obfnode */
static bool
name_parse(struct ern_slice name, struct forwarded_node *ret)
{
    ret->kind = FORWARDED_ADDRESS;
    if (name.len > 2 && name.ptr[0] == '[' && name.ptr[name.len - 1] == ']')
        return ip6_parse(slice_from(name.ptr + 1, name.len - 2), &ret->address.ip);
    if (ip4_parse(name, &ret->address.ip))
        return true;
    ret->kind = FORWARDED_UNKNOWN;
    if (slice_eq_nocase(name, ERN_SLICE("unknown")))
        return true;
    ret->kind = FORWARDED_OBFUSCATED;
    return obfuscated_is(name);
}

/* node-port = 1*5DIGIT / obfport */
static bool
port_parse(struct ern_slice text, uint16_t *ret)
{
    uint64_t port;

    if (obfuscated_is(text))
        return true;
    if (text.len > PORT_DIGITS_MAX || !u64_parse(text, UINT16_MAX, &port))
        return false;
    *ret = (uint16_t)port;
    return true;
}

/* node = nodename [ ":" node-port ] (RFC 7239 6) */
static bool
node_parse(struct ern_slice text, struct forwarded_node *ret)
{
    size_t bracket = text.len && text.ptr[0] == '[' ? slice_find(text, ']') : 0;
    size_t end = bracket + slice_find(slice_skip(text, bracket), ':');

    *ret = (struct forwarded_node){.text = text};
    if (!name_parse(slice_first(text, end), ret))
        return false;
    return end == text.len || port_parse(slice_skip(text, end + 1), &ret->address.port);
}

/* As above, or an IPv6 address without brackets, as X-Forwarded-For has it (RFC 7239 7.4). */
static bool
loose_node_parse(struct ern_slice text, struct forwarded_node *ret)
{
    if (node_parse(text, ret))
        return true;
    *ret = (struct forwarded_node){.kind = FORWARDED_ADDRESS, .text = text};
    return ip6_parse(text, &ret->address.ip);
}

static bool
is_trusted(const struct forwarded_node *node, const struct networks *trusted)
{
    return node->kind == FORWARDED_ADDRESS && networks_have(trusted, &node->address.ip);
}

/* scheme = ALPHA *( ALPHA / DIGIT / "+" / "-" / "." ) (RFC 3986 3.1) */
static bool
scheme_is(struct ern_slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if (!char_is(text.ptr[i], CHAR_ALPHA | CHAR_DIGIT) && text.ptr[i] != '+' &&
            text.ptr[i] != '-' && text.ptr[i] != '.')
            return false;
    return text.len > 0 && char_is(text.ptr[0], CHAR_ALPHA);
}

/* Host = uri-host [ ":" port ]; the empty one, which a request can have, names no host. */
static bool
host_is(struct ern_slice text)
{
    return authority_is(text, false);
}

/* The value with its backslashes resolved; itself if it has none. */
static struct ern_slice
unescape(struct ern_slice value, struct out *o)
{
    size_t begin = o->len;

    if (slice_find(value, '\\') == value.len)
        return value;
    parameter_write(o, value);
    return slice_from(o->ptr + begin, o->len - begin);
}

enum { SEEN_FOR = 1 << 0, SEEN_BY = 1 << 1, SEEN_HOST = 1 << 2, SEEN_PROTO = 1 << 3 };

/* A parameter of an element; others than these four are extensions (RFC 7239 5.5). */
static enum finding
read_parameter(struct ern_slice name, struct ern_slice value, unsigned *seen, struct forwarded *ret)
{
    unsigned before = *seen;
    struct forwarded_node by;

    if (slice_eq_nocase(name, ERN_SLICE("for"))) {
        *seen |= SEEN_FOR;
        if (!node_parse(value, &ret->client))
            return FINDING_forwarded_node;
    } else if (slice_eq_nocase(name, ERN_SLICE("by"))) {
        *seen |= SEEN_BY;
        if (!node_parse(value, &by))
            return FINDING_forwarded_node;
    } else if (slice_eq_nocase(name, ERN_SLICE("host"))) {
        *seen |= SEEN_HOST;
        if (!host_is(value))
            return FINDING_forwarded_host;
        ret->host = value;
    } else if (slice_eq_nocase(name, ERN_SLICE("proto"))) {
        *seen |= SEEN_PROTO;
        if (!scheme_is(value))
            return FINDING_forwarded_proto;
        ret->proto = value;
    } else {
        return FINDING_none;
    }
    return *seen == before ? FINDING_forwarded_repeated : FINDING_none;
}

/*
 * forwarded-element = [ forwarded-pair ] *( ";" [ forwarded-pair ] ) (RFC 7239 4)
 *
 * White space around ";" is taken: parameters have it elsewhere (RFC 9110 5.6.6), and it can change
 * nothing.
 */
static enum finding
read_element(struct ern_slice element, struct forwarded *ret, struct out *o)
{
    struct ern_slice name, value;
    unsigned seen = 0;
    bool found = element.ptr[0] == ';' ? parameter_next(&element, &name, &value)
                                       : parameter_take(&element, &name, &value);

    *ret = (struct forwarded){.finding = FINDING_none};
    for (; found; found = parameter_next(&element, &name, &value)) {
        enum finding finding;

        if (!slice_is_there(value))
            return FINDING_forwarded_syntax;
        finding = read_parameter(name, unescape(value, o), &seen, ret);
        if (finding)
            return finding;
    }
    return element.len ? FINDING_forwarded_syntax : FINDING_none;
}

/*
 * Read from the left, for quotes can not be read from the right, the last element whose node is not
 * trusted is the first from the right.
 */
static enum finding
read_forwarded(const struct ern_request *request, const struct networks *trusted,
               struct forwarded *ret, struct out *o)
{
    struct ern_slice line, member;
    bool first = true;

    for (uint16_t at = 0; ern_request_next(request, ERN_FIELD_forwarded, &at, &line);)
        while (list_next(&line, &member)) {
            struct forwarded element;
            enum finding finding = read_element(member, &element, o);

            if (finding)
                return finding;
            if (first || !is_trusted(&element.client, trusted))
                *ret = element;
            first = false;
        }
    return FINDING_none;
}

/* *ret_right is how many nodes stand to the right of the client. */
static enum finding
read_x_for(const struct ern_request *request, const struct networks *trusted,
           struct forwarded_node *ret, size_t *ret_right)
{
    struct ern_slice line, member;

    *ret_right = 0;
    for (uint16_t at = 0; ern_request_next(request, ERN_FIELD_x_forwarded_for, &at, &line);)
        while (list_next(&line, &member)) {
            struct forwarded_node node;

            if (!loose_node_parse(member, &node))
                return FINDING_forwarded_node;
            if (ret->kind == FORWARDED_NOT_SAID || !is_trusted(&node, trusted)) {
                *ret = node;
                *ret_right = 0;
            } else {
                ++*ret_right;
            }
        }
    return FINDING_none;
}

/*
 * The member that has so many others to its right, or the first. Some gateways add to these lists,
 * as they do to X-Forwarded-For, others replace them by what the outermost saw: counted from the
 * right, neither lets a client choose.
 */
static bool
read_x_member(const struct ern_request *request, enum ern_field_id id, size_t right,
              bool (*is)(struct ern_slice), struct ern_slice *ret)
{
    struct ern_slice line, member;
    size_t n = 0, wanted;

    for (uint16_t at = 0; ern_request_next(request, id, &at, &line);)
        for (; list_next(&line, &member); n++)
            if (!is(member))
                return false;
    wanted = n > right ? n - right : 1;
    n = 0;
    for (uint16_t at = 0; ern_request_next(request, id, &at, &line);)
        while (list_next(&line, &member))
            if (++n == wanted)
                *ret = member;
    return true;
}

static enum finding
read_x_forwarded(const struct ern_request *request, const struct networks *trusted,
                 struct forwarded *ret)
{
    size_t right;
    enum finding finding = read_x_for(request, trusted, &ret->client, &right);

    if (finding)
        return finding;
    if (!read_x_member(request, ERN_FIELD_x_forwarded_proto, right, scheme_is, &ret->proto))
        return FINDING_forwarded_proto;
    if (!read_x_member(request, ERN_FIELD_x_forwarded_host, right, host_is, &ret->host))
        return FINDING_forwarded_host;
    return FINDING_none;
}

/*
 * One form alone is looked at, and the other not even when this one is malformed. An element of
 * Forwarded holds what one gateway saw of one request; of the other lists "it is not possible to
 * know in which order the already existing fields were added" (RFC 7239 7.4). To take what the one
 * does not say from the others would join what different nodes said.
 */
struct forwarded
forwarded_read(const struct ern_request *request, const struct ip *peer,
               const struct networks *trusted, enum forwarded_form form, struct out *o)
{
    struct forwarded forwarded = {.finding = FINDING_none};
    enum finding finding;

    if (!networks_have(trusted, peer))
        return forwarded;
    finding = form == FORWARDED_BY_FORWARDED ? read_forwarded(request, trusted, &forwarded, o)
                                             : read_x_forwarded(request, trusted, &forwarded);
    if (finding || o->full)
        forwarded = (struct forwarded){.finding = finding};
    return forwarded;
}
