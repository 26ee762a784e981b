#pragma once

#include "broker/support/result.hpp"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace westerly {

inline constexpr std::size_t line_bytes_max = 1 << 20;

/// A text file, gzipped or not, a line at a time: memory does not grow with the file.
class line_reader {
public:
    /// Errors: not_found, naming the path.
    static result<line_reader> open(const std::string& path);
    /// False at the end. Errors: invalid (a line past line_bytes_max, or a broken gzip stream), with file and line.
    result<bool> next(std::string& line);
    std::size_t number() const noexcept { return number_; }  // of the last line, from 1
    /// "trace.csv.gz:17: what": an error about the last line.
    error fault(std::string_view what) const;

private:
    struct closer {
        void operator()(void* file) const noexcept;
    };
    line_reader(std::string path, void* file) : path_(std::move(path)), file_(file) {}

    std::string path_;
    std::unique_ptr<void, closer> file_;
    std::size_t number_ = 0;
};

/// The fields of one CSV line, quotes taken off and doubled quotes halved. A quoted field may not span lines.
/// False: a quote is left open.
bool split_csv(std::string_view line, std::vector<std::string>& fields);

/// A CSV file with a header: fields by name. Extra fields at the end of a line are left alone (some catalogues have
/// unquoted commas in their last column); missing ones are a fault.
class csv_reader {
public:
    /// Errors: not_found; invalid when one of `needed` is not among the columns.
    static result<csv_reader> open(const std::string& path, const std::vector<std::string>& needed);
    result<bool> next();
    bool has(std::string_view column) const noexcept;
    /// Empty when the file has no such column.
    std::string_view text(std::string_view column) const noexcept;
    /// Nothing when empty. Errors: invalid, with file and line, when it is no number or below `least`.
    result<std::optional<double>> number(std::string_view column, double least) const;
    error fault(std::string_view what) const { return lines_.fault(what); }

private:
    explicit csv_reader(line_reader lines) : lines_(std::move(lines)) {}

    line_reader lines_;
    std::vector<std::string> columns_, fields_;
    std::string line_;
};

/// The whole text as a number. Nothing: it is none, or not finite.
std::optional<double> parse_number(std::string_view text) noexcept;

}  // namespace westerly
