/* SPDX-License-Identifier: Apache-2.0 */
/* verdict.h - the rows of audit.def, what is known of a server, and what its answers are worth. */
#ifndef MAIN_VERDICT_H
#define MAIN_VERDICT_H

#include "base/out.h"
#include "main/probe.h"

enum probe_kind { PROBE_EARN, PROBE_NEAR, PROBE_SLOW, PROBE_WITHIN, PROBE_H2 };
enum probe_where { PROBE_SAFE, PROBE_AREA };
enum probe_learns {
    LEARNS_NOTHING,
    LEARNS_TARGET,
    LEARNS_FILE,
    LEARNS_FOLDER,
    LEARNS_LOCK,
    LEARNS_GONE
};

struct probe { /* a row of audit.def */
    uint16_t code;
    enum probe_kind kind;
    enum probe_where where;
    enum probe_learns learns;
    const char *name, *request;
    size_t request_len; /* there may be NUL in it */
    const char *content, *others, *carries, *source, *sentence;
};
enum {
    PROBES = 0
#define PROBE(...) +1
#define UNASKED(...)
#include "audit.def"
#undef PROBE
#undef UNASKED
};
extern const struct probe probes[PROBES];

/* Why a status is not provoked; NULL: it is. */
const char *verdict_unasked(unsigned code);

enum known { /* what stands for {names} in a row */
             KNOWN_scheme,
             KNOWN_host,
             KNOWN_path,
             KNOWN_more, /* field lines of the command line */
             KNOWN_area_host,
             KNOWN_missing,
             KNOWN_unslashed,
             KNOWN_dot,
             KNOWN_etag,
             KNOWN_weak, /* the same, made weak */
             KNOWN_strong,
             KNOWN_modified,
             KNOWN_size,
             KNOWN_last, /* the offset of its last byte, and */
             KNOWN_beyond,
             KNOWN_long,
             KNOWN_usual,
             KNOWN_nul,
             KNOWN_length, /* of the content of this row */
             KNOWN_new,
             KNOWN_file, /* once it is there, and so on */
             KNOWN_ftag,
             KNOWN_newfolder,
             KNOWN_folder,
             KNOWN_orphan,
             KNOWN_copy,
             KNOWN_token,
             KNOWN_gone,
             KNOWNS
};

enum { KNOWN_BYTES = 1 << 17 };

struct knowledge {
    struct ern_slice known[KNOWNS]; /* absent: not known */
    size_t used;
    char memory[KNOWN_BYTES];
};

/* Keeps a copy of the text; without room for it, it is not known. */
void verdict_know(struct knowledge *knowledge, enum known what, struct ern_slice text);

/* Writes the text with all {names} replaced. Returns NULL, or the one that is not known. */
const char *verdict_fill(const struct knowledge *knowledge, struct ern_slice text, struct out *out);

enum verdict { VERDICT_ABSENT, VERDICT_EARNED, VERDICT_WRONG };

enum { FOUND_BYTES = 256 };

struct outcome { /* of a row */
    enum verdict verdict;
    uint16_t status;         /* of the answer; 0: there was none */
    char found[FOUND_BYTES]; /* what is wrong, or why it is absent; "" */
};

/* Judges the answer to a row, and learns from it. */
void verdict_find(const struct probe *probe, const struct probe_answer *answer,
                  struct knowledge *knowledge, struct outcome *ret);

const char *verdict_name(enum verdict verdict);

#endif
