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
