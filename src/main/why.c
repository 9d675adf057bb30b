/* SPDX-License-Identifier: Apache-2.0 */
#include "main/why.h"

#include <stdio.h>

#include "base/out.h"
#include "base/slice.h"
#include "main/ask.h"
#include "main/ctl.h"
#include "main/words.h"
#include "serve/trace.h"

static const char help[] =
    "Usage: earnest why [--json|--svg|--html] [--lang=en|bn] [--admin SOCKET] ID\n"
    "       earnest why [...] URL\n"
    "\n"
    "Why was a request answered as it was? ID is the end of the Link that the answer had: a "
    "server\n"
    "on this host is asked by its admin socket. URL is that of its page: it is asked for there.\n"
    "\n"
    "      --admin SOCKET   (default: /run/earnest/admin.sock)\n"
    "      --json           as JSON, instead of text\n"
    "      --svg            as a picture\n"
    "      --html           as a page\n"
    "      --lang en|bn     (default: as LC_ALL, LC_MESSAGES or LANG ask)\n"
    "  -h, --help           this text\n"
    "\n"
    "Exit codes: 0 done, 1 failed, 2 wrong usage.\n";

enum { ADMIN = 256, LANG, FORM, LINE_BYTES = 256 };

const struct option why_options[] = {
    {"admin", required_argument, NULL, ADMIN},
    {"lang", required_argument, NULL, LANG},
    {"json", no_argument, NULL, FORM},
    {"svg", no_argument, NULL, FORM},
    {"html", no_argument, NULL, FORM},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

static int
usage(void)
{
    (void)fputs("Usage: earnest why [--json|--svg|--html] [--lang=en|bn] [--admin SOCKET] ID\n"
                "Try: earnest why -h\n",
                stderr);
    return 2;
}

/* The ID at the end of the path that a Link has. */
static struct ern_slice
id_of(struct ern_slice text)
{
    struct ern_slice before = ERN_SLICE(TRACE_PATH);

    return slice_starts(text, before) ? slice_skip(text, before.len) : text;
}

int
why_main(int argc, char **argv)
{
    const char *form = "txt", *socket = NULL;
    enum language language = words_language();
    char text[LINE_BYTES];
    struct out line = out_init(text, sizeof text);
    struct ern_slice what;
    int option, index = 0;

    while ((option = getopt_long(argc, argv, "h", why_options, &index)) != -1) {
        if (option == 'h') {
            (void)fputs(help, stdout);
            return 0;
        }
        if (option == ADMIN)
            socket = optarg;
        else if (option == FORM)
            form = why_options[index].name;
        else if (option != LANG || !words_language_find(slice_text(optarg), &language))
            return usage();
    }
    if (argc - optind != 1)
        return usage();
    what = slice_text(argv[optind]);
    if (slice_starts(what, ERN_SLICE("http://")) || slice_starts(what, ERN_SLICE("https://")))
        return ask_page(argv[optind], form, language);
    out_literal(&line, "why ");
    out_slice(&line, id_of(what));
    out_char(&line, ' ');
    out_text(&line, form);
    out_char(&line, ' ');
    out_slice(&line, language_tag(language));
    out_char(&line, '\n');
    return line.full ? usage() : ctl_ask(socket, out_done(&line));
}
