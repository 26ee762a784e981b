#include "broker/codec/difference.hpp"

#include "broker/codec/reader.hpp"

namespace westerly {
namespace {

constexpr std::size_t document_bytes_max = 64 << 20;
constexpr std::size_t shown_bytes_max = 200;

std::string shown(const json_value* v) {
    if (v == nullptr)
        return "absent";
    rapidjson::StringBuffer buffer;
    json_writer out(buffer);
    v->Accept(out);
    std::string text(buffer.GetString(), buffer.GetSize());
    return text.size() > shown_bytes_max ? text.substr(0, shown_bytes_max) + "…" : text;
}

std::optional<json_difference> compare(const json_value* left, const json_value* right, const json_path& at);

std::optional<json_difference> compare_objects(const json_value& left, const json_value& right, const json_path& at) {
    const auto member = [](const json_value& of, const json_value& name) -> const json_value* {
        const auto found = of.FindMember(name);
        return found == of.MemberEnd() ? nullptr : &found->value;
    };
    for (const auto& each : left.GetObject())
        if (auto found = compare(&each.value, member(right, each.name), json_path(at, text_of(each.name))))
            return found;
    for (const auto& each : right.GetObject())
        if (!left.HasMember(each.name))
            return compare(nullptr, &each.value, json_path(at, text_of(each.name)));
    return std::nullopt;
}

std::optional<json_difference> compare(const json_value* left, const json_value* right, const json_path& at) {
    if (left != nullptr && right != nullptr) {
        if (*left == *right)
            return std::nullopt;
        if (left->IsObject() && right->IsObject())
            return compare_objects(*left, *right, at);
        if (left->IsArray() && right->IsArray()) {
            for (rapidjson::SizeType i = 0; i < std::max(left->Size(), right->Size()); ++i)
                if (auto found = compare(i < left->Size() ? &(*left)[i] : nullptr,
                                         i < right->Size() ? &(*right)[i] : nullptr, json_path(at, std::size_t{i})))
                    return found;
        }
    }
    return json_difference{at.pointer(), shown(left), shown(right)};
}

}  // namespace

std::optional<json_difference> first_difference(std::string_view left, std::string_view right) {
    const auto a = parse_json(left, document_bytes_max);
    const auto b = parse_json(right, document_bytes_max);
    if (!a || !b)
        return json_difference{"", std::string(left.substr(0, shown_bytes_max)),
                               std::string(right.substr(0, shown_bytes_max))};
    return compare(&*a, &*b, json_path());
}

}  // namespace westerly
