#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace westerly {

struct json_difference {
    std::string pointer;      // RFC 6901
    std::string left, right;  // as JSON, cut short; "absent" where one has nothing there
};

/// The first place, in the order of `left`, where two JSON documents differ; nullopt when they say the same.
std::optional<json_difference> first_difference(std::string_view left, std::string_view right);

}  // namespace westerly
