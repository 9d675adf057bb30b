/* SPDX-License-Identifier: Apache-2.0 */
/* requests.h - what is measured: the shortest that a client sends, and what a browser sends. */
#ifndef TEST_BENCH_REQUESTS_H
#define TEST_BENCH_REQUESTS_H

/* 46 bytes */
#define SHORT_REQUEST                                                                              \
    "GET /1k.txt HTTP/1.1\r\n"                                                                     \
    "Host: be.example.org\r\n"                                                                     \
    "\r\n"

/* 706 bytes */
#define BROWSER_REQUEST                                                                            \
    "GET /articles/2026/overview-of-the-.html?page=2 HTTP/1.1\r\n"                                 \
    "Host: www.example.org\r\n"                                                                    \
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "          \
    "Chrome/119.0.0.0 Safari/537.36\r\n"                                                           \
    "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,"         \
    "image/apng,*/*;q=0.8,application/signed-exchange;v=b3;q=0.7\r\n"                              \
    "Accept-Language: de-DE,de;q=0.9,en-US;q=0.8,en;q=0.7\r\n"                                     \
    "Accept-Encoding: gzip, deflate, br\r\n"                                                       \
    "Cookie: session=8f14e45fceea167a5a36dedd4bea2543e45fceea; theme=dark; "                       \
    "consent=necessary-only\r\n"                                                                   \
    "Referer: https://www.example.org/articles/\r\n"                                               \
    "Cache-Control: max-age=0\r\n"                                                                 \
    "Connection: keep-alive\r\n"                                                                   \
    "Upgrade-Insecure-Requests: 1\r\n"                                                             \
    "Sec-Fetch-Dest: document\r\n"                                                                 \
    "Sec-Fetch-Site: same-origin\r\n"                                                              \
    "\r\n"

#endif
