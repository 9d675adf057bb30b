/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/slice.h"
#include "dav/body.h"

#define COUNT(rows) (sizeof(rows) / sizeof *(rows))
#define D " xmlns:D='DAV:'"
#define REF(name, rest)                                                                            \
    "<D:" name D "><D:reftarget><D:href>/t</D:href></D:reftarget>" rest "</D:" name ">"
#define LOCK(rest) "<D:lockinfo" D ">" rest "</D:lockinfo>"
#define WRITE "<D:locktype><D:write/></D:locktype>"
#define SYNC(rest) "<D:sync-collection" D ">" rest "</D:sync-collection>"

static const struct limits limits = {
    .xml_depth_max = 16, .xml_attributes_max = 16, .xml_names_max = 64};

/* What each method takes, and what it does not; said: all that was understood. */
static const struct {
    enum ern_method method;
    const char *content;
    enum body_result result;
    const char *said;
} bodies[] = {
    {ERN_PROPFIND, "", BODY_FINE, "allprop"},
    {ERN_PROPFIND, "<D:propfind" D "><D:allprop/></D:propfind>", BODY_FINE, "allprop"},
    {ERN_PROPFIND, "<D:propfind" D "><D:propname/></D:propfind>", BODY_FINE, "propname"},
    {ERN_PROPFIND, "<D:propfind" D "><D:prop><D:a/><b xmlns='u:1'/><c/></D:prop></D:propfind>",
     BODY_FINE, "prop DAV:|a u:1|b |c"},
    {ERN_PROPFIND, "<D:propfind" D "><D:prop/></D:propfind>", BODY_FINE, "prop"},
    {ERN_PROPFIND, "<D:propfind" D "><D:allprop/><D:include><D:a/></D:include></D:propfind>",
     BODY_FINE, "allprop DAV:|a"},
    {ERN_PROPFIND, "<D:propfind" D "><x/><D:allprop/></D:propfind>", BODY_FINE, "allprop"},
    {ERN_PROPFIND, "<D:propfind" D "/>", BODY_INVALID, ""},
    {ERN_PROPFIND, "<D:propfind" D "><D:include><D:a/></D:include></D:propfind>", BODY_INVALID, ""},
    {ERN_PROPFIND, "<D:propfind" D "><D:prop/><D:allprop/></D:propfind>", BODY_INVALID, ""},
    {ERN_PROPFIND, "<propfind><allprop/></propfind>", BODY_INVALID, ""},
    {ERN_PROPFIND, "<D:propfind" D "><D:allprop/>", BODY_ILLFORMED, ""},
    {ERN_PROPFIND,
     "<a b='' c='' d='' e='' f='' g='' h='' i='' j='' k='' l='' m='' n='' o='' p='' "
     "q='' r=''/>",
     BODY_LARGE, ""},

    {ERN_PROPPATCH, "", BODY_INVALID, ""},
    {ERN_PROPPATCH,
     "<D:propertyupdate" D "><D:remove><D:prop><a/></D:prop></D:remove><D:set>"
     "<D:prop><b>1</b><c/></D:prop></D:set></D:propertyupdate>",
     BODY_FINE, "-|a +|b=<b xmlns=\"\">1</b> +|c=<c xmlns=\"\"></c>"},
    {ERN_PROPPATCH, "<D:propertyupdate" D "/>", BODY_INVALID, ""},
    {ERN_PROPPATCH, "<D:propertyupdate" D "><D:set><D:prop/></D:set></D:propertyupdate>",
     BODY_INVALID, ""},
    {ERN_PROPPATCH, "<D:propfind" D "><D:set><D:prop><a/></D:prop></D:set></D:propfind>",
     BODY_INVALID, ""},

    {ERN_MKCOL, "", BODY_FINE, "collection"},
    {ERN_MKCOL,
     "<D:mkcol" D "><D:set><D:prop><D:resourcetype><D:collection/></D:resourcetype>"
     "<a/></D:prop></D:set></D:mkcol>",
     BODY_FINE, "+|a=<a xmlns=\"\"></a> collection"},
    {ERN_MKCOL,
     "<D:mkcol" D "><D:set><D:prop><D:resourcetype><D:collection/><x/></D:resourcetype>"
     "</D:prop></D:set></D:mkcol>",
     BODY_FINE, "collection strange"},
    {ERN_MKCOL, "<D:mkcol" D "><D:set><D:prop><D:resourcetype/></D:prop></D:set></D:mkcol>",
     BODY_FINE, "strange"},
    {ERN_MKCOL, "<D:mkcol" D "/>", BODY_INVALID, ""},
    {ERN_MKCOL, "<x/>", BODY_INVALID, ""},

    {ERN_LOCK, "", BODY_FINE, "refresh"},
    {ERN_LOCK, LOCK("<D:lockscope><D:exclusive/></D:lockscope>" WRITE), BODY_FINE, "exclusive"},
    {ERN_LOCK, LOCK("<D:lockscope><D:shared/></D:lockscope>" WRITE "<D:owner>me</D:owner>"),
     BODY_FINE, "shared <D:owner xmlns:D=\"DAV:\">me</D:owner>"},
    {ERN_LOCK, LOCK("<D:lockscope><D:exclusive/><D:shared/></D:lockscope>" WRITE), BODY_INVALID,
     ""},
    {ERN_LOCK, LOCK("<D:lockscope/>" WRITE), BODY_INVALID, ""},
    {ERN_LOCK, LOCK(WRITE), BODY_INVALID, ""},
    {ERN_LOCK, LOCK("<D:lockscope><D:shared/></D:lockscope>"), BODY_INVALID, ""},
    {ERN_LOCK, "<x/>", BODY_INVALID, ""},

    {ERN_BIND, "<D:bind" D "><D:segment>a</D:segment><D:href>/b</D:href></D:bind>", BODY_FINE,
     "segment=a href=/b"},
    {ERN_BIND, "<D:bind" D ">\n <D:segment>\n\ta\r\n</D:segment><D:href>\n/b\n</D:href></D:bind>",
     BODY_FINE, "segment=a href=/b"},
    {ERN_BIND, "<D:bind" D "><D:segment> \n</D:segment><D:href>/b</D:href></D:bind>", BODY_INVALID,
     ""},
    {ERN_BIND, "<D:bind" D "><D:segment>a</D:segment><D:href> </D:href></D:bind>", BODY_INVALID,
     ""},
    {ERN_BIND, "<D:bind" D "><D:segment>a</D:segment></D:bind>", BODY_INVALID, ""},
    {ERN_BIND, "<D:rebind" D "><D:segment>a</D:segment><D:href>/b</D:href></D:rebind>",
     BODY_INVALID, ""},
    {ERN_BIND, "", BODY_INVALID, ""},
    {ERN_REBIND, "<D:rebind" D "><D:segment>a</D:segment><D:href>/b</D:href></D:rebind>", BODY_FINE,
     "segment=a href=/b"},
    {ERN_UNBIND, "<D:unbind" D "><D:segment>a</D:segment></D:unbind>", BODY_FINE, "segment=a"},
    {ERN_UNBIND, "<D:unbind" D "/>", BODY_INVALID, ""},

    {ERN_MKREDIRECTREF, REF("mkredirectref", ""), BODY_FINE, "target=/t"},
    {ERN_MKREDIRECTREF,
     REF("mkredirectref", "<D:redirect-lifetime><D:permanent/></D:redirect-lifetime>"), BODY_FINE,
     "target=/t permanent"},
    {ERN_MKREDIRECTREF,
     REF("mkredirectref", "<D:redirect-lifetime><D:temporary/></D:redirect-lifetime>"), BODY_FINE,
     "target=/t temporary"},
    {ERN_MKREDIRECTREF, REF("mkredirectref", "<D:redirect-lifetime/>"), BODY_INVALID, ""},
    {ERN_MKREDIRECTREF, "<D:mkredirectref" D "/>", BODY_INVALID, ""},
    {ERN_MKREDIRECTREF, REF("updateredirectref", ""), BODY_INVALID, ""},
    {ERN_UPDATEREDIRECTREF, REF("updateredirectref", ""), BODY_FINE, "target=/t"},
    {ERN_UPDATEREDIRECTREF, "<D:updateredirectref" D "/>", BODY_FINE, ""},

    {ERN_REPORT, SYNC("<D:sync-token/><D:sync-level>1</D:sync-level><D:prop><D:a/></D:prop>"),
     BODY_FINE, "DAV:|sync-collection token= level=1 prop DAV:|a"},
    {ERN_REPORT,
     SYNC("<D:sync-token>\nu:7\n</D:sync-token><D:sync-level>\n infinite "
          "</D:sync-level><D:limit><D:nresults> 5 </D:nresults></D:limit>"),
     BODY_FINE, "DAV:|sync-collection token=u:7 level=infinity limit=5 prop"},
    {ERN_REPORT, SYNC("<D:limit><D:nresults>-1</D:nresults></D:limit>"), BODY_FINE,
     "DAV:|sync-collection token= level=1 prop"},
    {ERN_REPORT, SYNC("<D:sync-level>2</D:sync-level>"), BODY_INVALID, ""},
    {ERN_REPORT, SYNC("<D:sync-level/>"), BODY_INVALID, ""},
    {ERN_REPORT, "<other/>", BODY_FINE, "|other"},
    {ERN_REPORT, "", BODY_INVALID, ""},
    {ERN_PUT, "<a/>", BODY_INVALID, ""},
};

static void
say(struct out *o, const char *what, struct ern_slice text)
{
    if (o->len)
        out_char(o, ' ');
    out_text(o, what);
    out_slice(o, text);
}

static void
say_name(struct out *o, const char *what, struct body_name name)
{
    say(o, what, name.space);
    out_char(o, '|');
    out_slice(o, name.name);
}

static void
say_find(struct out *o, const struct body_find *find)
{
    static const char *const kinds[] = {"allprop", "propname", "prop"};

    say(o, kinds[find->kind], ERN_ABSENT);
    for (unsigned i = 0; i < find->names_n; i++)
        say_name(o, "", find->names[i]);
}

static void
say_lock(struct out *o, const struct body *b)
{
    say(o, !b->has_lockinfo ? "refresh" : b->shared ? "shared" : "exclusive", ERN_ABSENT);
    if (slice_is_there(b->owner))
        say(o, "", b->owner);
}

static void
say_report(struct out *o, const struct body *b)
{
    say_name(o, "", b->report);
    if (!slice_is_there(b->sync_token))
        return;
    say(o, "token=", b->sync_token);
    say(o, b->sync_level == DAV_DEPTH_1 ? "level=1" : "level=infinity", ERN_ABSENT);
    if (b->limit >= 0) {
        say(o, "limit=", ERN_ABSENT);
        out_u64(o, (uint64_t)b->limit);
    }
    say_find(o, &b->find);
}

static void
say_changes(struct out *o, const struct body *b)
{
    for (unsigned i = 0; i < b->changes_n; i++) {
        const struct body_change *c = &b->changes[i];

        say_name(o, c->remove ? "-" : "+", c->name);
        assert_int_equal(c->value == NULL, c->remove);
        if (c->value) {
            out_char(o, '=');
            out_slice(o, c->value->whole);
        }
    }
}

static void
say_body(struct out *o, enum ern_method method, const struct body *b)
{
    if (method == ERN_PROPFIND)
        say_find(o, &b->find);
    say_changes(o, b);
    if (method == ERN_MKCOL && b->collection)
        say(o, "collection", ERN_ABSENT);
    if (b->strange_type)
        say(o, "strange", ERN_ABSENT);
    if (method == ERN_LOCK)
        say_lock(o, b);
    if (slice_is_there(b->segment))
        say(o, "segment=", b->segment);
    if (slice_is_there(b->href))
        say(o, "href=", b->href);
    if (slice_is_there(b->target))
        say(o, "target=", b->target);
    if (b->has_lifetime)
        say(o, b->permanent ? "permanent" : "temporary", ERN_ABSENT);
    if (method == ERN_REPORT)
        say_report(o, b);
}

static void
bodies_are_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(bodies); i++) {
        char text[512];
        struct out o = out_init(text, sizeof text);
        struct body body;
        enum body_result result =
            body_read(bodies[i].method, slice_text(bodies[i].content), &limits, &body);

        if (result != bodies[i].result)
            fail_msg("%s: %d, %s", bodies[i].content, (int)result, body.why);
        assert_int_equal(body.why[0] == '\0', result == BODY_FINE);
        if (result == BODY_FINE)
            say_body(&o, bodies[i].method, &body);
        else
            assert_true(!body.xml.root && !body.find.names && !body.changes);
        if (!slice_eq(out_done(&o), slice_text(bodies[i].said)))
            fail_msg("%s: %.*s, not %s", bodies[i].content, (int)o.len, text, bodies[i].said);
        if (result == BODY_FINE)
            body_free(&body);
    }
}

static void
the_line_is_named(void **state)
{
    struct body body;

    (void)state;
    assert_int_equal(body_read(ERN_LOCK, ERN_SLICE("<a>\n<b>\n</a>"), &limits, &body),
                     BODY_ILLFORMED);
    assert_int_equal(body.line, 3);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bodies_are_read),
        cmocka_unit_test(the_line_is_named),
    };

    return cmocka_run_group_tests_name("body", tests, NULL, NULL);
}
