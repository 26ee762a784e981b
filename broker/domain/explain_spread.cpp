#include "broker/domain/explain.hpp"
#include "broker/domain/phrases.hpp"
#include "broker/domain/wording.hpp"

#include <algorithm>

namespace westerly {
namespace {

class spread_explanation {
public:
    spread_explanation(const spread_plan& made, currency base, language spoken)
        : made_(made), base_(base), spoken_(spoken), say_(phrases_of(spoken)) {}

    std::string text() {
        if (made_.parts.empty()) {
            line(made_.problem == spread_problem::term_of_library ? say(phrase::spread_library)
                 : made_.problem == spread_problem::near_least    ? say(phrase::spread_near_least)
                 : made_.problem == spread_problem::not_ranked
                     ? say(phrase::spread_not_ranked)
                     : say(phrase::spread_none, std::to_string(made_.max_sites)));
            return std::move(text_);
        }
        const std::size_t sites = made_.parts.size();
        line(sites == 1 ? say(phrase::spread_in_one)
                        : say(phrase::spread_over, std::to_string(sites), std::to_string(made_.max_sites)));
        for (const spread_part& part : made_.parts)
            line(told(part));
        line(say(phrase::spread_sums, money_of(made_.cost_base), fixed(made_.rtt_ms, 1), fixed(made_.rtt_p95_ms, 1)));
        for (const auto& [term, price] : made_.terms)
            line(say(phrase::spread_term, say_.words_of(term), money_of(price)));
        for (const note& told : made_.notes)
            line(in_words(told, base_, spoken_));
        alone();
        search();
        return std::move(text_);
    }

private:
    template <class... Words>
    std::string say(phrase what, Words&&... with) const {
        return fill(say_[what], {std::string(std::forward<Words>(with))...});
    }
    void line(const std::string& sentence) { text_ += sentence + "\n"; }
    std::string money_of(double amount) const { return in_words(amount, base_); }

    std::string told(const spread_part& part) const {
        std::vector<std::string> origins;
        for (const served_origin& from : part.serves)
            origins.push_back(say(from.overflow ? phrase::spread_serves_next : phrase::spread_serves, from.origin,
                                  fixed(from.share * 100, 1), fixed(from.rtt_ms, 1), say_.method(from.rtt_method)));
        const std::string offer = part.launchable ? part.offer : say(phrase::plan_only, part.offer);
        return say(part.egress_base > 0 ? phrase::spread_part_with_brought : phrase::spread_part, offer,
                   std::to_string(part.replicas), in_words(part.cost),
                   joined(origins, say_[phrase::between], say_[phrase::before_last]), money_of(part.cost_base));
    }

    void alone() {
        if (!made_.alone)
            return line(say(phrase::spread_alone_never));
        if (made_.parts.size() == 1)
            return;
        const unspread& one = *made_.alone;
        if (made_.keys.empty())
            line(say(phrase::spread_alone, one.offer, money_of(one.cost_base), fixed(one.rtt_ms, 1),
                     money_of(one.j - made_.j)));
        else
            line(say(phrase::spread_alone_in_order, one.offer, money_of(one.cost_base), fixed(one.rtt_ms, 1)));
    }

    void search() {
        const std::string fit = std::to_string(made_.offers_fit), weighed = std::to_string(made_.offers_weighed),
                          tried = std::to_string(made_.sets_tried);
        line(say(made_.every_set ? phrase::spread_every_set : phrase::spread_search, weighed, fit, tried));
        if (made_.j_bound)
            line(say(phrase::spread_bound, money_of(*made_.j_bound), money_of(made_.j)));
    }

    const spread_plan& made_;
    const currency base_;
    const language spoken_;
    const phrases& say_;
    std::string text_;
};

}  // namespace

std::string explain(const spread_plan& made, currency base, language spoken) {
    return spread_explanation(made, base, spoken).text();
}

}  // namespace westerly
