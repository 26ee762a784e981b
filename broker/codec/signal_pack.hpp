#pragma once

#include "broker/domain/history.hpp"

#include <string>
#include <string_view>

namespace westerly {

// The store's forms of what feeds told of signals, and of what libraries of terms said; packing.hpp says how. All are
// compressed. Errors of all readers: internal (damaged).

std::string pack_signals(const signal_list& all);
result<signal_list> unpack_signals(std::string_view packed);

/// `now` by what differs from `before`: a word of a feed mostly adds some hours and drops some.
std::string pack_signal_change(const signal_list& before, const signal_list& now);
result<signal_list> unpack_signal_change(std::string_view packed, const signal_list& before);

std::string pack_terms(const std::vector<foreign_runs>& said);
result<std::vector<foreign_runs>> unpack_terms(std::string_view packed);

}  // namespace westerly
