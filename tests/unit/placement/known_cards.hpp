#pragma once

#include "broker/codec/facts_json.hpp"
#include "broker/domain/accelerator.hpp"
#include "broker/support/files.hpp"

namespace westerly {

/// The table of cards that the product ships.
inline const accelerator_table& known_cards() {
    static const accelerator_table known = [] {
        const auto text = read_file(std::string(WESTERLY_SOURCE_DIR) + "/schema/facts/accelerators.json", 1 << 20);
        auto models = decode_accelerators(text.value());
        return accelerator_table(std::move(models.value()));
    }();
    return known;
}

}  // namespace westerly
