#include "broker/api/handlers.hpp"
#include "broker/api/router.hpp"

namespace westerly {
namespace {

using enum http_method;
using enum access;
using body = body_kind;
using gives = answer_kind;
using on = run_on;

constexpr std::string_view cost_filters = "from until workload project tenant limit cursor";

// clang-format off
const route table[] = {
    {post,    "/v1/workloads",                   member,    body::json,    gives::json,           "language",                                on::session, submit_one},
    {get,     "/v1/workloads",                   member,    body::none,    gives::json,           "state label name project tenant limit cursor language", on::helper, list_workloads},
    {get,     "/v1/workloads/{id}",              member,    body::none,    gives::json,           "language",                                on::session, get_workload},
    {post,    "/v1/workloads/{id}/cancel",       member,    body::ignored, gives::json,           "",                                        on::session, cancel_one},
    {post,    "/v1/workloads/{id}/give-up",      member,    body::json,    gives::json,           "",                                        on::session, give_up_one},
    {post,    "/v1/workloads/{id}/retry",        member,    body::ignored, gives::json,           "",                                        on::session, retry_one},
    {get,     "/v1/workloads/{id}/events",       member,    body::none,    gives::json_or_events, "limit cursor",                            on::helper,  get_workload_events},
    {get,     "/v1/workloads/{id}/logs",         member,    body::none,    gives::bytes,          "rank stream from follow attempt",         on::session, get_logs},
    {get,     "/v1/workloads/{id}/files",        member,    body::none,    gives::json,           "attempt",                                 on::session, list_files},
    {get,     "/v1/workloads/{id}/files/{path}", member,    body::none,    gives::bytes,          "attempt",                                 on::session, get_file},
    {get,     "/v1/workloads/{id}/attempts",     member,    body::none,    gives::json,           "",                                        on::session, list_attempts},
    {get,     "/v1/workloads/{id}/decision",     member,    body::none,    gives::json,           "language",                                on::session, get_workload_decision},
    {get,     "/v1/decisions/{id}",              member,    body::none,    gives::json,           "language",                                on::session, get_decision},
    {get,     "/v1/decisions",                   operator_, body::none,    gives::json,           "limit cursor",                            on::helper,  list_decisions},
    {get,     "/v1/decisions/{id}/replay",       member,    body::none,    gives::json,           "",                                        on::helper,  replay_decision},
    {post,    "/v1/policy-comparisons",          operator_, body::json,    gives::json,           "",                                        on::helper,  compare_policies},
    {get,     "/v1/events",                      member,    body::none,    gives::json_or_events, "tenant limit cursor",                     on::helper,  get_events},
    {post,    "/v1/plans",                       member,    body::json,    gives::json,           "language",                                on::session, make_plan},
    {post,    "/v1/bundles",                     member,    body::tar,     gives::json,           "",                                        on::helper,  keep_bundle},
    {get,     "/v1/offers",                      member,    body::none,    gives::json,           "provider region limit cursor",            on::helper,  list_offers},
    {get,     "/v1/offer-history",               member,    body::none,    gives::json,           "offer from until",                        on::helper,  get_offer_history},
    {get,     "/v1/providers",                   member,    body::none,    gives::json,           "limit cursor",                            on::session, list_providers},
    {post,    "/v1/providers",                   operator_, body::json,    gives::json,           "",                                        on::session, refuse_provider_change},
    {get,     "/v1/providers/{id}",              member,    body::none,    gives::json,           "",                                        on::session, get_provider},
    {put,     "/v1/providers/{id}",              operator_, body::json,    gives::json,           "",                                        on::session, refuse_provider_change},
    {delete_, "/v1/providers/{id}",              operator_, body::ignored, gives::json,           "",                                        on::session, refuse_provider_change},
    {post,    "/v1/providers/{id}/probe",        operator_, body::ignored, gives::json,           "",                                        on::session, probe_provider},
    {post,    "/v1/providers/{id}/cordon",       operator_, body::ignored, gives::json,           "",                                        on::session, cordon_one},
    {post,    "/v1/providers/{id}/uncordon",     operator_, body::ignored, gives::json,           "",                                        on::session, uncordon_one},
    {get,     "/v1/policies",                    member,    body::none,    gives::json,           "limit cursor",                            on::session, list_policies},
    {post,    "/v1/policies",                    operator_, body::json,    gives::json,           "",                                        on::session, refuse_policy_change},
    {get,     "/v1/policies/{name}",             member,    body::none,    gives::json,           "",                                        on::session, get_policy},
    {put,     "/v1/policies/{name}",             operator_, body::json,    gives::json,           "",                                        on::session, refuse_policy_change},
    {delete_, "/v1/policies/{name}",             operator_, body::ignored, gives::json,           "",                                        on::session, refuse_policy_change},
    {get,     "/v1/signals",                     member,    body::none,    gives::json,           "zone limit cursor",                       on::session, list_signals},
    {get,     "/v1/certificates",                operator_, body::none,    gives::json,           "limit cursor",                            on::session, list_certificates},
    {get,     "/v1/usage",                       member,    body::none,    gives::json,           cost_filters,                              on::helper,  list_usage},
    {get,     "/v1/charges",                     member,    body::none,    gives::json,           cost_filters,                              on::helper,  list_charges},
    {post,    "/v1/carbon-corrections",          operator_, body::json,    gives::json,           "limit cursor",                            on::helper,  correct_usage},
    {get,     "/v1/tenants",                     operator_, body::none,    gives::json,           "limit cursor",                            on::helper,  list_tenants},
    {post,    "/v1/tenants",                     operator_, body::json,    gives::json,           "",                                        on::session, make_tenant},
    {get,     "/v1/keys",                        member,    body::none,    gives::json,           "tenant limit cursor",                     on::helper,  list_keys},
    {post,    "/v1/keys",                        operator_, body::json,    gives::json,           "",                                        on::session, make_key},
    {delete_, "/v1/keys/{id}",                   operator_, body::ignored, gives::json,           "",                                        on::session, end_key},
    {post,    "/v1/keys/{id}/revoke",            operator_, body::ignored, gives::json,           "",                                        on::session, end_key},
    {get,     "/v1/whoami",                      member,    body::none,    gives::json,           "",                                        on::session, get_whoami},
    {get,     "/v1/orphans",                     operator_, body::none,    gives::json,           "limit cursor",                            on::session, list_orphans},
    {post,    "/v1/sweep/confirm",               operator_, body::ignored, gives::json,           "",                                        on::session, confirm_sweeping},
    {post,    "/v1/backup",                      operator_, body::ignored, gives::json,           "",                                        on::helper,  make_backup},
    {get,     "/healthz",                        open,      body::none,    gives::json,           "",                                        on::session, get_healthz},
    {get,     "/readyz",                         open,      body::none,    gives::json,           "",                                        on::session, get_readyz},
    {get,     "/metrics",                        operator_or_loopback, body::none, gives::text,   "",                                        on::session, get_metrics},
    {get,     "/openapi.json",                   open,      body::none,    gives::json,           "",                                        on::session, get_openapi},
};
// clang-format on

}  // namespace

std::span<const route> routes() noexcept {
    return table;
}

}  // namespace westerly
