#include "broker/domain/energy.hpp"

namespace westerly {

double it_energy_kwh(double idle_w, double max_w, double units, double hours, double utilisation) noexcept {
    const double idle = std::isnan(idle_w) ? max_w : idle_w;
    const double watts = idle + utilisation * (max_w - idle);
    return watts * units * hours / 1000.0;
}

facility_energy energy_of(const power_facts& facts, double units, double hours, double utilisation) noexcept {
    return facility_of(it_energy_kwh(facts.idle_w, facts.max_w, units, hours, utilisation), facts);
}

}  // namespace westerly
