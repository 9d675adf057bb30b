/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_proxy.c - headers of the PROXY protocol. Every prefix says "more" until the one that says
 * what the whole says. What was read, written by the system's functions as a header of either
 * version, reads the same; under a checksum no other byte is taken.
 */
#include <arpa/inet.h>
#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/out.h"
#include "wire/proxy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { INPUT_MAX = 2048, BINARY_BYTES = 16 + 36 + 7 };

static enum parse
read_header(struct ern_slice bytes, struct proxy_header *ret)
{
    const struct limits limits = limits_standard();

    return proxy_header_parse(bytes, &limits, ret);
}

static bool
same(const struct proxy_header *a, const struct proxy_header *b)
{
    return a->is_relayed == b->is_relayed && a->source.port == b->source.port &&
           a->destination.port == b->destination.port &&
           memcmp(&a->source.ip, &b->source.ip, sizeof a->source.ip) == 0 &&
           memcmp(&a->destination.ip, &b->destination.ip, sizeof a->destination.ip) == 0;
}

/* Each prefix in memory of just its size. */
static void
check_prefixes(struct ern_slice bytes, enum parse whole, const struct proxy_header *header)
{
    size_t end = whole == PARSE_DONE ? header->bytes : bytes.len;

    for (size_t n = 0; n <= end; n++) {
        char *copy = malloc(n ? n : 1);
        struct proxy_header part;
        enum parse parse;

        assert(copy);
        memcpy(copy, bytes.ptr, n);
        parse = read_header(slice_from(copy, n), &part);
        if (whole == PARSE_DONE)
            assert(parse == (n == end ? PARSE_DONE : PARSE_MORE));
        else if (whole == PARSE_MORE)
            assert(parse == PARSE_MORE);
        else
            assert(parse == PARSE_MORE || (parse == PARSE_BAD && part.finding == header->finding &&
                                           part.finding_at == header->finding_at));
        if (parse == PARSE_DONE)
            assert(same(&part, header));
        free(copy);
    }
}

static void
check_line(const struct proxy_header *header)
{
    char source[INET6_ADDRSTRLEN], destination[INET6_ADDRSTRLEN], line[128];
    struct proxy_header again;
    int n;

    assert(inet_ntop(AF_INET6, header->source.ip.byte, source, sizeof source));
    assert(inet_ntop(AF_INET6, header->destination.ip.byte, destination, sizeof destination));
    n = snprintf(line, sizeof line, "PROXY TCP6 %s %s %u %u\r\nGET", source, destination,
                 header->source.port, header->destination.port);
    assert(n > 0 && n < (int)sizeof line);
    assert(read_header(slice_from(line, (size_t)n), &again) == PARSE_DONE);
    assert(again.bytes == (size_t)n - 3 && same(&again, header));
}

/* CRC32c, most significant bit first: another way than the one of the reader. */
static uint32_t
crc32c(const uint8_t *bytes, size_t n)
{
    uint32_t crc = UINT32_MAX, mirrored = 0;

    for (size_t i = 0; i < n; i++)
        for (int bit = 0; bit < 8; bit++) {
            uint32_t in = bytes[i] >> bit & 1;

            crc = crc << 1 ^ ((crc >> 31 ^ in) ? 0x1edc6f41 : 0);
        }
    for (int bit = 0; bit < 32; bit++)
        mirrored |= (crc >> bit & 1) << (31 - bit);
    return ~mirrored;
}

static void
check_binary(const struct proxy_header *header, size_t flip)
{
    uint8_t bytes[BINARY_BYTES] = "\r\n\r\n\0\r\nQUIT\n\x21\x21\0\x2b";
    struct ern_slice slice = slice_from((const char *)bytes, sizeof bytes);
    const uint16_t ports[] = {htons(header->source.port), htons(header->destination.port)};
    struct proxy_header again;
    uint32_t crc;

    memcpy(bytes + 16, header->source.ip.byte, 16);
    memcpy(bytes + 32, header->destination.ip.byte, 16);
    memcpy(bytes + 48, ports, sizeof ports);
    memcpy(bytes + 52, "\x03\0\x04", 3);
    crc = htonl(crc32c(bytes, sizeof bytes));
    memcpy(bytes + 55, &crc, sizeof crc);
    assert(read_header(slice, &again) == PARSE_DONE);
    assert(again.bytes == sizeof bytes && same(&again, header));
    flip %= 8 * sizeof bytes;
    bytes[flip / 8] ^= (uint8_t)(1 << flip % 8);
    /* LOCAL says nothing that a wrong bit could change; another type is no checksum. */
    if (read_header(slice, &again) == PARSE_DONE)
        assert(flip / 8 == 12 ? !again.is_relayed : flip / 8 == 52);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ern_slice bytes = slice_from((const char *)data, size);
    struct proxy_header header;
    enum parse parse;

    if (size > INPUT_MAX)
        return 0;
    parse = read_header(bytes, &header);
    assert((parse == PARSE_BAD) == (header.finding != FINDING_none));
    check_prefixes(bytes, parse, &header);
    if (parse == PARSE_BAD)
        assert(header.finding_at < size);
    if (parse != PARSE_DONE)
        return 0;
    assert(header.bytes <= size);
    if (!header.is_relayed)
        return 0;
    check_line(&header);
    check_binary(&header, header.source.port * 31u + header.destination.ip.byte[15]);
    return 0;
}
