#include "tests/property/oracle_fit.hpp"

#include <algorithm>
#include <cmath>

namespace westerly::laws {

bool fit_of_one::has_version(const variant& v) const {
    const auto parts = [](std::string text) {
        std::vector<int> all;
        for (std::size_t at = 0; at != std::string::npos;) {
            all.push_back(std::stoi(text.substr(at)));
            at = text.find('.', at);
            at += at == std::string::npos ? 0 : 1;
        }
        all.resize(4);
        return all;
    };
    if (!v.driver_version.empty() &&
        (o_.software.driver_version.empty() || parts(o_.software.driver_version) < parts("550")))
        return false;  // worlds ask for ">=550" only
    if (v.stack_version.empty())
        return true;  // and of stacks for ">=12.1,<13"
    for (const auto& [stack, version] : o_.software.stack_versions)
        if (stack == v.stack)
            return parts(version) >= parts("12.1") && parts(version) < parts("13");
    return false;
}

bool fit_of_one::cards_meet(const accelerator_need& n) const {
    if (!o_.accelerators)
        return false;
    const auto& a = *o_.accelerators;
    return (n.model == "" || w_.accelerators.means(n.model, a)) && (n.stack == "" || a.stack == n.stack) &&
           !(a.memory_gib < n.min_memory_gib) && !(a.fp16_tflops < n.min_fp16_tflops) &&
           !(a.interconnect_gb_s < n.min_interconnect_gb_s) &&
           (n.fit == accelerator_fit::any || (n.fit == accelerator_fit::training ? a.training : a.inference));
}

double fit_of_one::units_with(std::uint32_t cards) const {
    const std::uint32_t has = o_.accelerators ? o_.accelerators->count : 0;
    const auto holds = [&](std::uint64_t tasks, std::uint64_t units) {
        return tasks * s_.resources.vcpus <= units * o_.vcpus &&
               tasks * s_.resources.memory_mib <= units * o_.memory_mib &&
               tasks * s_.resources.disk_mib <= units * o_.disk_mib && tasks * cards <= units * std::uint64_t{has};
    };
    if (holds(1, 1)) {
        std::uint64_t each = 1;
        while (each < s_.tasks && holds(each + 1, 1))
            ++each;
        return std::ceil(static_cast<double>(s_.tasks) / static_cast<double>(each));
    }
    if (!o_.divisible)
        return 0;
    for (std::uint64_t units = 2; units < 100'000; ++units)
        if (holds(1, units))
            return static_cast<double>(units * s_.tasks);
    return 0;
}

bool fit_of_one::precise() const {
    const auto& a = o_.accelerators;
    if (!s_.resources.precision)
        return true;
    switch (*s_.resources.precision) {
        case number_precision::fp64:
            return a && a->fp64_tflops > 0;
        case number_precision::fp16:
            return a && a->fp16_tflops > 0;
        default:
            return a && a->bf16_tflops > 0;  // worlds ask for no others
    }
}

bool fit_of_one::any_card_fits() const {
    return s_.resources.accelerators.empty() ||
           std::any_of(s_.resources.accelerators.begin(), s_.resources.accelerators.end(),
                       [&](const auto& n) { return cards_meet(n); });
}

std::size_t fit_of_one::preference() const {
    const auto& wanted = s_.resources.accelerators;
    std::size_t i = 0;
    while (i < wanted.size() && !(cards_meet(wanted[i]) && units_with(wanted[i].count) > 0))
        ++i;
    return i;
}

double fit_of_one::units() const {
    const double taken = units_taken();
    return taken > 0 ? std::max(static_cast<double>(o_.supply.minimum_units), taken) : 0;
}

double fit_of_one::units_taken() const {
    if (s_.resources.accelerators.empty())
        return units_with(0);
    for (const auto& n : s_.resources.accelerators)
        if (cards_meet(n) && units_with(n.count) > 0)
            return units_with(n.count);
    return 0;
}

std::uint64_t fit_of_one::cards() const {
    for (const auto& n : s_.resources.accelerators)
        if (cards_meet(n) && units_with(n.count) > 0)
            return std::uint64_t{n.count} * s_.tasks;
    return 0;
}

}  // namespace westerly::laws
