#include "broker/api/asked.hpp"
#include "broker/api/handlers.hpp"

namespace westerly {

response get_workload_decision(const call& c) {
    const auto spoken = language_of(c);
    if (!spoken)
        return problem(spoken.error());
    const auto of = workload_in_path(c);
    if (!of)
        return problem(of.error());
    if (!of->last_decision)
        return problem(fail(errc::not_found, "no decision was made for this workload yet",
                            "see \"waiting\" of the workload for the reason"));
    const auto found = c.house.services.read->find_decision(*of->last_decision);
    return found ? json_response(200, to_json(*found, *spoken)) : problem(found.error());
}

result<decision> decision_in_path(const call& c) {
    const auto id = id_in_path<decision_id>(c.path[0], "decision");
    if (!id)
        return id.error();
    const auto missing = fail(errc::not_found, "there is no such decision", "check the id");
    const auto found = c.house.services.read->find_decision(*id);
    if (!found)
        return found.error().code == errc::not_found ? missing : found.error();
    // A decision has the tenant of its workload.
    if (!c.operator_asks()) {
        const auto of = c.house.services.read->find_workload(c.bound(), found->workload);
        if (!of)
            return of.error().code == errc::not_found ? missing : of.error();
    }
    return found;
}

response get_decision(const call& c) {
    const auto spoken = language_of(c);
    if (!spoken)
        return problem(spoken.error());
    const auto found = decision_in_path(c);
    return found ? json_response(200, to_json(*found, *spoken)) : problem(found.error());
}

}  // namespace westerly
