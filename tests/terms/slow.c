/* Takes a minute over every question. */
#define _POSIX_C_SOURCE 200809L
#include "bad.h"

#include <time.h>

int westerly_term_evaluate(const westerly_term_request *request, const westerly_term_columns *columns, size_t count,
                           double *quantity) {
    const struct timespec minute = {60, 0};
    (void)request;
    (void)columns;
    nanosleep(&minute, 0);
    fill(count, quantity, 1);
    return 0;
}
