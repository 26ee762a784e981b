#pragma once

#include "broker/domain/offer.hpp"

#include <span>
#include <string_view>
#include <unordered_map>

namespace westerly {

/// One product of schema/facts/accelerators.json. Numbers are peaks of one card; 0 or nullopt: not known.
struct accelerator_model {
    std::string model;                 // as the table names it: "A100-80G-SXM"
    std::string family;                // what a request may name too: "A100"; may be empty
    std::vector<std::string> aliases;  // other writings of the same product
    accelerator_facts facts;           // count 0; model repeated
    std::optional<double> max_w;       // the card alone, never a node
    bool pcie_only = false;            // known to have no link to other cards but the host's
};

/// Accelerators by name. Names are compared without case, blanks, '-', '_' and the vendor before them, so that
/// "NVIDIA A100 80GB" finds what "A100-80GB" finds. Immutable once made; any thread may read it.
class accelerator_table {
public:
    accelerator_table() = default;
    explicit accelerator_table(std::vector<accelerator_model> models);

    /// The product so named. A family stands for its member with this much memory, else for its first; nullptr: none.
    const accelerator_model* find(std::string_view name, std::uint32_t memory_gib = 0) const noexcept;
    /// Whether a card that calls itself `has` is what a request means by `wanted`: the same product, or of that family.
    bool means(std::string_view wanted, const accelerator_facts& has) const noexcept;
    std::span<const accelerator_model> all() const noexcept { return models_; }

private:
    std::vector<accelerator_model> models_;                    // in the file's order
    std::unordered_map<std::string, std::uint32_t> products_;  // by plain name
    std::unordered_map<std::string, std::vector<std::uint32_t>> families_;
};

/// A card's peak at a precision, in TFLOP/s (TOP/s for int8). 0: not known, or it has none.
double peak_at(number_precision precision, const accelerator_facts& card) noexcept;

/// Fills in what the provider did not tell of a card and the table knows. What was told stays. A machine joins no more
/// cards than it has, whatever the model's servers join; a single card as the unit stands in one of those.
void complete(accelerator_facts& told, const accelerator_table& known, offer_unit unit);

}  // namespace westerly
