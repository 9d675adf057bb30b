/* SPDX-License-Identifier: Apache-2.0 */
/*
 * proxy.c - the header of the PROXY protocol.
 *
 * Version 1 is a line of at most 107 bytes; version 2, numbers in network order:
 *
 *   0   12  signature
 *   12  1   version (high half: 2) and command (low half: 0 LOCAL, 1 PROXY)
 *   13  1   address family (high half) and transport (low half)
 *   14  2   how many bytes follow
 *   16      addresses: source, destination, and their ports, as the family has them
 *           values: a type of 1 byte, a length of 2, and so many bytes
 */
#include "wire/proxy.h"

#include "base/num.h"
#include "base/utf8.h"

enum {
    LINE_BYTES_MAX = 107,
    COMMAND_AT = 12,
    FAMILY_AT = 13,
    LENGTH_AT = 14,
    BLOCK_AT = 16,
    PORTS_BYTES = 4,
    VALUE_AT = 3, /* within a TLV */
};

static enum parse
bad(struct proxy_header *ret, enum finding finding, size_t at)
{
    *ret = (struct proxy_header){.finding = finding, .finding_at = at};
    return PARSE_BAD;
}

/* Takes what stands before the next space off the front of *line; without one, all. */
static struct ern_slice
take_word(struct ern_slice *line)
{
    struct ern_slice word = slice_first(*line, slice_find(*line, ' '));

    *line = slice_skip(*line, word.len < line->len ? word.len + 1 : word.len);
    return word;
}

static bool
port_parse(struct ern_slice text, uint16_t *ret)
{
    uint64_t port;

    if (!u64_parse_plain(text, UINT16_MAX, &port))
        return false;
    *ret = (uint16_t)port;
    return true;
}

/*
 * Reads source SP destination SP source-port SP destination-port. A second space makes an empty
 * word, and one at the end is a part of the last: neither is an address or a port.
 *   words   a part of bytes: the line after its family
 *   read    for addresses of that family
 */
static enum parse
read_addresses(struct ern_slice bytes, struct ern_slice words,
               bool (*read)(struct ern_slice, struct ip *), struct proxy_header *ret)
{
    struct ip_port *end[] = {&ret->source, &ret->destination};

    for (int i = 0; i < 4; i++) {
        struct ern_slice word = i < 3 ? take_word(&words) : words;

        if (!(i < 2 ? read(word, &end[i]->ip) : port_parse(word, &end[i - 2]->port)))
            return bad(ret, FINDING_proxy_address, (size_t)(word.ptr - bytes.ptr));
    }
    ret->is_relayed = true;
    return PARSE_DONE;
}

/* Version 1, after "PROXY " (PROXY protocol 2.1). */
static enum parse
read_line(struct ern_slice bytes, struct proxy_header *ret)
{
    const size_t begin = sizeof "PROXY " - 1, last_cr = LINE_BYTES_MAX - 2;
    size_t end = begin;
    struct ern_slice rest, family;

    while (end < bytes.len && end <= last_cr && bytes.ptr[end] != '\r' && bytes.ptr[end] != '\n')
        end++;
    if (end > last_cr)
        return bad(ret, FINDING_proxy_too_long, last_cr);
    if (end < bytes.len && bytes.ptr[end] == '\n')
        return bad(ret, FINDING_proxy_line, end);
    if (bytes.len - end < 2)
        return PARSE_MORE;
    if (bytes.ptr[end + 1] != '\n')
        return bad(ret, FINDING_proxy_line, end + 1);
    ret->bytes = end + 2;
    rest = slice_from(bytes.ptr + begin, end - begin);
    family = take_word(&rest);
    if (slice_eq(family, ERN_SLICE("UNKNOWN"))) /* the rest must be ignored */
        return PARSE_DONE;
    if (slice_eq(family, ERN_SLICE("TCP4")))
        return read_addresses(bytes, rest, ip4_parse, ret);
    if (slice_eq(family, ERN_SLICE("TCP6")))
        return read_addresses(bytes, rest, ip6_parse, ret);
    return bad(ret, FINDING_proxy_line, begin);
}

/* What may stand at offset 13. All others must be rejected (PROXY protocol 2.2). */
struct family {
    uint8_t code;
    bool is_tcp;         /* over IP: of these alone the addresses are read */
    uint8_t block_bytes; /* both addresses, and their ports */
};

static const struct family families[] = {
    {0x00, false, 0},  {0x11, true, 12},   {0x12, false, 12},  {0x21, true, 36},
    {0x22, false, 36}, {0x31, false, 216}, {0x32, false, 216},
};

static const struct family *
family_find(unsigned code)
{
    for (size_t i = 0; i < sizeof families / sizeof *families; i++)
        if (families[i].code == code)
            return &families[i];
    return NULL;
}

static unsigned
byte_at(struct ern_slice bytes, size_t at)
{
    return (unsigned char)bytes.ptr[at];
}

static uint16_t
u16_at(struct ern_slice bytes, size_t at)
{
    return (uint16_t)(byte_at(bytes, at) << 8 | byte_at(bytes, at + 1));
}

/* The source, or the destination, of a block of addresses. */
static struct ip_port
address_at(struct ern_slice block, bool is_destination)
{
    size_t ip_bytes = (block.len - PORTS_BYTES) / 2;
    const uint8_t *at = (const uint8_t *)block.ptr + (is_destination ? ip_bytes : 0);
    struct ip_port address = {.port = u16_at(block, 2 * ip_bytes + (is_destination ? 2 : 0))};

    if (ip_bytes == 4)
        address.ip = ip_from_v4(at);
    else
        memcpy(address.ip.byte, at, sizeof address.ip.byte);
    return address;
}

/* The values that have a form to be checked; of each there can be one. */
struct values {
    struct ern_slice alpn, authority, checksum, unique_id, tls;
};

static const struct value_row {
    uint8_t type;
    uint8_t bytes_min;
    uint16_t bytes_max;
    size_t offset; /* in struct values */
} value_rows[] = {
    {0x01, 1, 255, offsetof(struct values, alpn)},      /* RFC 7301 3.1 */
    {0x02, 1, 255, offsetof(struct values, authority)}, /* a DNS name */
    {0x03, 4, 4, offsetof(struct values, checksum)},
    {0x05, 0, 128, offsetof(struct values, unique_id)},
    {0x20, 5, UINT16_MAX, offsetof(struct values, tls)},
};

/* Keeps the value if it is one of those. Returns false if it can not be what its type says. */
static bool
keep_value(struct values *values, unsigned type, struct ern_slice value)
{
    for (size_t i = 0; i < sizeof value_rows / sizeof *value_rows; i++) {
        const struct value_row *row = &value_rows[i];
        struct ern_slice *slot = (void *)((char *)values + row->offset);

        if (row->type != type)
            continue;
        if (slice_is_there(*slot) || value.len < row->bytes_min || value.len > row->bytes_max)
            return false;
        *slot = value;
        return type != 0x02 || utf8_is(value);
    }
    return true;
}

/* CRC32c (RFC 4960 B) of the bytes, with zeros where the checksum stands. */
static uint32_t
crc32c(struct ern_slice bytes, struct ern_slice checksum)
{
    size_t zeros_at = (size_t)(checksum.ptr - bytes.ptr);
    uint32_t crc = UINT32_MAX;

    for (size_t i = 0; i < bytes.len; i++) {
        if (i - zeros_at >= checksum.len)
            crc ^= (unsigned char)bytes.ptr[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78 : 0);
    }
    return ~crc;
}

/* Reads the values that stand in the header from at on (PROXY protocol 2.2). */
static enum parse
read_values(struct ern_slice header, size_t at, struct proxy_header *ret)
{
    struct values values = {.alpn = ERN_ABSENT};
    struct ern_slice sum;

    while (at < header.len) {
        struct ern_slice rest = slice_skip(header, at);
        size_t len = rest.len < VALUE_AT ? SIZE_MAX : u16_at(rest, 1);

        if (rest.len < VALUE_AT || rest.len - VALUE_AT < len ||
            !keep_value(&values, byte_at(rest, 0), slice_from(rest.ptr + VALUE_AT, len)))
            return bad(ret, FINDING_proxy_value, at);
        at += VALUE_AT + len;
    }
    sum = values.checksum;
    if (slice_is_there(sum) &&
        ((uint32_t)u16_at(sum, 0) << 16 | u16_at(sum, 2)) != crc32c(header, sum))
        return bad(ret, FINDING_proxy_checksum, (size_t)(sum.ptr - header.ptr));
    ret->alpn = values.alpn;
    ret->authority = values.authority;
    ret->is_tls = slice_is_there(values.tls) && (byte_at(values.tls, 0) & 1);
    return PARSE_DONE;
}

/* Version 2, after its signature (PROXY protocol 2.2). */
static enum parse
read_binary(struct ern_slice bytes, const struct limits *limits, struct proxy_header *ret)
{
    const struct family *family;
    bool is_local;
    struct ern_slice header, block;

    if (bytes.len <= COMMAND_AT)
        return PARSE_MORE;
    if (byte_at(bytes, COMMAND_AT) >> 4 != 2)
        return bad(ret, FINDING_proxy_version, COMMAND_AT);
    if ((byte_at(bytes, COMMAND_AT) & 0xf) > 1)
        return bad(ret, FINDING_proxy_command, COMMAND_AT);
    is_local = (byte_at(bytes, COMMAND_AT) & 0xf) == 0;
    if (bytes.len <= FAMILY_AT)
        return PARSE_MORE;
    /* Of LOCAL all but the length must be ignored, and of UNSPEC only the family has a meaning. */
    family = is_local ? &families[0] : family_find(byte_at(bytes, FAMILY_AT));
    if (!family)
        return bad(ret, FINDING_proxy_family, FAMILY_AT);
    if (bytes.len < BLOCK_AT)
        return PARSE_MORE;
    ret->bytes = BLOCK_AT + (size_t)u16_at(bytes, LENGTH_AT);
    if (ret->bytes > (uint64_t)limits->proxy_bytes_max)
        return bad(ret, FINDING_proxy_too_long, LENGTH_AT);
    if (ret->bytes < BLOCK_AT + (size_t)family->block_bytes)
        return bad(ret, FINDING_proxy_length, LENGTH_AT);
    if (bytes.len < ret->bytes)
        return PARSE_MORE;
    if (family->block_bytes == 0)
        return PARSE_DONE;
    header = slice_first(bytes, ret->bytes);
    block = slice_from(header.ptr + BLOCK_AT, family->block_bytes);
    if (family->is_tcp) {
        ret->is_relayed = true;
        ret->source = address_at(block, false);
        ret->destination = address_at(block, true);
    }
    return read_values(header, BLOCK_AT + block.len, ret);
}

enum parse
proxy_header_parse(struct ern_slice bytes, const struct limits *limits, struct proxy_header *ret)
{
    static const struct ern_slice line = {"PROXY ", 6};
    static const struct ern_slice binary = {"\r\n\r\n\0\r\nQUIT\n", COMMAND_AT};
    bool is_line = bytes.len && bytes.ptr[0] == line.ptr[0];
    struct ern_slice signature = is_line ? line : binary;
    size_t n = 0;

    *ret = (struct proxy_header){.finding = FINDING_none};
    while (n < signature.len && n < bytes.len && bytes.ptr[n] == signature.ptr[n])
        n++;
    if (n < signature.len)
        return n == bytes.len ? PARSE_MORE : bad(ret, FINDING_proxy_signature, n);
    return is_line ? read_line(bytes, ret) : read_binary(bytes, limits, ret);
}
