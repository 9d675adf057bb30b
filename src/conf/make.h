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

/* Fills m->conf from the nodes, and looks whether it makes sense. */
void make_conf(struct maker *m, const struct text_node *root);

/* Adds what is wrong with the configuration as a whole. */
void check_conf(struct maker *m);

/*
 * Begins with two empty pools of at most memory_max bytes; ends by handing the configuration over,
 * or by freeing it if there is an error. make_end() returns 0 or -1.
 */
void make_begin(struct maker *m, size_t memory_max, struct conf_errors *errors);
int make_end(struct maker *m, struct conf **ret_conf);

#endif
