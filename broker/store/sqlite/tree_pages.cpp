#include "broker/store/sqlite/tree_pages.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <span>

namespace westerly {

namespace {

constexpr unsigned depth_max = 20;  // SQLite's own limit
constexpr std::size_t bytes_above_cells = 12;
constexpr unsigned char inner_of_index = 2, inner_of_table = 5, leaf_of_index = 10, leaf_of_table = 13;

using bytes = std::span<const unsigned char>;

std::uint32_t big_endian(bytes from, std::size_t at, std::size_t size) {
    std::uint32_t value = 0;
    for (const unsigned char each : from.subspan(at, size))
        value = value << 8 | each;
    return value;
}

bool read_whole(int file, std::span<unsigned char> into, std::uint64_t at) {
    return ::pread(file, into.data(), into.size(), static_cast<off_t>(at)) == static_cast<ssize_t>(into.size());
}

/// A page above the leaves names a child beside each of its cells, and one more in its head.
std::vector<page_number> children_on(bytes page) {
    std::vector<page_number> out;
    const std::size_t cells = big_endian(page, 3, 2);
    if (bytes_above_cells + 2 * cells > page.size())
        return out;
    for (std::size_t i = 0; i < cells; ++i) {
        const std::size_t cell = big_endian(page, bytes_above_cells + 2 * i, 2);
        if (cell + sizeof(page_number) <= page.size())
            out.push_back(big_endian(page, cell, sizeof(page_number)));
    }
    out.push_back(big_endian(page, 8, sizeof(page_number)));
    return out;
}

class walk {
public:
    walk(int file, std::uint32_t page_bytes) : file_(file), page_(page_bytes), left_(pages_of(file, page_bytes)) {}

    /// All leaves lie equally deep, so that of each page's children one has to be looked at.
    void below(page_number root, unsigned depth) {
        if (left_ == 0)
            return;
        --left_;
        const auto kind = read(root);
        if (kind == leaf_of_table || kind == leaf_of_index)
            leaves.push_back(root);
        if ((kind != inner_of_table && kind != inner_of_index) || depth == depth_max)
            return;
        const auto children = children_on(page_);
        const auto first = read(children.empty() ? 0 : children.front());
        if (first == leaf_of_table || first == leaf_of_index) {
            const std::size_t some = std::min(children.size(), left_);
            leaves.insert(leaves.end(), children.begin(), children.begin() + static_cast<std::ptrdiff_t>(some));
            left_ -= some;
            return;
        }
        for (const page_number child : children)
            below(child, depth + 1);
    }

    std::vector<page_number> leaves;

private:
    static std::size_t pages_of(int file, std::uint32_t page_bytes) {
        struct stat about {};
        return ::fstat(file, &about) == 0 ? static_cast<std::size_t>(about.st_size) / page_bytes : 0;
    }

    /// Its first byte, which says what it is; 0: it cannot be read.
    unsigned char read(page_number number) {
        const bool there = number > 1 && read_whole(file_, page_, std::uint64_t{number - 1} * page_.size());
        return there ? page_.front() : 0;
    }

    const int file_;
    std::vector<unsigned char> page_;
    std::size_t left_;  // pages that the tree may still have: a damaged one may go in circles
};

}  // namespace

std::uint32_t page_bytes_of(int file) {
    std::array<unsigned char, 18> head{};
    if (!read_whole(file, head, 0))
        return 0;
    const auto told = big_endian(head, 16, 2);
    return told == 1 ? 65'536 : told < 512 ? 0 : told;
}

std::vector<page_number> leaves_of(int file, std::uint32_t page_bytes, page_number root) {
    walk tree(file, page_bytes);
    tree.below(root, 0);
    std::ranges::sort(tree.leaves);
    return std::move(tree.leaves);
}

}  // namespace westerly
