/* SPDX-License-Identifier: Apache-2.0 */
#include "base/ip.h"

#include "base/num.h"

/* dec-octet "." dec-octet "." dec-octet "." dec-octet */
static bool
read_four(struct ern_slice text, uint8_t *ret)
{
    for (int i = 0; i < 4; i++) {
        struct ern_slice octet = slice_first(text, slice_find(text, '.'));
        uint64_t n;

        if (!u64_parse_plain(octet, UINT8_MAX, &n))
            return false;
        ret[i] = (uint8_t)n;
        text = slice_skip(text, octet.len);
        if (i < 3 && text.len == 0)
            return false;
        if (i < 3)
            text = slice_skip(text, 1);
    }
    return text.len == 0;
}

struct ip
ip_from_v4(const uint8_t *four)
{
    struct ip ip = {{[10] = 0xff, [11] = 0xff}};

    memcpy(ip.byte + 12, four, 4);
    return ip;
}

struct ern_slice
ip_client(const struct ip *ip)
{
    static const uint8_t v4[12] = {[10] = 0xff, [11] = 0xff};
    const char *byte = (const char *)ip->byte;

    return memcmp(byte, v4, sizeof v4) == 0 ? slice_from(byte + sizeof v4, 4) : slice_from(byte, 8);
}

bool
ip_is_loopback(const struct ip *ip)
{
    static const struct ip one = {{[15] = 1}}, v4 = {{[10] = 0xff, [11] = 0xff, [12] = 127}};

    return memcmp(ip, &one, sizeof one) == 0 || memcmp(ip, &v4, 13) == 0;
}

bool
ip4_parse(struct ern_slice text, struct ip *ret)
{
    uint8_t four[4];

    if (!read_four(text, four))
        return false;
    *ret = ip_from_v4(four);
    return true;
}

/* h16 = 1*4HEXDIG, at the front. Returns how many digits it has, 0 if it is not there. */
static size_t
read_group(struct ern_slice text, uint8_t *ret)
{
    unsigned group = 0;
    size_t n = 0;

    for (; n < 4 && n < text.len && hex_value(text.ptr[n]) >= 0; n++)
        group = group << 4 | (unsigned)hex_value(text.ptr[n]);
    ret[0] = (uint8_t)(group >> 8);
    ret[1] = (uint8_t)group;
    return n;
}

/*
 * Eight groups, of which one "::" can stand for one or more, and of which the last two can be
 * written as an IPv4 address.
 */
bool
ip6_parse(struct ern_slice text, struct ip *ret)
{
    enum { ALL = sizeof ret->byte, NOWHERE };
    struct ip ip = {{0}};
    size_t n = 0, elided = NOWHERE; /* bytes read; where the zeros go */

    if (slice_starts(text, ERN_SLICE("::"))) {
        elided = 0;
        text = slice_skip(text, 2);
    }
    while (text.len) {
        uint8_t group[2];
        size_t digits = read_group(text, group);

        if (digits && digits < text.len && text.ptr[digits] == '.') {
            if (n > ALL - 4 || !read_four(text, ip.byte + n))
                return false;
            n += 4;
            break;
        }
        if (digits == 0 || n == ALL)
            return false;
        memcpy(ip.byte + n, group, 2);
        n += 2;
        text = slice_skip(text, digits);
        if (text.len == 0)
            break;
        if (text.len == 1 || text.ptr[0] != ':')
            return false;
        text = slice_skip(text, 1);
        if (text.ptr[0] != ':')
            continue;
        if (elided != NOWHERE)
            return false;
        elided = n;
        text = slice_skip(text, 1);
    }
    if ((elided == NOWHERE) != (n == ALL))
        return false;
    if (n < ALL) {
        memmove(ip.byte + elided + ALL - n, ip.byte + elided, n - elided);
        memset(ip.byte + elided, 0, ALL - n);
    }
    *ret = ip;
    return true;
}
