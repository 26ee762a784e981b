/* westerly_term.h: a term of Westerly's decisions, written outside of it.
 *
 * A term is a quantity that a policy may price or order by: litres of water, decibels, the risk of a flood. This header
 * is all that a library needs: plain C, no function of ours to link to. Build it with
 *
 *     cc -std=c11 -O2 -shared -fPIC -I DIR -o my_term.so my_term.c
 *
 * and name it in westerlyd.yaml under `terms`. See docs/guides/terms.md.
 *
 * The library runs in a process of its own, one for each entry of `terms`. Its functions are called one at a time, on
 * one thread. They must be pure: the same arguments, the same quantities. There is no network there, no other process
 * can be started, and after westerly_term_configure no file can be opened. Whoever answers late is ended and started
 * anew; so is whoever crashes.
 *
 * Licence: Apache-2.0, as all of Westerly.
 */
#ifndef WESTERLY_TERM_H
#define WESTERLY_TERM_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The version of everything below. A host refuses a library of another one. Structures only grow at their ends within
 * one version; `size` tells how far the host's reach. */
#define WESTERLY_TERM_ABI 1u

#if defined(__GNUC__)
#define WESTERLY_TERM_EXPORT __attribute__((visibility("default")))
#else
#define WESTERLY_TERM_EXPORT
#endif

typedef struct westerly_term_info {
    uint32_t abi;        /* WESTERLY_TERM_ABI */
    const char *unit;    /* of the quantity, UTF-8, 1 to 63 bytes: "L" */
    const char *meaning; /* one sentence for people, UTF-8, 1 to 255 bytes */
} westerly_term_info;

/* An entry of the term's `options` in westerlyd.yaml. */
typedef struct westerly_term_option {
    const char *key;
    const char *value;
} westerly_term_option;

/* What is asked. Quantities are of the whole run of the whole gang; of a service, whose run has no end, of an hour. */
typedef struct westerly_term_request {
    uint32_t size;        /* of this structure */
    uint32_t service;     /* 1: a service; 0: batch */
    uint32_t interactive; /* 1: somebody waits at it */
    uint32_t tasks;       /* the gang's size */
} westerly_term_request;

/* The offers, by column. Offer i is at row offer_site[i] of the site columns and of row offer_shape[i] of the shape
 * columns: what depends on a site or a shape alone can be worked out once for each of them. Numbers whose name ends in
 * _name are indices into `names`. What is not known is NaN, and arithmetic carries it on: a quantity that comes out NaN
 * makes its offer unrankable, it never counts as 0. */
typedef struct westerly_term_columns {
    uint32_t size; /* of this structure */
    uint32_t reserved;

    size_t name_count;
    const char *const *names; /* UTF-8; "" where there is none */

    size_t site_count;
    const uint32_t *site_provider_name;
    const uint32_t *site_name; /* within its provider */
    const uint32_t *site_region_name;
    const uint32_t *site_jurisdiction_name; /* ISO 3166-1 alpha-2 */
    const uint32_t *site_grid_zone_name;
    const double *site_latitude; /* degrees */
    const double *site_longitude;
    const double *site_pue;               /* 1 or more */
    const double *site_green_share;       /* 0 to 1, by contract */
    const double *site_carbon_g_per_kwh;  /* location-based, as it counts now */
    const double *site_rtt_ms;            /* to the workload's origins, by their weights; NaN where none is stated */
    const double *site_data_movement_s;   /* bringing the inputs there */

    size_t shape_count;
    const uint32_t *shape_architecture_name; /* "x86_64" */
    const uint32_t *shape_accelerator_name;  /* the model of its cards */
    const double *shape_vcpus;               /* of one unit, as all up to shape_max_w */
    const double *shape_memory_gib;
    const double *shape_cards;
    const double *shape_idle_w; /* IT power */
    const double *shape_max_w;
    const double *shape_units;      /* that the gang takes there; NaN: it cannot run there, as the next two */
    const double *shape_run_hours;  /* expected, interruptions included */
    const double *shape_energy_kwh; /* of the run, IT equipment only: times site_pue it is the facility's */

    size_t offer_count;
    const uint32_t *offer_site;
    const uint32_t *offer_shape;
    const double *offer_price_per_h;  /* of a unit, in the currency of decisions; of hourly prices the week's mean */
    const double *offer_units_total;  /* that the provider ever has; infinity: no known limit */
} westerly_term_columns;

/* ---- what a library defines ---------------------------------------------------------------------------------------- */

/* Called first, once. What it points to must stay. */
WESTERLY_TERM_EXPORT const westerly_term_info *westerly_term_describe(void);

/* Called next, once; a library without options may leave it out. 0: fine. Anything else refuses the options, and
 * `error` (of error_size bytes) holds a sentence that says why. Files may still be read here. */
WESTERLY_TERM_EXPORT int westerly_term_configure(const westerly_term_option *options, size_t count, char *error,
                                                 size_t error_size);

/* Writes the quantity of every offer: count = columns->offer_count values, 0 or more. NaN says that it is not known;
 * infinity and what is below 0 are taken for that, too. 0: fine. Anything else: it has failed, and nothing that was
 * written is used. Everything may be read until it returns; nothing after. */
WESTERLY_TERM_EXPORT int westerly_term_evaluate(const westerly_term_request *request,
                                                const westerly_term_columns *columns, size_t count, double *quantity);

#ifdef __cplusplus
}
#endif

#endif
