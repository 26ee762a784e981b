#pragma once

#include <cstddef>
#include <filesystem>

namespace westerly {

/// Makes a database with `stored` workloads as a year of use leaves it, in the place of none: each was decided, ran
/// once, was metered and charged; `live` of them, scattered evenly, still wait at the providers of broker_process.
/// Through the store itself, so that every row is one that the broker could have written. Gives how many rows that are.
/// Throws std::runtime_error.
std::size_t fill_store(const std::filesystem::path& file, std::size_t stored, std::size_t live);

/// Such a database without live ones, made once below TMPDIR to be copied, and removed with the object.
class filled_master {
public:
    explicit filled_master(std::size_t stored);
    ~filled_master();
    filled_master(const filled_master&) = delete;
    filled_master& operator=(const filled_master&) = delete;
    /// As the database of a broker that was never started.
    void copy_to(const std::filesystem::path& home) const;

private:
    std::filesystem::path folder_;
};

}  // namespace westerly
