/* SPDX-License-Identifier: Apache-2.0 */
/*
 * banned.h - calls that no file of src/ may make: they need text that ends with NUL, do not know
 * how much room there is, or hide an error. The build puts this in front of every file there.
 * Instead: slice_eq(), struct out, u64_parse(), num.h.
 */
#ifndef BASE_BANNED_H
#define BASE_BANNED_H

#ifndef __clang_analyzer__ /* it would find each of these declared twice */
#include <stddef.h>

#define BANNED(instead) __attribute__((unavailable("banned: " instead)))

BANNED("use slice_eq()") int strcmp(const char *a, const char *b);
BANNED("use slice_eq_nocase()") int strcasecmp(const char *a, const char *b);
BANNED("use struct out") char *strcpy(char *to, const char *from);
BANNED("use struct out") char *strncpy(char *to, const char *from, size_t n);
BANNED("use struct out") char *strcat(char *to, const char *from);
BANNED("use struct out") char *strncat(char *to, const char *from, size_t n);
BANNED("use struct out") int sprintf(char *to, const char *format, ...);
BANNED("use slice_find()") char *strtok(char *text, const char *separators);
BANNED("use u64_parse()") int atoi(const char *text);
BANNED("use u64_parse()") long atol(const char *text);
BANNED("use u64_parse()") long long atoll(const char *text);

#undef BANNED
#endif

#endif
