#include "broker/engine/core.hpp"

#include <algorithm>

namespace westerly {

namespace {

/// A view names every offer: so many offers cost a second's pause before the next one.
constexpr std::size_t offers_per_publish_second = 20'000;

std::string remedy_of(const quarantine& of, const provider_id& id) {
    const std::string lift = "westerly providers uncordon " + id;
    return of.unauthorised
               ? "; renew the token or key that its provider file names and have the broker read it (SIGHUP), "
                 "or have it tried now: " +
                     lift
               : "; see what it says of these launches, mend it, and lift the quarantine: " + lift;
}

}  // namespace

seconds engine_core::publish_every() const {
    const auto for_size = seconds(static_cast<std::int64_t>(book_.size() / offers_per_publish_second));
    return std::max(options_.market_publish_every, for_size);
}

void engine_core::publish(turn& t) {
    if (!market_dirty_ || (published_at_ && t.now < *published_at_ + publish_every()) || !gather_view())
        return;
    market_dirty_ = false;
    published_at_ = t.now;
    t.calls.push_back(publish_market{view()});
}

/// The book's own offer where nothing of it is taken: most of a catalogue is copied for nobody.
std::shared_ptr<const offer> engine_core::shown(std::size_t i) const {
    const auto& known = book_.share(i);
    if (!known->units_free || *known->units_free == book_.free_units(i))
        return known;
    offer with_what_is_free = *known;
    with_what_is_free.units_free = book_.free_units(i);
    return std::make_shared<const offer>(std::move(with_what_is_free));
}

/// A piece of the view's offers; true: it has all. Of a long book what comes first is older than what comes last, by
/// some milliseconds.
bool engine_core::gather_view() {
    gathering& of = view_offers_;
    if (of.next == 0 || of.layout != book_.layout()) {
        of = {.layout = book_.layout()};
        of.offers.reserve(book_.size());
    }
    const std::size_t end = std::min(of.next + gathered_per_input, book_.size());
    for (; of.next < end; ++of.next)
        of.offers.push_back(shown(of.next));
    return of.next == book_.size();
}

std::shared_ptr<const market_view> engine_core::view() {
    auto out = std::make_shared<market_view>();
    out->book_version = book_.version();
    out->offers = offer_list(std::move(view_offers_.offers));
    view_offers_ = {};
    for (const auto& [id, at] : providers_) {
        if (!at.config)
            continue;
        out->provider_configs.push_back(*at.config);
        out->provider_configs.back().cordoned = cordoned(*at.config);
        out->providers.push_back(at.health);
        if (const auto& why = at.gate.distrusted()) {
            out->quarantines.push_back(*why);
            out->quarantines.back().provider = id;
            out->quarantines.back().why += remedy_of(*why, id);
        }
    }
    for (const auto& [name, rule] : policies_)
        out->policies.push_back(rule);
    out->rates = rates_;
    out->signals = signals_.statuses(last_now_);
    out->certificates = certificates_.statuses();
    for (const auto& [name, known] : orphans_)
        out->orphans.push_back(known.thing);
    out->sweeping = sweeping_;
    out->counts = counts_;
    return out;
}

}  // namespace westerly
