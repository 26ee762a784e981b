#include "broker/placement/sieve.hpp"

#include <algorithm>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace westerly {
namespace {

constexpr auto never = static_cast<std::uint8_t>(rejection::capacity_never);
constexpr auto now = static_cast<std::uint8_t>(rejection::capacity_now);

inline std::uint8_t code_at(const sieve& by, std::uint32_t i, std::uint32_t packed, std::uint8_t site_code) noexcept {
    const std::uint32_t units = packed & packed_units_max;
    const std::uint8_t code = std::min(site_code, static_cast<std::uint8_t>(packed >> 24));
    if (by.free_narrow[i] >= units)
        return code;
    return std::min(code, by.total_narrow[i] < units ? never : now);
}

#if defined(__x86_64__)

#define WESTERLY_AVX2 __attribute__((target("avx2,popcnt"), always_inline)) inline

WESTERLY_AVX2 __m256i eight(const std::uint32_t* from) {
    return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
}

/// All ones where the column holds at least `units`.
WESTERLY_AVX2 __m256i holds(const std::uint32_t* column, __m256i units) {
    return _mm256_cmpeq_epi32(_mm256_min_epu32(eight(column), units), units);
}

/// Codes of eight offers from `i` on, each in 32 bits.
WESTERLY_AVX2 __m256i codes_of_eight(const sieve& by, std::uint32_t i, const std::uint32_t* packed, __m256i site_code) {
    const __m256i words = eight(packed);
    const __m256i units = _mm256_and_si256(words, _mm256_set1_epi32(packed_units_max));
    const __m256i lacking =
        _mm256_blendv_epi8(_mm256_set1_epi32(never), _mm256_set1_epi32(now), holds(&by.total_narrow[i], units));
    const __m256i capacity = _mm256_blendv_epi8(lacking, _mm256_set1_epi32(passes), holds(&by.free_narrow[i], units));
    return _mm256_min_epu32(_mm256_min_epu32(_mm256_srli_epi32(words, 24), capacity), site_code);
}

/// Codes of 32 offers, each in a byte.
WESTERLY_AVX2 __m256i codes_of_32(const sieve& by, std::uint32_t i, const std::uint32_t* packed, __m256i site_code) {
    const __m256i low =
        _mm256_packus_epi32(codes_of_eight(by, i, packed, site_code), codes_of_eight(by, i + 8, packed + 8, site_code));
    const __m256i high = _mm256_packus_epi32(codes_of_eight(by, i + 16, packed + 16, site_code),
                                             codes_of_eight(by, i + 24, packed + 24, site_code));
    const __m256i in_order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);  // packing interleaves the 128-bit lanes
    return _mm256_permutevar8x32_epi32(_mm256_packus_epi16(low, high), in_order);
}

/// A bit for each of the 32 that bears the code.
WESTERLY_AVX2 std::uint32_t bearing(__m256i codes, std::uint8_t code) {
    const __m256i same = _mm256_cmpeq_epi8(codes, _mm256_set1_epi8(static_cast<char>(code)));
    return static_cast<std::uint32_t>(_mm256_movemask_epi8(same));
}

#undef WESTERLY_AVX2

__attribute__((target("avx2,popcnt"))) std::size_t sieve_avx2(const sieve& by, const sieve_range& range,
                                                              std::uint32_t* out,
                                                              std::array<std::uint32_t, 256>& counts) {
    std::array<std::uint8_t, 32> active{};  // the codes that can come out of this range, `passes` left out
    std::size_t actives = 0;
    bool site_counted = range.site_code == passes;
    for (const std::uint8_t code : by.shape_codes) {
        active[actives++] = code;
        site_counted |= code == range.site_code;
    }
    active[actives++] = never;
    active[actives++] = now;
    if (!site_counted)
        active[actives++] = range.site_code;
    const __m256i site_code = _mm256_set1_epi32(range.site_code);
    std::size_t kept = 0;
    std::uint32_t i = range.begin;
    for (; i + 32 <= range.end; i += 32) {
        const __m256i codes = codes_of_32(by, i, range.packed + (i - range.begin), site_code);
        std::uint32_t passed = bearing(codes, passes);
        if (passed != 0xFFFFFFFF)
            for (std::size_t a = 0; a < actives; ++a)
                counts[active[a]] += static_cast<std::uint32_t>(__builtin_popcount(bearing(codes, active[a])));
        for (; passed != 0; passed &= passed - 1)
            out[kept++] = i + static_cast<std::uint32_t>(__builtin_ctz(passed));
    }
    const sieve_range rest{i, range.end, range.packed + (i - range.begin), range.site_code};
    return kept + sieve_plain(by, rest, out + kept, counts);
}

#endif

}  // namespace

static_assert(static_cast<std::size_t>(rejection::count_) <= 32);

std::size_t sieve_plain(const sieve& by, const sieve_range& range, std::uint32_t* out,
                        std::array<std::uint32_t, 256>& counts) {
    std::size_t kept = 0;
    for (std::uint32_t i = range.begin; i < range.end; ++i) {
        const std::uint8_t code = code_at(by, i, range.packed[i - range.begin], range.site_code);
        if (code == passes)
            out[kept++] = i;
        else
            ++counts[code];
    }
    return kept;
}

sieve_run best_sieve() noexcept {
#if defined(__x86_64__)
    static const bool has_avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("popcnt");
    if (has_avx2)
        return sieve_avx2;
#endif
    return sieve_plain;
}

}  // namespace westerly
