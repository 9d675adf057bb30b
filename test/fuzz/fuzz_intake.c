/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is kept of a form. The first byte is its type, the rest its content. What is without fault
 * is written as one line of JSON, in the room that was asked for, which says what a reader of JSON
 * understands; anything else has a sentence that says what is wrong. The content as a line of the
 * file is the head of one, or is not.
 */
#include <stdlib.h>

#include <jansson.h>

#include "lib/json_nul.h"
#include "res/intake.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(bool holds)
{
    if (!holds)
        abort();
}

static void
check_line(const struct form *form)
{
    size_t cap = form_json_max(form);
    char *text = malloc(cap);
    struct out o = out_init(text, cap);
    json_t *json;

    form_write(form, &o);
    check(!o.full);
    check(slice_find(out_done(&o), '\n') == o.len);
    json = json_loadb(text, o.len,
                      JSON_REJECT_DUPLICATES | JSON_DECODE_INT_AS_REAL | JSON_ALLOW_NUL, NULL);
    if (!json) /* a name with NUL is JSON, and too much for this reader */
        check(json_has_nul(out_done(&o)));
    else
        check(json_is_object(json));
    json_decref(json);
    free(text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct limits limits = limits_standard();
    uint8_t digest[DIGEST_BYTES];
    struct ern_slice content;
    struct once_done done;
    struct form form;
    char room[1024];
    struct out o = out_init(room, sizeof room);

    if (size < 1)
        return 0;
    limits.form_fields_max = 8;
    limits.form_files_max = 2;
    limits.form_field_bytes_max = 64;
    limits.form_head_bytes_max = 96;
    limits.form_depth_max = 4;
    content = slice_from((const char *)data + 1, size - 1);
    (void)!intake_read_head(content, &done);
    check(form_read((enum form_type)(data[0] % FORM_TYPES), content, ERN_SLICE("b"), &limits,
                    &form) == 0);
    if (form.fault) {
        form_tell(&form, data[0] & 128 ? LANGUAGE_BN : LANGUAGE_EN, &o);
        check(!o.full && o.len > 0);
    } else {
        check(form_digest(&form, digest) == 0);
        check_line(&form);
    }
    form_done(&form);
    return 0;
}
