#pragma once

#include "broker/placement/assign.hpp"

#include <algorithm>

namespace westerly {

/// What is free of every pool in every slot while an assignment is built. `Option` is assign_option or has its members.
class assign_room {
public:
    assign_room(std::vector<std::uint32_t> free, std::uint32_t slots) : free_(std::move(free)), slots_(slots) {}

    template <class Option>
    bool fits(const Option& o, std::uint32_t start) const noexcept {
        const std::uint32_t* const cell = &free_[std::size_t{o.pool} * slots_];
        for (std::uint32_t t = start, end = until(o, start); t < end; ++t)
            if (cell[t] < o.quantity)
                return false;
        return true;
    }

    /// The first start of the window from `from` on that fits; `nothing`: none does. Later is never cheaper.
    template <class Option>
    std::uint32_t first_fit(const Option& o) const noexcept {
        const std::uint32_t* const cell = &free_[std::size_t{o.pool} * slots_];
        for (std::uint32_t start = o.first_start; start <= o.last_start; ++start) {
            std::uint32_t t = until(o, start);
            while (t > start && cell[t - 1] >= o.quantity)
                --t;
            if (t == start)
                return start;
            start = t - 1;  // the last slot that is too full: nothing that covers it fits
        }
        return nothing;
    }

    template <class Option>
    void take(const Option& o, std::uint32_t start) noexcept {
        std::uint32_t* const cell = &free_[std::size_t{o.pool} * slots_];
        for (std::uint32_t t = start, end = until(o, start); t < end; ++t)
            if (cell[t] != unlimited_capacity)
                cell[t] -= o.quantity;
    }

    template <class Option>
    void give(const Option& o, std::uint32_t start) noexcept {
        std::uint32_t* const cell = &free_[std::size_t{o.pool} * slots_];
        for (std::uint32_t t = start, end = until(o, start); t < end; ++t)
            if (cell[t] != unlimited_capacity)
                cell[t] += o.quantity;
    }

    /// Nothing more starts in this pool.
    void close(std::uint32_t pool) noexcept {
        std::fill_n(free_.begin() + static_cast<std::ptrdiff_t>(std::size_t{pool} * slots_), slots_, 0);
    }

private:
    template <class Option>
    std::uint32_t until(const Option& o, std::uint32_t start) const noexcept {
        return o.slots < slots_ - start ? start + o.slots : slots_;
    }

    std::vector<std::uint32_t> free_;
    std::uint32_t slots_;
};

}  // namespace westerly
