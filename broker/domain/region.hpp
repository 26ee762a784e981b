#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace westerly {

/// Where a region lies, for RTT estimates (schema/facts/regions.json). Lists of these are sorted by `region`.
struct region_place {
    std::string region;
    double latitude = 0;   // degrees, -90..90
    double longitude = 0;  // degrees, -180..180
    friend bool operator==(const region_place&, const region_place&) = default;
};

/// Whether the list has it.
bool knows_region(std::span<const region_place> places, std::string_view region) noexcept;

/// Which known region (or other such name) somebody meant who wrote `meant`: the one with the fewest typos, at most
/// two; ties by name.
class nearest_region {
public:
    explicit nearest_region(std::string_view meant) : meant_(meant) {}
    void look_at(std::string_view known);
    /// "": none is near.
    const std::string& found() const noexcept { return found_; }

private:
    std::string_view meant_;
    std::size_t typos_ = 0;
    std::string found_;
};

}  // namespace westerly
