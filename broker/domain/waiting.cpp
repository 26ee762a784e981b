#include "broker/domain/waiting.hpp"

#include "broker/domain/explain.hpp"

namespace westerly {
namespace {

std::string told(const std::vector<note>& pieces, currency base, language spoken) {
    std::string text;
    for (const note& each : pieces)
        text += (text.empty() || spoken == language::zh ? "" : " ") + in_words(each, base, spoken);
    return text;
}

}  // namespace

wait_reason reason_of(std::string code, std::vector<note> pieces, currency base) {
    wait_reason made{.code = std::move(code), .detail = {}, .pieces = std::move(pieces), .base = base};
    made.detail = told(made.pieces, base, language::en);
    return made;
}

std::string in_words(const wait_reason& why, language spoken) {
    return spoken == language::en || why.pieces.empty() ? why.detail : told(why.pieces, why.base, spoken);
}

}  // namespace westerly
