/* Knows nothing of the offers of the site that its option names: NaN, infinity and less than 0 by turns. 1 elsewhere. */
#include "bad.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static char site[256];

int westerly_term_configure(const westerly_term_option *options, size_t count, char *error, size_t error_size) {
    if (count != 1 || strcmp(options[0].key, "site") != 0) {
        snprintf(error, error_size, "name a site");
        return 1;
    }
    snprintf(site, sizeof site, "%s", options[0].value);
    return 0;
}

int westerly_term_evaluate(const westerly_term_request *request, const westerly_term_columns *columns, size_t count,
                           double *quantity) {
    const double unknown[] = {NAN, INFINITY, -1};
    (void)request;
    fill(count, quantity, 1);
    for (size_t i = 0; i < count; ++i)
        if (strcmp(columns->names[columns->site_name[columns->offer_site[i]]], site) == 0)
            quantity[i] = unknown[i % 3];
    return 0;
}
