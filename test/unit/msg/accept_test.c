/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/slice.h"
#include "msg/accept.h"

typedef unsigned accept_function(const struct ern_request *request, struct ern_slice what);

struct row {
    const char *value; /* of the field; NULL: no such field */
    const char *what;
    unsigned quality;
};

/* The value is sent as it is, and then, at a bar, as two lines. */
static void
check(accept_function *accept, struct ern_slice field, const struct row *row)
{
    struct ern_field fields[2];
    struct ern_request r;
    unsigned quality;

    ern_request_init(&r, fields, 2);
    if (row->value) {
        struct ern_slice value = slice_text(row->value);
        size_t bar = slice_find(value, '|');

        assert_true(ern_request_add(&r, field, slice_trim(slice_first(value, bar))));
        if (bar < value.len)
            assert_true(ern_request_add(&r, field, slice_trim(slice_skip(value, bar + 1))));
    }
    quality = accept(&r, slice_text(row->what));
    if (quality != row->quality)
        fail_msg("%.*s: %s: %s is %u, not %u", (int)field.len, field.ptr,
                 row->value ? row->value : "(none)", row->what ? row->what : "(none)", quality,
                 row->quality);
}

#define TABLE_5                                                                                    \
    "text/*;q=0.3, text/plain;q=0.7, text/plain;format=flowed, text/plain;format=fixed;q=0.4, "    \
    "*/*;q=0.5"

#define TABLE_7231                                                                                 \
    "text/*;q=0.3, text/html;q=0.7, text/html;level=1, text/html;level=2;q=0.4, */*;q=0.5"

static const struct row types[] = {
    {TABLE_5, "text/plain;format=flowed", 1000}, /* RFC 9110 12.5.1 table 5 */
    {TABLE_5, "text/plain", 700},
    {TABLE_5, "text/html", 300},
    {TABLE_5, "image/jpeg", 500},
    {TABLE_5, "text/plain;format=fixed", 400},
    /*
     * The table's last row has 0.7 here, left over from RFC 7231, where text/plain was
     * text/html; now only the range of all text matches it, as it does text/html above.
     */
    {TABLE_5, "text/html;level=3", 300},
    {TABLE_7231, "text/html;level=1", 1000}, /* RFC 7231 5.3.2 */
    {TABLE_7231, "text/html", 700},
    {TABLE_7231, "text/plain", 300},
    {TABLE_7231, "image/jpeg", 500},
    {TABLE_7231, "text/html;level=2", 400},
    {TABLE_7231, "text/html;level=3", 700},
    {"audio/*; q=0.2, audio/basic", "audio/basic", 1000},
    {"audio/*; q=0.2, audio/basic", "audio/mpeg", 200},
    {"audio/*; q=0.2, audio/basic", "text/html", 0},
    {"text/plain; q=0.5, text/html, text/x-dvi; q=0.8, text/x-c", "text/plain", 500},
    {"text/plain; q=0.5, text/html, text/x-dvi; q=0.8, text/x-c", "text/x-dvi", 800},
    {"text/plain; q=0.5, text/html | text/x-dvi; q=0.8, text/x-c", "text/x-c", 1000},
    {NULL, "text/html", 1000},
    {"", "text/html", 1000},
    {" , ,", "text/html", 1000},
    {"*/*;q=0", "text/html", 0},
    {"text/html;q=0, */*", "text/html", 0},
    {"*/*, text/html;q=0", "text/html", 0},
    {"text/*;q=0, text/html;q=0.001", "text/html", 1},
    {"TEXT/HTML;Q=0.5", "text/html", 500},
    {"text/html", "Text/Html", 1000},
    {"Text/*", "text/html", 1000},
    {"text/*", "textual/html", 0},
    {"text/html;charset=utf-8", "text/html;charset=\"UTF-8\"", 1000},
    {"text/html;charset=\"utf\\-8\"", "text/html; charset=utf-8", 1000},
    {"text/html;charset=utf-8", "text/html", 0},
    {"text/html", "text/html;charset=utf-8", 1000},
    {"text/html;a=1;b=2;q=0.1, text/html;a=1;q=0.2", "text/html;b=2;a=1", 100},
    {"text/html;q=0.1;level=1, text/html;q=0.2", "text/html;level=1", 100}, /* q not last */
    {"text/html;q=0.2, text/html;q=0.4", "text/html", 400},
    {"text/html;q=0.3;q=0.6", "text/html", 300},
    /* malformed weights count as 1 */
    {"text/html;q=1.001, */*;q=0.5", "text/html", 1000},
    {"text/html;q=0.1234, */*;q=0.5", "text/html", 1000},
    {"text/html;q=2, */*;q=0.5", "text/html", 1000},
    {"text/html;q=.5, */*;q=0.4", "text/html", 1000},
    {"text/html;q=-1, */*;q=0.4", "text/html", 1000},
    {"text/html;q=0,5", "text/html", 0}, /* a comma is no decimal point: "5" is a member */
    {"text/html;q=0.", "text/html", 0},
    {"text/html;q=1.", "text/html", 1000},
    {"text/html;q=0.5a", "text/html", 1000},
    {"text/html;q=1.000", "text/html", 1000},
    {"text/html;q=0.999", "text/html", 999},
    {"text/html;q=0.05", "text/html", 50},
    {"text/html;q=\"0.5\"", "text/html", 500},
    /* malformed members are passed over */
    {"text, */*;q=0.5", "text/html", 500},
    {"*/html;q=0.1, */*;q=0.5", "text/html", 500},
    {"*, */*;q=0.5", "text/html", 500},
    {"text/html;level, */*;q=0.5", "text/html", 500},
    {"text/html;q = 0.1, */*;q=0.5", "text/html", 500},
    {"text/ html, */*;q=0.5", "text/html", 500},
    {"text/html/x, text/*;q=0.5", "text/html", 500},
    {"garbage", "text/html", 1000},
    {"text/html;", "text/html", 1000},
    {"text/html ; ; q=0.5", "text/html", 500},
    {"text/html;x=\"a,b\";q=0.5, text/*;q=0.1", "text/html;x=\"a,b\"", 500},
};

static void
accept_type_takes_the_most_specific(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        check(accept_type, ERN_SLICE("Accept"), &types[i]);
}

static void
accept_coding_follows_its_rules(void **state)
{
    static const struct row rows[] = {
        {NULL, "gzip", 1000}, /* RFC 9110 12.5.3, rule 1 */
        {NULL, "identity", 1000},
        {"", "gzip", 0},
        {"", "identity", 1000},
        {",", "gzip", 0},
        {",", "identity", 1000},
        {"compress, gzip", "gzip", 1000},
        {"compress, gzip", "br", 0},
        {"compress, gzip", "identity", 999}, /* acceptable, but not asked for */
        {"*", "br", 1000},
        {"*", "identity", 1000},
        {"compress;q=0.5, gzip;q=1.0", "compress", 500},
        {"compress;q=0.5, gzip;q=1.0", "identity", 499},
        {"gzip;q=0.001", "identity", 1},
        {"gzip;q=1.0, identity; q=0.5, *;q=0", "gzip", 1000},
        {"gzip;q=1.0, identity; q=0.5, *;q=0", "identity", 500},
        {"gzip;q=1.0, identity; q=0.5, *;q=0", "br", 0},
        {"gzip, identity;q=0", "identity", 0}, /* rule 2 */
        {"gzip, *;q=0", "identity", 0},
        {"*;q=0", "identity", 0},
        {"*;q=0", "gzip", 0},
        {"*;q=0.5", "identity", 500},
        {"gzip;q=0", "gzip", 0}, /* rule 3 */
        {"gzip;q=0", "identity", 1000},
        {"gzip;q=0, *", "gzip", 0},
        {"gzip;q=0 | *", "br", 1000},
        {"GZIP", "gzip", 1000},
        {"x-gzip;q=0.5", "gzip", 500},
        {"gzip;q=0.5", "x-gzip", 500},
        {"x-compress;q=0.5", "compress", 500},
        {"x-br;q=0.5", "br", 0},
        {"gzip;q=0.2, gzip;q=0.4", "gzip", 400},
        {"gzip;q=7", "gzip", 1000},
        {"gzip;level=9, br;q=0.5", "gzip", 0}, /* no parameters but the weight */
        {"g zip, br", "br", 1000},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        check(accept_coding, ERN_SLICE("Accept-Encoding"), &rows[i]);
}

static void
accept_language_filters_by_prefix(void **state)
{
    static const struct row rows[] = {
        {NULL, "bn", 1000},
        {"", "bn", 1000},
        {"da, en-gb;q=0.8, en;q=0.7", "da", 1000}, /* RFC 9110 12.5.4 */
        {"da, en-gb;q=0.8, en;q=0.7", "en-GB", 800},
        {"da, en-gb;q=0.8, en;q=0.7", "en-US", 700},
        {"da, en-gb;q=0.8, en;q=0.7", "en", 700},
        {"da, en-gb;q=0.8, en;q=0.7", "fr", 0},
        {"en-gb", "en", 0}, /* a range is a prefix of the tag, not the other way */
        {"en", "eng", 0},
        {"de-de", "de-DE-1996", 1000}, /* RFC 4647 3.3.1 */
        {"de-de", "de-Deva", 0},
        {"de-de", "de-Latn-DE", 0},
        {"*;q=0.1, bn", "en", 100},
        {"*;q=0.1, bn", "bn-BD", 1000},
        {"bn;q=0, *", "bn-BD", 0},
        {"bn;q=0, bn-in", "bn-IN", 1000},
        {"*;q=0", "en", 0},
        {"bn | en;q=0.4", "en", 400},
        {"en;q=x", "en", 1000},
        {"en_GB, en;q=0.5", "en", 500},
        {"1en, en;q=0.5", "en", 500},
        {"abcdefghi, en;q=0.5", "en", 500},
        {"en-, en;q=0.5", "en", 500},
        {"en;x=y;q=0.1, en;q=0.5", "en", 500},
        {"_", "en", 1000}, /* nothing that is well-formed */
        {"abcdefghi", "en", 1000},
        {"en-abcdefghi", "de", 1000},
        {"en-abcdefgh", "de", 0},
        {"en_GB", "de", 1000},
        {"1en", "de", 1000},
        {"en-", "de", 1000},
        {"-en", "de", 1000},
        {"e-1", "de", 0},
        /* a representation in no particular language */
        {"da, en", NULL, 1000},
        {"da, *;q=0.3", NULL, 300},
        {"da, *;q=0", NULL, 1},
        {NULL, NULL, 1000},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        check(accept_language, ERN_SLICE("Accept-Language"), &rows[i]);
}

/* The quality of the first of the languages that there are, which stand apart at bars. */
static unsigned
look_up_first(const struct ern_request *request, struct ern_slice all)
{
    struct ern_slice of[4] = {ERN_ABSENT};
    size_t n = 0;

    for (; all.len && n < 4; n++) {
        of[n] = slice_trim(slice_first(all, slice_find(all, '|')));
        all = slice_skip(all, slice_find(all, '|'));
        all = slice_skip(all, all.len > 0);
    }
    return accept_language_lookup(request, of[0], of, n);
}

static void
accept_language_looks_up(void **state)
{
#define LONG "zh-Hant-CN-x-private1-private2" /* RFC 4647 3.4 */
    static const struct row rows[] = {
        {NULL, "bn", 1000},
        {"bn-BD", "bn", 1000},
        {"bn-BD", "bn-IN", 0},
        {"bn-BD", "bn | bn-BD", 0}, /* found before it was cut */
        {"bn-BD", "bn | bn-BD-x", 0},
        {"en-gb", "en", 1000},
        {"en-gb", "en-US", 0},
        {"eng-gb", "en", 0},
        {"en", "en-GB", 1000}, /* filtering goes on to hold */
        {LONG, LONG, 1000},
        {LONG, "zh-Hant-CN-x-private1 | zh-Hant-CN | zh-Hant | zh", 1000},
        {LONG, "zh-Hant-CN | zh-Hant | zh", 1000},
        {LONG, "zh-Hant | zh | ja", 1000},
        {LONG, "zh | ja", 1000},
        {LONG, "zh | zh-Hant", 0},
        {LONG, "zh-Hans", 0},
        {"fr-FR, zh-Hant", "fr | zh", 1000},
        {"fr-FR, zh-Hant;q=0.5", "zh | fr", 500},
        {"fr-FR, zh-Hant", "ja | zh", 0}, /* the default is the caller's */
        {"de-de;q=0.5, de-at;q=0.7", "de", 700},
        {"de-de, de;q=0.3", "de", 300}, /* what speaks of the tag itself comes first */
        {"de-de, de;q=0", "de", 0},
        {"de-de;q=0", "de", 0},
        {"de-de, *;q=0.1", "de", 1000}, /* and the wildcard last */
        {"de-de, *;q=0.1", "en | de", 100},
        {"bn-BD, en;q=0.5", "en, bn", 1000}, /* a representation in two languages */
        {"bn-BD, en;q=0.5", "bn | en, bn-BD", 0},
        {"fr", "en, bn", 0},
        {"fr", NULL, 1000},
    };
#undef LONG

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        check(look_up_first, ERN_SLICE("Accept-Language"), &rows[i]);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accept_type_takes_the_most_specific),
        cmocka_unit_test(accept_coding_follows_its_rules),
        cmocka_unit_test(accept_language_filters_by_prefix),
        cmocka_unit_test(accept_language_looks_up),
    };

    return cmocka_run_group_tests_name("accept", tests, NULL, NULL);
}
