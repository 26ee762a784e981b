#include "tests/sim/minimise.hpp"

namespace westerly::sim {

namespace {

bool breaks(const plan& candidate, const std::string& law) {
    world history(candidate);
    history.run();
    return !history.faults.empty() && law_of(history.faults.front()) == law;
}

/// Delta debugging over one of the plan's lists; true when anything could be left out.
template <class List>
bool shrink(plan& failing, List plan::*list, const std::string& law, std::size_t& runs) {
    bool any = false;
    for (std::size_t lot = std::max<std::size_t>((failing.*list).size() / 2, 1); lot != 0; lot /= 2)
        for (std::size_t at = 0; at < (failing.*list).size() && runs != 0;) {
            plan smaller = failing;
            auto& items = smaller.*list;
            const auto first = items.begin() + static_cast<std::ptrdiff_t>(at);
            const auto end = std::min(at + lot, items.size());
            items.erase(first, items.begin() + static_cast<std::ptrdiff_t>(end));
            --runs;
            if (breaks(smaller, law)) {
                failing = std::move(smaller);
                any = true;
            } else {
                at += lot;
            }
        }
    return any;
}

}  // namespace

std::string law_of(const std::string& fault) {
    return fault.substr(0, fault.find_first_of("(:", 3));
}

plan minimise(plan failing, const std::string& law, std::size_t runs_max) {
    auto runs = runs_max;
    bool again = true;
    while (again && runs != 0) {
        again = shrink(failing, &plan::faults, law, runs);
        again = shrink(failing, &plan::workloads, law, runs) || again;
    }
    return failing;
}

}  // namespace westerly::sim
