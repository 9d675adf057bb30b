/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conf.h - the configuration: what a file or the flags of `earnest serve` say, checked.
 *
 * A struct conf is made once and then only read. It owns everything in it; conf_free() gives it
 * back at once. A NUL stands after every text, so that its ptr can be given to the system; no text
 * holds a control character.
 */
#ifndef CONF_CONF_H
#define CONF_CONF_H

#include "base/network.h"
#include "code/limits.h"
#include "conf/error.h"
#include "conf/memory.h"
#include "conf/option.h"
#include "io/tls.h"
#include "msg/forwarded.h"
#include "res/res.h"

struct conf_given { /* where an option was written; lines are 0 if it has its default */
    struct conf_position key, value;
};

struct conf_place {          /* first member of all that has options */
    struct conf_position at; /* the title if there is one, else the key */
    struct conf_given given[CONF_OPTIONS];
};

struct conf_texts {
    struct ern_slice *text;
    struct conf_position *at;
    size_t n;
};

/* The kinds of route: the option that makes it one, so that given[route->kind] is its place. */
enum conf_kind {
    CONF_KIND_FILES = CONF_route_files,
    CONF_KIND_REDIRECT = CONF_route_redirect,
    CONF_KIND_USE_PROXY = CONF_route_use_proxy,
    CONF_KIND_GONE = CONF_route_gone,
    CONF_KIND_PEER = CONF_route_peer,
    CONF_KIND_POT = CONF_route_pot,
    CONF_KIND_INTAKE = CONF_route_intake,
    CONF_KIND_PROXY = CONF_route_proxy,
    CONF_KIND_FASTCGI = CONF_route_fastcgi,
    CONF_KIND_CGI = CONF_route_cgi,
};

/* Choices, in the order of option.def. */
enum conf_hidden { CONF_HIDDEN_REFUSE, CONF_HIDDEN_SERVE };
enum conf_negotiate { CONF_NEGOTIATE_BEST, CONF_NEGOTIATE_STRICT };
enum conf_choices { CONF_CHOICES_BEST, CONF_CHOICES_LIST };
enum conf_hints { CONF_HINTS_OFF, CONF_HINTS_LEARNED, CONF_HINTS_ALWAYS };
enum conf_pot { CONF_POT_COFFEE, CONF_POT_TEA };
enum conf_balance { CONF_BALANCE_LEAST_BUSY, CONF_BALANCE_HASH };
/* What is done to answers: bits. */
enum conf_transform {
    CONF_TRANSFORM_COMPRESS = 1,
    CONF_TRANSFORM_LINKS = 2,
    CONF_TRANSFORM_MINIFY = 4,
};
enum conf_by { CONF_BY_ADDRESS, CONF_BY_ROUTE, CONF_BY_USER, CONF_BY_KEY };
enum conf_log_format { CONF_LOG_COMBINED, CONF_LOG_JSON };

struct conf_limit { /* how often a client may ask */
    struct conf_place place;
    unsigned requests, burst; /* 0 requests: there is no limit; 0 burst: as many as requests */
    int64_t per;              /* milliseconds */
    unsigned by;              /* an enum conf_by */
};

struct conf_demand { /* a legal demand (RFC 7725); slices are UTF-8 */
    struct conf_place place;
    struct ern_slice reference;
    struct ern_slice path, host, sha256; /* at least one of them is there */
    uint8_t digest[32];                  /* that sha256 names, of content */
    int64_t bytes;                       /* that is so long */
    struct ern_slice authority, blocked_by, jurisdiction;
    struct conf_texts networks;
    struct networks clients; /* networks, as networks; none: everybody */
    struct ern_slice from, until;
    int64_t from_s, until_s; /* Unix time: the first second, and the first one after */
};

struct conf_user {
    struct conf_place place;
    struct ern_slice name;
    struct ern_slice password; /* its hash, as crypt(3) has it */
    struct conf_texts groups;
};

struct conf_issuer { /* of tokens */
    struct conf_place place;
    struct ern_slice name; /* the claim iss */
    struct ern_slice keys; /* a path */
    struct conf_texts audience, algorithms;
    unsigned accepts; /* algorithms, one bit an enum jwk_algorithm */
};

enum conf_may { /* kinds of methods */
                CONF_MAY_READ = RES_READ,
                CONF_MAY_WRITE = RES_WRITE,
                CONF_MAY_DELETE = RES_DELETE,
                CONF_MAY_LOCK = RES_LOCK,
                CONF_MAY_ADMIN = 16,
                CONF_MAY_ALL = 31,
};

struct conf_right {
    struct conf_place place;
    struct ern_slice path; /* below the route; begins with / */
    struct conf_texts users, groups;
    struct conf_texts allow, may;
    struct networks allowed; /* allow, as networks; none: everywhere */
    unsigned gives;          /* may, as bits of enum conf_may */
};

struct conf_route {
    struct conf_place place;
    struct ern_slice path; /* begins with / */
    enum conf_kind kind;
    bool trace;
    struct conf_texts allow;
    struct networks allowed; /* allow, as networks; none: everybody */
    bool hide;
    unsigned price; /* credits of one success; 0: it costs nothing */
    struct ern_slice pay;
    bool agree;
    struct conf_limit limit;
    struct conf_texts auth;   /* schemes, as in RFC 9110 11.1; none: nobody is asked who he is */
    struct ern_slice realm;   /* absent: the path */
    struct conf_texts digest; /* algorithms of the scheme digest */
    struct conf_texts scopes; /* all of these a token has to have */
    struct conf_texts cors; /* origins, or "*" alone; none: pages of others may not read answers */
    struct conf_texts cors_methods, cors_headers, cors_expose;
    bool cors_credentials;
    int64_t cors_max_age; /* milliseconds */
    struct conf_right *rights;
    size_t rights_n;                             /* 0: who may ask may do all */
    struct conf_texts allow_users, allow_groups; /* both empty: all that are known */
    unsigned require;                            /* in the order of option.def, as */
    unsigned early_data;                         /* this */

    struct ern_slice files; /* CONF_KIND_FILES: a folder */
    struct conf_texts index;
    struct ern_slice cache_control;  /* absent: no such field */
    struct ern_slice content_policy; /* likewise */
    struct ern_slice language;
    unsigned hidden;    /* an enum conf_hidden */
    unsigned negotiate; /* an enum conf_negotiate */
    unsigned choices;   /* an enum conf_choices */
    unsigned hints;     /* an enum conf_hints */
    unsigned deltas;
    struct conf_texts dictionaries; /* "past", and paths below the route */
    bool listing, precompressed, compress, variants, sandbox;
    bool write; /* clients may write; needs conf.state */
    bool require_conditional, infinite, durable;
    int64_t quota;            /* bytes; 0: none */
    int64_t tombstones;       /* milliseconds */
    int64_t processing_after; /* milliseconds; 0: never */

    struct ern_slice redirect; /* CONF_KIND_REDIRECT: an absolute URL, or a path */
    uint16_t status;           /* of the redirect */

    struct ern_slice use_proxy; /* CONF_KIND_USE_PROXY: an absolute URL */
    bool gone;                  /* CONF_KIND_GONE */
    bool peer;                  /* CONF_KIND_PEER */

    struct ern_slice intake; /* CONF_KIND_INTAKE: a file */
    struct ern_slice then;   /* a URL or a path; absent: none */

    unsigned pot; /* CONF_KIND_POT: an enum conf_pot */
    struct conf_texts teas, additions;
    unsigned servings;
    int64_t brew_time, keep_time, refill_time; /* milliseconds */

    struct conf_texts proxy; /* CONF_KIND_PROXY: URLs that end with their authority; 1 to 64 */
    unsigned balance;        /* an enum conf_balance */
    struct conf_texts transform;
    unsigned transforms;    /* transform, as bits of enum conf_transform */
    bool cache;             /* answers are kept */
    struct ern_slice probe; /* a path, as a target has it; absent: none */
    bool http2;             /* HTTP/2 is spoken with them */
    struct ern_slice ca;    /* a PEM file; absent: whom the system trusts */
    /* PEM files, of what we show; absent: nothing, and: it is in the file of the certificate. */
    struct ern_slice certificate, key;

    struct conf_texts fastcgi; /* CONF_KIND_FASTCGI: "unix:PATH" or "HOST:PORT"; 1 to 64 */
    struct ern_slice root;     /* a folder; index, hidden and so on are as of files */
    struct conf_texts script;  /* how names of scripts end */
    struct ern_slice fallback; /* a path; absent: none */

    struct ern_slice cgi;    /* CONF_KIND_CGI: a folder */
    struct ern_slice run_as; /* a user; absent: who we are */
};

struct conf_site {
    struct conf_place place;
    struct ern_slice name; /* absent: the only site, which answers to any name */
    struct conf_texts aliases;
    struct conf_limit limit;
    struct conf_route *routes; /* in the order of the file */
    size_t routes_n;           /* at least 1 */
};

struct conf_listen {
    struct conf_place place;
    struct ern_slice name;    /* as in "127.0.0.1:8080", "[::1]:8080", ":8080" */
    struct ern_slice address; /* without brackets; empty: all addresses */
    uint16_t port;            /* 0: any that is free */
    bool strict;              /* a name that is no site's is misdirected; else the first site's */
    bool proxy_protocol;      /* connections begin with a PROXY header: those of others than trusted
                                 networks are ended */

    struct conf_texts certificate; /* paths; with one or more the listener speaks TLS */
    struct conf_texts key;         /* as many, or none: then they are with the certificates */
    struct conf_texts ocsp;        /* no more than certificates; "-" is none */
    struct ern_slice client_ca;    /* a path; absent exactly if client_certificate is none */
    unsigned client_certificate;   /* an enum tls_client */
    bool early_data;
    bool http2;
    bool https; /* plain, and sends its clients on */

    bool forward; /* clients ask others through it; what follows is of a proxy alone */
    struct conf_texts hosts, ports;
    struct conf_texts networks;
    struct networks reachable; /* networks, as networks */
    struct conf_texts auth;    /* as of a route, */
    struct ern_slice realm;    /* and this; absent: "forward" */
    struct conf_texts allow_users, allow_groups;

    bool portal;             /* clients must sign in first; what follows is of a portal alone */
    struct ern_slice login;  /* an https URL */
    int64_t lifetime;        /* milliseconds */
    struct ern_slice api;    /* an https URL; absent: none */
    struct ern_slice secret; /* a path; absent: nobody can come to pass */
};

struct conf_log {
    struct conf_place place;
    unsigned format;         /* an enum conf_log_format */
    struct ern_slice file;   /* a path, "-" or "off" */
    struct ern_slice errors; /* a path or "-" */
    struct ern_slice audit;  /* a path, "-" or "off" */
};

struct conf {
    struct conf_place place;
    const char *file; /* its name, for messages; NULL: made from flags, and places mean nothing */
    struct conf_listen *listens;
    size_t listens_n; /* at least 1 */
    struct conf_site *sites;
    size_t sites_n;         /* at least 1, but where all that is done is to be a proxy */
    unsigned workers;       /* 0: one a core */
    struct ern_slice user;  /* absent: stay who we are */
    struct ern_slice admin; /* a Unix socket; absent: none */
    struct conf_texts pause_allow;
    struct conf_texts pause_allow_users;
    struct networks pause_allowed; /* pause_allow, as networks */
    struct ern_slice legal;        /* a file of demands; absent: there are none */
    struct ern_slice users;        /* a file of names and hashes; absent: none */
    struct ern_slice digests;      /* a file of names, realms and hashes for Digest; absent: none */
    struct conf_user *accounts;
    size_t accounts_n;
    struct conf_issuer *issuers;
    size_t issuers_n;
    struct ern_slice state; /* a folder; absent: nothing needs one */
    int64_t hsts;           /* milliseconds; 0: nothing is said */
    struct conf_texts trusted;
    struct networks gateways; /* trusted, as networks: whose PROXY headers, and fields Forwarded or
                                 X-Forwarded-*, and Early-Data are believed */
    unsigned forwarded;       /* an enum forwarded_form: which of these fields they set */
    struct ern_slice pseudonym; /* a token; absent: a random one */
    bool live;                  /* decisions are sent to whom it may concern: */
    struct conf_texts live_allow;
    struct networks live_networks; /* live_allow, as networks */
    struct conf_limit limit;
    struct conf_demand *demands; /* of a file of demands, which has nothing else */
    size_t demands_n;
    struct conf_log log;
    struct limits limits;
    struct memory memory; /* where all of this is */
};

/* What `earnest serve DIR` was told; NULL, 0 and false for what it was not. */
struct conf_flags {
    const char *directory;
    const char *listen; /* as the title of listen */
    const char *index;  /* names with commas between them */
    const char *host;   /* names of the site with commas between them; others are misdirected */
    const char *log;    /* as log's file */
    const char *user;
    const char *state;
    const char *certificate, *key; /* PEM files, to speak TLS with */
    bool listing, write;
    bool peer; /* no folder, but what clients are tried against */
    int workers;
};

/*
 * Makes a configuration from the text of a file.
 *   file      the name for messages; kept by the caller as long as errors
 *   ret_conf  the caller's to conf_free(); NULL on failure
 *   errors    emptied, then filled in the order of the file; on success it may hold warnings
 * Returns 0, or -1 if there is an error.
 */
ERN_MUST_USE int conf_parse(struct ern_slice text, const char *file, struct conf **ret_conf,
                            struct conf_errors *errors);

/* The same with at most memory_max bytes of memory for the configuration, and again for reading. */
ERN_MUST_USE int conf_parse_within(struct ern_slice text, const char *file, size_t memory_max,
                                   struct conf **ret_conf, struct conf_errors *errors);

/* Reads the file at path, and makes a configuration from it as conf_parse() does. */
ERN_MUST_USE int conf_read(const char *path, struct conf **ret_conf, struct conf_errors *errors);

/* The same for a file of demands: what is made has these alone. */
ERN_MUST_USE int conf_parse_legal(struct ern_slice text, const char *file, struct conf **ret_conf,
                                  struct conf_errors *errors);
ERN_MUST_USE int conf_read_legal(const char *path, struct conf **ret_conf,
                                 struct conf_errors *errors);

/* Makes a configuration from flags; errors name no line. Else as conf_parse(). */
ERN_MUST_USE int conf_from_flags(const struct conf_flags *flags, struct conf **ret_conf,
                                 struct conf_errors *errors);

/*
 * Looks whether the folders, index files, log files, certificates and the user that conf names are
 * there.
 *   errors   what is not is added; conf must outlive it
 * Returns 0, or -1 if there is an error.
 */
ERN_MUST_USE int conf_check_files(const struct conf *conf, struct conf_errors *errors);

/* Writes demands as a file that conf_parse_legal() reads the same. */
void conf_write_demand(const struct conf_demand *demand, struct out *o);

/*
 * Reads the type maps of folders with variants, and warns of those that are none, that list what is
 * not there, or what is negotiated itself: that is answered with 506. It takes as long as the
 * folders are large.
 */
void conf_check_maps(const struct conf *conf, struct conf_errors *errors);

/* Writes the configuration with all its defaults, as a file that conf_parse() reads the same. */
void conf_write(const struct conf *conf, struct out *o);

/*
 * Opens TLS as a listener with a certificate and the limits have it.
 *   ticket_key  as in struct tls_options
 *   replay      NULL: without early data, whatever the listener says
 * Returns as tls_open() does.
 */
ERN_MUST_USE int conf_tls_open(const struct conf *conf, const struct conf_listen *listen,
                               const unsigned char *ticket_key, struct tls_replay *replay,
                               struct tls **ret_tls, const char **ret_why);

/* How many routes all sites have. */
size_t conf_routes(const struct conf *conf);

void conf_free(struct conf *conf);

#endif
