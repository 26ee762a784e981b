#pragma once

#include "broker/placement/term.hpp"
#include "broker/runtime/term_host.hpp"

#include <deque>

namespace westerly {

/// The built-in terms and those of libraries in one table; whoever holds the table must not outlive this.
class term_list {
public:
    /// Loads every library once to ask for its unit. Errors: invalid, with a fault for each entry that is not usable.
    static result<std::unique_ptr<term_list>> load(term_table built_in, const broker_options& options);

    term_table all() const noexcept { return rows_; }
    struct of_library {
        std::string name;
        std::string unit, meaning;
        std::filesystem::path library;
    };
    const std::deque<of_library>& libraries() const noexcept { return libraries_; }

private:
    std::deque<of_library> libraries_;  // their texts stay where they are
    std::vector<term> rows_;
};

}  // namespace westerly
