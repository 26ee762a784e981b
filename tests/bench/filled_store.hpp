#pragma once

#include <cstddef>
#include <filesystem>

namespace westerly {

/// Makes a database with `stored` workloads as a year of use leaves it, in the place of none: each was decided, ran
/// once, was metered and charged; `live` of them, scattered evenly, still wait at the providers of broker_process.
/// Through the store itself, so that every row is one that the broker could have written. Throws std::runtime_error.
void fill_store(const std::filesystem::path& file, std::size_t stored, std::size_t live);

}  // namespace westerly
