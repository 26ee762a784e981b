// Counts the primes of its share of [2, limit) with a segmented sieve: rank r of n takes every n-th segment.
// Usage: primes LIMIT. Writes the count to $WESTERLY_OUTPUT_DIR/primes-RANK.txt; the ranks' counts sum to pi(limit).
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

namespace {

constexpr std::uint64_t segment = 1 << 20;

std::uint64_t number_of(const char* name, std::uint64_t absent) {
    const char* text = std::getenv(name);
    return text == nullptr ? absent : std::strtoull(text, nullptr, 10);
}

std::vector<std::uint32_t> small_primes(std::uint64_t up_to) {
    std::vector<char> composite(up_to + 1, 0);
    std::vector<std::uint32_t> primes;
    for (std::uint64_t i = 2; i <= up_to; ++i) {
        if (composite[i] != 0)
            continue;
        primes.push_back(static_cast<std::uint32_t>(i));
        for (std::uint64_t j = i * i; j <= up_to; j += i)
            composite[j] = 1;
    }
    return primes;
}

std::uint64_t count_segment(std::uint64_t low, std::uint64_t high, const std::vector<std::uint32_t>& primes,
                            std::vector<char>& composite) {
    composite.assign(high - low, 0);
    for (const std::uint64_t p : primes) {
        if (p * p >= high)
            break;
        for (std::uint64_t j = std::max(p * p, (low + p - 1) / p * p); j < high; j += p)
            composite[j - low] = 1;
    }
    std::uint64_t count = 0;
    for (std::uint64_t i = std::max<std::uint64_t>(low, 2); i < high; ++i)
        count += composite[i - low] == 0 ? 1 : 0;
    return count;
}

}  // namespace

int main(int argc, char** argv) {
    const std::uint64_t limit = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 100'000'000;
    const std::uint64_t rank = number_of("WESTERLY_RANK", 0);
    const std::uint64_t tasks = number_of("WESTERLY_TASKS", 1);
    const auto primes = small_primes(static_cast<std::uint64_t>(std::sqrt(static_cast<double>(limit))) + 1);
    std::vector<char> composite;
    std::uint64_t count = 0;
    for (std::uint64_t i = rank; i * segment < limit; i += tasks)
        count += count_segment(i * segment, std::min((i + 1) * segment, limit), primes, composite);
    std::printf("rank %llu of %llu: %llu primes below %llu in its share\n", static_cast<unsigned long long>(rank),
                static_cast<unsigned long long>(tasks), static_cast<unsigned long long>(count),
                static_cast<unsigned long long>(limit));
    const char* folder = std::getenv("WESTERLY_OUTPUT_DIR");
    const std::string path = std::string(folder == nullptr ? "." : folder) + "/primes-" + std::to_string(rank) + ".txt";
    std::FILE* out = std::fopen(path.c_str(), "w");
    if (out == nullptr || std::fprintf(out, "%llu\n", static_cast<unsigned long long>(count)) < 0 ||
        std::fclose(out) != 0) {
        std::perror(path.c_str());
        return 1;
    }
    return 0;
}
