#include "broker/providers/line_splitter.hpp"

namespace westerly {

result<std::vector<std::string>> line_splitter::take(std::string_view bytes) {
    std::vector<std::string> lines;
    while (!bytes.empty()) {
        const auto end = bytes.find('\n');
        const auto piece = bytes.substr(0, end);
        if (rest_.size() + piece.size() > line_max_)
            return fail(errc::too_large, "a line is longer than " + std::to_string(line_max_) + " bytes");
        rest_.append(piece);
        if (end == std::string_view::npos)
            break;
        lines.push_back(std::move(rest_));
        rest_.clear();
        bytes.remove_prefix(end + 1);
    }
    return lines;
}

}  // namespace westerly
