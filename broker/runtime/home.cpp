#include "broker/runtime/home.hpp"

#include "broker/support/files.hpp"

#include <vector>

namespace westerly {

namespace fs = std::filesystem;

namespace {

result<void> make(const fs::path& path, fs::perms mode) {
    std::error_code failed;
    fs::create_directories(path, failed);
    if (!failed)
        fs::permissions(path, mode, failed);
    if (failed)
        return fail(errc::storage_failed, "cannot prepare " + path.string() + ": " + failed.message(),
                    "choose another --home, or give the broker's user the right to write there");
    return {};
}

std::vector<fs::path> private_folders(const home_layout& home) {
    return {home.certificate().parent_path(), home.bundles(), home.logs(), home.backups()};
}

/// The path, or the nearest folder above it that is there.
fs::path nearest_there(fs::path path) {
    std::error_code failed;
    while (path.has_relative_path() && !fs::exists(path, failed))
        path = path.parent_path();
    return path;
}

}  // namespace

result<void> check_home(const fs::path& root) {
    std::error_code failed;
    const home_layout home{fs::absolute(root, failed)};
    auto folders = private_folders(home);
    folders.insert(folders.begin(), {home.root, home.adapters()});
    for (const auto& folder : folders)
        if (const auto there = nearest_there(folder); !fs::is_directory(there, failed))
            return fail(errc::invalid, there.string() + " is not a folder, and the broker keeps its files in it",
                        "move it away, or choose another home (--home)");
    return {};
}

result<home_layout> prepare_home(const fs::path& root) {
    std::error_code failed;
    const home_layout home{fs::absolute(root, failed)};
    constexpr auto passable = fs::perms::owner_all | fs::perms::group_exec | fs::perms::others_exec;
    if (auto made = make(home.root, passable); !made)
        return made.error();
    if (auto made = make(home.adapters(), passable); !made)
        return made.error();
    for (const auto& folder : private_folders(home))
        if (auto made = make(folder, fs::perms::owner_all); !made)
            return made.error();
    return home;
}

std::string read_machine_id() {
    auto text = read_file("/etc/machine-id", 256);
    if (!text)
        return {};
    return text->substr(0, text->find('\n'));
}

}  // namespace westerly
