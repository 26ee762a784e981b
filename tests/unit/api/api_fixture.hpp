#pragma once

#include "tests/unit/api/fake_broker.hpp"
#include "tests/unit/api/tls_client.hpp"

#include <gtest/gtest.h>
#include <rapidjson/document.h>

#include <filesystem>

namespace westerly::testing {

/// A server on a free port over a fake broker, with a certificate of its own.
class api_fixture : public ::testing::Test {
protected:
    api_fixture();
    ~api_fixture() override;

    api_options options;  // changed by a test before `serve`
    fake_broker broker;
    std::string fingerprint;
    std::unique_ptr<api_server> server;

    void serve();
    tls_client connect() const { return tls_client(server->port()); }
    std::filesystem::path folder() const { return folder_; }

    static header_list as(const std::string& key, header_list more = {});
    /// One request on a connection of its own.
    http_reply ask(std::string_view method, std::string_view target, const header_list& headers = {},
                   std::string_view body = {}) const;
    http_reply post_json(std::string_view target, const std::string& key, std::string_view body,
                         header_list more = {}) const;

private:
    std::filesystem::path folder_;
};

rapidjson::Document parse(const std::string& json);
/// Checks that a reply is a problem with this status, and that it names a remedy.
void expect_problem(const http_reply& reply, int status, std::string_view type_end = {});

inline constexpr std::string_view small_workload =
    R"({"kind":"batch","name":"hello","variants":[{"command":["/bin/true"]}]})";

}  // namespace westerly::testing
