#include "broker/domain/accelerator.hpp"

#include <algorithm>

namespace westerly {
namespace {

constexpr std::string_view vendors[] = {"nvidia", "amd",       "google",  "huawei",   "cambricon",    "kunlunxin",
                                        "hygon",  "biren",     "enflame", "iluvatar", "moorethreads", "metax",
                                        "baidu",  "microsoft", "tesla",   "hisilicon"};

/// A name without what sources write differently.
std::string plain(std::string_view name) {
    std::string text;
    for (const char c : name)
        if (c != ' ' && c != '-' && c != '_')
            text += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    for (const auto vendor : vendors)
        if (text.size() > vendor.size() && text.starts_with(vendor))
            return text.substr(vendor.size());
    return text;
}

template <class T>
void fill(T& told, const T& known) {
    if (told == T{})
        told = known;
}

}  // namespace

accelerator_table::accelerator_table(std::vector<accelerator_model> models) : models_(std::move(models)) {
    for (std::uint32_t i = 0; i < models_.size(); ++i) {
        const accelerator_model& each = models_[i];
        products_.emplace(plain(each.model), i);
        for (const auto& alias : each.aliases)
            products_.emplace(plain(alias), i);
        if (!each.family.empty())
            families_[plain(each.family)].push_back(i);
    }
}

const accelerator_model* accelerator_table::find(std::string_view name, std::uint32_t memory_gib) const noexcept {
    const std::string wanted = plain(name);
    if (const auto product = products_.find(wanted); product != products_.end())
        return &models_[product->second];
    const auto family = families_.find(wanted);
    if (family == families_.end())
        return nullptr;
    const auto& members = family->second;
    const auto fits = std::ranges::find(members, memory_gib, [&](auto i) { return models_[i].facts.memory_gib; });
    return &models_[fits == members.end() ? members.front() : *fits];
}

bool accelerator_table::means(std::string_view wanted, const accelerator_facts& has) const noexcept {
    if (wanted == has.model)
        return true;
    const accelerator_model* const it = find(has.model, has.memory_gib);
    if (!it)
        return plain(wanted) == plain(has.model);
    const std::string name = plain(wanted);
    if (const auto product = products_.find(name); product != products_.end())
        return it == &models_[product->second];
    return !it->family.empty() && name == plain(it->family);
}

double peak_at(number_precision precision, const accelerator_facts& card) noexcept {
    switch (precision) {
        case number_precision::fp64:
            return card.fp64_tflops;
        case number_precision::fp32:
            return card.fp32_tflops;
        case number_precision::fp16:
            return card.fp16_tflops;
        case number_precision::bf16:
            return card.bf16_tflops;
        case number_precision::fp8:
            return card.fp8_tflops;
        case number_precision::int8:
            return card.int8_tops;
    }
    return 0;
}

void complete(accelerator_facts& told, const accelerator_table& known, offer_unit unit) {
    const accelerator_model* const it = known.find(told.model, told.memory_gib);
    if (!it)
        return;
    fill(told.memory_gib, it->facts.memory_gib);
    fill(told.fp16_tflops, it->facts.fp16_tflops);
    fill(told.fp64_tflops, it->facts.fp64_tflops);
    fill(told.fp32_tflops, it->facts.fp32_tflops);
    fill(told.bf16_tflops, it->facts.bf16_tflops);
    fill(told.fp8_tflops, it->facts.fp8_tflops);
    fill(told.int8_tops, it->facts.int8_tops);
    fill(told.memory_gb_s, it->facts.memory_gb_s);
    fill(told.interconnect_gb_s, it->facts.interconnect_gb_s);
    fill(told.host_link_gb_s, it->facts.host_link_gb_s);
    const bool machine = unit == offer_unit::instance || unit == offer_unit::node;
    fill(told.scale_up_cards, machine ? std::min(it->facts.scale_up_cards, told.count) : it->facts.scale_up_cards);
    fill(told.scale_out_gb_s, it->facts.scale_out_gb_s);
    fill(told.training_speed, it->facts.training_speed);
    fill(told.stack, it->facts.stack);
    told.training |= it->facts.training;
    told.inference |= it->facts.inference;
}

}  // namespace westerly
