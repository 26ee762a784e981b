/* Follows a null pointer at every question. */
#include "bad.h"

#include <stdio.h>

int westerly_term_evaluate(const westerly_term_request *request, const westerly_term_columns *columns, size_t count,
                           double *quantity) {
    double *volatile nowhere = 0;
    (void)request;
    (void)columns;
    fill(count, quantity, 1);
    fprintf(stderr, "about to crash\n");
    *nowhere = 1;
    return 0;
}
