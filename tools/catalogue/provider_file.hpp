#pragma once

#include "tools/catalogue/import.hpp"

namespace westerly {

/// The provider file of kind "catalogue" that holds these offers, one a line: for plans only.
std::string catalogue_file(const imported_provider& from);

/// An adapter's provider file with the catalogue's on-demand prices laid over its offers, by site and name: launchable
/// supply. A price goes to every site of the file that stands in the catalogue's zone, or in its region where the
/// catalogue tells no zone; sites are matched by their names in the catalogue. What the file said under "prices" stays,
/// and what it said of the same site and offer goes. `missed` hears what was not laid over. Errors: invalid.
struct overlay_result {
    std::string file;
    std::size_t prices = 0;
    std::vector<std::pair<finding_kind, std::string>> missed;
};
result<overlay_result> overlay_prices(std::string_view id, std::string_view provider_file,
                                      const imported_provider& from);

}  // namespace westerly
