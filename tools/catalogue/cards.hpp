#pragma once

#include "tools/catalogue/facts.hpp"
#include "tools/catalogue/findings.hpp"
#include "tools/catalogue/price_row.hpp"

namespace westerly {

/// The accelerators of a row as an offer tells them.
struct row_cards {
    std::string model, stack;
    std::uint32_t count = 0, memory_gib = 0;
    bool training = false, inference = false;
};

/// Looks a row's accelerators up among the facts; `note` hears what had to be decided. False: the row gives no offer.
class card_reader {
public:
    explicit card_reader(std::vector<known_accelerator> facts) : facts_(std::move(facts)) {}

    template <class Note>
    bool read(const price_row& row, row_cards& into, Note note) const {
        std::vector<std::pair<finding_kind, std::string>> notes;
        const bool good = read_into(row, into, notes);
        for (auto& [kind, detail] : notes)
            note(kind, std::move(detail));
        return good;
    }

private:
    using notes_list = std::vector<std::pair<finding_kind, std::string>>;
    bool read_into(const price_row& row, row_cards& into, notes_list& notes) const;
    const known_accelerator* find(std::string_view name) const;

    std::vector<known_accelerator> facts_;
};

}  // namespace westerly
