#pragma once

#include "broker/codec/json.hpp"
#include "broker/codec/names.hpp"
#include "broker/support/result.hpp"
#include "broker/support/time.hpp"

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace westerly {

/// Where in a document a value stands: a chain of names and indices up to the root, made without allocation. Text is
/// made only for a fault. A path must not outlive the one that it extends.
class json_path {
public:
    json_path() = default;
    json_path(const json_path& up, std::string_view name) : up_(&up), name_(name) {}
    json_path(const json_path& up, std::size_t index) : up_(&up), index_(index), is_index_(true) {}

    /// RFC 6901, with ~ and / of names escaped.
    std::string pointer() const;

private:
    const json_path* up_ = nullptr;  // nullptr: the root
    std::string_view name_;
    std::size_t index_ = 0;
    bool is_index_ = false;
};

/// Faults in the order they are found, json_faults_max at most; further ones are counted.
class fault_list {
public:
    void invalid(const json_path& at, std::string message, std::string remedy = {});
    /// Understood, but this version does not act on it.
    void unsupported(const json_path& at, std::string message, std::string remedy);

    bool empty() const noexcept { return invalid_ + unsupported_ == 0; }
    /// errc::unsupported when every fault is that, else errc::invalid; `what` begins the detail ("the workload …").
    error to_error(std::string_view what) const;

private:
    void keep(const json_path& at, std::string message, std::string remedy);

    std::vector<fault> kept_;
    std::size_t invalid_ = 0;
    std::size_t unsupported_ = 0;
};

/// What a string may be. Lengths count characters, as JSON Schema does.
struct text_rule {
    std::size_t length_min = 1;
    std::size_t length_max = 255;
    bool (*allowed)(std::string_view) = nullptr;  // the shape; nullptr: any text. A NUL is never allowed
    std::string_view shape = {};                  // the shape in words, for the remedy: "lower-case letters and '-'"
};

/// What a number may be; the bounds belong to the range unless said otherwise.
struct number_range {
    double low = 0;
    double high = std::numeric_limits<double>::max();
    bool above_low = false;  // `low` itself is refused
};

/// Integers on the wire stay exact in every reader: at most 2^53 - 1.
inline constexpr std::int64_t whole_max = (std::int64_t{1} << 53) - 1;

bool check_text(const json_value& v, const json_path& at, const text_rule& rule, fault_list& faults);
std::optional<std::int64_t> read_whole(const json_value& v, const json_path& at, std::int64_t low, std::int64_t high,
                                       fault_list& faults);
std::optional<double> read_number(const json_value& v, const json_path& at, number_range range, fault_list& faults);
std::string_view text_of(const json_value& v);

template <class T>
struct unwrapped {
    using type = T;
};
template <class T>
struct unwrapped<std::optional<T>> {
    using type = T;
};
/// The value type of a field that may be optional.
template <class T>
using unwrapped_t = typename unwrapped<T>::type;

/// Reads one JSON object field by field and keeps every fault. A field that is absent or wrong leaves its target as it
/// was, and the call returns false; null is a wrong type, never absence. After the last field `end` refuses the names
/// that nothing asked for. An object that is none is one fault, and then every call returns false.
class object_reader {
public:
    object_reader(const json_value& value, const json_path& at, fault_list& faults);

    bool is_object() const noexcept { return object_ != nullptr; }
    const json_path& path() const noexcept { return at_; }
    fault_list& faults() noexcept { return *faults_; }
    /// The path of a field, whether it is there or not. `name` must outlive it.
    json_path at(std::string_view name) const noexcept { return {at_, name}; }

    /// One fault for each of these names that is missing.
    void require(std::initializer_list<std::string_view> names);
    /// The raw value, or nullptr.
    const json_value* take(std::string_view name);
    bool has(std::string_view name) const noexcept;

    template <class Target>
    bool text(std::string_view name, Target& target, const text_rule& rule) {
        const auto* v = take(name);
        if (v == nullptr || !check_text(*v, at(name), rule, *faults_))
            return false;
        target = std::string(text_of(*v));
        return true;
    }
    template <class Target>
    bool whole(std::string_view name, Target& target, std::int64_t low, std::int64_t high) {
        const auto* v = take(name);
        const auto read = v != nullptr ? read_whole(*v, at(name), low, high, *faults_) : std::nullopt;
        if (read)
            target = static_cast<unwrapped_t<Target>>(*read);
        return read.has_value();
    }
    template <class Target>
    bool number(std::string_view name, Target& target, number_range range) {
        const auto* v = take(name);
        const auto read = v != nullptr ? read_number(*v, at(name), range, *faults_) : std::nullopt;
        if (read)
            target = *read;
        return read.has_value();
    }
    template <class Target>
    bool choice(std::string_view name, Target& target) {
        using named = unwrapped_t<Target>;
        const auto index = read_choice(name, enum_names<named>::list);
        if (index)
            target = static_cast<named>(*index);
        return index.has_value();
    }
    bool flag(std::string_view name, bool& target);
    bool flag(std::string_view name, std::optional<bool>& target);
    bool time(std::string_view name, std::optional<instant>& target);
    bool time(std::string_view name, instant& target);
    /// An array of strings, all by one rule; `distinct` refuses repeats.
    bool texts(std::string_view name, std::vector<std::string>& target, std::size_t count_min, std::size_t count_max,
               const text_rule& rule, bool distinct = false);
    /// An object of free names to strings; gives them sorted by name.
    bool text_map(std::string_view name, std::vector<std::pair<std::string, std::string>>& target,
                  std::size_t count_max, const text_rule& key_rule, const text_rule& value_rule);
    /// An object of free names to numbers; gives them sorted by name.
    bool number_map(std::string_view name, std::vector<std::pair<std::string, double>>& target, std::size_t count_max,
                    const text_rule& key_rule, number_range range);
    /// Calls `read(object_reader&)` on a field that is an object, and its `end`.
    template <class Read>
    bool object(std::string_view name, Read read) {
        const auto* v = take(name);
        if (v == nullptr)
            return false;
        const json_path here = at(name);
        return read_object(*v, here, *faults_, read);
    }
    /// Calls `read(object_reader&, index)` on each object of an array, and its `end`.
    template <class Read>
    bool objects(std::string_view name, std::size_t count_min, std::size_t count_max, Read read) {
        return items(name, count_min, count_max, [&](const json_value& v, const json_path& here, std::size_t i) {
            return read_object(v, here, *faults_, [&](object_reader& o) { read(o, i); });
        });
    }
    /// Calls `read(value, path, index)` on each item of an array.
    template <class Read>
    bool items(std::string_view name, std::size_t count_min, std::size_t count_max, Read read) {
        const auto* v = take_array(name, count_min, count_max);
        if (v == nullptr)
            return false;
        const json_path list = at(name);
        bool good = true;
        for (std::size_t i = 0; i < v->Size(); ++i)
            good &= read((*v)[static_cast<rapidjson::SizeType>(i)], json_path(list, i), i);
        return good;
    }

    /// When the field is there: a fault that says it is not supported yet. `remedy` says what to do instead.
    void not_yet(std::string_view name, std::string_view remedy);
    /// The object's other fields are somebody else's: `end` lets them pass.
    void accept_rest() noexcept { rest_accepted_ = true; }
    /// Refuses every field that was not asked for, with the nearest known name as the remedy.
    void end();

    template <class Read>
    static bool read_object(const json_value& v, const json_path& here, fault_list& faults, Read read) {
        object_reader inner(v, here, faults);
        if (!inner.is_object())
            return false;
        read(inner);
        inner.end();
        return true;
    }

private:
    std::optional<std::size_t> read_choice(std::string_view name, std::span<const std::string_view> names);
    const json_value* take_array(std::string_view name, std::size_t count_min, std::size_t count_max);
    const json_value* take_map(std::string_view name, std::size_t count_max);

    const json_value* object_ = nullptr;
    json_path at_;
    fault_list* faults_;
    std::vector<std::string_view> known_;
    bool rest_accepted_ = false;
};

}  // namespace westerly
