// What providers offer, taken over a piece at a time: who asks for a decision never waits behind a long list.
#include "broker/domain/accelerator.hpp"
#include "broker/engine/core.hpp"

#include <algorithm>

namespace westerly {

namespace {

/// Offers that are compared with what the book has in one input, and in one piece.
constexpr std::size_t compared_per_input = 512;
constexpr std::size_t piece = 256;

/// The offer with what the facts know of its accelerators; the same object where they add nothing.
offer_list::shared completed(const offer_list::shared& told, const accelerator_table& facts) {
    if (!told->accelerators)
        return told;
    auto with_facts = *told->accelerators;
    complete(with_facts, facts, told->unit);
    if (with_facts == *told->accelerators)
        return told;
    offer made = *told;
    made.accelerators = std::move(with_facts);
    return std::make_shared<const offer>(std::move(made));
}

}  // namespace

void engine_core::on(turn& t, const offers_received& in) {
    const auto at = providers_.find(in.provider);
    if (at == providers_.end() || !at->second.config)
        return;
    if (!at->second.offers_seen)
        book_.reserve(in.offers.size());
    refresh& list = refreshes_[in.provider];
    t.spent.push_back(std::exchange(list.offers, in.offers));
    list.next = 0;
    refresh_offers(t);
}

/// As much of what was received as one input may cost; the next ones go on.
void engine_core::refresh_offers(turn& t) {
    if (!wholes_.empty())
        return gather_whole(t);
    std::size_t compared = 0;
    while (!refreshes_.empty() && wholes_.empty() && compared < compared_per_input)
        compared += refresh_piece(t, refreshes_.begin()->first, refreshes_.begin()->second);
}

/// The next piece of a provider's list; how many offers were compared.
std::size_t engine_core::refresh_piece(turn& t, const provider_id& provider, refresh& list) {
    const auto& told = list.offers.all();
    const std::size_t end = std::min(list.next + piece, told.size());
    const auto id_of = [](const offer_list::shared& one) -> const offer_id& {
        return one->id;
    };
    const auto begin = told.begin() + static_cast<std::ptrdiff_t>(list.next > 0 ? list.next - 1 : 0);
    if (!std::is_sorted(begin, told.begin() + static_cast<std::ptrdiff_t>(end),
                        [&](const auto& a, const auto& b) { return id_of(a) < id_of(b); })) {
        list = {list.offers.sorted(), 0};  // adapters' lists come sorted; one that does not starts anew
        return piece;
    }
    std::vector<offer_list::shared> now;
    for (std::size_t i = list.next; i < end; ++i)
        now.push_back(completed(told[i], options_.accelerators));
    const bool last = end == told.size();
    const auto made = book_.replace_part(provider, now, list.next > 0 ? &told[list.next - 1]->id : nullptr,
                                         last ? nullptr : &told[end - 1]->id);
    remember_offers(t, provider, made, told.size());
    if (made.anything() || made.redated || made.trusted)
        market_dirty_ = true;
    // Where only dates differ, nobody who waits need be tried again, unless time had taken offers out of use.
    if (made.anything() || made.trusted || made.lapsed_at <= t.now)
        room_.wake(wake_on_offers | wake_on_capacity);
    list.next = end;
    if (last) {
        if (const auto at = providers_.find(provider); at != providers_.end())
            at->second.offers_seen = true;
        remember_confirmation(provider, list.offers);
        t.spent.push_back(std::move(list.offers));
        refreshes_.erase(provider);  // `list` is gone
    } else {
        remember_part(provider, told[0]->as_of, told[end - 1]->id);
    }
    return made.compared + made.changed.size() + made.gone.size() + 1;
}

}  // namespace westerly
