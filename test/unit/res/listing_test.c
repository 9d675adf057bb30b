/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/slice.h"
#include "res/files.h"
#include "res/listing.h"

enum { ARENA_BYTES = 16384, PAGE_BYTES = 8 << 20, SORTED_MAX = 10000, HOSTILE = 12, PLAIN = 300 };

static const struct { /* names that a page could stumble over */
    const char *name, *html, *href;
} hostile[HOSTILE] = {
    {"\"quotes\" 'two'", "&quot;quotes&quot; &#39;two&#39;", "./%22quotes%22%20&#39;two&#39;"},
    {"<script>alert(1)<", "&lt;script&gt;alert(1)&lt;", "./%3Cscript%3Ealert(1)%3C"},
    {"new\nline", "new\xef\xbf\xbdline", "./new%0Aline"},
    {"with  spaces ", "with  spaces ", "./with%20%20spaces%20"},
    {"%41", "%41", "./%2541"},
    {"javascript:alert(1)", "javascript:alert(1)", "./javascript:alert(1)"},
    {"a&copy", "a&amp;copy", "./a&amp;copy"},
    {"bad\xff\xc0name", "bad\xef\xbf\xbd\xef\xbf\xbdname", "./bad%FF%C0name"},
    {"...dots", "", ""}, /* hidden */
    {"?query#fragment", "?query#fragment", "./%3Fquery%23fragment"},
    {"back\\slash\x7f\x1b[31m", "back\\slash\xef\xbf\xbd\xef\xbf\xbd[31m",
     "./back%5Cslash%7F%1B%5B31m"},
    {"\u09ac\u09be\u0982\u09b2\u09be.txt", "\u09ac\u09be\u0982\u09b2\u09be.txt",
     "./%E0%A6%AC%E0%A6%BE%E0%A6%82%E0%A6%B2%E0%A6%BE.txt"},
};

struct fixture {
    char top[64];
    struct files_route route;
    struct arena arena;
    char memory[ARENA_BYTES];
    char page[PAGE_BYTES], again[PAGE_BYTES];
    struct ern_field fields[4];
    struct ern_request http;
    struct ern_decision decision;
    struct res_request request;
};

static void
put_file(int at, const char *name, size_t bytes, time_t modified)
{
    static const char zeros[4096];
    struct timespec times[2] = {{modified, 0}, {modified, 0}};
    int fd = openat(at, name, O_WRONLY | O_CREAT | O_EXCL, 0644);

    if (fd < 0)
        fail_msg("%s: %s", name, strerror(errno));
    for (; bytes > sizeof zeros; bytes -= sizeof zeros)
        assert_int_equal(write(fd, zeros, sizeof zeros), sizeof zeros);
    assert_int_equal(write(fd, zeros, bytes), bytes);
    assert_int_equal(futimens(fd, times), 0);
    close(fd);
}

static void
fill_folder(int at)
{
    char name[32];

    for (size_t i = 0; i < HOSTILE; i++)
        put_file(at, hostile[i].name, 7, 1000000000);
    for (unsigned i = 0; i < PLAIN; i++) {
        (void)snprintf(name, sizeof name, "%s%03u", i % 2 ? "Plain" : "plain", i);
        put_file(at, name, i, 1600000000 + (time_t)(PLAIN - i));
    }
    put_file(at, "large.bin", 3 * 1024 * 1024 / 2, 1767323045);
    put_file(at, ".hidden", 1, 0);
    assert_int_equal(mkdirat(at, "zz folder", 0755), 0);
    assert_int_equal(mkdirat(at, "aa&folder", 0755), 0);
    assert_int_equal(symlinkat("/etc", at, "link-out"), 0);
    assert_int_equal(symlinkat("nowhere", at, "link-broken"), 0);
    assert_int_equal(symlinkat("../other/target", at, "link-file"), 0);
    assert_int_equal(symlinkat("../other", at, "link-folder"), 0);
    assert_int_equal(symlinkat("link-self", at, "link-self"), 0);
    assert_int_equal(mkfifoat(at, "pipe", 0644), 0);
}

static int
set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    int top, at;

    (void)snprintf(f->top, sizeof f->top, "/tmp/listing_test.XXXXXX");
    assert_non_null(mkdtemp(f->top));
    top = open(f->top, O_RDONLY | O_DIRECTORY);
    assert_int_equal(mkdirat(top, "sub", 0755), 0);
    assert_int_equal(mkdirat(top, "other", 0755), 0);
    assert_int_equal(mkdirat(top, "other/empty", 0755), 0);
    assert_int_equal(mkdirat(top, "many", 0755), 0);
    at = openat(top, "other", O_RDONLY | O_DIRECTORY);
    put_file(at, "target", 99, 1600000000);
    close(at);
    at = openat(top, "sub", O_RDONLY | O_DIRECTORY);
    fill_folder(at);
    close(at);
    f->route.root = file_open_root(f->top);
    assert_true(f->route.root >= 0);
    f->route.listing = true;
    f->route.listing_sorted_max = SORTED_MAX;
    close(top);
    *state = f;
    return 0;
}

static void
remove_all(int at, const char *name)
{
    int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    struct dirent *entry;

    while (dir && (entry = readdir(dir)))
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            remove_all(fd, entry->d_name);
    if (dir)
        closedir(dir);
    (void)unlinkat(at, name, dir ? AT_REMOVEDIR : 0);
}

static int
tear_down(void **state)
{
    struct fixture *f = *state;

    close(f->route.root);
    remove_all(AT_FDCWD, f->top);
    free(f);
    return 0;
}

struct wish {
    const char *below, *query, *accept, *language, *authority;
};

static struct res_stream *
open_listing(struct fixture *f, const struct wish *wish)
{
    static const struct ern_resource resource;
    static struct ern_slice path;
    static char path_text[256], authority[64];
    struct ern_facts given = {0};

    path = slice_from(path_text,
                      (size_t)snprintf(path_text, sizeof path_text, "/docs%s", wish->below));
    ern_request_init(&f->http, f->fields, 4);
    ern_request_method(&f->http, ERN_SLICE("GET"));
    if (wish->accept)
        assert_true(ern_request_add(&f->http, ERN_SLICE("Accept"), slice_text(wish->accept)));
    if (wish->language)
        assert_true(
            ern_request_add(&f->http, ERN_SLICE("Accept-Language"), slice_text(wish->language)));
    (void)snprintf(authority, sizeof authority, "%s", wish->authority ? wish->authority : "");
    f->http.authority = slice_text(authority);
    arena_init(&f->arena, f->memory, sizeof f->memory);
    f->request = (struct res_request){.route = &f->route,
                                      .path = path,
                                      .below = slice_text(wish->below),
                                      .query = slice_text(wish->query),
                                      .arena = &f->arena};
    ern_begin(&f->decision, &resource, &f->request, &f->http, 0, &given);
    assert_true(listing_open(&f->decision));
    assert_true(f->request.has_representation);
    assert_non_null(f->request.representation.stream);
    assert_int_equal(f->decision.evidence.content_bytes, -1);
    assert_int_equal(f->request.representation.fd, -1);
    memset(authority, 'x', sizeof authority);
    memset(path_text, 'x', sizeof path_text); /* it must have its own copies */
    return f->request.representation.stream;
}

/* Reads all of it in pieces of at most cap bytes. */
static struct ern_slice
read_all(struct fixture *f, const struct wish *wish, size_t cap, char *page)
{
    struct res_stream *stream = open_listing(f, wish);
    size_t len = 0;
    bool end = false;

    while (!end) {
        ssize_t got;

        assert_true(len + cap <= PAGE_BYTES);
        got = stream->fill(stream, page + len, cap, &end);
        if (got < 0)
            fail_msg("%s: %s", wish->below, strerror((int)-got));
        assert_true(got > 0);
        assert_true((size_t)got <= cap);
        len += (size_t)got;
    }
    stream->free(stream);
    return slice_from(page, len);
}

static struct ern_slice
read_page(struct fixture *f, const struct wish *wish)
{
    struct ern_slice whole = read_all(f, wish, 65536, f->page);
    struct ern_slice parts = read_all(f, wish, 512, f->again);

    if (!slice_eq(whole, parts))
        fail_msg("%s: pieces of 512 bytes give other content", wish->below);
    f->page[whole.len] = '\0';
    return whole;
}

static size_t
count(const char *page, const char *text)
{
    size_t n = 0;

    while ((page = strstr(page, text))) {
        n++;
        page += strlen(text);
    }
    return n;
}

static void
assert_has(const char *page, const char *text)
{
    if (!strstr(page, text))
        fail_msg("the page has no %s", text);
}

static void
the_bar_has_the_site_and_the_way_here(void **state)
{
    struct fixture *f = *state;

    (void)read_page(f, &(struct wish){.below = "/sub/", .authority = "www.example.org:8080"});
    assert_has(f->page,
               "<a class=\"skip\" href=\"#main\">Skip to the content</a>\n"
               "<header><nav aria-label=\"Site\"><a href=\"../../\">www.example.org</a> / "
               "<a href=\"../\"><bdi>docs</bdi></a> / </nav></header>\n<main id=\"main\">");
    (void)read_page(f, &(struct wish){.below = "/sub/", .authority = "<b>", .language = "bn"});
    assert_has(f->page, "<a href=\"../../\">শুরু</a> / ");
}

static void
html_links_each_member(void **state)
{
    struct fixture *f = *state;
    char text[256];

    (void)read_page(f, &(struct wish){.below = "/sub/"});
    for (size_t i = 0; i < HOSTILE; i++) {
        if (!*hostile[i].href)
            continue;
        (void)snprintf(text, sizeof text, "<a href=\"%s\"><bdi>%s</bdi></a>", hostile[i].href,
                       hostile[i].html);
        assert_has(f->page, text);
    }
    assert_has(f->page, "<title>Index of /docs/sub/</title>");
    assert_has(f->page, "<html lang=\"en\">");
    assert_has(f->page,
               "<a href=\"../../\">top</a> / <a href=\"../\"><bdi>docs</bdi></a> / </nav>");
    assert_has(f->page, "<h1><bdi>sub/</bdi></h1>");
    assert_has(f->page, "<td><a href=\"../\">Parent folder</a>");
    assert_has(f->page, "<a href=\"./aa&amp;folder/\"><bdi>aa&amp;folder/</bdi></a>");
    assert_has(f->page, "<data value=\"1572864\" title=\"1572864 bytes\">1.5 MiB</data>");
    assert_has(f->page, "<time datetime=\"2026-01-02T03:04:05Z\">2026-01-02 03:04</time>");
    assert_has(f->page, "<tr><td><bdi>link-out</bdi></td>");
    assert_has(f->page, "<a href=\"./link-file\">");
    assert_has(f->page, "<a href=\"./link-folder/\">");
    assert_int_equal(count(f->page, "<script"), 0);
    assert_int_equal(count(f->page, "link-broken"), 0);
    assert_int_equal(count(f->page, "link-self"), 0);
    assert_int_equal(count(f->page, "pipe"), 0);
    assert_int_equal(count(f->page, ".hidden"), 0);
    assert_int_equal(count(f->page, "dots"), 0);
    assert_has(f->page, "<footer>3 folders, 314 files, 1.5 MiB</footer>");
    assert_true(slice_ends(slice_text(f->page), ERN_SLICE("</html>\n")));
}

static void
hidden_names_are_shown_where_they_are_served(void **state)
{
    struct fixture *f = *state;

    f->route.hidden = true;
    (void)read_page(f, &(struct wish){.below = "/sub/", .accept = "text/plain"});
    f->route.hidden = false;
    assert_has(f->page, "\n.hidden\n");
    assert_has(f->page, "\n...dots\n");
    assert_int_equal(count(f->page, "\n./\n") + count(f->page, "\n../\n"), 0);
}

static void
bengali(void **state)
{
    struct fixture *f = *state;

    (void)read_page(f, &(struct wish){.below = "/other/empty/", .language = "bn, en;q=0.5"});
    assert_has(f->page, "<html lang=\"bn\">");
    assert_has(f->page, "এই ফোল্ডার খালি।");
    assert_true(slice_starts(f->request.representation.description,
                             ERN_SLICE("Content-Type: text/html; charset=utf-8\r\n"
                                       "Content-Language: bn\r\n")));
}

/* What a page may show and run is named in full; only a writable one has a script. */
static void
policy(void **state)
{
    struct fixture *f = *state;
    char fields[1024];

    for (int writable = 0; writable < 2; writable++) {
        f->route.writable = writable;
        (void)read_page(f, &(struct wish){.below = "/other/empty/"});
        (void)snprintf(fields, sizeof fields, "%.*s",
                       (int)f->request.representation.description.len,
                       f->request.representation.description.ptr);
        assert_has(fields, "\r\nContent-Security-Policy: default-src 'none'; img-src data:; "
                           "style-src 'sha256-");
        assert_has(fields, "; base-uri 'none'; form-action 'none'; frame-ancestors 'self'\r\n");
        assert_int_equal(count(fields, "'sha256-"), writable ? 4 : 2);
        assert_int_equal(count(f->page, "<style>") + count(f->page, "<script>"), writable ? 4 : 2);
        assert_int_equal(count(fields, "; connect-src 'self'; script-src 'sha256-"), writable);
        (void)read_page(f, &(struct wish){.below = "/sub/", .accept = "text/plain"});
        assert_true(slice_eq(f->request.representation.description,
                             ERN_SLICE("Content-Type: text/plain; charset=utf-8\r\n")));
    }
    f->route.writable = false;
}

static void
formats(void **state)
{
    static const struct {
        const char *accept, *type;
    } rows[] = {
        {NULL, "text/html; charset=utf-8"},
        {"*/*", "text/html; charset=utf-8"},
        {"application/json", "application/json"},
        {"text/plain", "text/plain; charset=utf-8"},
        {"text/plain;q=0.5, application/json;q=0.4", "text/plain; charset=utf-8"},
        {"text/html,application/xhtml+xml,*/*;q=0.8", "text/html; charset=utf-8"},
        {"image/png", "text/html; charset=utf-8"},
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct res_stream *s =
            open_listing(f, &(struct wish){.below = "/sub/", .accept = rows[i].accept});

        if (!slice_eq(f->request.representation.type, slice_text(rows[i].type)))
            fail_msg("%s does not give %s", rows[i].accept, rows[i].type);
        assert_true(slice_eq(f->request.representation.validators,
                             ERN_SLICE("Vary: Accept, Accept-Language\r\n"
                                       "Cache-Control: no-cache\r\n")));
        s->free(s); /* before anything was read */
    }
    f->route.cache_control = ERN_SLICE("max-age=60");
    (void)read_all(f, &(struct wish){.below = "/"}, 65536, f->page);
    f->route.cache_control = ERN_ABSENT;
    assert_true(slice_ends(f->request.representation.validators,
                           ERN_SLICE("\r\nCache-Control: max-age=60\r\n")));
}

static void
json_says_the_same(void **state)
{
    struct fixture *f = *state;
    struct ern_slice page =
        read_page(f, &(struct wish){.below = "/sub/", .accept = "application/json"});
    json_error_t error;
    json_t *root = json_loadb(page.ptr, page.len, 0, &error), *members, *m;
    size_t i, seen = 0;

    if (!root)
        fail_msg("%s", error.text);
    members = json_object_get(root, "members");
    assert_string_equal(json_string_value(json_object_get(root, "path")), "/docs/sub/");
    assert_true(json_is_true(json_object_get(root, "sorted")));
    assert_int_equal(json_array_size(members), 317);
    json_array_foreach(members, i, m)
    {
        const char *name = json_string_value(json_object_get(m, "name"));
        const char *kind = json_string_value(json_object_get(m, "kind"));

        assert_string_equal(kind, i < 3                           ? "directory"
                                  : strcmp(name, "link-out") == 0 ? "other"
                                                                  : "file");
        if (strcmp(name, "large.bin") == 0) {
            assert_int_equal(json_integer_value(json_object_get(m, "bytes")), 1572864);
            assert_string_equal(json_string_value(json_object_get(m, "modified")),
                                "2026-01-02T03:04:05Z");
        }
        for (size_t h = 0; h < HOSTILE; h++)
            seen += strcmp(name, hostile[h].name) == 0;
        if (json_object_get(m, "href"))
            assert_string_equal(json_string_value(json_object_get(m, "href")), "./bad%FF%C0name");
    }
    assert_int_equal(seen, HOSTILE - 2); /* the hidden one, and the one that is not UTF-8 */
    json_decref(root);
}

/* Where a line of the page is, counted from its start. */
static size_t
line_of(const char *page, const char *name)
{
    char line[64];
    const char *at;

    (void)snprintf(line, sizeof line, "\n%s\n", name);
    if (strncmp(page, line + 1, strlen(line + 1)) == 0)
        return 0;
    at = strstr(page, line);
    if (!at)
        fail_msg("no line %s", name);
    return (size_t)(at - page);
}

static void
orders(void **state)
{
    static const struct {
        const char *query, *first, *second, *third;
    } rows[] = {
        {NULL, "link-folder/", "Plain001", "plain002"},
        {"sort=name&order=up", "zz folder/", "plain000", "Plain001"},
        {"sort=name&order=down", "link-folder/", "plain002", "Plain001"},
        {"sort=size", "link-folder/", "plain002", "large.bin"},
        {"order=down&sort=size", "link-folder/", "large.bin", "plain002"},
        {"sort=modified", "zz folder/", "plain002", "Plain001"},
        {"sort=modified&order=down&x=y", "zz folder/", "Plain001", "plain002"},
        {"sort=colour&order=sideways&&=&sort", "link-folder/", "Plain001", "plain002"},
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        (void)read_page(
            f, &(struct wish){.below = "/sub/", .query = rows[i].query, .accept = "text/plain"});
        if (line_of(f->page, rows[i].first) > line_of(f->page, rows[i].second) ||
            line_of(f->page, rows[i].second) > line_of(f->page, rows[i].third))
            fail_msg("%s: wrong order", rows[i].query);
        assert_int_equal(count(f->page, "\n"), 317);
    }
    (void)read_page(f, &(struct wish){.below = "/sub/"});
    assert_has(f->page, "<th scope=\"col\" aria-sort=\"ascending\">"
                        "<a href=\"?sort=name&amp;order=down\">Name</a></th>");
    (void)read_page(f, &(struct wish){.below = "/sub/", .query = "sort=size&order=down"});
    assert_has(f->page, "<th scope=\"col\" class=\"n\" aria-sort=\"descending\">"
                        "<a href=\"?sort=size&amp;order=up\">Size</a></th>");
}

static void
sizes(void **state)
{
    static const struct {
        off_t bytes;
        const char *text;
    } rows[] = {
        {0, ">0 B<"},           {1023, ">1023 B<"},
        {1024, ">1.0 KiB<"},    {1536, ">1.5 KiB<"},
        {102400, ">100 KiB<"},  {1048575, ">1023 KiB<"},
        {1048576, ">1.0 MiB<"}, {(off_t)5 << 30, ">5.0 GiB<"},
    };
    struct fixture *f = *state;
    int fd = -1, at;

    assert_int_equal((at = open(f->top, O_RDONLY)) >= 0, 1);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        fd = openat(at, "other/empty/sized", O_WRONLY | O_CREAT, 0644);
        assert_int_equal(ftruncate(fd, rows[i].bytes), 0);
        close(fd);
        (void)read_page(f, &(struct wish){.below = "/other/empty/"});
        assert_has(f->page, rows[i].text);
    }
    assert_int_equal(unlinkat(at, "other/empty/sized", 0), 0);
    close(at);
}

static void
failures_are_said(void **state)
{
    struct fixture *f = *state;
    char piece[512];
    bool end = false;
    struct res_stream *s = open_listing(f, &(struct wish){.below = "/absent/"});

    assert_int_equal(s->fill(s, piece, sizeof piece, &end), -ENOENT);
    s->free(s);
    s = open_listing(f, &(struct wish){.below = "/other/target/"});
    assert_int_equal(s->fill(s, piece, sizeof piece, &end), -ENOTDIR);
    s->free(s);
    s = open_listing(f, &(struct wish){.below = "/sub/link-out/"});
    assert_int_equal(s->fill(s, piece, sizeof piece, &end), -EXDEV);
    s->free(s);
    s = open_listing(f, &(struct wish){.below = "/sub/"}); /* left in the middle */
    assert_int_equal(s->fill(s, piece, sizeof piece, &end), sizeof piece);
    assert_false(end);
    assert_true(listing_open(&f->decision));
    assert_ptr_equal(f->request.representation.stream, s);
    s->free(s);
    arena_init(&f->arena, f->memory, 8);
    f->request.representation.stream = NULL;
    assert_false(listing_open(&f->decision));
    assert_null(f->request.representation.stream);
}

/* A large folder comes as it is, once and whole. */
static void
large_folders_are_streamed(void **state)
{
    enum { MANY = 12000 };
    struct fixture *f = *state;
    struct ern_slice page;
    json_t *root, *names = json_object();
    char name[16];
    size_t i;
    json_t *m;
    int top = open(f->top, O_RDONLY), at = openat(top, "many", O_RDONLY);

    for (unsigned n = 0; n < MANY; n++) {
        (void)snprintf(name, sizeof name, "n%05u", n);
        close(openat(at, name, O_WRONLY | O_CREAT, 0644));
    }
    page = read_page(f, &(struct wish){.below = "/many/", .accept = "application/json"});
    root = json_loadb(page.ptr, page.len, 0, NULL);
    assert_non_null(root);
    assert_true(json_is_false(json_object_get(root, "sorted")));
    assert_int_equal(json_array_size(json_object_get(root, "members")), MANY);
    json_array_foreach(json_object_get(root, "members"), i, m)
        json_object_set(names, json_string_value(json_object_get(m, "name")), json_true());
    assert_int_equal(json_object_size(names), MANY);
    json_decref(root);
    json_decref(names);
    (void)read_page(f, &(struct wish){.below = "/many/"});
    assert_has(f->page, "too large to sort");
    assert_has(f->page, "<th scope=\"col\">Name</th>");
    assert_has(f->page, "<footer>0 folders, 12000 files, 0 B</footer>");
    f->route.listing_sorted_max = MANY;
    (void)read_page(f, &(struct wish){.below = "/many/"});
    assert_int_equal(count(f->page, "too large to sort"), 0);
    f->route.listing_sorted_max = MANY - 1;
    (void)read_page(f, &(struct wish){.below = "/many/"});
    assert_has(f->page, "too large to sort");
    f->route.listing_sorted_max = SORTED_MAX;
    close(at);
    close(top);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_bar_has_the_site_and_the_way_here),
        cmocka_unit_test(html_links_each_member),
        cmocka_unit_test(hidden_names_are_shown_where_they_are_served),
        cmocka_unit_test(bengali),
        cmocka_unit_test(policy),
        cmocka_unit_test(formats),
        cmocka_unit_test(json_says_the_same),
        cmocka_unit_test(orders),
        cmocka_unit_test(sizes),
        cmocka_unit_test(failures_are_said),
        cmocka_unit_test(large_folders_are_streamed),
    };

    return cmocka_run_group_tests_name("listing", tests, set_up, tear_down);
}
