#include "adapters/slurm/words/supply.hpp"

#include "adapters/slurm/words/states.hpp"

#include <algorithm>
#include <charconv>

namespace westerly {
namespace {

constexpr std::size_t offer_name_max = 128;

struct node_shape {
    std::uint32_t cpus = 0;
    std::uint64_t memory_mib = 0;
    std::uint32_t cards = 0;
    std::string architecture;
    friend auto operator<=>(const node_shape&, const node_shape&) = default;
};

std::string known_architecture(const std::string& told) {
    return told == "aarch64" ? "arm64" : told.empty() ? "x86_64" : told;
}

std::string shape_name(const node_shape& shape) {
    return std::to_string(shape.cpus) + "c-" + std::to_string((shape.memory_mib + 512) / 1024) + 'g';
}

std::string plain_name(std::string name) {
    for (char& c : name)
        if (c == ':' || c == '@' || c == '/')
            c = '-';
    name.resize(std::min(name.size(), offer_name_max));
    return name;
}

struct free_parts {
    std::uint64_t cpus = 0;
    std::uint64_t memory_mib = 0;
    std::uint64_t cards = 0;
};

free_parts free_of(const slurm_node& node, const node_shape& shape, std::string_view gres) {
    if (!node_usable(node))
        return {};
    const auto used = gres.empty() ? 0u : gres_count(node.gres_used, gres);
    return {node.cpus - std::min(node.cpus, node.cpus_used),
            node.memory_mib - std::min(node.memory_mib, node.memory_used_mib),
            shape.cards - std::min(shape.cards, used)};
}

/// How many units of this offer a node has left.
std::uint64_t units_on(const slurm_node& node, const node_shape& shape, const supply_item& item) {
    const auto left = free_of(node, shape, item.gres);
    switch (item.shown.shape.unit) {
        case offer_unit::core:
            return std::min(left.cpus, left.memory_mib / std::max<std::uint64_t>(item.shown.shape.memory_mib, 1));
        case offer_unit::card:
            return std::min({left.cards, left.cpus / item.shown.shape.vcpus,
                             left.memory_mib / std::max<std::uint64_t>(item.shown.shape.memory_mib, 1)});
        default: {
            const bool empty = left.cpus == shape.cpus && left.cards == shape.cards && node.memory_used_mib == 0;
            return empty && shape.cpus > 0 ? 1 : 0;
        }
    }
}

/// nullopt: nodes of this shape cannot be offered so.
std::optional<supply_item> item_for(const partition_config& how, const slurm_partition& partition, offer_unit unit,
                                    const node_shape& shape, const gres_facts* card) {
    supply_item item;
    item.partition = partition.name;
    item.max_minutes = partition.max_minutes;
    item.node_cpus = shape.cpus;
    item.node_memory_mib = shape.memory_mib;
    item.node_cards = shape.cards;
    offer& out = item.shown.shape;
    const bool whole = unit == offer_unit::node;
    const std::uint32_t parts = whole ? 1 : unit == offer_unit::card ? shape.cards : shape.cpus;
    if (parts == 0 || shape.cpus < parts || shape.memory_mib < parts)
        return std::nullopt;
    out.unit = unit;
    out.divisible = !whole;
    out.vcpus = shape.cpus / parts;
    out.memory_mib = shape.memory_mib / parts;
    out.architecture = known_architecture(shape.architecture);
    out.compute = how.compute;
    out.units_free = 0;
    std::string name = how.partition;
    if (card != nullptr) {
        item.gres = card->gres;
        out.accelerators = card->card;
        out.accelerators->count = whole ? shape.cards : 1;
        if (card->card.stack != "none")
            out.stacks.push_back(card->card.stack);
        name += '.' + card->gres;
    }
    if (whole)
        name += ".node";
    item.shown.site = how.site;
    item.shown.name = plain_name(name + '.' + shape_name(shape));
    return item;
}

}  // namespace

std::uint32_t gres_count(std::string_view list, std::string_view gres) {
    std::uint64_t total = 0;
    while (!list.empty()) {
        // Commas inside parentheses belong to an index list.
        std::size_t end = 0;
        for (int depth = 0; end < list.size() && (list[end] != ',' || depth > 0); ++end)
            depth += list[end] == '(' ? 1 : list[end] == ')' ? -1 : 0;
        auto item = list.substr(0, end);
        list.remove_prefix(std::min(list.size(), end + 1));
        item = item.substr(0, item.find('('));
        const auto last = item.rfind(':');
        std::uint64_t count = 0;
        if (last == std::string_view::npos)
            continue;
        const auto digits = item.substr(last + 1);
        const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), count);
        const auto name = item.substr(0, last);
        const bool same = name == gres || (gres.find(':') == std::string_view::npos && name.starts_with(gres) &&
                                           name.size() > gres.size() && name[gres.size()] == ':');
        if (read.ec == std::errc() && same)
            total += count;
    }
    return static_cast<std::uint32_t>(std::min<std::uint64_t>(total, 1024));
}

namespace {

class supply_maker {
public:
    supply_maker(const slurm_config& config, const std::vector<slurm_node>& nodes,
                 const std::map<std::string, std::uint64_t>& units_ours)
        : config_(config), nodes_(nodes), units_ours_(units_ours) {}

    void add(const partition_config& how, const slurm_partition& partition) {
        for (const auto unit : how.units) {
            if (unit == offer_unit::core || unit == offer_unit::node)
                add(how, partition, unit, nullptr);
            if (unit == offer_unit::card || unit == offer_unit::node)
                for (const auto& card : config_.accelerators)
                    add(how, partition, unit, &card);
        }
    }

    std::vector<supply_item> out;

private:
    bool has_known_cards(const slurm_node& node) const {
        return std::ranges::any_of(config_.accelerators,
                                   [&](const gres_facts& card) { return gres_count(node.gres, card.gres) > 0; });
    }

    void add(const partition_config& how, const slurm_partition& partition, offer_unit unit, const gres_facts* card) {
        std::map<node_shape, supply_item> by_shape;
        for (const auto& node : nodes_) {
            if (std::ranges::find(node.partitions, partition.name) == node.partitions.end())
                continue;
            const node_shape shape{node.cpus, node.memory_mib, card != nullptr ? gres_count(node.gres, card->gres) : 0,
                                   node.architecture};
            const bool other_unit = unit == offer_unit::node && card == nullptr && has_known_cards(node);
            if (other_unit || (card != nullptr && shape.cards == 0))
                continue;
            auto at = by_shape.find(shape);
            if (at == by_shape.end()) {
                auto item = item_for(how, partition, unit, shape, card);
                if (!item)
                    continue;
                at = by_shape.emplace(shape, std::move(*item)).first;
            }
            if (partition.up)
                *at->second.shown.shape.units_free += units_on(node, shape, at->second);
        }
        for (auto& [shape, item] : by_shape) {
            if (const auto ours = units_ours_.find(item.shown.site + '/' + item.shown.name); ours != units_ours_.end())
                item.shown.shape.units_ours = ours->second;
            out.push_back(std::move(item));
        }
    }

    const slurm_config& config_;
    const std::vector<slurm_node>& nodes_;
    const std::map<std::string, std::uint64_t>& units_ours_;
};

}  // namespace

std::vector<supply_item> supply_of(const slurm_config& config, const std::vector<slurm_node>& nodes,
                                   const std::vector<slurm_partition>& partitions,
                                   const std::map<std::string, std::uint64_t>& units_ours) {
    supply_maker make(config, nodes, units_ours);
    for (const auto& partition : partitions) {
        const auto listed = std::ranges::find(config.partitions, partition.name, &partition_config::partition);
        if (listed != config.partitions.end())
            make.add(*listed, partition);
        else if (config.partitions.empty())
            make.add({.partition = partition.name, .site = config.default_site}, partition);
    }
    std::ranges::sort(make.out, {}, [](const supply_item& item) { return item.shown.site + '/' + item.shown.name; });
    return std::move(make.out);
}

}  // namespace westerly
