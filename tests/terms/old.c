/* Of a version of the ABI that there is not. */
#include "westerly_term.h"

const westerly_term_info *westerly_term_describe(void) {
    static const westerly_term_info info = {WESTERLY_TERM_ABI + 41, "years", "A term of another time."};
    return &info;
}

int westerly_term_evaluate(const westerly_term_request *request, const westerly_term_columns *columns, size_t count,
                           double *quantity) {
    (void)request;
    (void)columns;
    (void)count;
    (void)quantity;
    return 0;
}
