/* SPDX-License-Identifier: Apache-2.0 */
#include "res/listing_text.h"

#include "base/civil.h"
#include "base/utf8.h"
#include "msg/target.h"
#include "res/page.h"

enum {
    LINK_BYTES = 3 * NAME_MAX + 3,
    UPWARD_BYTES = 3 * PATH_MAX / 2, /* a folder has a name of at least one byte, and a slash */
};

static const struct words {
    struct ern_slice index_of, name, size, modified, parent, empty, files, folders, large, bytes;
} words[LANGUAGES] = {
/* clang-format off */
#define W(text) {"" text, sizeof text - 1}
    [LANGUAGE_EN] = {W("Index of "), W("Name"), W("Size"), W("Modified"),
                     W("Parent folder"), W("This folder is empty."), W("files"), W("folders"),
                     W("This folder is too large to sort: its members stand in the order in which "
                       "it keeps them."),
                     W("bytes")},
    [LANGUAGE_BN] = {W("সূচি: "), W("নাম"), W("আকার"), W("পরিবর্তন"),
                     W("উপরের ফোল্ডার"), W("এই ফোল্ডার খালি।"), W("ফাইল"), W("ফোল্ডার"),
                     W("সাজানোর পক্ষে ফোল্ডারটি বড়: এতে যা আছে তা যেভাবে রাখা সেভাবেই দেখানো হলো।"),
                     W("বাইট")},
#undef W
    /* clang-format on */
};

struct ern_slice
listing_order_name(enum folder_order order)
{
    static const struct ern_slice names[FOLDER_ORDERS] = {
        [FOLDER_BY_NAME] = {"name", 4},
        [FOLDER_BY_SIZE] = {"size", 4},
        [FOLDER_BY_MODIFIED] = {"modified", 8},
    };

    return names[order];
}

/* "2026-01-02" between "03:04" or "03:04:05Z", as RFC 3339 5.6 has it. */
static void
write_time(struct out *o, int64_t time_s, char between, bool seconds)
{
    struct civil c = civil_from(time_s);

    out_digits(o, (uint64_t)c.year, 4);
    out_char(o, '-');
    out_digits(o, c.month, 2);
    out_char(o, '-');
    out_digits(o, c.day, 2);
    out_char(o, between);
    out_digits(o, c.hour, 2);
    out_char(o, ':');
    out_digits(o, c.minute, 2);
    if (!seconds)
        return;
    out_char(o, ':');
    out_digits(o, c.second, 2);
    out_char(o, 'Z');
}

/* The size as people read it: "512 B", "1.5 KiB". */
static void
write_size(struct out *o, uint64_t bytes)
{
    static const char units[] = "KMGTPE";
    uint64_t whole = bytes, rest = 0;
    size_t unit = 0;

    while (whole >= 1024) {
        rest = whole % 1024;
        whole /= 1024;
        unit++;
    }
    out_u64(o, whole);
    if (unit && whole < 100) {
        out_char(o, '.');
        out_u64(o, rest * 10 / 1024);
    }
    out_char(o, ' ');
    if (unit) {
        out_char(o, units[unit - 1]);
        out_char(o, 'i');
    }
    out_char(o, 'B');
}

/* "./" in front: a name with a colon would else begin with what looks like a scheme (RFC 3986 4.2).
 */
static void
write_link(struct out *o, const struct member *m)
{
    out_literal(o, "./");
    path_write(o, m->name);
    if (m->kind == MEMBER_FOLDER)
        out_char(o, '/');
}

static void
html_head(struct listing_text *l, struct out *o)
{
    const struct words *w = &words[l->language];

    page_begin(o, l->language);
    out_slice(o, w->index_of);
    out_html(o, l->path);
    out_literal(o, "</title>\n<link rel=\"icon\" href=\"data:,\">\n");
    page_write_style(o, &page_style);
    page_write_style(o, &page_listing);
    if (l->writable)
        page_write_style(o, &page_folder);
    page_header(o, l->language);
}

static void
html_column(struct listing_text *l, struct out *o, enum folder_order sort, struct ern_slice title)
{
    static const char *const classes[FOLDER_ORDERS] = {"", " class=\"n\"", " class=\"t\""};
    bool current = !l->folder->large && l->folder->sort == sort;

    out_literal(o, "<th scope=\"col\"");
    out_text(o, classes[sort]);
    if (current)
        out_text(o, l->folder->down ? " aria-sort=\"descending\"" : " aria-sort=\"ascending\"");
    out_char(o, '>');
    if (!l->folder->large) {
        out_literal(o, "<a href=\"?sort=");
        out_slice(o, listing_order_name(sort));
        out_text(o, current && !l->folder->down ? "&amp;order=down\">" : "&amp;order=up\">");
    }
    out_slice(o, title);
    out_text(o, l->folder->large ? "</th>" : "</a></th>");
}

static void
html_table(struct listing_text *l, struct out *o)
{
    const struct words *w = &words[l->language];
    size_t from = l->path.len > 1 ? l->path.len - 1 : 0;

    while (from && l->path.ptr[from - 1] != '/')
        from--;
    if (l->path.len <= 1)
        page_site(o, l->authority, ERN_SLICE("./"), l->language);
    page_main(o);
    out_literal(o, "<h1><bdi>");
    out_html(o, slice_skip(l->path, from));
    out_literal(o, "</bdi></h1>\n");
    if (l->folder->large) {
        out_literal(o, "<p>");
        out_slice(o, w->large);
        out_literal(o, "</p>\n");
    }
    out_literal(o, "<table>\n<thead><tr>");
    html_column(l, o, FOLDER_BY_NAME, w->name);
    html_column(l, o, FOLDER_BY_SIZE, w->size);
    html_column(l, o, FOLDER_BY_MODIFIED, w->modified);
    out_literal(o, "</tr></thead>\n<tbody>\n");
    if (l->path.len > 1) {
        out_literal(o, "<tr class=\"d\"><td><a href=\"../\">");
        out_slice(o, w->parent);
        out_literal(o, "</a></td><td class=\"n\"></td><td class=\"t\"></td></tr>\n");
    }
}

static void
html_row(struct listing_text *l, struct out *o, const struct member *m)
{
    out_text(o, m->kind == MEMBER_FOLDER ? "<tr class=\"d\"><td>" : "<tr><td>");
    if (m->kind != MEMBER_OUTSIDE) {
        char text[LINK_BYTES];
        struct out link = out_init(text, sizeof text);

        write_link(&link, m);
        out_literal(o, "<a href=\"");
        out_html(o, out_done(&link)); /* a path may have & and ' as they are */
        out_literal(o, "\">");
    }
    out_literal(o, "<bdi>");
    out_html(o, m->name);
    out_text(o, m->kind == MEMBER_FOLDER ? "/</bdi>" : "</bdi>");
    out_text(o, m->kind == MEMBER_OUTSIDE ? "</td><td class=\"n\">" : "</a></td><td class=\"n\">");
    if (m->kind == MEMBER_FILE) {
        out_literal(o, "<data value=\"");
        out_u64(o, m->bytes);
        out_literal(o, "\" title=\"");
        out_u64(o, m->bytes);
        out_char(o, ' ');
        out_slice(o, words[l->language].bytes);
        out_literal(o, "\">");
        write_size(o, m->bytes);
        out_literal(o, "</data>");
    }
    out_literal(o, "</td><td class=\"t\">");
    if (m->kind != MEMBER_OUTSIDE) {
        out_literal(o, "<time datetime=\"");
        write_time(o, m->modified_s, 'T', true);
        out_literal(o, "\">");
        write_time(o, m->modified_s, ' ', false);
        out_literal(o, "</time>");
    }
    out_literal(o, "</td></tr>\n");
}

static void
html_foot(struct listing_text *l, struct out *o)
{
    const struct words *w = &words[l->language];

    if (l->files_n + l->folders_n == 0) {
        out_literal(o, "<tr class=\"e\"><td colspan=\"3\">");
        out_slice(o, w->empty);
        out_literal(o, "</td></tr>\n");
    }
    out_literal(o, "</tbody>\n</table>\n<footer>");
    out_u64(o, l->folders_n);
    out_char(o, ' ');
    out_slice(o, w->folders);
    out_literal(o, ", ");
    out_u64(o, l->files_n);
    out_char(o, ' ');
    out_slice(o, w->files);
    out_literal(o, ", ");
    write_size(o, l->bytes);
    out_literal(o, "</footer>\n</main>\n");
    if (l->writable) {
        out_literal(o, "<script>");
        out_slice(o, page_script.text);
        out_literal(o, "</script>\n");
    }
    out_literal(o, "</body>\n</html>\n");
}

static void
json_row(struct listing_text *l, struct out *o, const struct member *m)
{
    static const char *const kinds[] = {"file", "directory", "other"};

    if (l->files_n + l->folders_n > 1)
        out_char(o, ',');
    out_literal(o, "\n{\"name\":\"");
    out_json(o, m->name);
    out_literal(o, "\",\"kind\":\"");
    out_text(o, kinds[m->kind]);
    out_char(o, '"');
    if (!utf8_is(m->name)) { /* the name alone would not lead to it */
        out_literal(o, ",\"href\":\"");
        write_link(o, m);
        out_char(o, '"');
    }
    if (m->kind == MEMBER_FILE) {
        out_literal(o, ",\"bytes\":");
        out_u64(o, m->bytes);
    }
    if (m->kind != MEMBER_OUTSIDE) {
        out_literal(o, ",\"modified\":\"");
        write_time(o, m->modified_s, 'T', true);
        out_char(o, '"');
    }
    out_char(o, '}');
}

static void
text_row(struct out *o, const struct member *m)
{
    out_plain(o, m->name);
    out_text(o, m->kind == MEMBER_FOLDER ? "/\n" : "\n");
}

void
listing_write_policy(const struct listing_text *l, struct out *o)
{
    out_literal(o, "Content-Security-Policy: default-src 'none'; img-src data:; style-src ");
    out_slice(o, page_style.source);
    out_char(o, ' ');
    out_slice(o, page_listing.source);
    if (l->writable) {
        out_char(o, ' ');
        out_slice(o, page_folder.source);
        out_literal(o, "; connect-src 'self'; script-src ");
        out_slice(o, page_script.source);
    }
    out_literal(o, "; base-uri 'none'; form-action 'none'; frame-ancestors 'self'\r\n");
}

void
listing_write_head(struct listing_text *l, struct out *o)
{
    if (l->format == LISTING_HTML) {
        html_head(l, o);
    } else if (l->format == LISTING_JSON) {
        out_literal(o, "{\"path\":\"");
        out_json(o, l->path);
        out_text(o, l->folder->large ? "\",\"sorted\":false" : "\",\"sorted\":true");
        out_literal(o, ",\"members\":[");
    }
}

bool
listing_write_crumb(struct listing_text *l, struct out *o)
{
    struct ern_slice rest = slice_skip(l->path, l->crumb), name;
    char text[UPWARD_BYTES];
    struct out to = out_init(text, sizeof text);
    size_t up = 0;

    if (l->format != LISTING_HTML)
        return false;
    for (size_t i = 0; i < rest.len; i++)
        up += rest.ptr[i] == '/';
    if (up <= 1) /* the folder itself stands below, as the heading */
        return false;
    for (size_t i = 1; i < up; i++)
        out_literal(&to, "../");
    name = slice_first(rest, slice_find(rest, '/'));
    if (l->crumb == 0) {
        page_site(o, l->authority, out_done(&to), l->language);
    } else {
        out_literal(o, "<a href=\"");
        out_slice(o, out_done(&to));
        out_literal(o, "\"><bdi>");
        out_html(o, name);
        out_literal(o, "</bdi></a>");
    }
    out_literal(o, " / ");
    l->crumb += name.len + 1;
    return true;
}

void
listing_write_table(struct listing_text *l, struct out *o)
{
    if (l->format == LISTING_HTML)
        html_table(l, o);
}

void
listing_write_row(struct listing_text *l, struct out *o, const struct member *m)
{
    l->folders_n += m->kind == MEMBER_FOLDER;
    l->files_n += m->kind != MEMBER_FOLDER;
    l->bytes += m->kind == MEMBER_FILE ? m->bytes : 0;
    if (l->format == LISTING_HTML)
        html_row(l, o, m);
    else if (l->format == LISTING_JSON)
        json_row(l, o, m);
    else
        text_row(o, m);
}

void
listing_write_foot(struct listing_text *l, struct out *o)
{
    if (l->format == LISTING_HTML)
        html_foot(l, o);
    else if (l->format == LISTING_JSON)
        out_literal(o, "\n]}\n");
}
