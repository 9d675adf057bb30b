/* SPDX-License-Identifier: Apache-2.0 */
#include "base/network.h"

#include "base/num.h"

enum { V4_BITS = 32, V6_BITS = 128 };

/* Are all bits but the first ones 0? */
static bool
is_first(const struct ip *ip, unsigned bits)
{
    for (unsigned i = bits; i < V6_BITS; i++)
        if (ip->byte[i / 8] >> (7 - i % 8) & 1)
            return false;
    return true;
}

bool
network_parse(struct ern_slice text, struct network *ret)
{
    size_t slash = slice_find(text, '/');
    struct ern_slice address = slice_first(text, slash);
    uint64_t width = V4_BITS, bits;
    struct network network;

    if (!ip4_parse(address, &network.first)) {
        width = V6_BITS;
        if (!ip6_parse(address, &network.first))
            return false;
    }
    bits = width;
    if (slash < text.len && !u64_parse_plain(slice_skip(text, slash + 1), width, &bits))
        return false;
    network.bits = (uint8_t)(V6_BITS - width + bits);
    if (!is_first(&network.first, network.bits))
        return false;
    *ret = network;
    return true;
}

bool
network_has(const struct network *network, const struct ip *ip)
{
    unsigned whole = network->bits / 8, rest = network->bits % 8;

    if (memcmp(network->first.byte, ip->byte, whole) != 0)
        return false;
    return rest == 0 || (network->first.byte[whole] ^ ip->byte[whole]) >> (8 - rest) == 0;
}

bool
networks_have(const struct networks *networks, const struct ip *ip)
{
    for (size_t i = 0; i < networks->n; i++)
        if (network_has(&networks->network[i], ip))
            return true;
    return false;
}

static bool
is_among(const char *const *texts, const struct ip *ip)
{
    struct network network;

    for (; *texts; texts++) {
        struct ern_slice text = slice_text(*texts);

        if (network_parse(text, &network) && network_has(&network, ip))
            return true;
    }
    return false;
}

bool
ip_is_private(const struct ip *ip)
{
    static const char *const v4[] = {
        "0.0.0.0/8",       "10.0.0.0/8",     "100.64.0.0/10", "127.0.0.0/8",    "169.254.0.0/16",
        "172.16.0.0/12",   "192.0.0.0/24",   "192.0.2.0/24",  "192.168.0.0/16", "198.18.0.0/15",
        "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4",   "240.0.0.0/4",    NULL};
    /* All but the unicast addresses that are given out (2000::/3), and of these some. */
    static const char *const all_v4[] = {"0.0.0.0/0", NULL},
                             *const nat64[] = {"64:ff9b::/96", NULL},
                             *const sixto4[] = {"2002::/16", NULL},
                             *const given[] = {"2000::/3", NULL},
                             *const v6[] = {"2001::/23", "2001:db8::/32", "3fff::/20", NULL};
    struct ip inner;

    if (is_among(all_v4, ip))
        return is_among(v4, ip);
    if (is_among(nat64, ip)) {
        inner = ip_from_v4(ip->byte + 12);
        return is_among(v4, &inner);
    }
    if (is_among(sixto4, ip)) {
        inner = ip_from_v4(ip->byte + 2);
        return is_among(v4, &inner);
    }
    return !is_among(given, ip) || is_among(v6, ip);
}
