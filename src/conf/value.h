/* SPDX-License-Identifier: Apache-2.0 */
/* value.h - what the texts of a configuration stand for. */
#ifndef CONF_VALUE_H
#define CONF_VALUE_H

#include <stdbool.h>
#include <stdint.h>

#include "earnest/slice.h"

/* true, yes, on; false, no, off. Returns false if text is none of them. */
ERN_MUST_USE bool value_flag(struct ern_slice text, bool *ret);

/* The index of text in choices, as in "a|b". Returns false if it is none of them. */
ERN_MUST_USE bool value_choice(struct ern_slice text, struct ern_slice choices, unsigned *ret);

/*
 * A number, with a suffix if the unit has one: 500ms, 10s, 5m, 1h for ms; 64K, 1M, 10G for bytes
 * and bytes/s. Returns false if it is none, or too large for an int64_t.
 */
ERN_MUST_USE bool value_quantity(struct ern_slice text, struct ern_slice unit, int64_t *ret);

/* Cuts "127.0.0.1:80", "[::1]:80", ":80" or "80" in two. Returns false if it is none of them. */
ERN_MUST_USE bool value_address(struct ern_slice text, struct ern_slice *ret_address,
                                uint16_t *ret_port);

/* Can it be the name of a site: a DNS name (RFC 1123 2.1), or an IP address as in a URL? */
bool value_is_host(struct ern_slice text);

/*
 * Is it an absolute URL with http or https and without user; or such a URL or an absolute path?
 */
bool value_is_http_url(struct ern_slice text);
bool value_is_reference(struct ern_slice text);

/* Cuts "http://host:port", or https (ret_secure), in three; host without brackets, port 80 or 443
 * if there is none. Returns false if it is none, or says more. */
ERN_MUST_USE bool value_origin(struct ern_slice url, struct ern_slice *ret_authority,
                               struct ern_slice *ret_host, uint16_t *ret_port, bool *ret_secure);

/* Reads "unix:/path", or cuts "host:port" in two, host without brackets. What it is not is absent,
 * or 0. Returns false if it is neither. */
ERN_MUST_USE bool value_socket(struct ern_slice text, struct ern_slice *ret_path,
                               struct ern_slice *ret_host, uint16_t *ret_port);

/* Is it letters, digits, hyphens and dots, a letter first? */
bool value_is_name(struct ern_slice text);

/* Is there no control character in it? */
bool value_is_clean(struct ern_slice text);

#endif
