#pragma once

#include "broker/codec/views_json.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <type_traits>

/// Compact forms for the store. Each record has one walk over its fields, which both directions share: what the packer
/// writes is what the unpacker reads, in the same order. The first byte is the form's version; a changed walk gets a
/// new one, and old rows keep their old walk. Here is what all records share; their walks stand in files of their own,
/// in this namespace, where the walks of lists and optional values find them.
namespace westerly::packing {

/// In a decision one offer is told of in many places: a text is written out once and then named by its place among
/// the texts before it. 0: written out here; 1: empty; from 2 on: an earlier one.
enum class texts : std::uint8_t { apart, shared };
inline constexpr std::uint64_t first_place = 2;
inline constexpr std::size_t usual_bytes = 2048;  // of a decision

/// The texts that a record has written out, and where each stands among them. Kept by a thread for its next record.
class written_texts {
public:
    void clear() {
        texts_.clear();
        slots_.fill(0);
    }
    /// The place of a text, or none and the text now has the next one.
    std::optional<std::uint64_t> place_or_add(std::string_view v) {
        const std::uint64_t mark = mark_of(v);
        std::size_t slot = static_cast<std::size_t>((mark * 0x9E3779B97F4A7C15ull) >> 32) % slots_.size();
        for (; slots_[slot] != 0; slot = (slot + 1) % slots_.size())
            if (const auto& known = texts_[slots_[slot] - 1u]; known.mark == mark && known.text == v)
                return slots_[slot] - 1u;
        texts_.push_back({v, mark});
        if (texts_.size() <= remembered_max)  // of more than these a repeat is written out again
            slots_[slot] = static_cast<std::uint16_t>(texts_.size());
        return std::nullopt;
    }

private:
    struct entry {
        std::string_view text;
        std::uint64_t mark;
    };
    static constexpr std::size_t remembered_max = 384;  // so that some slots are always free

    /// Length and last bytes, which tell apart most of what differs without a look at the texts.
    static std::uint64_t mark_of(std::string_view v) noexcept {
        std::uint64_t mark = 0;
        const auto last = v.substr(v.size() - std::min(v.size(), sizeof mark));
        std::memcpy(&mark, last.data(), last.size());
        return mark + (static_cast<std::uint64_t>(v.size()) << 56);
    }

    std::vector<entry> texts_;
    std::array<std::uint16_t, 512> slots_{};  // one more than the place; 0: free
};

/// Numbers as LEB128, doubles as their eight bytes (so that every bit comes back), texts and lists with their length.
class packer {
public:
    packer(char form, texts how) : texts_(how) {
        bytes_.resize(how == texts::shared ? usual_bytes : 0);
        *room_for(1) = form;
        if (how == texts::shared)
            written().clear();
    }

    void whole(std::uint64_t v) {
        constexpr std::size_t longest = 10;
        char* const begin = room_for(longest);
        char* at = begin;
        for (; v >= 0x80; v >>= 7)
            *at++ = static_cast<char>((v & 0x7F) | 0x80);
        *at++ = static_cast<char>(v);
        size_ -= longest - static_cast<std::size_t>(at - begin);
    }
    void number(double v) {
        const auto bits = std::bit_cast<std::uint64_t>(v);
        char* const at = room_for(8);
        for (unsigned i = 0; i < 8; ++i)
            at[i] = static_cast<char>((bits >> (8 * i)) & 0xFF);
    }
    /// Of a record that outlives the packer.
    void text(std::string_view v) {
        if (texts_ == texts::shared) {
            if (v.empty())
                return whole(1);
            if (const auto place = written().place_or_add(v))
                return whole(first_place + *place);
            whole(0);
        }
        whole(v.size());
        put(v.data(), v.size());
    }
    /// One that is not looked for among the texts before it, and not remembered: a name that does not come again.
    void text_apart(std::string_view v) {
        whole(v.size());
        put(v.data(), v.size());
    }
    void uuid(const uuid_bytes& v) { put(v.data(), v.size()); }

    std::string take() {
        bytes_.resize(size_);
        return std::move(bytes_);
    }

private:
    static written_texts& written() {
        static thread_local written_texts mine;
        return mine;
    }
    char* room_for(std::size_t more) {
        if (bytes_.size() - size_ < more)
            bytes_.resize(2 * bytes_.size() + more);
        size_ += more;
        return bytes_.data() + (size_ - more);
    }
    void put(const void* from, std::size_t size) {
        if (size > 0)
            std::memcpy(room_for(size), from, size);
    }

    std::string bytes_;     // longer than what is written
    std::size_t size_ = 0;  // of that
    const texts texts_;
};

/// Reads what packer wrote. Any damage sets `good` to false, and everything after it reads as empty.
class unpacker {
public:
    /// Reads forms 1 to `newest`; texts are shared from form `sharing` on.
    unpacker(std::string_view bytes, char newest, char sharing) : rest_(bytes) {
        form_ = rest_.empty() ? char{0} : rest_.front();
        good_ = form_ >= 1 && form_ <= newest;
        texts_ = form_ >= sharing ? texts::shared : texts::apart;
        rest_.remove_prefix(rest_.empty() ? 0 : 1);
    }

    char form() const noexcept { return form_; }

    bool whole_read() const noexcept { return good_ && rest_.empty(); }
    std::size_t left() const noexcept { return good_ ? rest_.size() : 0; }
    void damaged() noexcept { good_ = false; }

    std::uint64_t whole() {
        std::uint64_t v = 0;
        for (unsigned shift = 0; shift < 64; shift += 7) {
            const auto byte = take(1);
            if (byte.empty())
                return 0;
            const auto bits = static_cast<std::uint64_t>(static_cast<unsigned char>(byte[0]));
            v |= (bits & 0x7F) << shift;
            if (bits < 0x80)
                return v;
        }
        good_ = false;
        return 0;
    }
    double number() {
        std::uint64_t bits = 0;
        const auto bytes = take(8);
        for (std::size_t i = 0; i < bytes.size(); ++i)
            bits |= static_cast<std::uint64_t>(static_cast<unsigned char>(bytes[i])) << (8 * i);
        return std::bit_cast<double>(bits);
    }
    std::string text() {
        if (texts_ == texts::shared)
            if (const auto place = whole(); place != 0)
                return earlier(place);
        const auto size = whole();
        if (size > left())
            return good_ = false, std::string();
        const auto v = take(static_cast<std::size_t>(size));
        if (texts_ == texts::shared)
            read_.push_back(v);
        return std::string(v);
    }
    std::string text_apart() {
        const auto size = whole();
        if (size > left())
            return good_ = false, std::string();
        return std::string(take(static_cast<std::size_t>(size)));
    }
    uuid_bytes uuid() {
        uuid_bytes v{};
        const auto bytes = take(v.size());
        std::ranges::copy(bytes, v.begin());
        return v;
    }

private:
    std::string_view take(std::size_t size) {
        if (!good_ || rest_.size() < size)
            return good_ = false, std::string_view();
        const auto taken = rest_.substr(0, size);
        rest_.remove_prefix(size);
        return taken;
    }

    std::string earlier(std::uint64_t place) {
        if (place < first_place)
            return {};
        if (place - first_place >= read_.size())
            return good_ = false, std::string();
        return std::string(read_[static_cast<std::size_t>(place - first_place)]);
    }

    std::string_view rest_;
    char form_ = 0;
    bool good_ = false;
    texts texts_ = texts::apart;
    std::vector<std::string_view> read_;
};

template <class T>
constexpr bool is_signed_number = std::is_integral_v<T>&& std::is_signed_v<T>;

constexpr std::uint64_t zigzag(std::int64_t v) noexcept {
    return (static_cast<std::uint64_t>(v) << 1) ^ static_cast<std::uint64_t>(v >> 63);
}
constexpr std::int64_t unzigzag(std::uint64_t v) noexcept {
    return static_cast<std::int64_t>(v >> 1) ^ -static_cast<std::int64_t>(v & 1);
}

// Scalars.
template <class T>
requires std::is_integral_v<T>
void field(packer& to, const T& v) {
    if constexpr (is_signed_number<T>)
        to.whole(zigzag(v));
    else
        to.whole(v);
}
template <class T>
requires std::is_integral_v<T>
void field(unpacker& from, T& v) {
    const auto read = from.whole();
    const auto fits = [&](auto wide) {
        return static_cast<decltype(wide)>(static_cast<T>(wide)) == wide;
    };
    if (!(is_signed_number<T> ? fits(unzigzag(read)) : fits(read)))
        return from.damaged();
    v = static_cast<T>(is_signed_number<T> ? static_cast<std::uint64_t>(unzigzag(read)) : read);
}
inline void field(packer& to, const double& v) {
    to.number(v);
}
inline void field(unpacker& from, double& v) {
    v = from.number();
}
inline void field(packer& to, const std::string& v) {
    to.text(v);
}
inline void field(unpacker& from, std::string& v) {
    v = from.text();
}
inline void field(packer& to, const instant& v) {
    to.whole(zigzag(v.time_since_epoch().count()));
}
inline void field(unpacker& from, instant& v) {
    v = instant(milliseconds(unzigzag(from.whole())));
}
template <class Tag>
void field(packer& to, const typed_id<Tag>& v) {
    to.uuid(v.bytes);
}
template <class Tag>
void field(unpacker& from, typed_id<Tag>& v) {
    v.bytes = from.uuid();
}

template <class E>
inline constexpr E enum_last = E{};
template <>
inline constexpr currency enum_last<currency> = currency::usd;
template <>
inline constexpr billing_mode enum_last<billing_mode> = billing_mode::reserved;
template <>
inline constexpr billing_start enum_last<billing_start> = billing_start::allocation;
template <>
inline constexpr note_kind enum_last<note_kind> = note_kind{static_cast<std::uint8_t>(note_kind::count_) - 1};
template <>
inline constexpr quality_class enum_last<quality_class> = quality_class::default_value;
template <>
inline constexpr matching_period enum_last<matching_period> = matching_period::year;
template <>
inline constexpr compute_class enum_last<compute_class> = compute_class::super;
template <>
inline constexpr offer_unit enum_last<offer_unit> = offer_unit::core;
template <>
inline constexpr reservation_term enum_last<reservation_term> = reservation_term::year;

template <class E>
requires std::is_enum_v<E>
void field(packer& to, const E& v) {
    to.whole(static_cast<std::uint64_t>(v));
}
template <class E>
requires std::is_enum_v<E>
void field(unpacker& from, E& v) {
    const auto read = from.whole();
    if (read > static_cast<std::uint64_t>(enum_last<E>))
        return from.damaged();
    v = static_cast<E>(read);
}

// Records. `Lease` and the like are the record itself, const when packing.
template <class Archive, class... Fields>
void fields(Archive& archive, Fields&... each) {
    (field(archive, each), ...);
}
template <class T, class Record>
concept record_of = std::is_same_v<std::remove_const_t<T>, Record>;

template <class Archive, record_of<money> T>
void field(Archive& a, T& v) {
    fields(a, v.micros, v.unit);
}
template <class Archive, record_of<unit_price> T>
void field(Archive& a, T& v) {
    fields(a, v.nanos, v.unit);
}
inline void field(packer& to, const price_window& v) {
    fields(to, v.days, v.from_min, v.to_min, v.nanos);
}
inline void field(unpacker& from, price_window& v) {
    fields(from, v.days, v.from_min, v.to_min, v.nanos);
    constexpr std::uint16_t minutes_per_day = 1440;
    if (v.days > price_window::every_day || v.from_min >= minutes_per_day || v.to_min >= minutes_per_day)
        from.damaged();
}
template <class Archive, record_of<exchange_rates> T>
void field(Archive& a, T& v) {
    fields(a, v.base, v.usd_nanos, v.source);
}
template <class Archive, record_of<sourced> T>
void field(Archive& a, T& v) {
    fields(a, v.value, v.source, v.quality);
}
template <class Archive, record_of<interval> T>
void field(Archive& a, T& v) {
    fields(a, v.value, v.low, v.high);
}

// Optional values, pairs and lists of all these.
template <class T>
void field(packer& to, const std::optional<T>& v) {
    to.whole(v ? 1 : 0);
    if (v)
        field(to, *v);
}
template <class T>
void field(unpacker& from, std::optional<T>& v) {
    const auto there = from.whole();
    v.reset();
    if (there > 1)
        return from.damaged();
    if (there == 1)
        field(from, v.emplace());
}
template <class Archive, class A, class B>
void field(Archive& a, std::pair<A, B>& v) {
    fields(a, v.first, v.second);
}
template <class Archive, class A, class B>
void field(Archive& a, const std::pair<A, B>& v) {
    fields(a, v.first, v.second);
}
template <class T>
void field(packer& to, const std::vector<T>& v) {
    to.whole(v.size());
    for (const T& item : v)
        field(to, item);
}
template <class T>
void field(unpacker& from, std::vector<T>& v) {
    const auto size = from.whole();
    if (size > from.left())  // every item takes a byte at least
        return from.damaged();
    v.clear();
    for (std::uint64_t i = 0; i < size && from.left() > 0; ++i)
        field(from, v.emplace_back());
    if (v.size() != size)
        from.damaged();
}

template <class Archive, record_of<price_schedule> T>
void field(Archive& a, T& v) {
    fields(a, v.utc_offset_min, v.windows);
}

template <class Record>
result<Record> unpack(std::string_view packed, char newest, char sharing, std::string_view what) {
    unpacker from(packed, newest, sharing);
    Record v;
    walk(from, v);
    if (!from.whole_read())
        return fail(errc::internal, "a stored " + std::string(what) + " is damaged or of a newer form",
                    "restore the database from a backup, or start the version that wrote it");
    return v;
}

}  // namespace westerly::packing
