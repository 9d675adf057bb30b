/* SPDX-License-Identifier: Apache-2.0 */
/* The model that a configuration makes, its defaults, its bounds, and what it says as text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "conf/conf.h"
#include "earnest/status.h"

static const char full[] =
    "listen \"127.0.0.1:8080\" { strict = yes }  // one\n"
    "listen \":0\" { proxy_protocol = on }  /* two */\n"
    "workers = 3 live = no live_allow = \"10.1.2.0/24\" user = nobody trusted = { \"127.0.0.1\", "
    "\"fd00::/8\" } forwarded = forwarded\n"
    "log { format = json file = off errors = \"/tmp/e\\\"\\\\x\" }\n"
    "limits { header_timeout_ms = \"5s\" content_bytes_max = 2M target_bytes_max = 4096 }\n"
    "site \"a.example\" {\n"
    "    aliases = { b.example, \"[::1]\", }\n"
    "    route \"/\" { files = \"/srv\" listing = on index = { \"i.html\", x } hidden = serve\n"
    "        negotiate = strict precompressed = no cache_control = \"no-store\" trace = true\n"
    "        content_policy = \"default-src 'self'\" }\n"
    "    route \"/r\" { redirect = \"/q?a#b\" }\n"
    "    route \"/s\" { redirect = \"http://[::1]:80/\" status = 301 }\n"
    "    route \"/p\" { use_proxy = \"http://p.example:3128\" }\n"
    "    route \"/g\" { gone = true }\n"
    "}\n";

static struct conf *
parse(const char *text, struct conf_errors *errors)
{
    struct conf *conf;

    if (conf_parse(slice_text(text), "t.conf", &conf, errors) < 0)
        fail_msg("%u:%u: %s", errors->error[0].line, errors->error[0].column,
                 errors->error[0].what);
    return conf;
}

static void
assert_text(struct ern_slice text, const char *wanted)
{
    if (!slice_eq(text, slice_text(wanted)))
        fail_msg("\"%.*s\" is not \"%s\"", (int)text.len, text.ptr, wanted);
    assert_int_equal(text.ptr[text.len], '\0');
}

static void
assert_starts(const char *text, const char *wanted)
{
    if (!slice_starts(slice_text(text), slice_text(wanted)))
        fail_msg("\"%s\" does not begin with \"%s\"", text, wanted);
}

static void
everything_is_read(void **state)
{
    struct conf_errors errors;
    struct conf *conf = parse(full, &errors);
    const struct conf_route *route = conf->sites[0].routes;

    (void)state;
    assert_int_equal(conf->listens_n, 2);
    assert_text(conf->listens[0].name, "127.0.0.1:8080");
    assert_text(conf->listens[0].address, "127.0.0.1");
    assert_int_equal(conf->listens[0].port, 8080);
    assert_true(conf->listens[0].strict);
    assert_text(conf->listens[1].name, ":0");
    assert_text(conf->listens[1].address, "");
    assert_false(conf->listens[0].proxy_protocol);
    assert_false(conf->listens[1].strict);
    assert_true(conf->listens[1].proxy_protocol);
    assert_int_equal(conf->trusted.n, 2);
    assert_text(conf->trusted.text[1], "fd00::/8");
    assert_int_equal(conf->gateways.n, 2);
    assert_int_equal(conf->gateways.network[0].bits, 128);
    assert_int_equal(conf->gateways.network[1].bits, 8);
    assert_int_equal(conf->forwarded, FORWARDED_BY_FORWARDED);
    assert_false(conf->live);
    assert_int_equal(conf->live_networks.n, 1);
    assert_int_equal(conf->live_networks.network[0].bits, 120);
    assert_int_equal(conf->workers, 3);
    assert_text(conf->user, "nobody");
    assert_int_equal(conf->log.format, CONF_LOG_JSON);
    assert_text(conf->log.file, "off");
    assert_text(conf->log.errors, "/tmp/e\"\\x");
    assert_int_equal(conf->limits.header_timeout_ms, 5000);
    assert_int_equal(conf->limits.content_bytes_max, 2 << 20);
    assert_int_equal(conf->limits.target_bytes_max, 4096);
    assert_int_equal(conf->limits.fields_max, limits_standard().fields_max);
    assert_int_equal(conf->sites_n, 1);
    assert_text(conf->sites[0].name, "a.example");
    assert_int_equal(conf->sites[0].aliases.n, 2);
    assert_text(conf->sites[0].aliases.text[1], "[::1]");
    assert_int_equal(conf->sites[0].routes_n, 5);
    assert_int_equal(conf_routes(conf), 5);
    assert_int_equal(route->kind, CONF_KIND_FILES);
    assert_text(route->files, "/srv");
    assert_true(route->listing && route->trace && !route->precompressed);
    assert_int_equal(route->index.n, 2);
    assert_text(route->index.text[0], "i.html");
    assert_int_equal(route->hidden, CONF_HIDDEN_SERVE);
    assert_int_equal(route->negotiate, CONF_NEGOTIATE_STRICT);
    assert_text(route->cache_control, "no-store");
    assert_text(route->content_policy, "default-src 'self'");
    assert_int_equal(route->place.at.line, 8);
    assert_int_equal(route->place.at.column, 11);
    assert_int_equal(route->place.given[CONF_route_files].key.column, 17);
    assert_int_equal(route->place.given[CONF_route_files].value.column, 25);
    assert_int_equal(route[1].kind, CONF_KIND_REDIRECT);
    assert_text(route[1].redirect, "/q?a#b");
    assert_int_equal(route[1].status, ERN_308_PERMANENT_REDIRECT);
    assert_int_equal(route[2].status, ERN_301_MOVED_PERMANENTLY);
    assert_int_equal(route[3].kind, CONF_KIND_USE_PROXY);
    assert_int_equal(route[4].kind, CONF_KIND_GONE);
    assert_int_equal(errors.n, 1); /* use_proxy is deprecated */
    assert_true(errors.error[0].warning);
    conf_free(conf);
}

static void
defaults_are_those_of_the_table(void **state)
{
    struct conf_errors errors;
    struct conf *conf = parse("route \"/\" { files = \".\" }", &errors);
    const struct conf_route *route = conf->sites[0].routes;

    (void)state;
    assert_int_equal(errors.n, 0);
    assert_int_equal(conf->listens_n, 1);
    assert_text(conf->listens[0].name, "127.0.0.1:8080");
    assert_int_equal(conf->workers, 0);
    assert_null(conf->user.ptr);
    assert_int_equal(conf->gateways.n, 0);
    assert_int_equal(conf->forwarded, FORWARDED_BY_X_FIELDS);
    assert_true(conf->live);
    assert_int_equal(conf->live_networks.n, 0);
    assert_text(conf->log.file, "-");
    assert_text(conf->log.errors, "-");
    assert_int_equal(conf->log.format, CONF_LOG_COMBINED);
    assert_null(conf->sites[0].name.ptr);
    assert_int_equal(route->index.n, 1);
    assert_text(route->index.text[0], "index.html");
    assert_int_equal(route->hidden, CONF_HIDDEN_REFUSE);
    assert_int_equal(route->negotiate, CONF_NEGOTIATE_BEST);
    assert_true(route->precompressed && !route->listing && !route->trace);
    assert_null(route->cache_control.ptr);
    assert_int_equal(route->place.given[CONF_files_index].key.line, 0);
    conf_free(conf);
}

static void
who_trusts_everybody_is_warned(void **state)
{
    static const struct {
        const char *text;
        uint32_t warned_column; /* 0: not */
    } rows[] = {
        {"trusted = { \"0.0.0.0/0\" } route \"/\" { gone = on }", 13},
        {"trusted = { \"10.0.0.0/8\", \"::/0\" } route \"/\" { gone = on }", 27},
        {"live_allow = { \"10.0.0.0/8\", \"::/0\" } route \"/\" { gone = on }", 30},
        {"trusted = { \"10.0.0.0/8\", \"::/10\" } route \"/\" { gone = on }", 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct conf_errors errors;
        struct conf *conf = parse(rows[i].text, &errors);

        assert_int_equal(errors.wrong_n, 0);
        assert_int_equal(errors.n, rows[i].warned_column ? 1 : 0);
        if (rows[i].warned_column)
            assert_int_equal(errors.error[0].column, rows[i].warned_column);
        conf_free(conf);
    }
}

static void
trusted_networks_are_bounded(void **state)
{
    static char text[1 << 14];

    (void)state;
    for (unsigned n = NETWORKS_MAX; n <= NETWORKS_MAX + 1; n++) {
        struct out o = out_init(text, sizeof text);
        struct conf_errors errors;
        struct conf *conf;

        out_literal(&o, "route \"/\" { gone = on }\ntrusted = {\n");
        for (unsigned i = 0; i < n; i++) {
            out_literal(&o, "10.0.");
            out_u64(&o, i / 256);
            out_char(&o, '.');
            out_u64(&o, i % 256);
            out_literal(&o, ",\n");
        }
        out_literal(&o, "}\n");
        assert_false(o.full);
        if (n == NETWORKS_MAX) {
            assert_int_equal(conf_parse(out_done(&o), "t", &conf, &errors), 0);
            assert_int_equal(conf->gateways.n, NETWORKS_MAX);
            conf_free(conf);
        } else {
            assert_int_equal(conf_parse(out_done(&o), "t", &conf, &errors), -1);
            assert_int_equal(errors.wrong_n, 1);
            assert_int_equal(errors.error[0].line, 3 + NETWORKS_MAX);
        }
    }
}

static void
what_does_not_go_together_is_wrong(void **state)
{
#define FILES(more) "state = s route \"/\" { files = \"/\" " more " }"
#define PROXY(more) "route \"/\" { proxy = \"http://a.example\" " more " }"
    static const struct {
        const char *text, *what;
    } rows[] = {
        {FILES("write = true hints = learned"), "learned in folders"},
        {FILES("dictionaries = past"), "kept as past versions are"},
        {FILES("deltas = 1 dictionaries = common.txt"), "not a path of the route"},
        {FILES("hints = sometimes"), "sometimes"},
        {PROXY("transform = shorten"), "nothing that is done to answers"},
        {PROXY("transform = minify cache = true"), "kept as they come"},
    };
#undef FILES
#undef PROXY

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct conf_errors errors;
        struct conf *conf;

        assert_int_equal(conf_parse(slice_text(rows[i].text), "t.conf", &conf, &errors), -1);
        if (!strstr(errors.error[0].what, rows[i].what))
            fail_msg("%s: %s", rows[i].text, errors.error[0].what);
    }
}

static void
all_errors_are_told_at_once(void **state)
{
    static const char text[] =
        "wrkers = 1\nlisten \"x\" {}\nsite \"a b\" {\n  route \"q\" { }\n}\n";
    static const uint32_t lines[] = {1, 2, 3, 4, 4};
    struct conf_errors errors;
    struct conf *conf;

    (void)state;
    assert_int_equal(conf_parse(slice_text(text), "t.conf", &conf, &errors), -1);
    assert_null(conf);
    assert_int_equal(errors.n, 5);
    assert_int_equal(errors.wrong_n, 5);
    for (unsigned i = 0; i < errors.n; i++)
        assert_int_equal(errors.error[i].line, lines[i]);
}

static void
errors_past_the_bound_are_counted(void **state)
{
    static char text[2 * 1000];
    struct conf_errors errors;
    struct conf *conf;

    (void)state;
    for (size_t i = 0; i < sizeof text; i += 2) {
        text[i] = ';';
        text[i + 1] = '\n';
    }
    assert_int_equal(conf_parse(slice_from(text, sizeof text), "t", &conf, &errors), -1);
    assert_int_equal(errors.n, CONF_ERRORS_MAX);
    assert_int_equal(errors.wrong_n, 1000); /* what is missing is not told: it may be there */
    assert_int_equal(errors.lost_n, 1000 - CONF_ERRORS_MAX);
}

static void
errors_are_one_clean_line(void **state)
{
    static const char *const wanted =
        "t\"\n.conf:1:13: error: \"filse\" is not a key of route; did you mean \"files\"?\n";
    static const char *const json =
        "{\"file\":\"t\\\"\\u000a.conf\",\"line\":1,\"column\":13,\"severity\":\"error\","
        "\"what\":\"\\\"filse\\\" is not a key of route\","
        "\"mend\":\"did you mean \\\"files\\\"?\"}";
    static char text[4096];
    struct conf_errors errors;
    struct conf *conf;
    struct out o = out_init(text, sizeof text);

    (void)state;
    assert_int_equal(
        conf_parse(ERN_SLICE("route \"/\" { filse = x gone = on}"), "t\"\n.conf", &conf, &errors),
        -1);
    conf_error_write(&errors.error[0], &o);
    assert_true(slice_eq(out_done(&o), slice_text(wanted)));
    o = out_init(text, sizeof text);
    conf_error_write_json(&errors.error[0], &o);
    assert_true(slice_eq(out_done(&o), slice_text(json)));
    assert_int_equal(conf_parse(ERN_SLICE("listen \"\xff\\n\x7f\" {}"), "t", &conf, &errors), -1);
    for (const char *at = errors.error[0].what; *at; at++)
        assert_true((unsigned char)*at >= ' ' && (unsigned char)*at < 0x7f);
}

static void
a_dump_is_read_as_the_same(void **state)
{
    static char first[1 << 14], second[1 << 14];
    static const char *const texts[] = {
        full, "route \"/\" { files = \"a\\\"\\\\b\" index = {} }",
        "portal :1 { login = \"https://a/?b\" lifetime = 1h api = \"https://c/d\" secret = \"/s\" "
        "}\n"
        "portal :2 { login = \"https://a/\" } route \"/\" { gone = on }",
        "site a { route \"/\" { gone = on } }\n"
        "site b { route \"/\" { redirect = \"/a\" status = 307 } }",
        "route \"/a\" { intake = \"/f\" then = \"/b\" } route \"/c\" { intake = \"g\" }\n"
        "route \"/d/\" { pot = tea teas = { a, b } additions = Sugar servings = 3 brew_time = 1s "
        "}\n"
        "route \"/e\" { pot = coffee keep_time = 5ms refill_time = 1h }"};

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct out a = out_init(first, sizeof first), b = out_init(second, sizeof second);
        struct conf_errors errors;
        struct conf *conf = parse(texts[i], &errors), *again;

        conf_write(conf, &a);
        assert_false(a.full);
        assert_int_equal(conf_parse(out_done(&a), "dump", &again, &errors), 0);
        conf_write(again, &b);
        assert_true(slice_eq(out_done(&a), out_done(&b)));
        conf_free(conf);
        conf_free(again);
    }
}

static void
too_little_memory_is_an_error(void **state)
{
    struct conf_errors errors;
    struct conf *conf = NULL;
    size_t memory = 0;

    (void)state;
    for (; conf_parse_within(slice_text(full), "t", memory, &conf, &errors) < 0; memory += 16) {
        assert_null(conf);
        assert_int_equal(errors.wrong_n, 1);
        assert_int_equal(errors.error[0].line, 0);
        assert_starts(errors.error[0].what, "there is not enough memory");
        assert_true(memory < 1 << 20);
    }
    assert_true(memory > 1000);
    conf_free(conf);
}

static void
a_file_is_bounded(void **state)
{
    static char text[(1 << 20) + 1];
    struct conf_errors errors;
    struct conf *conf;

    (void)state;
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = ' ';
    assert_int_equal(conf_parse(slice_from(text, sizeof text), "t", &conf, &errors), -1);
    assert_starts(errors.error[0].what, "this file is longer");
    for (size_t i = 0; i + 5 <= sizeof text; i += 5) { /* 200,000 items */
        text[i] = 'a';
        text[i + 1] = '=';
        text[i + 2] = 'b';
    }
    assert_int_equal(conf_parse(slice_from(text, sizeof text - 1), "t", &conf, &errors), -1);
    assert_int_equal(errors.wrong_n, 50001); /* two nodes an item, each a wrong key; the bound */
}

static void
flags_make_a_configuration(void **state)
{
    struct conf_flags flags = {.directory = "/srv",
                               .listen = "127.0.0.1:0",
                               .index = "a.html, b.html",
                               .host = "a.example,b.example, c.example",
                               .log = "off",
                               .user = "nobody",
                               .listing = true,
                               .workers = 2};
    struct conf_errors errors;
    struct conf *conf;
    const struct conf_route *route;

    (void)state;
    assert_int_equal(conf_from_flags(&flags, &conf, &errors), 0);
    route = conf->sites[0].routes;
    assert_null(conf->file);
    assert_text(conf->listens[0].name, "127.0.0.1:0");
    assert_true(conf->listens[0].strict);
    assert_text(conf->sites[0].name, "a.example");
    assert_int_equal(conf->sites[0].aliases.n, 2);
    assert_text(conf->sites[0].aliases.text[1], "c.example");
    assert_text(route->path, "/");
    assert_text(route->files, "/srv");
    assert_true(route->listing);
    assert_text(route->index.text[1], "b.html");
    assert_text(conf->log.file, "off");
    assert_text(conf->user, "nobody");
    assert_int_equal(conf->workers, 2);
    conf_free(conf);

    assert_int_equal(conf_from_flags(&(struct conf_flags){.directory = "."}, &conf, &errors), 0);
    assert_text(conf->listens[0].name, "127.0.0.1:8080");
    assert_false(conf->listens[0].strict);
    assert_null(conf->sites[0].name.ptr);
    assert_text(conf->sites[0].routes[0].index.text[0], "index.html");
    conf_free(conf);
}

static void
wrong_flags_are_errors_without_a_line(void **state)
{
    static const struct conf_flags flags[] = {
        {.directory = ""},     {.listen = "x"},      {.host = ""},  {.host = "a,,b"},
        {.host = "http://a/"}, {.host = "a,A"},      {.index = ""}, {.index = "a/b"},
        {.workers = -1},       {.workers = 1 << 20}, {.log = ""},   {.user = "a\nb"},
    };
    struct conf_errors errors;
    struct conf *conf;

    (void)state;
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
        if (conf_from_flags(&flags[i], &conf, &errors) == 0)
            fail_msg("flags %zu are taken", i);
        assert_int_equal(errors.error[0].line, 0);
        assert_true(errors.error[0].mend[0]);
        assert_string_equal(errors.error[0].file, "the command line");
    }
}

static void
files_are_looked_for(void **state)
{
    static const struct {
        const char *text;
        unsigned wrong, warned;
        uint32_t line, column;
    } rows[] = {
        {"route \"/\" { files = \"/\" }", 0, 0, 0, 0},
        {"route \"/\" { files = \"/no/such\" }", 1, 0, 1, 21},
        {"route \"/\" {\n files = \"/etc/passwd\" }", 1, 0, 2, 10},
        {"route \"/\" { files = \"/\" index = { \"no-such.html\" } }", 0, 1, 1, 33},
        {"route \"/\" { files = \"/etc\" index = { no, passwd } }", 0, 0, 0, 0},
        {"route \"/\" { files = \"/\" index = { no } listing = on }", 0, 0, 0, 0},
        {"user = \"no-such-user\" route \"/\" { files = \"/\" }", 1, 0, 1, 8},
        {"user = root route \"/\" { files = \"/\" }", 0, 0, 0, 0},
        {"log { file = \"/no/such/log\" } route \"/\" { gone = on }", 1, 0, 1, 14},
        {"log { errors = \"/\" } route \"/\" { gone = on }", 1, 0, 1, 16},
        {"log { file = \"log\" errors = \"/log\" } route \"/\" { gone = on }", 0, 0, 0, 0},
        {"route \"/\" { intake = \"/no/such\" }", 1, 0, 1, 22},
        {"route \"/\" { intake = \"/tmp\" }", 1, 0, 1, 22},
        {"route \"/\" { intake = \"/tmp/no-such-file\" }", 0, 0, 0, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct conf_errors errors;
        struct conf *conf = parse(rows[i].text, &errors);
        int result = conf_check_files(conf, &errors);

        if (result != (rows[i].wrong ? -1 : 0) || errors.wrong_n != rows[i].wrong ||
            errors.n != rows[i].wrong + rows[i].warned)
            fail_msg("row %zu: %u errors, %u findings", i, errors.wrong_n, errors.n);
        if (errors.n &&
            (errors.error[0].line != rows[i].line || errors.error[0].column != rows[i].column))
            fail_msg("row %zu: at %u:%u", i, errors.error[0].line, errors.error[0].column);
        conf_free(conf);
    }
}

static void
a_file_that_can_not_be_read_is_an_error(void **state)
{
    static const char *const paths[] = {"/no/such/file", "/etc/passwd/x", "/etc", "/dev/zero"};
    struct conf_errors errors;
    struct conf *conf;

    (void)state;
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        assert_int_equal(conf_read(paths[i], &conf, &errors), -1);
        assert_null(conf);
        assert_int_equal(errors.n, 1);
        assert_int_equal(errors.error[0].line, 0);
        assert_true(errors.error[0].mend[0]);
    }
    conf_free(NULL);
}

static void
a_file_is_read(void **state)
{
    static const char text[] = "\xef\xbb\xbfroute \"/\" { gone = on }\r\n";
    char path[] = "/tmp/earnest-conf-XXXXXX";
    int fd = mkstemp(path);
    struct conf_errors errors;
    struct conf *conf;

    (void)state;
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, sizeof text - 1), sizeof text - 1);
    close(fd);
    assert_int_equal(conf_read(path, &conf, &errors), 0);
    unlink(path);
    assert_string_equal(conf->file, path);
    assert_int_equal(conf->sites[0].routes[0].place.at.column, 7);
    conf_free(conf);
}

static void
every_key_is_in_the_help_and_known(void **state)
{
    static char text[1 << 16];
    struct out o = out_init(text, sizeof text);
    struct option_key row, found;
    size_t n = 0;

    (void)state;
    options_write(&o);
    assert_false(o.full);
    for (; option_row(n, &row); n++) {
        size_t at = 0;

        assert_int_equal(row.row, n);
        assert_true(
            option_find(option_section(row.where), row.key, option_is_section(&row), &found));
        assert_int_equal(found.row, n);
        while (at < o.len && !slice_starts(slice_skip(out_done(&o), at), row.key))
            at++;
        assert_true(at < o.len);
    }
    assert_int_equal(n, OPTION_ROWS);
}

static void
a_near_key_is_guessed_and_a_far_one_not(void **state)
{
    static const struct {
        enum option_where where;
        const char *key, *guess;
    } rows[] = {
        {WHERE_route, "filse", "files"},
        {WHERE_route, "redirekt", "redirect"},
        {WHERE_route, "Files", "files"},
        {WHERE_route, "cache-control", "cache_control"},
        {WHERE_route, "x", NULL},
        {WHERE_route, "teleport", NULL},
        {WHERE_top, "sites", "site"},
        {WHERE_top, "worker", "workers"},
        {WHERE_log, "fromat", "format"},
        {WHERE_limits, "idle_timeout", "idle_timeout_ms"},
        {WHERE_site, "", NULL},
        {WHERE_listen, "stirct", "strict"},
        {WHERE_top, "a_key_of_far_more_than_forty_characters_in_all", NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct option_key guess;
        bool found = option_guess(rows[i].where, slice_text(rows[i].key), &guess);

        if (found != (rows[i].guess != NULL) ||
            (found && !slice_eq(guess.key, slice_text(rows[i].guess))))
            fail_msg("\"%s\": %s", rows[i].key, found ? guess.key.ptr : "nothing");
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_is_read),
        cmocka_unit_test(defaults_are_those_of_the_table),
        cmocka_unit_test(who_trusts_everybody_is_warned),
        cmocka_unit_test(trusted_networks_are_bounded),
        cmocka_unit_test(what_does_not_go_together_is_wrong),
        cmocka_unit_test(all_errors_are_told_at_once),
        cmocka_unit_test(errors_past_the_bound_are_counted),
        cmocka_unit_test(errors_are_one_clean_line),
        cmocka_unit_test(a_dump_is_read_as_the_same),
        cmocka_unit_test(too_little_memory_is_an_error),
        cmocka_unit_test(a_file_is_bounded),
        cmocka_unit_test(flags_make_a_configuration),
        cmocka_unit_test(wrong_flags_are_errors_without_a_line),
        cmocka_unit_test(files_are_looked_for),
        cmocka_unit_test(a_file_that_can_not_be_read_is_an_error),
        cmocka_unit_test(a_file_is_read),
        cmocka_unit_test(every_key_is_in_the_help_and_known),
        cmocka_unit_test(a_near_key_is_guessed_and_a_far_one_not),
    };

    return cmocka_run_group_tests_name("conf/conf", tests, NULL, NULL);
}
