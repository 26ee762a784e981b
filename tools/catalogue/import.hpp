#pragma once

#include "broker/domain/provider.hpp"
#include "tools/catalogue/cards.hpp"

#include <map>
#include <unordered_map>

namespace westerly {

struct import_options {
    std::string provider;  // only this one; or, where the file has no such column, whose prices they are
    std::string source;    // told as price_source; empty: the file's name
    std::optional<instant> as_of;
};

struct import_facts {
    std::vector<cloud_region> regions;  // an earlier entry holds over a later one
    std::vector<known_accelerator> accelerators;
};
/// Those that the build carries, behind `own` ones. Errors: those of the decoders.
result<import_facts> shipped_import_facts(std::vector<cloud_region> own);

/// One provider's offers, as they go into its file.
struct imported_provider {
    std::string id;
    std::vector<site_facts> sites;  // in order of first mention
    std::vector<offer> offers;      // `site` holds the site's name and region only
};

/// Turns rows of price catalogues into offers, provider by provider, and finds fault with each row by the rules of
/// findings.hpp. Pure: files are read and written elsewhere.
class catalogue_import {
public:
    catalogue_import(import_facts facts, import_options options);

    /// Rows of one file. Errors: invalid when its first line does not name the columns.
    result<void> add(std::string_view csv, std::uint32_t file, const std::string& file_name);

    const std::map<std::string, imported_provider>& providers() const noexcept { return providers_; }
    const finding_log& findings() const noexcept { return findings_; }
    std::uint64_t rows() const noexcept { return rows_; }
    std::uint64_t rows_used() const noexcept { return rows_used_; }
    std::uint64_t rows_of_others() const noexcept { return rows_of_others_; }
    const std::vector<std::string>& columns_ignored() const noexcept { return ignored_; }

private:
    struct known_row {
        std::string facts;  // all that it says of one site and type
    };
    void add_row(price_row row, std::uint32_t file, const std::string& source);
    const site_facts* site_of(imported_provider& at, const price_row& row, std::uint32_t file);
    bool shape_of(const price_row& row, offer& made, std::uint32_t file);
    bool is_repeat(const std::string& provider, const std::string& place, const price_row& row, std::uint32_t file);
    void note(finding_kind kind, std::uint32_t file, const price_row& row, std::string detail);

    import_facts facts_;
    card_reader cards_;
    import_options options_;
    std::map<std::string, imported_provider> providers_;
    std::unordered_map<std::string, known_row> known_rows_;  // by provider, site and type
    std::unordered_map<std::string, std::size_t> sites_;     // by provider and site, into its `sites`
    finding_log findings_;
    std::uint64_t rows_ = 0, rows_used_ = 0, rows_of_others_ = 0;
    std::vector<std::string> ignored_;
};

}  // namespace westerly
