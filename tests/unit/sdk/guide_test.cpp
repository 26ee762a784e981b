#include "broker/codec/protocol_json.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace westerly {
namespace {

/// The messages of docs/guides/adapter-author.md: lines that begin with an arrow, with their indented continuations.
std::vector<std::string> messages_of_the_guide() {
    std::ifstream in(WESTERLY_SOURCE_DIR "/docs/guides/adapter-author.md");
    std::vector<std::string> found;
    bool within = false;
    for (std::string line; std::getline(in, line);) {
        const bool begins = line.starts_with("→ {") || line.starts_with("← {");
        within = begins || (within && line.starts_with("   "));
        if (begins)
            found.push_back(line.substr(std::string("→ ").size()));
        else if (within)
            found.back() += line.substr(3);
    }
    return found;
}

template <class T>
void expect_reads(result<T> (*decode)(const json_value&), const rpc_message& message, const std::string& line) {
    const auto read = decode(rpc_body(message));
    EXPECT_TRUE(read) << line << "\n" << read.error().detail;
}

TEST(guide, every_message_is_one_that_the_codec_reads) {
    const auto messages = messages_of_the_guide();
    ASSERT_GE(messages.size(), 8u);
    std::string last_method;
    for (const auto& line : messages) {
        const auto message = decode_rpc(line);
        ASSERT_TRUE(message) << line << "\n" << message.error().detail;
        using kind = rpc_message::kind;
        if (message->what == kind::request)
            last_method = message->method;
        if (message->what == kind::error)
            EXPECT_EQ(decode_rpc_failure(*message).kind, adapter_error::no_capacity);
        else if (message->what == kind::notification)
            expect_reads(decode_observation, *message, line);
        else if (last_method == "initialize" && message->what == kind::request)
            expect_reads(decode_initialize_request, *message, line);
        else if (last_method == "initialize")
            expect_reads(decode_initialize_reply, *message, line);
        else if (last_method == "offers" && message->what == kind::response)
            expect_reads(decode_offers_reply, *message, line);
        else if (last_method == "launch" && message->what == kind::request)
            expect_reads(decode_launch_request, *message, line);
        else if (last_method == "launch")
            expect_reads(decode_mutation_reply, *message, line);
    }
}

/// Debian's python3-jsonschema holds messages against the schema; without it the test says so.
TEST(guide, the_schema_accepts_its_messages_and_refuses_broken_ones) {
    if (std::system("/usr/bin/python3 -c 'import jsonschema' 2>/dev/null") != 0)
        GTEST_SKIP() << "python3-jsonschema is not installed";
    std::string name = "/tmp/westerly-guide-XXXXXX";
    const int fd = ::mkstemp(name.data());
    ASSERT_GE(fd, 0);
    {
        std::ofstream out(name);
        for (const auto& line : messages_of_the_guide())
            out << "1 " << line << '\n';
        launch_request request;
        request.token = "w0123456789abcdef0123456789abcdef";
        request.owner = request.workload = request.attempt = request.tenant = request.site = request.offer = "x";
        request.run.command = {"true"};
        const auto launch = encode(request);
        out << "1 " << rpc_request(1, "launch", launch) << '\n';
        out << "1 " << rpc_request(1, "put", encode(put_params{request.token, "a", 0, std::string("\0\xff", 2)}))
            << '\n';
        out << "0 " << rpc_request(1, "launch", "{}") << '\n';
        out << "0 " << rpc_request(1, "lunch", launch) << '\n';
        out << "0 " << rpc_request(1, "find", R"({"token":"w1"})") << '\n';
        out << "0 " << rpc_request(1, "find", "{\"token\":\"" + request.token + "\",\"more\":1}") << '\n';
    }
    const std::string script = R"(
import json, jsonschema, sys
schema = json.load(open(sys.argv[1]))
check = jsonschema.Draft202012Validator(schema)
for line in open(sys.argv[2]):
    if check.is_valid(json.loads(line[2:])) != (line[0] == "1"):
        print(line[:400])
)";
    const auto command =
        "/usr/bin/python3 -c '" + script + "' " WESTERLY_SOURCE_DIR "/schema/adapter-protocol.schema.json " + name;
    std::FILE* run = ::popen(command.c_str(), "r");
    std::string said;
    std::array<char, 4096> buffer;
    while (std::fgets(buffer.data(), buffer.size(), run) != nullptr)
        said += buffer.data();
    EXPECT_EQ(::pclose(run), 0);
    EXPECT_EQ(said, "");
    std::filesystem::remove(name);
}

}  // namespace
}  // namespace westerly
