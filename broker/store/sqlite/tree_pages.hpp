#pragma once

#include <cstdint>
#include <vector>

namespace westerly {

/// Numbers of a file's pages count from 1, as in SQLite.
using page_number = std::uint32_t;

/// What the head of a database file says, or 0 when it is none.
std::uint32_t page_bytes_of(int file);

/// The leaves of the tree, a table's or an index's, that begins at `root`: ascending, read from the file itself,
/// without its log and beside whoever writes it, so that they are a hint and no more. The pages above the leaves, one
/// in some hundreds, are read for it. What is damaged is left out. Source: sqlite.org/fileformat2.html, "B-tree Pages".
std::vector<page_number> leaves_of(int file, std::uint32_t page_bytes, page_number root);

}  // namespace westerly
