#pragma once

#include "broker/domain/language.hpp"
#include "broker/domain/records.hpp"

namespace westerly {

/// A reason of these pieces, whose detail tells them in English.
wait_reason reason_of(std::string code, std::vector<note> pieces, currency base = currency::cny);

/// The reason in that language; in English where it has no pieces.
std::string in_words(const wait_reason& why, language spoken);

}  // namespace westerly
