/* SPDX-License-Identifier: Apache-2.0 */
#include "oracle.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { CONDITIONS_MAX = 8 };

struct row {
    const char *if_, *unless; /* as they are written: "IF(a, b)", "UNLESS()" */
};

static const struct row rules[] = {
#define RULE(status, name, if_, unless, source) {#if_, #unless},
#include "rules.def"
#undef RULE
};
enum { RULES = sizeof rules / sizeof *rules };

static const struct row interims[] = {
#define INTERIM(status, name, source, if_, unless, section) {#if_, #unless},
#include "interim.def"
#undef INTERIM
};
enum { INTERIMS = sizeof interims / sizeof *interims };

static const char *const fact_names[] = {
#define FACT(name, source, fallback, question) #name,
#include "facts.def"
#undef FACT
};

static const char fact_sources[] = {
#define WIRE 0
#define CONF 1
#define ASK 2
#define BODY 3
#define ACT 4
#define FACT(name, source, fallback, question) source,
#include "facts.def"
#undef FACT
};

static const bool fact_fallbacks[] = {
#define NO false
#define YES true
#define FACT(name, source, fallback, question) fallback,
#include "facts.def"
#undef FACT
};

struct condition {
    enum ern_fact fact;
    bool wanted;
};

struct conditions {
    size_t n;
    struct condition list[2 * CONDITIONS_MAX];
};

static enum ern_fact
fact_named(const char *name, size_t len)
{
    for (size_t f = 0; f < ERN_FACTS; f++)
        if (strlen(fact_names[f]) == len && strncmp(fact_names[f], name, len) == 0)
            return (enum ern_fact)f;
    abort(); /* a row names a fact that is none: the engine would not compile */
}

/* Adds the names between the parentheses of text. */
static void
read_names(struct conditions *into, const char *text, bool wanted)
{
    const char *at = strchr(text, '(') + 1;

    for (;;) {
        size_t len;

        at += strspn(at, " ,");
        len = strcspn(at, " ,)");
        if (len == 0)
            return;
        assert(into->n < sizeof into->list / sizeof *into->list);
        into->list[into->n++] = (struct condition){fact_named(at, len), wanted};
        at += len;
    }
}

static struct conditions
read_row(const struct row *row)
{
    struct conditions c = {.n = 0};

    read_names(&c, row->if_, true);
    read_names(&c, row->unless, false);
    return c;
}

/* All rows, read once: a million verdicts should not take a minute. */
static const struct conditions *
conditions_of(size_t i)
{
    static struct conditions all[RULES];
    static bool ready;

    if (!ready)
        for (size_t r = 0; r < RULES; r++)
            all[r] = read_row(&rules[r]);
    ready = true;
    return &all[i];
}

size_t
oracle_verdict(const struct oracle_world *world)
{
    for (size_t i = 0; i < RULES; i++) {
        const struct conditions *c = conditions_of(i);
        bool holds = true;

        for (size_t k = 0; holds && k < c->n; k++)
            holds = world->yes[c->list[k].fact] == c->list[k].wanted;
        if (holds)
            return i;
    }
    abort(); /* the last rule has no conditions */
}

static bool
mentions(const struct conditions *c, enum ern_fact fact)
{
    for (size_t k = 0; k < c->n; k++)
        if (c->list[k].fact == fact)
            return true;
    return false;
}

bool
oracle_uses(enum ern_fact fact)
{
    for (size_t i = 0; i < RULES; i++)
        if (mentions(conditions_of(i), fact))
            return true;
    for (size_t i = 0; i < INTERIMS; i++) {
        struct conditions c = read_row(&interims[i]);

        if (mentions(&c, fact))
            return true;
    }
    return false;
}

bool
oracle_needs_only(size_t i, enum ern_source upto)
{
    const struct conditions *c = conditions_of(i);

    for (size_t k = 0; k < c->n; k++)
        if (fact_sources[c->list[k].fact] > (char)upto)
            return false;
    return true;
}

struct oracle_world
oracle_world_random(uint64_t *state, unsigned shy)
{
    struct oracle_world world;

    for (size_t f = 0; f < ERN_FACTS; f++) {
        uint64_t bits = oracle_random(state) >> 32;
        bool odd = (bits & ((UINT64_C(1) << shy) - 1)) == 0;

        world.yes[f] = odd ? (bits >> 8 & 1) != 0 : fact_fallbacks[f];
    }
    return world;
}
