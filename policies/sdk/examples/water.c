/* Water: litres that a site's cooling takes for the run, from water use effectiveness (WUE, ISO/IEC 30134-9): litres a
 * year over kWh of IT equipment a year. An example of a term, and a real one: dry regions with cheap, green power are
 * often those where water is scarce.
 *
 * Options: PROVIDER/SITE, a grid zone, a region or "default" to litres per kWh, in this order of preference:
 *
 *     terms:
 *       - name: water
 *         library: /usr/lib/westerly/terms/water.so
 *         options: {"north/ulanqab": "0.3", "cn-east": "1.8", "default": "1.5"}
 *
 * A site that nothing names has no known figure, and is not ranked by a policy that weighs water.
 */
#include "westerly_term.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ENTRIES_MAX 256
#define PLACE_MAX 256

static struct {
    char place[PLACE_MAX];
    double litres_per_kwh;
} entries[ENTRIES_MAX];
static size_t entry_count;

const westerly_term_info *westerly_term_describe(void) {
    static const westerly_term_info info = {WESTERLY_TERM_ABI, "L",
                                            "Water that the site's cooling takes for the run (WUE x IT energy)."};
    return &info;
}

int westerly_term_configure(const westerly_term_option *options, size_t count, char *error, size_t error_size) {
    if (count == 0 || count > ENTRIES_MAX) {
        snprintf(error, error_size, "give 1 to %d places with their litres per kWh", ENTRIES_MAX);
        return 1;
    }
    for (size_t i = 0; i < count; ++i) {
        char *end = NULL;
        errno = 0;
        const double litres = strtod(options[i].value, &end);
        if (end == options[i].value || *end != '\0' || errno != 0 || !isfinite(litres) || litres < 0) {
            snprintf(error, error_size, "\"%.60s\" of \"%.60s\" is no number of litres per kWh", options[i].value,
                     options[i].key);
            return 1;
        }
        if (strlen(options[i].key) >= PLACE_MAX) {
            snprintf(error, error_size, "\"%.60s...\" is too long for a place", options[i].key);
            return 1;
        }
        strcpy(entries[i].place, options[i].key);
        entries[i].litres_per_kwh = litres;
    }
    entry_count = count;
    return 0;
}

/* NaN where nothing is known of it. */
static double litres_at(const char *place) {
    for (size_t i = 0; i < entry_count; ++i)
        if (strcmp(entries[i].place, place) == 0)
            return entries[i].litres_per_kwh;
    return NAN;
}

static double litres_of_site(const westerly_term_columns *columns, size_t site) {
    char whole[2 * PLACE_MAX];
    snprintf(whole, sizeof whole, "%s/%s", columns->names[columns->site_provider_name[site]],
             columns->names[columns->site_name[site]]);
    const char *const places[] = {whole, columns->names[columns->site_grid_zone_name[site]],
                                  columns->names[columns->site_region_name[site]], "default"};
    for (size_t i = 0; i < sizeof places / sizeof *places; ++i) {
        const double litres = litres_at(places[i]);
        if (!isnan(litres))
            return litres;
    }
    return NAN;
}

int westerly_term_evaluate(const westerly_term_request *request, const westerly_term_columns *columns, size_t count,
                           double *quantity) {
    (void)request;
    /* Once for each site, not for each of its hundreds of offers. */
    double *const litres = malloc((columns->site_count + 1) * sizeof *litres);
    if (!litres)
        return 1;
    for (size_t s = 0; s < columns->site_count; ++s)
        litres[s] = litres_of_site(columns, s);
    for (size_t i = 0; i < count; ++i)
        quantity[i] = litres[columns->offer_site[i]] * columns->shape_energy_kwh[columns->offer_shape[i]];
    free(litres);
    return 0;
}
