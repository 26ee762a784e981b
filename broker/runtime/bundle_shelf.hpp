#pragma once

#include "broker/domain/ids.hpp"
#include "broker/support/result.hpp"

#include <filesystem>

namespace westerly {

/// Uploaded bundles (tar files), kept by content as DIR/blobs/HEX, with an empty DIR/tenants/TENANT/HEX for each tenant
/// that uploaded it: knowing a digest is not enough to use another's files. Thread-safe: files are written atomically.
class bundle_shelf {
public:
    static constexpr std::uint64_t bytes_per_tenant_max = 4ull << 30;

    explicit bundle_shelf(std::filesystem::path dir);
    /// Gives "sha256:HEX". Errors: too_large past bytes_per_tenant_max, storage_failed.
    result<std::string> keep(const tenant_id& tenant, std::string_view bytes) const;
    bool has(const tenant_id& tenant, const std::string& files) const;
    /// A piece from `from` on; empty at the end. Errors: not_found.
    result<std::string> read(const std::string& files, std::uint64_t from, std::size_t bytes_max) const;
    /// Deletes what was last uploaded or used before `oldest`.
    void purge(instant oldest) const;

private:
    std::filesystem::path blob(const std::string& files) const;
    std::filesystem::path dir_;
};

}  // namespace westerly
