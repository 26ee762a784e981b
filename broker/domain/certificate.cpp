#include "broker/domain/certificate.hpp"

#include <algorithm>

namespace westerly {
namespace {

constexpr double microkwh_per_kwh = 1e6;

instant next_month(instant at) {
    return std::chrono::sys_days((month_of(at) + std::chrono::months(1)) / 1);
}

}  // namespace

std::chrono::year_month month_of(instant at) noexcept {
    const std::chrono::year_month_day day(std::chrono::floor<std::chrono::days>(at));
    return day.year() / day.month();
}

bool periods_match(matching_period period, instant generated, instant used) noexcept {
    const auto made = month_of(generated), in = month_of(used);
    return period == matching_period::year ? made.year() == in.year() : made == in;
}

std::vector<monthly_use> by_month(instant from, instant to, std::int64_t microkwh) {
    std::vector<monthly_use> all;
    const instant begin = from;
    const auto length = static_cast<long double>((to - begin).count());
    std::int64_t before = 0;
    while (from < to) {
        const instant end = std::min(next_month(from), to);
        const auto until = end == to
                               ? microkwh
                               : static_cast<std::int64_t>(static_cast<long double>(microkwh) *
                                                           static_cast<long double>((end - begin).count()) / length);
        all.push_back({from, end, until - before});
        before = until;
        from = end;
    }
    return all;
}

power_covered cover(std::span<const allocable_power> there, std::string_view grid, instant from, instant to,
                    std::int64_t microkwh, instant given_at) {
    struct part_left {
        std::size_t index;
        std::int64_t microkwh;
    };
    std::vector<part_left> fitting;
    for (std::size_t i = 0; i < there.size(); ++i)
        if (there[i].grid == grid && given_at < there[i].expires_at)
            fitting.push_back({i, there[i].microkwh});
    power_covered made;
    if (fitting.empty())
        return made;
    for (monthly_use& part : by_month(from, to, microkwh))
        for (part_left& left : fitting) {
            const allocable_power& of = there[left.index];
            if (!periods_match(of.period, of.generated_from, part.from))
                continue;
            const std::int64_t take = std::min(part.microkwh, left.microkwh);
            part.microkwh -= take;
            left.microkwh -= take;
            made.microkwh += take;
            made.carbon_kg += static_cast<double>(take) / microkwh_per_kwh * of.contract_g_per_kwh / 1000.0;
        }
    for (const part_left& left : fitting)
        if (left.microkwh < there[left.index].microkwh)
            made.taken_from.push_back(left.index);
    return made;
}

}  // namespace westerly
