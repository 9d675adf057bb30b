/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>

#include "base/slice.h"
#include "dav/multistatus.h"

#define COUNT(rows) (sizeof(rows) / sizeof *(rows))
enum { ARENA_BYTES = 16384 };

struct fixture {
    char memory[ARENA_BYTES];
    struct arena arena;
    struct share share;
    struct res_request request;
    struct dav dav;
};

static int
set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);

    if (!f)
        return -1;
    arena_init(&f->arena, f->memory, sizeof f->memory);
    f->share.prefix = ERN_SLICE("/dav");
    f->request.arena = &f->arena;
    f->dav = (struct dav){.share = &f->share, .request = &f->request};
    *state = f;
    return 0;
}

static int
tear_down(void **state)
{
    free(*state);
    return 0;
}

static const struct limits limits = {
    .xml_depth_max = 16, .xml_attributes_max = 16, .xml_names_max = 65535};

static void
reads_as(struct ern_slice text, struct xml *ret)
{
    const char *why;
    unsigned line;

    if (xml_read(text, &limits, ret, &why, &line) != XML_FINE)
        fail_msg("line %u: %s", line, why);
    assert_true(xml_is(ret->root, "multistatus"));
}

static void
responses_are_written(void **state)
{
    static const struct {
        const char *path;
        bool collection;
        uint16_t status;
        const char *condition, *href, *line;
    } rows[] = {
        {"/", true, 423, "lock-token-submitted", "/dav/", "HTTP/1.1 423 Locked"},
        {"/a&b<c", false, 404, NULL, "/dav/a&b%3Cc", "HTTP/1.1 404 Not Found"},
        {"/d e", true, 424, NULL, "/dav/d%20e/", "HTTP/1.1 424 Failed Dependency"},
        {"/\xff", false, 507, NULL, "/dav/%FF", "HTTP/1.1 507 Insufficient Storage"},
    };
    struct fixture *f = *state;
    struct multistatus m;
    struct xml xml;
    const struct xml_element *r;

    assert_true(multistatus_begin(&m, &f->dav));
    for (size_t i = 0; i < COUNT(rows); i++)
        multistatus_add(&m, slice_text(rows[i].path), rows[i].collection, rows[i].status,
                        rows[i].condition);
    assert_int_equal(m.n, COUNT(rows));
    assert_true(multistatus_end(&m));
    assert_int_equal(f->dav.outcome, DAV_MIXED);
    assert_true(f->request.has_representation);
    assert_true(slice_eq(f->request.representation.description,
                         ERN_SLICE("Content-Type: application/xml; charset=utf-8\r\n")));
    reads_as(slice_from(f->request.representation.bytes, (size_t)f->request.representation.length),
             &xml);
    r = xml.root->first;
    for (size_t i = 0; i < COUNT(rows); i++, r = r->next) {
        const struct xml_element *why = xml_child(r, "error");

        assert_true(xml_is(r, "response"));
        assert_true(slice_eq(xml_child(r, "href")->text, slice_text(rows[i].href)));
        assert_true(slice_eq(xml_child(r, "status")->text, slice_text(rows[i].line)));
        assert_int_equal(why != NULL, rows[i].condition != NULL);
        assert_true(!why || xml_is(why->first, rows[i].condition));
    }
    assert_null(r);
    xml_free(&xml);
}

/* A long one does not go through the arena: it is read to its end piece by piece. */
static void
a_long_one_is_streamed(void **state)
{
    enum { RESPONSES = 1000, PIECE = 1000 };
    struct fixture *f = *state;
    struct res_stream *stream;
    struct multistatus m;
    struct xml xml;
    size_t len = 0, n = 0;
    bool end = false;
    char *text = malloc(RESPONSES * PIECE);

    assert_non_null(text);
    assert_true(multistatus_begin(&m, &f->dav));
    for (unsigned i = 0; i < RESPONSES; i++)
        multistatus_add(&m, ERN_SLICE("/a"), false, 404, NULL);
    assert_true(multistatus_end(&m));
    stream = f->request.representation.stream;
    assert_non_null(stream);
    while (!end) {
        ssize_t filled = stream->fill(stream, text + len, PIECE, &end);

        assert_true(filled > 0 && filled <= PIECE);
        len += (size_t)filled;
    }
    stream->free(stream);
    reads_as(slice_from(text, len), &xml);
    for (const struct xml_element *r = xml.root->first; r; r = r->next)
        n++;
    assert_int_equal(n, RESPONSES);
    xml_free(&xml);
    free(text);
}

static void
too_long_a_one_is_refused(void **state)
{
    struct fixture *f = *state;
    struct multistatus m;

    assert_true(multistatus_begin(&m, &f->dav));
    for (unsigned i = 0; !m.out.full; i++) {
        assert_true(i < 100000);
        multistatus_add(&m, ERN_SLICE("/a"), false, 404, NULL);
    }
    assert_false(multistatus_end(&m));
    assert_null(m.text);
    assert_false(f->request.has_representation);
    assert_int_equal(f->dav.outcome, 0);
    assert_true(multistatus_begin(&m, &f->dav));
    multistatus_drop(&m);
    assert_null(m.text);
}

static void
errors_have_rules(void **state)
{
    static const struct {
        int error;
        uint16_t status;
    } rows[] = {{-ENOENT, 404}, {-ENOSPC, 507},       {-EDQUOT, 507}, {-EACCES, 403},
                {-EROFS, 403},  {-ENAMETOOLONG, 403}, {-EIO, 500}};

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_int_equal(member_status_of_error(rows[i].error), rows[i].status);
    assert_true(member_status_of_error(0) / 100 == 2);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(responses_are_written, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_long_one_is_streamed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(too_long_a_one_is_refused, set_up, tear_down),
        cmocka_unit_test(errors_have_rules),
    };

    return cmocka_run_group_tests_name("multistatus", tests, NULL, NULL);
}
