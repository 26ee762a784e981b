#include "broker/runtime/bundle_shelf.hpp"

#include "broker/support/bytes.hpp"
#include "broker/support/files.hpp"

#include <fstream>

namespace westerly {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view prefix = "sha256:";

/// The hex part, or empty when it is not one: the name becomes part of a path.
std::string hex_of(const std::string& files) {
    if (files.size() != prefix.size() + 64 || files.compare(0, prefix.size(), prefix) != 0)
        return {};
    const auto hex = files.substr(prefix.size());
    return hex.find_first_not_of("0123456789abcdef") == std::string::npos ? hex : std::string{};
}

std::uint64_t bytes_of_tenant(const fs::path& markers, const fs::path& blobs) {
    std::uint64_t sum = 0;
    std::error_code ignored;
    for (const auto& entry : fs::directory_iterator(markers, ignored)) {
        std::error_code failed;
        const auto size = fs::file_size(blobs / entry.path().filename(), failed);
        sum += failed ? 0 : size;
    }
    return sum;
}

}  // namespace

bundle_shelf::bundle_shelf(fs::path dir) : dir_(std::move(dir)) {}

fs::path bundle_shelf::blob(const std::string& files) const {
    return dir_ / "blobs" / hex_of(files);
}

result<std::string> bundle_shelf::keep(const tenant_id& tenant, std::string_view bytes) const {
    const std::string files = std::string(prefix) + to_hex(sha256(bytes));
    const auto markers = dir_ / "tenants" / to_string(tenant);
    std::error_code failed;
    fs::create_directories(dir_ / "blobs", failed);
    fs::create_directories(markers, failed);
    if (failed)
        return fail(errc::storage_failed, "cannot make " + markers.string() + ": " + failed.message());
    if (!has(tenant, files) && bytes_of_tenant(markers, dir_ / "blobs") + bytes.size() > bytes_per_tenant_max)
        return fail(errc::too_large, "this tenant's uploaded bundles would pass 4 GiB",
                    "bundles unused for 30 days are deleted; upload less until then");
    if (auto written = write_file_atomically(blob(files), bytes, 0600); !written)
        return written.error();
    if (auto written = write_file_atomically(markers / hex_of(files), "", 0600); !written)
        return written.error();
    return files;
}

bool bundle_shelf::has(const tenant_id& tenant, const std::string& files) const {
    std::error_code ignored;
    const auto hex = hex_of(files);
    return !hex.empty() && fs::exists(dir_ / "tenants" / to_string(tenant) / hex, ignored) &&
           fs::exists(blob(files), ignored);
}

result<std::string> bundle_shelf::read(const std::string& files, std::uint64_t from, std::size_t bytes_max) const {
    if (hex_of(files).empty())
        return fail(errc::not_found, "not a bundle: " + files);
    std::ifstream in(blob(files), std::ios::binary);
    if (!in)
        return fail(errc::not_found, "the bundle " + files + " is not here any more", "upload it again and resubmit");
    std::error_code ignored;
    if (from == 0)  // used: its age begins anew
        fs::last_write_time(blob(files), fs::file_time_type::clock::now(), ignored);
    in.seekg(static_cast<std::streamoff>(from));
    std::string piece(bytes_max, '\0');
    in.read(piece.data(), static_cast<std::streamsize>(bytes_max));
    piece.resize(static_cast<std::size_t>(std::max<std::streamsize>(in.gcount(), 0)));
    return piece;
}

void bundle_shelf::purge(instant oldest) const {
    std::error_code ignored;
    for (const auto& entry : fs::directory_iterator(dir_ / "blobs", ignored)) {
        std::error_code failed;
        const auto age = fs::file_time_type::clock::now() - fs::last_write_time(entry.path(), failed);
        if (failed || system_wall_clock().now() - std::chrono::duration_cast<milliseconds>(age) >= oldest)
            continue;
        fs::remove(entry.path(), ignored);
        for (const auto& owner : fs::directory_iterator(dir_ / "tenants", failed))
            fs::remove(owner.path() / entry.path().filename(), ignored);
    }
}

}  // namespace westerly
