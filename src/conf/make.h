/* SPDX-License-Identifier: Apache-2.0 */
/* make.h - how a configuration is made from the nodes of its text; inside the layer only. */
#ifndef CONF_MAKE_H
#define CONF_MAKE_H

#include "conf/conf.h"
#include "conf/text.h"

struct maker {
    struct conf *conf;
    struct memory memory;  /* of the configuration */
    struct memory scratch; /* of the nodes, until it is made */
    struct conf_errors *errors;
    bool broken; /* the text has errors: what is missing may be behind them */
};

/* Gives the option its value from node, where it is written; owner begins with its conf_place. */
void make_option(struct maker *m, const struct option_key *row, const struct text_node *node,
                 void *owner);

/* Gives all options of this place their defaults. */
void make_standard(struct maker *m, enum option_where where, void *owner);

/* Is text something, and without control characters? Otherwise an error is added. */
bool make_is_text(struct maker *m, struct ern_slice key, struct ern_slice text,
                  struct conf_position at);

/* Stores all values among items; sections are only looked at from outside. */
void make_items(struct maker *m, enum option_where section, const struct text_node *items,
                void *owner);

/* How many sections with this key there are; is the node one? */
size_t make_count(const struct text_node *items, struct ern_slice key);
bool make_is_section(const struct text_node *node, struct ern_slice key);

/* The title, where it may be used. */
struct ern_slice make_title(struct maker *m, const struct text_node *node);

/* Texts as networks; those that are none are left out, with an error. */
void make_networks(struct maker *m, const struct conf_texts *texts, struct networks *ret);

/* Adds what is wrong with the path of a route, or the name of a site. */
void check_path(struct maker *m, struct ern_slice path, struct conf_position at);
void check_host(struct maker *m, struct ern_slice name, struct conf_position at);

/* Fills m->conf->demands from the nodes, and looks whether they make sense (legal.c). */
void make_demands(struct maker *m, const struct text_node *root);

/* Fills m->conf from the nodes, and looks whether it makes sense. */
void make_conf(struct maker *m, const struct text_node *root);

/* Adds what is wrong with the configuration as a whole; with its users, and who routes ask for. */
void check_conf(struct maker *m);
void check_users(struct maker *m);
void check_cors(struct maker *m, const struct conf_route *route);

/* Adds what is wrong with the options of a pot. */
void check_fastcgi(struct maker *m, const struct conf_route *route);
void check_cgi(struct maker *m, const struct conf_route *route);
void check_pot(struct maker *m, const struct conf_route *route);

/* Likewise of an intake, and of all of them together. */
void check_transform(struct maker *m, struct conf_route *route);
void check_intake(struct maker *m, const struct conf_route *route);
void check_intakes(struct maker *m);

struct claim { /* a name that may be taken once */
    struct ern_slice text;
    struct conf_position at;
};

/* Adds an error, what, for each claim that another made before; sorts them. */
void check_claims(struct maker *m, struct claim *claims, size_t n, const char *what);

/*
 * Begins with two empty pools of at most memory_max bytes; ends by handing the configuration over,
 * or by freeing it if there is an error. make_end() returns 0 or -1.
 */
void make_begin(struct maker *m, size_t memory_max, struct conf_errors *errors);
int make_end(struct maker *m, struct conf **ret_conf);

#endif
