#include "broker/placement/sieve.hpp"

#include <algorithm>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace westerly {
namespace {

constexpr std::size_t codes_max = 64;
constexpr auto never = static_cast<std::uint8_t>(rejection::capacity_never);
constexpr auto now = static_cast<std::uint8_t>(rejection::capacity_now);
constexpr auto missing = static_cast<std::uint8_t>(rejection::price_missing);
constexpr auto dear = static_cast<std::uint8_t>(rejection::max_price);
constexpr auto over_budget = static_cast<std::uint8_t>(rejection::budget);

inline std::uint8_t code_at(const sieve& by, const sieve_range& range, std::uint32_t i) noexcept {
    const std::uint32_t at = i - range.begin;
    const std::uint32_t packed = range.shapes.packed[at], units = packed & packed_units_max;
    const std::uint8_t code = std::min(range.site_code, static_cast<std::uint8_t>(packed >> 24));
    if (by.free_narrow[i] < units)
        return std::min(code, by.total_narrow[i] < units ? never : now);
    if (code != passes)
        return code;
    if (by.price[i] < 0)
        return missing;
    if (by.price[i] <= range.shapes.cap[at])
        return passes;
    return by.price[i] > range.shapes.price_max[at] ? dear : over_budget;
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

/// A bit for each of 32 offers.
struct priced {
    std::uint32_t rejected = 0, wanted = 0;
};

WESTERLY_AVX2 std::uint32_t bits(__m256d of, int shift) {
    return static_cast<std::uint32_t>(_mm256_movemask_pd(of)) << shift;
}

WESTERLY_AVX2 priced prices_of_32(const double* price, const sieve_words& shapes, std::uint32_t at, double cost_max) {
    const __m256d zero = _mm256_setzero_pd(), most = _mm256_set1_pd(cost_max);
    priced p;
    for (int k = 0; k < 32; k += 4) {
        const __m256d of = _mm256_loadu_pd(price + k);
        const __m256d cost = _mm256_mul_pd(of, _mm256_loadu_pd(shapes.cost_per_nano + at + k));
        const __m256d above = _mm256_cmp_pd(of, _mm256_loadu_pd(shapes.cap + at + k), _CMP_GT_OQ);
        p.rejected |= bits(_mm256_or_pd(above, _mm256_cmp_pd(of, zero, _CMP_LT_OQ)), k);
        p.wanted |= bits(_mm256_cmp_pd(cost, most, _CMP_NGT_UQ), k);
    }
    return p;
}

WESTERLY_AVX2 std::uint32_t ones(std::uint32_t mask) {
    return static_cast<std::uint32_t>(__builtin_popcount(mask));
}

/// Why those were rejected.
WESTERLY_AVX2 void count_prices(const double* price, const double* price_max, std::uint32_t rejected,
                                std::array<std::uint32_t, 256>& counts) {
    std::uint32_t none = 0, above = 0;
    for (int k = 0; k < 32; k += 4) {
        const __m256d of = _mm256_loadu_pd(price + k);
        none |= bits(_mm256_cmp_pd(of, _mm256_setzero_pd(), _CMP_LT_OQ), k);
        above |= bits(_mm256_cmp_pd(of, _mm256_loadu_pd(price_max + k), _CMP_GT_OQ), k);
    }
    counts[missing] += ones(rejected & none);
    counts[dear] += ones(rejected & ~none & above);
    counts[over_budget] += ones(rejected & ~none & ~above);
}

#undef WESTERLY_AVX2

__attribute__((target("avx2,popcnt"))) sieved sieve_avx2(const sieve& by, const sieve_range& range, std::uint32_t* out,
                                                         std::array<std::uint32_t, 256>& counts) {
    const std::uint32_t size = range.end - range.begin;
    if (size < 32)
        return sieve_plain(by, range, out, counts);
    std::array<std::uint8_t, codes_max> active{};  // the codes that can come out of this range, `passes` left out
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
    sieved left;
    for (std::uint32_t done = 0; done < size; done += 32) {
        const std::uint32_t at = std::min(done, size - 32);  // the last ones once more, with those before masked out
        const std::uint32_t fresh = ~0u << (done - at), i = range.begin + at;
        const __m256i codes = codes_of_32(by, i, range.shapes.packed + at, site_code);
        std::uint32_t passed = bearing(codes, passes) & fresh;
        if (passed != fresh)
            for (std::size_t a = 0; a < actives; ++a)
                counts[active[a]] += ones(bearing(codes, active[a]) & fresh);
        if (passed == 0)
            continue;
        const priced p = prices_of_32(&by.price[i], range.shapes, at, range.cost_max);
        if (const std::uint32_t rejected = passed & p.rejected) {
            count_prices(&by.price[i], range.shapes.price_max + at, rejected, counts);
            passed &= ~rejected;
        }
        left.passed += ones(passed);
        for (passed &= p.wanted; passed != 0; passed &= passed - 1)
            out[left.kept++] = i + static_cast<std::uint32_t>(__builtin_ctz(passed));
    }
    return left;
}

#endif

}  // namespace

static_assert(static_cast<std::size_t>(rejection::count_) <= codes_max);

sieved sieve_plain(const sieve& by, const sieve_range& range, std::uint32_t* out,
                   std::array<std::uint32_t, 256>& counts) {
    sieved left;
    for (std::uint32_t i = range.begin; i < range.end; ++i) {
        const std::uint8_t code = code_at(by, range, i);
        if (code != passes) {
            ++counts[code];
            continue;
        }
        ++left.passed;
        if (!(by.price[i] * range.shapes.cost_per_nano[i - range.begin] > range.cost_max))
            out[left.kept++] = i;
    }
    return left;
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
