/* SPDX-License-Identifier: Apache-2.0 */
/* certificates.h - what is wrong with the files that TLS needs; inside the layer only. */
#ifndef CONF_CERTIFICATES_H
#define CONF_CERTIFICATES_H

#include "conf/conf.h"

/* Adds what is wrong with them, and which names no certificate is for. */
void check_certificates(const struct conf *conf, struct conf_errors *errors);

#endif
