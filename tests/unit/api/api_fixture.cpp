#include "tests/unit/api/api_fixture.hpp"

#include "broker/support/log.hpp"

#include <unistd.h>

#include <csignal>

namespace westerly::testing {

api_fixture::api_fixture() {
    set_log_level(log_level::error);
    std::signal(SIGPIPE, SIG_IGN);  // OpenSSL's socket BIO writes without MSG_NOSIGNAL
    std::string name = (std::filesystem::temp_directory_path() / "westerly-api-XXXXXX").string();
    folder_ = mkdtemp(name.data());
    options.port = 0;
    options.certificate = folder_ / "cert.pem";
    options.private_key = folder_ / "key.pem";
    fingerprint = ensure_certificate(options.certificate, options.private_key, {"localhost", "127.0.0.1"}).value();
}

api_fixture::~api_fixture() {
    server.reset();
    std::filesystem::remove_all(folder_);
}

void api_fixture::serve() {
    server = std::make_unique<api_server>(options, broker.services());
    const auto started = server->start();
    ASSERT_TRUE(started) << started.error().detail;
}

header_list api_fixture::as(const std::string& key, header_list more) {
    more.emplace_back("Authorization", "Bearer " + key);
    return more;
}

http_reply api_fixture::ask(std::string_view method, std::string_view target, const header_list& headers,
                            std::string_view body) const {
    auto client = connect();
    return client.ask(method, target, headers, body);
}

http_reply api_fixture::post_json(std::string_view target, const std::string& key, std::string_view body,
                                  header_list more) const {
    more.emplace_back("Content-Type", "application/json");
    return ask("POST", target, as(key, std::move(more)), body);
}

rapidjson::Document parse(const std::string& json) {
    rapidjson::Document document;
    document.Parse(json.data(), json.size());
    EXPECT_FALSE(document.HasParseError()) << json;
    return document;
}

void expect_problem(const http_reply& reply, int status, std::string_view type_end) {
    EXPECT_EQ(reply.status, status) << reply.body;
    EXPECT_EQ(reply.header("content-type"), "application/problem+json");
    const auto body = parse(reply.body);
    ASSERT_TRUE(body.IsObject()) << reply.body;
    EXPECT_EQ(body["status"].GetInt(), status);
    EXPECT_TRUE(body.HasMember("remedy")) << reply.body;
    if (!type_end.empty()) {
        EXPECT_TRUE(std::string_view(body["type"].GetString()).ends_with(type_end)) << reply.body;
    }
}

}  // namespace westerly::testing
