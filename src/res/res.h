/* SPDX-License-Identifier: Apache-2.0 */
/*
 * res.h - what every kind of resource is given, and what it gives back.
 *
 * A resource answers facts (earnest/decide.h) and offers a representation. It sees neither the wire
 * nor the status that is decided. Its asks find a struct res_request behind decision->self.
 */
#ifndef RES_RES_H
#define RES_RES_H

#include <sys/types.h>

#include "base/arena.h"
#include "code/limits.h"
#include "earnest/decide.h"
#include "io/clock.h"
#include "io/file.h"
#include "io/listen.h"
#include "io/pool.h"

/*
 * Content that is made while it is sent. fill() writes the next piece, at most cap bytes; ret_end
 * says that it was the last. Returns its length, or a negative errno: then the answer is cut so
 * that the client can tell. It runs on the pool; or, of a stream that is quick, on the thread of
 * the request, as soon as wait_ms have passed, which it may set for the piece after.
 */
struct res_stream {
    ssize_t (*fill)(struct res_stream *stream, char *piece, size_t cap, bool *ret_end);
    void (*free)(struct res_stream *stream);
    bool on_loop;    /* fill() never blocks: no thread of the pool is needed */
    int64_t wait_ms; /* before the next piece, on the loop; 0: no time */
    bool comes_soon; /* no piece of it waits for anything but the disk */
};

/* Content before any coding: in memory, or in a file. */
struct res_original {
    const struct file_stamp *stamp; /* NULL: it has none, for it is made while it is sent */
    const char *bytes;              /* NULL: in the file */
    int fd;
};

enum { RES_FRONT_BYTES = 1024 };

/* The selected representation: its fields, and where its content is. */
struct res_representation {
    struct ern_slice
        validators; /* field lines that a 304 carries too: ETag, Vary, Cache-Control ... */
    struct ern_slice description; /* the other field lines: Content-Type, Last-Modified ... */
    struct ern_slice type;        /* media type, for the parts of a multipart/byteranges */
    uint64_t length;              /* of the content, in bytes; of a stream only where */
    bool is_sized;                /* it is known before */
    const char *bytes;            /* the content in memory, or NULL: then it is in a file ... */
    char *front; /* RES_FRONT_BYTES before bytes, for a head; NULL: there is no room */
    int fd;      /* ... that this is open on, or -1: then it is a stream */
    struct res_original original;
    struct res_stream
        *stream; /* owned by the request, freed after the answer; NULL if there is none */
};

enum sink_state {
    SINK_NONE,      /* nothing is asked for */
    SINK_OPEN,      /* content is wanted, and arrives */
    SINK_FULL,      /* all has arrived, and */
    SINK_MALFORMED, /* its framing was wrong, or it was cut */
    SINK_LATE,      /* it stopped arriving */
    SINK_GREW,      /* there was more than max */
    SINK_FAILED,    /* it could not be written: error */
};

/*
 * Content of a request on its way to the resource, which fills in the first part when a BODY fact
 * is asked; the server moves the bytes. Up to memory_max they stay in memory; more go to a file.
 */
struct res_sink {
    uint64_t max;      /* bytes; one more is SINK_GREW */
    size_t memory_max; /* bytes kept in memory; 0: all goes to the file */
    /* Opens the file: sets fd, or returns a negative errno. On the pool; NULL: there is no file,
     * and max is at most memory_max. */
    int (*open)(struct res_sink *sink);
    /* Writes the next bytes to it: 0, or a negative errno. On the pool; NULL: nothing more to it.
     */
    int (*write)(struct res_sink *sink, struct ern_slice bytes);
    void *self;
    enum sink_state state;
    int fd;      /* -1: none is open; closed by the server after the answer */
    int error;   /* a negative errno */
    char *bytes; /* the content, while it is in memory; freed by the server */
    size_t len, cap;
    uint64_t total; /* bytes that arrived */
};

struct res_route {       /* the first member of the configuration of every kind */
    uint64_t allow_more; /* methods that this route allows besides those of its kind: TRACE */
};

struct choices;
struct chosen;

enum res_access { /* bits */
                  RES_READ = 1,
                  RES_WRITE = 2,
                  RES_DELETE = 4,
                  RES_LOCK = 8,
                  RES_TREE = 64, /* and to all that is beneath it */
};

/* What DAV:error says if the decision turns on the fact (RFC 4918 16): XML. */
struct res_condition {
    enum ern_fact fact;
    struct ern_slice text;
};
enum { RES_CONDITIONS = 6 };

struct res_request {
    const void *route;      /* the configuration of the kind: struct files_route and so on */
    struct ern_slice path;  /* decoded and normalised (msg/target.h): the whole of it */
    struct ern_slice below; /* what of it stands below the route; begins with a slash */
    struct ern_slice user;  /* who asks, once that is known; absent: nobody was asked */
    struct ern_slice query; /* as it came; absent if there is none */
    union address peer;     /* the other end of the connection */
    struct arena *arena;    /* memory of this request */
    struct clock_now now;
    void *thread;            /* what the kind keeps for each thread: struct files and so on */
    struct pool *pool;       /* for calls that may block, and */
    struct mailbox *mailbox; /* where they come back to */
    /* To be called, on the thread of the request, when an ask that said ERN_WAIT can answer. */
    void (*resume)(struct res_request *request);
    /* May this client do that to another path below the route (rights)? NULL: it may. Keeps
     * nothing, and may be asked on the pool. */
    bool (*may)(const struct res_request *request, struct ern_slice below, unsigned access);
    void (*release)(struct res_request *request); /* gives back what was pinned; NULL if nothing */
    void *pinned;
    void *state;    /* of the kind's own, in the arena; NULL at the beginning */
    bool is_secure; /* it came over TLS */
    bool unslashed; /* the path is that of the route, but for its slash at the end */
    int error;      /* what the work of an ask ended with, if it failed: a negative errno */
    struct res_sink sink;
    const struct limits *limits;
    struct ern_slice fields;  /* further field lines of the answer, whatever its status */
    struct ern_slice upgrade; /* the protocol that Upgrade is to name; absent: none */
    struct res_condition conditions[RES_CONDITIONS];
    unsigned conditions_n;
    struct ern_slice link;    /* where a person can mend what is wrong: a URL; or absent */
    struct ern_slice limit;   /* that its content passed, by name; absent: the one on all of it */
    struct ern_slice interim; /* field lines of a 104 */
    struct ern_slice hints;   /* of a 103, which was not sent yet; absent: there are none */
    void *held; /* what the content lies in, if it is this answer's alone: freed after it */
    const struct choices *choices; /* what the client can choose from, if the answer is to say so */
    const struct chosen *chosen;   /* one of several variants that stands for the resource; NULL */
    int64_t wait_ms;       /* an ask that says ERN_WAIT is asked again after it; 0: resume() */
    int64_t processing_ms; /* while acts wait: a 102 each time so much passed; 0: none */
    bool again;   /* what was decided on has changed meanwhile: decide anew, from the beginning; */
    bool yields;  /* and by the other kind of resource that the route has; */
    bool at_once; /* and nothing is waited for: it goes on by itself */
    bool has_representation;
    struct res_representation representation; /* filled when has_representation */
};

static inline bool
res_may(const struct res_request *request, struct ern_slice below, unsigned access)
{
    return !request->may || request->may(request, below, access);
}

/*
 * Answers the BODY facts about how the content arrived. The first of them asks for the content:
 * begin() is to set request->sink up, with state SINK_OPEN.
 */
static inline enum ern_answer
res_ask_content(struct ern_decision *d, enum ern_fact fact, void (*begin)(struct ern_decision *d))
{
    struct res_request *request = d->self;

    if (request->sink.state == SINK_NONE)
        begin(d);
    if (request->sink.state == SINK_OPEN)
        return ERN_WAIT;
    if (fact == ERN_FACT_content_framed)
        return request->sink.state != SINK_MALFORMED ? ERN_YES : ERN_NO;
    if (fact == ERN_FACT_content_in_time)
        return request->sink.state != SINK_LATE ? ERN_YES : ERN_NO;
    return request->sink.state != SINK_GREW ? ERN_YES : ERN_NO;
}

/* The methods as bits of ern_evidence.allow. */
#define RES_ALLOW(method) (UINT64_C(1) << ERN_##method)
/* All that are known, but PRI: it is no method, but how an HTTP/2 connection begins (RFC 9113 3.4).
 */
#define RES_ALLOW_ALL (RES_ALLOW(METHODS) - 1 - RES_ALLOW(PRI))

/* Answers method_allowed: the methods of the kind, and those of the route. Fills evidence.allow. */
static inline enum ern_answer
res_allows(struct ern_decision *d, uint64_t methods)
{
    const struct res_request *request = d->self;
    const struct res_route *route = request->route;

    d->evidence.allow = methods | (route ? route->allow_more : 0);
    return d->request->method < ERN_METHODS && (d->evidence.allow >> d->request->method & 1)
               ? ERN_YES
               : ERN_NO;
}

#endif
