// Compact forms for the store. Each record has one walk over its fields, which both directions share: what the packer
// writes is what the unpacker reads, in the same order. The first byte is the form's version; a changed walk gets a new
// one, and old rows keep their old walk.
#include "broker/codec/views_json.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <type_traits>

namespace westerly {
namespace {

constexpr char decision_form = 5;  // 4 had no starts that are put off; 3 no run estimates and rivals; 2 repeated its
                                   // texts; 1 had rejections by number, before others came between them
constexpr char shared_texts_form = 3;
constexpr char lease_form = 2;  // 1 had no gang size: the workload told it

/// In a decision one offer is told of in many places: a text is written out once and then named by its place among
/// the texts before it. 0: written out here; 1: empty; from 2 on: an earlier one.
enum class texts : std::uint8_t { apart, shared };
constexpr std::uint64_t first_place = 2;
constexpr std::size_t usual_bytes = 2048;  // of a decision

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
void field(packer& to, const double& v) {
    to.number(v);
}
void field(unpacker& from, double& v) {
    v = from.number();
}
void field(packer& to, const std::string& v) {
    to.text(v);
}
void field(unpacker& from, std::string& v) {
    v = from.text();
}
void field(packer& to, const instant& v) {
    to.whole(zigzag(v.time_since_epoch().count()));
}
void field(unpacker& from, instant& v) {
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
constexpr E enum_last = E{};
template <>
constexpr currency enum_last<currency> = currency::usd;
template <>
constexpr billing_mode enum_last<billing_mode> = billing_mode::reserved;
template <>
constexpr quality_class enum_last<quality_class> = quality_class::default_value;

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

// Form 1 numbered the rejections of its time.
constexpr rejection first_form_rejections[] = {rejection::provider_denied,
                                               rejection::provider_unhealthy,
                                               rejection::plan_only,
                                               rejection::region,
                                               rejection::jurisdiction,
                                               rejection::compute_class,
                                               rejection::architecture,
                                               rejection::stack,
                                               rejection::accelerator,
                                               rejection::task_shape,
                                               rejection::capacity_never,
                                               rejection::capacity_now,
                                               rejection::rtt,
                                               rejection::rtt_unknown,
                                               rejection::pue,
                                               rejection::green_power_share,
                                               rejection::price_missing,
                                               rejection::max_price,
                                               rejection::budget,
                                               rejection::deadline,
                                               rejection::max_carbon,
                                               rejection::quantity_unknown,
                                               rejection::too_dear_for_policy};

// Rejections are numbered in the order of the filters, which may change: they are kept by name.
void field(packer& to, const rejection& v) {
    to.text(to_string(v));
}
void field(unpacker& from, rejection& v) {
    std::optional<rejection> read;
    if (from.form() > 1) {
        read = parse_rejection(from.text());
    } else if (const auto number = from.whole(); number < std::size(first_form_rejections)) {
        read = first_form_rejections[number];
    }
    if (!read)
        return from.damaged();
    v = *read;
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
template <class Archive, record_of<exchange_rates> T>
void field(Archive& a, T& v) {
    fields(a, v.base, v.usd_nanos, v.source);
}
template <class Archive, record_of<sourced> T>
void field(Archive& a, T& v) {
    fields(a, v.value, v.source, v.quality);
}
template <class Archive, record_of<switch_price> T>
void field(Archive& a, T& v) {
    fields(a, v.alternative, v.term, v.at);
}
template <class Archive, record_of<appraisal> T>
void field(Archive& a, T& v);
template <class Archive, record_of<run_estimate> T>
void field(Archive& a, T& v);
template <class Archive, record_of<chosen_start> T>
void field(Archive& a, T& v);

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

/// Whether this record has what form 4 brought; whatever is written now has it.
constexpr bool tells_runs(const packer&) noexcept {
    return true;
}
bool tells_runs(const unpacker& from) noexcept {
    return from.form() >= 4;
}

template <class Archive, record_of<interval> T>
void field(Archive& a, T& v) {
    fields(a, v.value, v.low, v.high);
}
template <class Archive, record_of<run_estimate> T>
void field(Archive& a, T& v) {
    fields(a, v.cards, v.speed, v.speed_method, v.efficiency, v.effective_cards, v.interruptions, v.hazard_per_h,
           v.hazard_assumed, v.work_s, v.wall_s);
}
/// Which of an appraisal's rarer parts follow, a bit each.
enum appraisal_part : std::uint8_t { tells_p95 = 1, tells_egress = 2, tells_range = 4, tells_run = 8, tells_gang = 16 };
std::uint8_t parts_of(const appraisal& v) noexcept {
    return static_cast<std::uint8_t>((v.rtt_p95_ms != v.rtt_ms ? tells_p95 : 0) |
                                     (v.egress_base != 0 ? tells_egress : 0) |
                                     (v.cost_low != v.cost_base || v.cost_high != v.cost_base ? tells_range : 0) |
                                     (v.run ? tells_run : 0) | (v.tasks != 1 ? tells_gang : 0));
}
template <class Archive, record_of<appraisal> T>
void told_parts(Archive& a, std::uint8_t parts, T& v) {
    if (parts & tells_p95)
        field(a, v.rtt_p95_ms);
    if (parts & tells_egress)
        field(a, v.egress_base);
    if (parts & tells_range)
        fields(a, v.cost_low, v.cost_high);
    if (parts & tells_run)
        field(a, v.run);
    if (parts & tells_gang)
        field(a, v.tasks);
}
void rarer_parts(packer& to, const appraisal& v) {
    const std::uint8_t parts = parts_of(v);
    field(to, parts);
    told_parts(to, parts, v);
}
void rarer_parts(unpacker& from, appraisal& v) {
    v.rtt_p95_ms = v.rtt_ms;
    v.cost_low = v.cost_high = v.cost_base;
    std::uint8_t parts = 0;
    if (from.form() >= 4)
        field(from, parts);
    if (parts > (tells_p95 | tells_egress | tells_range | tells_run | tells_gang))
        return from.damaged();
    told_parts(from, parts, v);
}

template <class Archive, record_of<appraisal> T>
void field(Archive& a, T& v) {
    fields(a, v.offer, v.provider, v.site, v.region, v.launchable, v.units, v.price, v.cost, v.cost_base, v.terms, v.j,
           v.keys, v.start_at, v.finish_at, v.billed_s, v.data_movement_s, v.rtt_ms, v.rtt_method, v.energy_kwh,
           v.non_green_kwh, v.carbon_kg, v.green_power_share, v.pue);
    rarer_parts(a, v);
}
template <class Archive, record_of<chosen_start> T>
void field(Archive& a, T& v) {
    fields(a, v.launch_at, v.start_at, v.at_once_at, v.carbon_saved_kg, v.non_green_saved_kwh, v.saved_base, v.why);
}
/// Earlier forms had no starts that were put off; whatever is written now may.
constexpr bool tells_start(const packer&) noexcept {
    return true;
}
bool tells_start(const unpacker& from) noexcept {
    return from.form() >= 5;
}
template <class Archive, record_of<decision> T>
void walk(Archive& a, T& v) {
    fields(a, v.id, v.workload, v.at, v.policy, v.policy_version, v.book_version, v.rates, v.runtime_s,
           v.runtime_assumed, v.considered, v.rejections, v.ranked, v.baseline, v.pareto, v.switches, v.notes);
    if (tells_runs(a))
        fields(a, v.rivals);
    if (tells_start(a))
        field(a, v.put_off);
}
void gang_size(packer& to, const lease& v) {
    field(to, v.tasks);
}
void gang_size(unpacker& from, lease& v) {
    v.tasks = 0;
    if (from.form() >= 2)
        field(from, v.tasks);
}
template <class Archive, record_of<lease> T>
void walk(Archive& a, T& v) {
    fields(a, v.price, v.mode, v.units, v.increment_s, v.minimum_s, v.rates, v.idle_w, v.max_w, v.pue,
           v.green_power_share, v.carbon_g_per_kwh);
    gang_size(a, v);
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

}  // namespace

std::string pack_decision(const decision& d) {
    packer to(decision_form, texts::shared);
    walk(to, d);
    return to.take();
}

result<decision> unpack_decision(std::string_view packed) {
    return unpack<decision>(packed, decision_form, shared_texts_form, "decision");
}

std::string pack_lease(const lease& l) {
    packer to(lease_form, texts::apart);
    walk(to, l);
    return to.take();
}

result<lease> unpack_lease(std::string_view packed) {
    return unpack<lease>(packed, lease_form, lease_form + 1, "lease");
}

}  // namespace westerly
