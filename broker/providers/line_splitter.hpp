#pragma once

#include "broker/support/result.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace westerly {

/// Cuts a byte stream into lines. Pure; one thread.
class line_splitter {
public:
    /// `line_max` is the longest line in bytes, without its newline.
    explicit line_splitter(std::size_t line_max) : line_max_(line_max) {}

    /// The lines that `bytes` completes, without newlines; the rest is kept. Errors: too_large, when a line passes
    /// line_max; the stream is then of no further use.
    result<std::vector<std::string>> take(std::string_view bytes);

    /// The unfinished line.
    const std::string& rest() const noexcept { return rest_; }

private:
    std::size_t line_max_;
    std::string rest_;
};

}  // namespace westerly
