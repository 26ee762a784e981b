#include "tools/westerly/screen/decision_chart.hpp"

#include "broker/domain/phrases.hpp"
#include "broker/domain/wording.hpp"
#include "broker/support/time.hpp"
#include "tools/westerly/screen/decision_words.hpp"

#include <cmath>

namespace westerly {
namespace {

struct ranked_list {
    const json_value& decision;
    std::size_t size() const {
        const auto* all = value_at(decision, "ranked");
        return all != nullptr && all->IsArray() ? all->Size() : 0;
    }
    const json_value& operator[](std::size_t i) const {
        return (*value_at(decision, "ranked"))[static_cast<rapidjson::SizeType>(i)];
    }
};

std::size_t length_of(const json_value& v, std::string_view path) {
    const auto* list = value_at(v, path);
    return list != nullptr && list->IsArray() ? list->Size() : 0;
}

double key_of(const json_value& offer, std::size_t k) {
    return number_at(offer, "keys." + std::to_string(k), NAN);
}

std::string rounded(double value) {
    return std::isnan(value) ? "-" : fixed(value, std::fabs(value) >= 1000 ? 0 : std::fabs(value) >= 10 ? 2 : 4);
}

/// How long after the decision, in a unit that suits: "45 s", "12 min", "2.0 h", "3.2 d".
std::string finish_of(const json_value& decision, const json_value& offer) {
    const auto decided = parse_rfc3339(text_at(decision, "decided_at"));
    const auto finish = parse_rfc3339(text_at(offer, "finish_at"));
    if (!decided || !finish)
        return "-";
    const double s = std::chrono::duration<double>(*finish - *decided).count();
    if (s < 120)
        return fixed(s, 0) + " s";
    if (s < 2 * 3600)
        return fixed(s / 60, 0) + " min";
    return s < 48 * 3600 ? fixed(s / 3600, 1) + " h" : fixed(s / 86400, 1) + " d";
}

std::vector<std::string> figures_of(const json_value& decision, const json_value& offer, std::string_view money) {
    const double rtt = number_at(offer, "rtt_ms", NAN);
    return {rounded(number_at(offer, money, NAN)), carbon_at(offer, "carbon_kg"),
            std::isnan(rtt) ? "-" : fixed(rtt, 0) + " ms", finish_of(decision, offer)};
}

std::vector<std::string> headings_of(const decision_words& words, const std::string& currency) {
    std::vector<std::string> headings = words.figure_headings;
    for (auto& heading : headings)
        heading = fill(heading, {currency});
    return headings;
}

std::string label_of(const json_value& offer, std::size_t i) {
    return std::to_string(i + 1) + " " + text_at(offer, "offer");
}

bar_chart priced(const json_value& decision, const ranked_list& ranked, language spoken) {
    const decision_words& words = decision_words_of(spoken);
    const phrases& say = phrases_of(spoken);
    const std::string currency = text_at(decision, "exchange_rates.base");
    const std::size_t terms = length_of(ranked[0], "terms");
    bar_chart chart;
    chart.title = fill(terms > 0 ? words.bars_of_terms : words.bars_of_cost, {currency});
    chart.headings = headings_of(words, currency);
    chart.parts.emplace_back(say.words_of("cost"));
    for (std::size_t t = 0; t < terms; ++t)
        chart.parts.emplace_back(say.words_of(text_at(ranked[0], "terms." + std::to_string(t) + ".term")));
    for (std::size_t i = 0; i < ranked.size(); ++i) {
        std::vector<double> parts{number_at(ranked[i], "cost_base", NAN)};
        for (std::size_t t = 0; t < terms; ++t)
            parts.push_back(number_at(ranked[i], "terms." + std::to_string(t) + ".amount", NAN));
        chart.rows.push_back({label_of(ranked[i], i), std::move(parts), figures_of(decision, ranked[i], "j")});
    }
    return chart;
}

/// The first key that tells any two of them apart.
std::size_t telling_key(const ranked_list& ranked, std::size_t keys) {
    for (std::size_t k = 0; k < keys; ++k)
        for (std::size_t i = 1; i < ranked.size(); ++i)
            if (key_of(ranked[i], k) != key_of(ranked[0], k))
                return k;
    return 0;
}

bar_chart ordered(const json_value& decision, const ranked_list& ranked, std::size_t keys, language spoken) {
    const decision_words& words = decision_words_of(spoken);
    const phrases& say = phrases_of(spoken);
    const std::string currency = text_at(decision, "exchange_rates.base");
    const std::size_t drawn = telling_key(ranked, keys);
    const auto key = [&](std::size_t k, const char* field) {
        return text_at(decision, "ranked_by." + std::to_string(k) + "." + field);
    };
    std::vector<std::string> names;
    for (std::size_t k = 0; k < keys; ++k)
        names.emplace_back(say.words_of(key(k, "term")));
    const std::string unit = key(drawn, "term") == "cost" ? currency : key(drawn, "unit");
    // A key counts steps where the policy has them.
    const double step = number_at(decision, "ranked_by." + std::to_string(drawn) + ".step", 0);

    bar_chart chart;
    chart.title = fill(words.bars_of_key, {joined(names, say[phrase::between_keys], say[phrase::between_keys]),
                                           std::to_string(drawn + 1), names[drawn], unit});
    chart.parts = {names[drawn]};
    chart.headings = headings_of(words, currency);
    chart.headings.insert(chart.headings.begin(), unit);
    for (std::size_t i = 0; i < ranked.size(); ++i) {
        const double quantity = key_of(ranked[i], drawn) * (step > 0 ? step : 1);
        auto figures = figures_of(decision, ranked[i], "cost_base");
        figures.insert(figures.begin(), rounded(quantity));
        chart.rows.push_back({label_of(ranked[i], i), {quantity}, std::move(figures)});
    }
    return chart;
}

}  // namespace

std::optional<bar_chart> chart_of(const json_value& decision, language spoken) {
    const ranked_list ranked{decision};
    if (ranked.size() == 0)
        return std::nullopt;
    const std::size_t keys = std::min(length_of(ranked[0], "keys"), length_of(decision, "ranked_by"));
    return keys > 0 ? ordered(decision, ranked, keys, spoken) : priced(decision, ranked, spoken);
}

}  // namespace westerly
