#pragma once

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

namespace westerly {

/// A folder of its own below /tmp, removed at the end.
class scratch_folder {
public:
    scratch_folder() {
        std::string name = "/tmp/westerly-simulate-XXXXXX";
        path_ = ::mkdtemp(name.data());
    }
    ~scratch_folder() { std::filesystem::remove_all(path_); }
    scratch_folder(const scratch_folder&) = delete;
    scratch_folder& operator=(const scratch_folder&) = delete;

    /// Writes it and gives its path.
    std::string file(const std::string& name, const std::string& text) const {
        std::ofstream(path_ / name, std::ios::binary) << text;
        return (path_ / name).string();
    }

private:
    std::filesystem::path path_;
};

}  // namespace westerly
