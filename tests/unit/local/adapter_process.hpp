#pragma once

#include "broker/codec/protocol_json.hpp"

#include <gtest/gtest.h>
#include <sys/types.h>

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace westerly {

/// The real adapter as a process, spoken to over its pipes. Every wait ends within a minute.
class adapter_process {
public:
    struct settings {
        std::filesystem::path state;
        std::string config = R"({"sites":[{"site":"east","vcpus":8,"memory_mib":16384}]})";
        bool as_nobody = false;  // needs root
    };
    explicit adapter_process(settings use);
    ~adapter_process();  // ends the stream and waits
    adapter_process(const adapter_process&) = delete;
    adapter_process& operator=(const adapter_process&) = delete;

    /// The reply of initialize.
    rpc_message start();
    rpc_message call(std::string_view method, const std::string& params);
    std::uint64_t begin(std::string_view method, const std::string& params);
    rpc_message wait_for(std::uint64_t id);
    void kill_9();
    pid_t pid() const noexcept { return pid_; }

    mutation_reply launch(const launch_request& request);
    observation find(const std::string& token);
    /// Until it has ended, or is proved absent.
    observation wait_for_end(const std::string& token);
    observation wait_for_phase(const std::string& token, observation::phase phase);
    mutation_reply cancel(const std::string& token, std::uint32_t grace_s);
    std::string log(const std::string& token, std::uint32_t rank = 0, bool error_stream = false);
    std::uint64_t units_free();

    std::vector<observation> changes;  // told by attempt.changed, in order

private:
    bool read_more();

    settings use_;
    pid_t pid_ = -1;
    int in_ = -1;
    int out_ = -1;
    std::uint64_t next_id_ = 1;
    std::string buffer_;
    std::map<std::uint64_t, rpc_message> replies_;
};

/// A fresh private directory of this test, removed at its end.
class scratch_dir {
public:
    scratch_dir();
    ~scratch_dir();
    const std::filesystem::path& path() const noexcept { return path_; }
    void give_to_nobody() const;

private:
    std::filesystem::path path_;
};

/// A launch of `sh -c script` under a new token.
launch_request shell(const std::string& script);
std::string new_token();

/// Live processes whose command line holds the text.
std::vector<pid_t> processes_with(const std::string& text);
bool gone(const std::string& command_text);  // waits for it

}  // namespace westerly
