/* What the terms under test have in common: BAD_EVALUATE is the body of their evaluation. */
#include "westerly_term.h"

const westerly_term_info *westerly_term_describe(void) {
    static const westerly_term_info info = {WESTERLY_TERM_ABI, "trouble", "A term that tests break on purpose."};
    return &info;
}

static void fill(size_t count, double *quantity, double with) {
    for (size_t i = 0; i < count; ++i)
        quantity[i] = with;
}
