#include "broker/providers/adapter_command.hpp"

#include <unistd.h>

namespace westerly {

result<std::vector<std::string>> adapter_command(const provider_config& of,
                                                 std::span<const std::filesystem::path> folders) {
    if (!of.adapter_command.empty())
        return of.adapter_command;
    const auto name = "westerly-adapter-" + of.kind;
    std::string places;
    for (const auto& folder : folders) {
        const auto path = (folder / name).string();
        if (of.kind.find('/') == std::string::npos && ::access(path.c_str(), X_OK) == 0)
            return std::vector<std::string>{path};
        places += (places.empty() ? "" : ", ") + folder.string();
    }
    return fail(errc::provider_unavailable, "there is no adapter of kind " + of.kind,
                "install " + name + " in " + (places.empty() ? "a folder of adapters" : places) +
                    ", or name another program in adapter_command");
}

}  // namespace westerly
