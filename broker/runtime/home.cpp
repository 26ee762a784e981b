#include "broker/runtime/home.hpp"

#include "broker/support/files.hpp"

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

}  // namespace

result<home_layout> prepare_home(const fs::path& root) {
    std::error_code failed;
    const home_layout home{fs::absolute(root, failed)};
    constexpr auto passable = fs::perms::owner_all | fs::perms::group_exec | fs::perms::others_exec;
    if (auto made = make(home.root, passable); !made)
        return made.error();
    if (auto made = make(home.adapters(), passable); !made)
        return made.error();
    for (const auto& folder : {home.certificate().parent_path(), home.bundles(), home.logs(), home.backups()})
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
