#include "broker/codec/reader.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace westerly {
namespace {

std::string quoted(std::string_view name) {
    constexpr std::size_t shown_max = 64;
    return '"' + std::string(name.substr(0, shown_max)) + (name.size() > shown_max ? "…\"" : "\"");
}

std::string_view type_of(const json_value& v) {
    switch (v.GetType()) {
        case rapidjson::kNullType:
            return "null";
        case rapidjson::kFalseType:
        case rapidjson::kTrueType:
            return "a boolean";
        case rapidjson::kObjectType:
            return "an object";
        case rapidjson::kArrayType:
            return "an array";
        case rapidjson::kStringType:
            return "a string";
        case rapidjson::kNumberType:
            break;
    }
    return "a number";
}

void wrong_type(const json_value& v, const json_path& at, std::string_view wanted, fault_list& faults) {
    faults.invalid(at, "must be " + std::string(wanted) + ", not " + std::string(type_of(v)),
                   v.IsNull() ? "leave the field out: absent is not null" : "write " + std::string(wanted));
}

std::size_t characters(std::string_view utf8) {
    return static_cast<std::size_t>(
        std::ranges::count_if(utf8, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

std::string number_text(double v) {
    rapidjson::StringBuffer buffer;
    json_writer out(buffer);
    out.Double(v);
    const std::string text(buffer.GetString(), buffer.GetSize());
    return text.ends_with(".0") ? text.substr(0, text.size() - 2) : text;
}

/// Levenshtein distance, for names of up to 64 bytes.
std::size_t edits(std::string_view a, std::string_view b) {
    std::vector<std::size_t> row(b.size() + 1);
    std::iota(row.begin(), row.end(), std::size_t{0});
    for (std::size_t i = 1; i <= a.size(); ++i) {
        std::size_t diagonal = std::exchange(row[0], i);
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
            diagonal = std::exchange(row[j], std::min({row[j] + 1, row[j - 1] + 1, replaced}));
        }
    }
    return row.back();
}

/// What others call a field.
constexpr std::pair<std::string_view, std::string_view> other_words[] = {
    {"gpus", "accelerators"}, {"gpu", "accelerators"}, {"cards", "accelerators"}, {"cpus", "vcpus"}, {"cpu", "vcpus"}};

std::string remedy_for_unknown(std::string_view name, std::span<const std::string_view> known) {
    constexpr std::size_t compared_max = 64;
    for (const auto& [other, ours] : other_words)
        if (name == other && std::ranges::find(known, ours) != known.end())
            return "did you mean " + quoted(ours) + "?";
    // A swap of two letters counts two edits; in very short names that is everything.
    std::size_t best = name.size() <= 3 ? 2 : std::max<std::size_t>(name.size() / 3, 2) + 1;
    std::string_view meant;
    for (const auto candidate : known)
        if (name.size() <= compared_max)
            if (const auto distance = edits(name, candidate); distance < best)
                best = distance, meant = candidate;
    if (!meant.empty())
        return "did you mean " + quoted(meant) + "?";
    std::vector<std::string_view> once;
    for (const auto candidate : known)
        if (std::ranges::find(once, candidate) == once.end())
            once.push_back(candidate);
    return "remove it; the fields here are " + one_of(once);
}

}  // namespace

std::string one_of(std::span<const std::string_view> names) {
    std::string text;
    for (std::size_t i = 0; i < names.size(); ++i)
        text += (i == 0 ? "" : i + 1 == names.size() ? " or " : ", ") + quoted(names[i]);
    return text;
}

std::string_view text_of(const json_value& v) {
    return {v.GetString(), v.GetStringLength()};
}

std::string json_path::pointer() const {
    if (up_ == nullptr)
        return {};
    std::string text = up_->pointer() + '/';
    if (is_index_)
        return text + std::to_string(index_);
    for (const char c : name_)
        text += c == '~' ? "~0" : c == '/' ? "~1" : std::string(1, c);
    return text;
}

void fault_list::keep(const json_path& at, std::string message, std::string remedy) {
    if (kept_.size() < json_faults_max)
        kept_.push_back({at.pointer(), std::move(message), std::move(remedy)});
}

void fault_list::invalid(const json_path& at, std::string message, std::string remedy) {
    ++invalid_;
    keep(at, std::move(message), std::move(remedy));
}

void fault_list::unsupported(const json_path& at, std::string message, std::string remedy) {
    ++unsupported_;
    keep(at, std::move(message), std::move(remedy));
}

error fault_list::to_error(std::string_view what) const {
    const std::size_t all = invalid_ + unsupported_;
    error refused = fail(invalid_ > 0 ? errc::invalid : errc::unsupported, std::string(what));
    refused.faults = kept_;
    if (all == 1)
        refused.detail += ": " + (kept_[0].pointer.empty() ? "" : kept_[0].pointer + " ") + kept_[0].message;
    else
        refused.detail += ": " + std::to_string(all) + " faults";
    if (all > kept_.size())
        refused.detail += ", the first " + std::to_string(kept_.size()) + " listed";
    refused.remedy = all == 1 ? kept_[0].remedy : "see the faults, each with its remedy";
    return refused;
}

bool check_text(const json_value& v, const json_path& at, const text_rule& rule, fault_list& faults) {
    if (!v.IsString()) {
        wrong_type(v, at, "a string", faults);
        return false;
    }
    const auto text = text_of(v);
    const auto length = characters(text);
    if (length < rule.length_min || length > rule.length_max) {
        // Of one length only forms have: those say more than it does.
        const std::string wanted =
            rule.length_min == rule.length_max && !rule.shape.empty()
                ? std::string(rule.shape)
                : std::to_string(rule.length_min) + " to " + std::to_string(rule.length_max) + " characters";
        faults.invalid(at,
                       length < rule.length_min && length == 0 ? std::string("must not be empty")
                                                               : "has " + std::to_string(length) + " characters",
                       "give " + wanted);
        return false;
    }
    if (text.find('\0') != std::string_view::npos) {
        faults.invalid(at, "holds a NUL character", "remove it");
        return false;
    }
    if (rule.allowed != nullptr && !rule.allowed(text)) {
        faults.invalid(at, quoted(text) + " does not have the right form", "give " + std::string(rule.shape));
        return false;
    }
    return true;
}

std::optional<std::int64_t> read_whole(const json_value& v, const json_path& at, std::int64_t low, std::int64_t high,
                                       fault_list& faults) {
    if (!v.IsNumber()) {
        wrong_type(v, at, "an integer", faults);
        return std::nullopt;
    }
    const double near = v.GetDouble();
    if (!v.IsInt64() && !v.IsUint64() && std::trunc(near) != near) {
        faults.invalid(at, "must be an integer", "round it");
        return std::nullopt;
    }
    // Beyond 2^53 the double decides, which is far outside every range in use.
    const bool beyond = near < -static_cast<double>(whole_max) || near > static_cast<double>(whole_max);
    const std::int64_t whole = v.IsInt64() ? v.GetInt64() : beyond ? 0 : static_cast<std::int64_t>(near);
    if (beyond || whole < low || whole > high) {
        faults.invalid(at, "is out of range",
                       "give an integer from " + std::to_string(low) + " to " + std::to_string(high));
        return std::nullopt;
    }
    return whole;
}

std::optional<double> read_number(const json_value& v, const json_path& at, number_range range, fault_list& faults) {
    if (!v.IsNumber()) {
        wrong_type(v, at, "a number", faults);
        return std::nullopt;
    }
    const double number = v.GetDouble();
    if (number < range.low || number > range.high || (range.above_low && number == range.low)) {
        faults.invalid(at, "is out of range",
                       "give a number " + std::string(range.above_low ? "above " : "from ") + number_text(range.low) +
                           (range.high < std::numeric_limits<double>::max() ? " to " + number_text(range.high)
                            : range.above_low                               ? ""
                                                                            : " upward"));
        return std::nullopt;
    }
    return number;
}

object_reader::object_reader(const json_value& value, const json_path& at, fault_list& faults)
    : at_(at), faults_(&faults) {
    if (value.IsObject())
        object_ = &value;
    else
        wrong_type(value, at, "an object", faults);
}

bool object_reader::has(std::string_view name) const noexcept {
    if (object_ == nullptr)
        return false;
    return std::ranges::any_of(object_->GetObject(), [&](const auto& member) { return text_of(member.name) == name; });
}

void object_reader::require(std::initializer_list<std::string_view> names) {
    for (const auto name : names)
        if (object_ != nullptr && !has(name))
            faults_->invalid(at(name), "is missing", "add the field " + quoted(name));
}

const json_value* object_reader::take(std::string_view name) {
    if (object_ == nullptr)
        return nullptr;
    known_.push_back(name);
    for (const auto& member : object_->GetObject())
        if (text_of(member.name) == name)
            return &member.value;
    return nullptr;
}

std::optional<std::size_t> object_reader::read_choice(std::string_view name, std::span<const std::string_view> names) {
    const auto* v = take(name);
    if (v == nullptr)
        return std::nullopt;
    if (!v->IsString()) {
        wrong_type(*v, at(name), "a string", *faults_);
        return std::nullopt;
    }
    const auto found = std::ranges::find(names, text_of(*v));
    if (found == names.end()) {
        faults_->invalid(at(name), quoted(text_of(*v)) + " is not known here", "give " + one_of(names));
        return std::nullopt;
    }
    return static_cast<std::size_t>(found - names.begin());
}

bool object_reader::flag(std::string_view name, bool& target) {
    const auto* v = take(name);
    if (v == nullptr)
        return false;
    if (!v->IsBool()) {
        wrong_type(*v, at(name), "a boolean", *faults_);
        return false;
    }
    target = v->GetBool();
    return true;
}

bool object_reader::flag(std::string_view name, std::optional<bool>& target) {
    bool read = false;
    const bool there = flag(name, read);
    if (there)
        target = read;
    return there;
}

bool object_reader::time(std::string_view name, instant& target) {
    const auto* v = take(name);
    constexpr text_rule rule{.length_min = 1, .length_max = 64};
    if (v == nullptr || !check_text(*v, at(name), rule, *faults_))
        return false;
    const auto read = parse_rfc3339(text_of(*v));
    if (!read) {
        faults_->invalid(at(name), quoted(text_of(*v)) + " is not an RFC 3339 time",
                         "write it as 2026-01-31T08:00:00.000Z, years 1970 to 2262");
        return false;
    }
    target = *read;
    return true;
}

bool object_reader::time(std::string_view name, std::optional<instant>& target) {
    instant read{};
    if (!time(name, read))
        return false;
    target = read;
    return true;
}

const json_value* object_reader::take_array(std::string_view name, std::size_t count_min, std::size_t count_max) {
    const auto* v = take(name);
    if (v == nullptr)
        return nullptr;
    if (!v->IsArray()) {
        wrong_type(*v, at(name), "an array", *faults_);
        return nullptr;
    }
    if (v->Size() < count_min || v->Size() > count_max) {
        faults_->invalid(at(name), "has " + std::to_string(v->Size()) + " entries",
                         "give " + std::to_string(count_min) + " to " + std::to_string(count_max));
        return nullptr;
    }
    return v;
}

const json_value* object_reader::take_map(std::string_view name, std::size_t count_max) {
    const auto* v = take(name);
    if (v == nullptr)
        return nullptr;
    if (!v->IsObject()) {
        wrong_type(*v, at(name), "an object", *faults_);
        return nullptr;
    }
    if (v->MemberCount() > count_max) {
        faults_->invalid(at(name), "has " + std::to_string(v->MemberCount()) + " entries",
                         "give at most " + std::to_string(count_max));
        return nullptr;
    }
    return v;
}

bool object_reader::texts(std::string_view name, std::vector<std::string>& target, std::size_t count_min,
                          std::size_t count_max, const text_rule& rule, bool distinct) {
    std::vector<std::string> read;
    const bool good =
        items(name, count_min, count_max, [&](const json_value& v, const json_path& here, std::size_t /*index*/) {
            if (!check_text(v, here, rule, *faults_))
                return false;
            if (distinct && std::ranges::find(read, text_of(v)) != read.end()) {
                faults_->invalid(here, quoted(text_of(v)) + " stands twice in the list", "keep one of the two");
                return false;
            }
            read.emplace_back(text_of(v));
            return true;
        });
    if (good)
        target = std::move(read);
    return good;
}

bool object_reader::text_map(std::string_view name, std::vector<std::pair<std::string, std::string>>& target,
                             std::size_t count_max, const text_rule& key_rule, const text_rule& value_rule) {
    const auto* v = take_map(name, count_max);
    if (v == nullptr)
        return false;
    const json_path map = at(name);
    std::vector<std::pair<std::string, std::string>> read;
    bool good = true;
    for (const auto& member : v->GetObject()) {
        const json_path here(map, text_of(member.name));
        good &=
            check_text(member.name, here, key_rule, *faults_) && check_text(member.value, here, value_rule, *faults_);
        if (good)
            read.emplace_back(text_of(member.name), text_of(member.value));
    }
    std::ranges::sort(read);
    if (good)
        target = std::move(read);
    return good;
}

bool object_reader::number_map(std::string_view name, std::vector<std::pair<std::string, double>>& target,
                               std::size_t count_max, const text_rule& key_rule, number_range range) {
    const auto* v = take_map(name, count_max);
    if (v == nullptr)
        return false;
    const json_path map = at(name);
    std::vector<std::pair<std::string, double>> read;
    bool good = true;
    for (const auto& member : v->GetObject()) {
        const json_path here(map, text_of(member.name));
        const bool named = check_text(member.name, here, key_rule, *faults_);
        const auto number = read_number(member.value, here, range, *faults_);
        good &= named && number.has_value();
        if (good)
            read.emplace_back(text_of(member.name), *number);
    }
    std::ranges::sort(read);
    if (good)
        target = std::move(read);
    return good;
}

void object_reader::not_yet(std::string_view name, std::string_view remedy) {
    if (take(name) != nullptr)
        faults_->unsupported(at(name), quoted(name) + " is not supported yet", std::string(remedy));
}

void object_reader::end() {
    if (object_ == nullptr || rest_accepted_)
        return;
    for (const auto& member : object_->GetObject())
        if (std::ranges::find(known_, text_of(member.name)) == known_.end())
            faults_->invalid(json_path(at_, text_of(member.name)), "is not a known field here",
                             remedy_for_unknown(text_of(member.name), known_));
}

}  // namespace westerly
