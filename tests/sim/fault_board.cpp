#include "tests/sim/fault_board.hpp"

namespace westerly::sim {

namespace {

constexpr std::uint64_t first_fault_actor = 1000;

bool covers(const planned_fault& fault, milliseconds at) {
    return fault.from <= at && at < fault.until;
}

}  // namespace

fault_board::fault_board(const plan& of, const clock_queue& time)
    : time_(time), begun_at_(time.now), of_provider_(of.providers.size()) {
    for (const auto& each : of.faults)
        if (!strikes_broker(each.kind))
            of_provider_.at(each.provider)[static_cast<std::size_t>(each.kind)].push_back(
                {each, dice(of.seed, first_fault_actor + each.number)});
}

bool fault_board::strikes(fault_kind kind, std::size_t provider) {
    for (auto& each : of_provider_[provider][static_cast<std::size_t>(kind)])
        if (covers(each.fault, since_begin()) && each.chance.one_in(each.fault.chance))
            return true;
    return false;
}

bool fault_board::under_way(fault_kind kind, std::size_t provider) const {
    for (const auto& each : of_provider_[provider][static_cast<std::size_t>(kind)])
        if (covers(each.fault, since_begin()))
            return true;
    return false;
}

}  // namespace westerly::sim
