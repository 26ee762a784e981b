/* Is gone before anything of it is called. */
#include "bad.h"

#include <stdlib.h>

__attribute__((constructor)) static void at_load(void) {
    abort();
}

int westerly_term_evaluate(const westerly_term_request *request, const westerly_term_columns *columns, size_t count,
                           double *quantity) {
    (void)request;
    (void)columns;
    fill(count, quantity, 1);
    return 0;
}
