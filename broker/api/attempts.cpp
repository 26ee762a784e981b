#include "broker/api/asked.hpp"
#include "broker/api/handlers.hpp"

namespace westerly {

response list_attempts(const call& c) {
    const auto of = workload_in_path(c);
    if (!of)
        return problem(of.error());
    const auto found = c.house.services.read->attempts_of(of->id);
    if (!found)
        return problem(found.error());
    return list_response(*found, "");
}

}  // namespace westerly
