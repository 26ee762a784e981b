#include "tools/catalogue/cards.hpp"

#include "broker/codec/shapes.hpp"
#include "broker/domain/money.hpp"

#include <algorithm>

namespace westerly {
namespace {

constexpr nanos one = 1'000'000'000;
constexpr nanos cards_max = 1024 * one;
constexpr nanos card_memory_max = 4096 * 16 * one;  // of up to sixteen cards together

std::string told(nanos value) {
    auto text = format_nanos(value);
    text.erase(text.find_last_not_of('0') + 1);
    if (text.ends_with('.'))
        text.pop_back();
    return text;
}

/// The variant that so much memory stands for: drivers keep some of a card to themselves, and GB are not GiB.
std::optional<std::uint32_t> variant_near(const known_accelerator& model, nanos memory) {
    constexpr nanos share = 14;  // within a fourteenth, 7 %
    for (const auto gib : model.memory_gib)
        if (const nanos sold = static_cast<nanos>(gib) * one;
            memory <= sold + sold / share && memory >= sold - sold / share)
            return gib;
    return std::nullopt;
}

std::string model_name(std::string_view text) {
    std::string name(text.substr(0, 63));
    for (char& c : name)
        if (!is_model_name(std::string{'a', c}))
            c = '-';
    return is_model_name(name) ? name : "x" + name.substr(0, 62);
}

}  // namespace

const known_accelerator* card_reader::find(std::string_view name) const {
    // A name of its own before a model's: "A100-80GB" is the A100 with 80 GiB only.
    for (const auto& each : facts_)
        if (std::ranges::find(each.names, name) != each.names.end())
            return &each;
    const auto model = std::ranges::find(facts_, name, &known_accelerator::model);
    return model == facts_.end() ? nullptr : &*model;
}

bool card_reader::read_into(const price_row& row, row_cards& into, notes_list& notes) const {
    const nanos count = row.cards.value_or(one);
    if (count % one != 0 || count == 0) {
        notes.emplace_back(finding_kind::fractional_cards, told(count) + " x " + row.accelerator);
        return false;
    }
    const nanos memory = row.card_memory_gib.value_or(0);
    if (count > cards_max || memory > card_memory_max) {
        notes.emplace_back(finding_kind::bad_number, told(count) + " cards of " + told(memory) + " GiB");
        return false;
    }
    into.count = static_cast<std::uint32_t>(count / one);
    const auto* known = find(row.accelerator);
    into.model = known ? known->model : model_name(row.accelerator);
    into.stack = known ? known->stack : "unknown";
    into.training = known && known->training;
    into.inference = known && known->inference;
    if (!known)
        notes.emplace_back(finding_kind::accelerator_unknown, row.accelerator);
    else if (known->model != row.accelerator)
        notes.emplace_back(finding_kind::accelerator_renamed, row.accelerator + " is " + known->model);

    if (memory == 0 && !known) {
        notes.emplace_back(finding_kind::card_memory_unknown, row.accelerator);
        return false;
    }
    const auto says = [&] {
        return row.accelerator + ": " + told(memory) + " GiB told";
    };
    if (memory == 0) {
        into.memory_gib = known->memory_gib.front();
        notes.emplace_back(finding_kind::card_memory_filled,
                           row.accelerator + ": " + std::to_string(into.memory_gib) + " GiB");
    } else if (const auto near = known ? variant_near(*known, memory) : std::nullopt) {
        into.memory_gib = *near;
        if (static_cast<nanos>(*near) * one != memory)
            notes.emplace_back(finding_kind::card_memory_rounded, says() + ", " + std::to_string(*near) + " taken");
    } else if (const auto each = known && into.count > 1 ? variant_near(*known, memory / into.count) : std::nullopt) {
        into.memory_gib = *each;
        notes.emplace_back(finding_kind::card_memory_of_all, says() + " for " + std::to_string(into.count) +
                                                                 " cards, " + std::to_string(*each) + " each");
    } else {
        into.memory_gib = static_cast<std::uint32_t>(std::clamp<nanos>(memory / one, 1, 4096));
        if (known || memory % one != 0)
            notes.emplace_back(finding_kind::card_memory_odd,
                               says() + ", " + std::to_string(into.memory_gib) + " taken");
    }
    return true;
}

}  // namespace westerly
