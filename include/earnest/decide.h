/* SPDX-License-Identifier: Apache-2.0 */
/*
 * decide.h - which status answers this request, and why.
 *
 * A decision is a walk down rules.def, a list of rules in order of precedence. Each rule is a
 * conjunction of yes/no facts (facts.def); the first rule that holds decides. A fact is unknown
 * until someone answers it, and is asked only when a rule still alive needs it.
 *
 * Pure: no allocation, no I/O, no clock, no globals, no locks. All that a decision knows is in
 * struct ern_decision, which the caller owns and may copy.
 */
#ifndef ERN_DECIDE_H
#define ERN_DECIDE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "earnest/message.h"
#include "earnest/slice.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Where an answer comes from, nearest first; facts.def says what each one is. */
enum ern_source { ERN_WIRE, ERN_CONF, ERN_ASK, ERN_BODY, ERN_ACT };

/* ERN_FACT_exists, ERN_FACT_etag_in_match, ... cheapest first. */
enum ern_fact {
#define FACT(name, source, fallback, question) ERN_FACT_##name,
#include "facts.def"
#undef FACT
    ERN_FACTS
};

struct ern_bits { /* a set of facts */
    uint64_t word[2];
};

struct ern_facts { /* what we know; facts are learned, never unlearned; yes is within known */
    struct ern_bits known;
    struct ern_bits yes;
};

struct ern_rule { /* a row of rules.def: holds when all of if_ are yes and all of unless are no */
    struct ern_bits if_;
    struct ern_bits unless;
    uint16_t status;    /* 0: decision.relayed, the status someone else chose */
    const char *name;   /* unique: names its test, its counter, its line in the log */
    const char *source; /* the section it carries out, as in "RFC 9110 15.5.5" */
};
extern const struct ern_rule ern_rules[]; /* the last has no conditions: every decision ends */
extern const size_t ern_rules_n;

enum ern_answer {
    ERN_NO,
    ERN_YES,
    ERN_WAIT, /* not yet: ern_learn() it later, then ern_decide() again */
    ERN_FAIL, /* cannot tell: the decision becomes rule "broke", 500 */
};

/* Answers one fact. May ern_learn() others it came upon, and may fill decision->evidence. */
struct ern_decision;
typedef enum ern_answer ern_ask(struct ern_decision *decision, enum ern_fact fact);

enum { ERN_RULES_MAX = 128 };

struct ern_resource { /* a kind of resource: what it can be asked; the rest gets the fallback */
    const char *name;
    ern_ask *ask[ERN_FACTS];
    struct ern_bits asks;        /* filled by ern_resource_init(), and */
    uint8_t skip[ERN_RULES_MAX]; /* from each rule, those that it can never come to */
};

struct ern_range { /* bytes first to last, both included; first is at most last */
    uint64_t first, last;
};

/* A Range field with more is passed over (RFC 9110 14.2, 17.15). */
enum {
    ERN_RANGES_MAX = 16,            /* ranges */
    ERN_RANGES_OVERLAPPING_MAX = 2, /* ranges that overlap another */
    ERN_RANGES_UNORDERED_MAX = 4,   /* ranges that begin before the one they follow */
};

struct ern_ranges {
    uint8_t n; /* 0 to ERN_RANGES_MAX */
    struct ern_range
        range[ERN_RANGES_MAX]; /* in the order they were asked for; none overlap or touch */
};

struct ern_evidence {           /* what answers brought along; slices live as long as the request */
    struct ern_slice etag;      /* with quotes, and W/ if weak; absent if there is none */
    struct ern_slice location;  /* 201, 3xx: a URI reference */
    struct ern_slice challenge; /* 401, 407: the value of the field */
    struct ern_slice detail;    /* one sentence for people; absent: the rule's own */
    int64_t last_modified_s;    /* Unix time, or -1 */
    int64_t retry_after_s;      /* 413, 429, 503: seconds from now, or -1 */
    int64_t content_bytes;      /* length of the selected representation, or -1 if unknown */
    uint64_t allow;             /* 405, OPTIONS: one bit an enum ern_method */
    struct ern_ranges ranges;   /* 206: filled by ern_ask_satisfiable() */
};

struct ern_decision { /* set up by ern_begin(); read freely; facts written only by ern_learn() */
    struct ern_facts facts;
    const struct ern_resource *resource;
    void *self; /* the resource's state for this request */
    const struct ern_request *request;
    int64_t now_s;         /* Unix time of the request */
    enum ern_fact waiting; /* the fact ern_decide() stopped at, or ERN_FACTS */
    uint16_t rule;         /* index of the first rule not yet refuted */
    uint16_t relayed;      /* the status, for rules with status 0 */
    bool skips;            /* resource->skip may be gone by */
    uint8_t asked_n;
    uint8_t asked[ERN_FACTS]; /* facts in the order they were learned */
    struct ern_evidence evidence;
};

/* Fills resource->asks and skip; once, before its first decision. */
void ern_resource_init(struct ern_resource *resource);

/*
 * What the request alone says: all WIRE facts, and with them the answers that need no asking (an
 * If-Match of *, a Range without If-Range). CONF facts get their fallback; state them after this.
 *   request   method and fields; dates in it are judged against now_s (Unix time)
 *   given     written: facts for ern_begin()
 */
void ern_request_facts(const struct ern_request *request, int64_t now_s, struct ern_facts *given);

/* States a WIRE or CONF fact, whatever it was before; only until ern_begin(). */
void ern_state(struct ern_facts *given, enum ern_fact fact, bool yes);

/* Starts a decision from all WIRE and CONF facts and the fallbacks of what resource leaves unasked.
 */
void ern_begin(struct ern_decision *decision, const struct ern_resource *resource, void *self,
               const struct ern_request *request, int64_t now_s, const struct ern_facts *given);

/*
 * Walks on, asking facts of source upto or nearer. Returns the rule that decides, or NULL with
 * decision->waiting set: its ask said ERN_WAIT, or its source is past upto. A server calls with
 * ERN_ASK first; stopped at a BODY fact it sends ern_interim(), reads, and goes on with ERN_ACT.
 */
const struct ern_rule *ern_decide(struct ern_decision *decision, enum ern_source upto);

/* Answers a fact that is unknown. */
void ern_learn(struct ern_decision *decision, enum ern_fact fact, bool yes);

/*
 * The next interim status to send where the decision waits (interim.def), or 0 after the last.
 *   at   0 to begin; moves past what was found
 */
uint16_t ern_interim(const struct ern_decision *decision, size_t *at);

/* The pure heart: the first rule from *from on that facts do not refute, or NULL and *need. */
const struct ern_rule *ern_look(const struct ern_facts *facts, uint16_t *from, enum ern_fact *need);

struct ern_step { /* a line of an explanation: rule did not hold because fact is yes, or no */
    const struct ern_rule *rule;
    enum ern_fact fact; /* ERN_FACTS in the last line, whose rule holds */
    bool yes;
};

/* Replays the walk from the facts alone; nothing is recorded on the way. Returns steps written. */
size_t ern_why(const struct ern_facts *facts, struct ern_step *steps, size_t n);

/* The rule with this name, or NULL. */
const struct ern_rule *ern_rule_find(struct ern_slice name);

const char *ern_fact_name(enum ern_fact fact);
const char *ern_fact_question(enum ern_fact fact);
enum ern_source ern_fact_source(enum ern_fact fact);
bool ern_fact_fallback(enum ern_fact fact);

/* Is the fact in the set? */
static inline bool
ern_bits_has(const struct ern_bits *bits, enum ern_fact fact)
{
    return (bits->word[fact / 64] >> (fact % 64) & 1) != 0;
}

/*
 * Asks that any resource can borrow. They read evidence.etag, last_modified_s and content_bytes,
 * which the resource's ask of `exists` fills, and the request.
 */
ern_ask ern_ask_etag_in_match; /* RFC 9110 13.1.1: strong comparison */
ern_ask ern_ask_unmodified;    /* RFC 9110 13.1.4: yes where there is no date to compare */
ern_ask ern_ask_etag_in_none;  /* RFC 9110 13.1.2: weak comparison */
ern_ask ern_ask_not_modified;  /* RFC 9110 13.1.3: no where there is no date to compare */
ern_ask ern_ask_range_current; /* RFC 9110 13.1.5 */
ern_ask ern_ask_range_modest;  /* RFC 9110 14.2; fills evidence.ranges */
ern_ask ern_ask_satisfiable;   /* RFC 9110 14.1.1; fills evidence.ranges */

#define ERN_ASKS_CONDITIONAL                                                                       \
    [ERN_FACT_etag_in_match] = ern_ask_etag_in_match, [ERN_FACT_unmodified] = ern_ask_unmodified,  \
    [ERN_FACT_etag_in_none] = ern_ask_etag_in_none, [ERN_FACT_not_modified] = ern_ask_not_modified
#define ERN_ASKS_RANGE                                                                             \
    [ERN_FACT_range_current] = ern_ask_range_current,                                              \
    [ERN_FACT_range_modest] = ern_ask_range_modest, [ERN_FACT_satisfiable] = ern_ask_satisfiable

/* A representation that can be chosen (RFC 9110 12). */
struct ern_variant {
    struct ern_slice type; /* media type, as in "text/html;charset=utf-8"; absent: any will do */
    struct ern_slice language; /* language tag, as in "bn", or a list; absent: none in particular */
    struct ern_slice coding;   /* content coding, as in "br"; absent: identity */
    unsigned quality;          /* of the representation itself, 1 to 1000 */
};

/*
 * The variant that the request prefers: the greatest product of its qualities for type, language
 * and coding with the variant's own; on a tie the earlier one. Languages are filtered, then looked
 * up (RFC 4647 3.3.1, 3.4).
 *   variants, n   1 to 64 of them
 *   ret_choice    the index; written only if there is one
 * Returns false if the request accepts none of them.
 */
bool ern_negotiate(const struct ern_request *request, const struct ern_variant *variants, size_t n,
                   size_t *ret_choice);

#ifdef __cplusplus
}
#endif

#endif
