#pragma once

#include "broker/api/house.hpp"

namespace westerly {

// Every handler, by the file that holds it; routes.cpp says where each is served.

// workloads.cpp
void submit_one(const call& c, responder answer);
response list_workloads(const call& c);
response get_workload(const call& c);
void cancel_one(const call& c, responder answer);
void give_up_one(const call& c, responder answer);
void retry_one(const call& c, responder answer);

response get_workload_events(const call& c);  // events.cpp
response get_events(const call& c);
void get_logs(const call& c, responder answer);    // logs.cpp
void list_files(const call& c, responder answer);  // files.cpp
void get_file(const call& c, responder answer);
response list_attempts(const call& c);          // attempts.cpp
response get_workload_decision(const call& c);  // decisions.cpp
response get_decision(const call& c);
response list_decisions(const call& c);  // replays.cpp
response replay_decision(const call& c);
response compare_policies(const call& c);
void make_plan(const call& c, responder answer);  // plans.cpp
response list_offers(const call& c);              // offers.cpp
response get_offer_history(const call& c);
response list_signals(const call& c);       // signals.cpp
response list_certificates(const call& c);  // green_certificates.cpp

// providers.cpp
response list_providers(const call& c);
response get_provider(const call& c);
void probe_provider(const call& c, responder answer);
void cordon_one(const call& c, responder answer);
void uncordon_one(const call& c, responder answer);
response refuse_provider_change(const call& c);

response list_policies(const call& c);  // policies.cpp
response get_policy(const call& c);
response refuse_policy_change(const call& c);
response list_usage(const call& c);                   // usage.cpp
response list_charges(const call& c);                 // charges.cpp
void correct_usage(const call& c, responder answer);  // carbon_corrections.cpp
response keep_bundle(const call& c);                  // bundles.cpp

response list_tenants(const call& c);  // tenants.cpp
void make_tenant(const call& c, responder answer);
response list_keys(const call& c);  // keys.cpp
void make_key(const call& c, responder answer);
void end_key(const call& c, responder answer);
response get_whoami(const call& c);

response list_orphans(const call& c);  // upkeep.cpp
void confirm_sweeping(const call& c, responder answer);
response make_backup(const call& c);

response get_healthz(const call& c);  // health.cpp
response get_readyz(const call& c);
response get_metrics(const call& c);
response get_openapi(const call& c);

}  // namespace westerly
