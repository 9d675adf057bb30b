/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A good configuration is broken in one place at a time. Each time there must be an error at that
 * place, with something to write instead.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "conf/conf.h"

static const char good[] =
    "# A good one.\n"
    "workers = 4\n"
    "user = \"www-data\"\n"
    "trusted = { \"10.0.0.1\", \"fd00::/8\" }\n"
    "listen \"127.0.0.1:8080\" { strict = true  proxy_protocol = true }\n"
    "listen \"[::1]:8080\" {}\n"
    "portal \":8081\" { login = \"https://in.example/?a\"  lifetime = \"1h\"\n"
    "    api = \"https://api.example/captive\"  secret = \"/s\" }\n"
    "log { format = \"json\"  file = \"off\" }\n"
    "limits {\n"
    "    header_timeout_ms = \"10s\"\n"
    "    content_bytes_max = \"64K\"\n"
    "}\n"
    "site \"a.example\" {\n"
    "    aliases = { \"b.example\", \"c.example\" }\n"
    "    route \"/\" {\n"
    "        files = \"/srv/www\"  listing = true\n"
    "        index = { \"index.html\" }\n"
    "        hidden = \"refuse\"\n"
    "        cache_control = \"max-age=60\"\n"
    "    }\n"
    "    route \"/form\" { intake = \"/srv/f.jsonl\"  then = \"/thanks\" }\n"
    "    route \"/pot\" { pot = \"coffee\"  additions = { \"Cream\", \"Rum\" }  servings = 2 }\n"
    "    route \"/tea/\" { pot = \"tea\"  teas = { \"a\", \"b\" }  brew_time = \"1m\" }\n"
    "    route \"/php/\" { fastcgi = \"unix:/run/p.sock\"  root = \"/srv/php\"  script = \".php\"\n"
    "        fallback = \"/i.php\" }\n"
    "    route \"/cgi/\" { cgi = \"/srv/cgi\" }\n"
    "    route \"/app/\" { proxy = \"https://f.example\"  ca = \"/ca.pem\"\n"
    "        probe = \"/health\" }\n"
    "    route \"/old/\" { redirect = \"https://d.example/\"  status = 308 }\n"
    "}\n"
    "site \"e.example\" {\n"
    "    route \"/gone\" { gone = true }\n"
    "}\n";

struct mutation {
    int line;              /* of this table */
    const char *from, *to; /* to has a ` where the error is to be */
    const char *mend;      /* a part of what is to be written instead */
};

#define M(from, to, mend) {__LINE__, from, to, mend},

/* clang-format off */
static const struct mutation mutations[] = {
    /* the language */
    M("workers = 4", "workers `= ", "after the =")
    M("workers = 4", "`workers 4", "= and a value")
    M("workers = 4", "`workers", "= and a value")
    M("workers = 4", "`= 4", "begin with a key")
    M("workers = 4", "`\"workers\" = 4", "begin with a key")
    M("workers = 4", "workers = 4`;", "leave it out")
    M("workers = 4", "workers = `'4'", "double quotes")
    M("workers = 4", "`} workers = 4", "leave it out")
    M("user = \"www-data\"", "user = `\"www-data", "write \" after it")
    M("user = \"www-data\"", "user = \"www`\\data\"", "write \\\\")
    M("user = \"www-data\"", "user = \"www`\1data\"", "leave it out")
    M("user = \"www-data\"", "user = `\"www\\ndata\"", "leave it out")
    M("user = \"www-data\"", "user = `\"\"", "between the quotes")
    M("user = \"www-data\"", "user = `\"\xe0\xa6\x86\xe0\xa6\xae\xe0\xa6\xbf\\t\"", "leave it out")
    M("user = \"www-data\"", "user = \"\xe0\xa6\x86\xe0\xa6\xae\" `oops = 1", "--keys")
    M("# A good one.", "`/* A good one.", "*/")
    M("\"https://d.example/\"", "`https://d.example/", "double quotes")
    M("\"b.example\", \"c.example\" }", "\"b.example\" `\"c.example\" }", "comma")
    M("\"b.example\", \"c.example\" }", "\"b.example\", \"c.example\"\n    `route \"/x\" { gone = on }", "comma")
    M("\"b.example\", \"c.example\" }", "\"b.example\", `{ \"c.example\" } }", "comma")
    M("site \"e.example\" {\n    route \"/gone\" { gone = true }\n}", "`site \"e.example\" {\n    route \"/gone\" { gone = true }\n", "write }")
    M("workers = 4", "`a { b { c { d { } } } }", "--keys")
    M("workers = 4", "a { b { c { d { e `{ } } } } }", "close the sections")
    /* keys */
    M("files = \"/srv", "`filse = \"/srv", "\"files\"")
    M("listing = true", "`lising = true", "\"listing\"")
    M("workers = 4", "`wrokers = 4", "\"workers\"")
    M("aliases =", "`alias =", "\"aliases\"")
    M("header_timeout_ms", "`header_timeout", "\"header_timeout_ms\"")
    M("workers = 4", "`listing = true", "route with files")
    M("listing = true", "`workers = 1", "the file itself")
    M("listing = true", "`gateway = \"http://x.example/\"", "--keys")
    M("listing = true", "`teapot = true", "--keys")
    M("listing = true", "listing = true `listing = true", "one of them")
    M("workers = 4", "workers = 4 `workers = 4", "one of them")
    M("content_bytes_max", "`header_timeout_ms", "one of them")
    M("limits {", "limits {} `limits {", "one of them")
    M("log {", "log `\"x\" {", "write log { ... }")
    M("log { format = \"json\"  file = \"off\" }", "`log = \"json\"", "log { ... }")
    M("user = \"www-data\"", "`user { }", "user \"...\"")
    M("site \"e.example\" {", "`site {", "site \"...\"")
    M("listen \"[::1]:8080\" {}", "`listen = \"[::1]:8080\"", "listen \"...\"")
    /* values */
    M("workers = 4", "workers = `many", "0 to 1000000")
    M("workers = 4", "workers = `-1", "0 to 1000000")
    M("workers = 4", "workers = `1000001", "0 to 1000000")
    M("workers = 4", "workers = `{ 4 }", "without {")
    M("strict = true", "strict = `maybe", "true or false")
    M("proxy_protocol = true", "proxy_protocol = `2", "true or false")
    M("\"json\"", "`\"jsno\"", "combined, json")
    M("\"refuse\"", "`\"hide\"", "refuse, serve")
    M("\"10s\"", "`\"10 s\"", "500ms")
    M("\"10s\"", "`\"10K\"", "500ms")
    M("\"10s\"", "`\"1ms\"", "100 to 600000")
    M("\"64K\"", "`\"64s\"", "64K")
    M("\"64K\"", "`\"99999999999999999999\"", "64K")
    M("\"64K\"", "`\"9999999999999999G\"", "64K")
    M("content_bytes_max = \"64K\"", "connections_max = `\"1K\"", "1 to 1000000")
    M("status = 308", "status = `306", "308, 301, 302, 303, 307")
    M("status = 308", "status = `200", "308, 301")
    M("status = 308", "status = `\"moved\"", "308, 301")
    M("status = 308", "status = `0308", "308, 301")
    M("file = \"off\"", "errors = `\"off\"", "standard error")
    M("gone = true", "`price = 1  pay = \"/pay\"  gone = true", "state = ")
    M("gone = true", "`price = 1  gone = true", "pay = ")
    M("gone = true", "gone = true  pay = `\"no URL\"", "https://example.org/pay")
    M("gone = true", "gone = true  `agree = true", "price = 1")
    M("gone = true", "gone = true  price = `\"1 credit\"", "0 to 1000000")
    /* addresses, names, paths, URLs */
    M("\"127.0.0.1:8080\"", "`\"127.0.0.1\"", "127.0.0.1:8080")
    M("\"127.0.0.1:8080\"", "`\"127.0.0.1:99999\"", "127.0.0.1:8080")
    M("\"127.0.0.1:8080\"", "`\"localhost:8080\"", "127.0.0.1:8080")
    M("\"[::1]:8080\"", "`\"::1:8080\"", "[::1]:8080")
    M("\"[::1]:8080\"", "`\"[::1:8080\"", "[::1]:8080")
    M("\"[::1]:8080\"", "`\"127.0.0.1:8080\"", "leave one")
    M("\"fd00::/8\"", "`\"localhost\"", "10.0.0.0/8")
    M("\"fd00::/8\"", "`\"[fd00::]/8\"", "10.0.0.0/8")
    M("\"fd00::/8\"", "`\"10.0.0.0/33\"", "10.0.0.0/8")
    M("\"fd00::/8\"", "`\"10.1.2.3/8\"", "with zeros")
    M("\"fd00::/8\"", "`\"10.0.0.1\"", "leave one")
    M("\"e.example\"", "`\"http://e.example/\"", "no scheme")
    M("\"e.example\"", "`\"e.example:80\"", "no scheme")
    M("\"e.example\"", "`\"*.example\"", "no scheme")
    M("\"e.example\"", "`\"A.Example\"", "leave one")
    M("\"e.example\"", "`\"c.example\"", "leave one")
    M("\"c.example\"", "`\"b.example\"", "leave one")
    M("\"c.example\"", "`\"c..example\"", "no scheme")
    M("route \"/old/\"", "route `\"old/\"", "\"/old/\"")
    M("route \"/old/\"", "route `\"/old/?a\"", "before ?")
    M("route \"/old/\"", "route `\"/old/../\"", "without")
    M("route \"/old/\"", "route `\"/old//x\"", "without")
    M("route \"/old/\"", "route `\"/\"", "leave one")
    M("\"https://d.example/\"", "`\"d.example\"", "https://example.org")
    M("\"https://d.example/\"", "`\"//d.example/\"", "https://example.org")
    M("\"https://d.example/\"", "`\"https:///x\"", "https://example.org")
    M("\"https://d.example/\"", "`\"https://d.example/a b\"", "https://example.org")
    M("\"https://d.example/\"", "`\"https://d.example/%zz\"", "https://example.org")
    M("\"https://d.example/\"", "`\"javascript:alert(1)\"", "https://example.org")
    M("\"https://d.example/\"", "`\"/old/\"", "another URL")
    M("gone = true", "use_proxy = `\"p.example:3128\"", "http://proxy")
    M("\"index.html\"", "`\"a/index.html\"", "without /")
    M("\"index.html\"", "`\"..\"", "without /")
    M("\"max-age=60\"", "`\"max-age=60 \"", "max-age=3600")
    M("\"max-age=60\"", "`\"max-age=\xc3\xa9\"", "max-age=3600")
    /* limits of rates */
    M("gone = true", "gone = true `limit { }", "requests = 100")
    M("gone = true", "gone = true `limit { requests = 0 }", "requests = 100")
    M("gone = true", "gone = true limit { requests = 1 per = `\"0s\" }", "1ms to 1d")
    M("gone = true", "gone = true limit { requests = 1 per = `\"2d\" }", "1ms to 1d")
    M("gone = true", "gone = true limit { requests = 1 per = \"1d\" burst = `31 }", "write fewer")
    M("gone = true", "gone = true limit { requests = 1 by = `group }", "address, route")
    /* what fits together */
    M("trusted = { \"10.0.0.1\", \"fd00::/8\" }\nlisten \"127.0.0.1:8080\" { strict = true  proxy_protocol = true }", "listen \"127.0.0.1:8080\" { strict = true  proxy_protocol = `true }", "trusted = ")
    M("status = 308", "`gone = true", "another route")
    M("gone = true", "gone = true `files = \"x\"", "another route")
    M("gone = true", "gone = true `listing = true", "leave it out")
    M("gone = true", "gone = true `status = 308", "leave it out")
    M("gone = true", "gone = `false", "gone = true")
    M("gone = true", "proxy = { \"http://a:1\" } cache = true `transform = { \"minify\" }", "leave one of transform and cache out")
    M("gone = true", "gone = true `cache = true", "leave it out")
    M("route \"/gone\" { gone = true }", "route `\"/gone\" { }", "one of files")
    M("site \"e.example\" {\n    route \"/gone\" { gone = true }\n}", "site `\"e.example\" { }", "route \"/\"")
    M("workers = 4", "`route \"/x\" { gone = true }", "in a site")
    /* portals */
    M("login = \"https://in.example/?a\"", "login = `\"http://in.example/\"", "https://login")
    M("login = \"https://in.example/?a\"", "login = `\"/in\"", "https://login")
    M("login = \"https://in.example/?a\"", "login = `\"https://in.example/#a\"", "https://login")
    M("\":8081\" { login = \"https://in.example/?a\"", "`\":8081\" { ", "login = ")
    M("api = \"https://api.example/captive\"", "api = `\"http://api.example/captive\"", "https://portal")
    M("api = \"https://api.example/captive\"", "api = `\"https://api.example\"", "https://portal")
    M("api = \"https://api.example/captive\"", "api = `\"https://api.example/captive?x\"", "without a query")
    M("api = \"https://api.example/captive\"  secret", "`secret", "api = ")
    M("lifetime = \"1h\"", "lifetime = `\"long\"", "a time")
    M("lifetime = \"1h\"", "lifetime = \"1h\" `strict = true", "leave it out")
    M("lifetime = \"1h\"", "lifetime = \"1h\" `https = true", "leave it out")
    M("listen \"[::1]:8080\" {}", "listen \"[::1]:8080\" { `login = \"https://in.example/\" }", "portal")
    M("portal \":8081\"", "portal `\"[::1]:8080\"", "another")
    /* scripts, and servers behind us */
    M("\"unix:/run/p.sock\"", "`\"unix:run/p.sock\"", "127.0.0.1:9000")
    M("\"unix:/run/p.sock\"", "`\"/run/p.sock\"", "127.0.0.1:9000")
    M("\"unix:/run/p.sock\"", "`\"127.0.0.1\"", "127.0.0.1:9000")
    M("\"unix:/run/p.sock\"", "`\"127.0.0.1:0\"", "127.0.0.1:9000")
    M("\"unix:/run/p.sock\"", "`\"http://127.0.0.1:9000\"", "127.0.0.1:9000")
    M("\"unix:/run/p.sock\"", "{ \"[::1]:9000\", `\"x:99999\" }", "127.0.0.1:9000")
    M("fastcgi = \"unix:/run/p.sock\"  root = \"/srv/php\"", "`fastcgi = \"unix:/run/p.sock\"", "root =")
    M("script = \".php\"", "script = `\"php\"", "with its dot")
    M("script = \".php\"", "script = `\".a/b\"", "with its dot")
    M("script = \".php\"", "script = { \".php\", `\".\" }", "with its dot")
    M("\"/i.php\"", "`\"i.php\"", "/index.php")
    M("\"/i.php\"", "`\"/i.html\"", "/index.php")
    M("root = \"/srv/php\"", "root = \"/srv/php\" `listing = true", "leave it out")
    M("root = \"/srv/php\"", "root = \"/srv/php\" `files = \"/x\"", "another route")
    M("cgi = \"/srv/cgi\"", "cgi = \"/srv/cgi\" `run_as = \"nobody\"", "leave it out")
    M("cgi = \"/srv/cgi\"", "cgi = \"/srv/cgi\" `root = \"/x\"", "leave it out")
    M("cgi = \"/srv/cgi\"", "cgi = \"/srv/cgi\" `gone = true", "another route")
    M("route \"/cgi/\" {", "route `\"/cgi\" {", "/cgi/")
    M("\"https://f.example\"", "`\"https://f.example/a\"", "without a path")
    M("\"https://f.example\"", "`\"ftp://f.example\"", "without a path")
    M("proxy = \"https://f.example\"  ca", "proxy = \"http://f.example\"  `ca", "https://")
    M("\"/health\"", "`\"health\"", "/health")
    M("\"/health\"", "`\"/a b\"", "/health")
    M("gone = true", "gone = true `ca = \"/ca.pem\"", "leave it out")
    /* pots and intakes */
    M("then = \"/thanks\"", "then = `\"thanks\"", "/thanks")
    M("then = \"/thanks\"", "then = \"/t\"  `teas = { \"a\" }", "leave it out")
    M("\"/srv/f.jsonl\"", "`\"/srv/\"", "a file in it")
    M("route \"/gone\" { gone = true }", "route \"/gone\" { intake = \"/srv/f.jsonl\" }\n  route \"/2\" { intake = `\"/srv/f.jsonl\" }", "")
    M("pot = \"coffee\"", "pot = `\"cocoa\"", "coffee")
    M("pot = \"coffee\"", "pot = \"coffee\" `teas = { \"a\" }", "tea")
    M("pot = \"coffee\"", "pot = \"coffee\" `gone = true", "another route")
    M("\"Cream\"", "`\"Cr eam\"", "letters")
    M("\"Rum\"", "`\"Cream\"", "")
    M("servings = 2", "servings = `0", "1 to 1000")
    M("brew_time = \"1m\"", "brew_time = `\"0s\"", "1ms")
    M("brew_time = \"1m\"", "brew_time = `\"25h\"", "1d")
    M("teas = { \"a\", \"b\" }", "teas = { \"a\", `\"a/b\" }", "letters")
    M("pot = \"tea\"  teas = { \"a\", \"b\" }", "`pot = \"tea\"", "teas")
    M("route \"/tea/\"", "route `\"/tea\"", "/tea/")
};
/* clang-format on */

enum { MUTATIONS = sizeof mutations / sizeof *mutations };

static_assert(MUTATIONS >= 50, "at least fifty ways");

/* The good text with the mutation, without its `, whose place is in ret. */
static struct ern_slice
mutate(const struct mutation *mutation, char *to, size_t cap, struct conf_position *ret)
{
    struct ern_slice text = slice_text(good), from = slice_text(mutation->from);
    struct out o = out_init(to, cap);
    size_t at = 0, mark;

    while (at < text.len && !slice_starts(slice_skip(text, at), from))
        at++;
    if (at == text.len)
        fail_msg("row at line %d: \"%s\" is not in the good text", mutation->line, mutation->from);
    out_slice(&o, slice_first(text, at));
    mark = slice_find(slice_text(mutation->to), '`');
    out_slice(&o, slice_first(slice_text(mutation->to), mark));
    *ret = (struct conf_position){1, 1};
    for (size_t i = 0; i < o.len; i++) {
        if (to[i] == '\n')
            *ret = (struct conf_position){ret->line + 1, 1};
        else
            ret->column += ((unsigned char)to[i] & 0xc0) != 0x80;
    }
    out_text(&o, mutation->to + mark + 1);
    out_slice(&o, slice_skip(text, at + from.len));
    assert_false(o.full);
    return out_done(&o);
}

static bool
holds(const char *text, const char *part)
{
    struct ern_slice rest = slice_text(text), wanted = slice_text(part);

    while (rest.len >= wanted.len) {
        if (slice_starts(rest, wanted))
            return true;
        if (rest.len == 0)
            return false;
        rest = slice_skip(rest, 1);
    }
    return false;
}

static void
the_good_one_is_good(void **state)
{
    struct conf_errors errors;
    struct conf *conf;

    (void)state;
    if (conf_parse(slice_text(good), "good.conf", &conf, &errors) < 0)
        fail_msg("%u:%u: %s", errors.error[0].line, errors.error[0].column, errors.error[0].what);
    assert_int_equal(errors.n, 0);
    conf_free(conf);
}

static void
each_mutation_is_found_where_it_is(void **state)
{
    (void)state;
    for (size_t i = 0; i < MUTATIONS; i++) {
        const struct mutation *mutation = &mutations[i];
        struct conf_errors errors;
        struct conf_position at;
        struct conf *conf;
        char text[4096];
        bool found = false;

        if (conf_parse(mutate(mutation, text, sizeof text, &at), "m.conf", &conf, &errors) == 0)
            fail_msg("row at line %d: no error", mutation->line);
        for (unsigned j = 0; j < errors.n; j++) {
            assert_true(errors.error[j].mend[0]);
            found |= errors.error[j].line == at.line && errors.error[j].column == at.column &&
                     holds(errors.error[j].mend, mutation->mend);
        }
        if (!found)
            fail_msg("row at line %d: nothing at %u:%u says \"%s\"; first is %u:%u %s; %s",
                     mutation->line, at.line, at.column, mutation->mend, errors.error[0].line,
                     errors.error[0].column, errors.error[0].what, errors.error[0].mend);
        if (errors.wrong_n > 3)
            fail_msg("row at line %d: one mistake made %u errors", mutation->line, errors.wrong_n);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_good_one_is_good),
        cmocka_unit_test(each_mutation_is_found_where_it_is),
    };

    return cmocka_run_group_tests_name("conf/mutation", tests, NULL, NULL);
}
