#include "broker/api/router.hpp"
#include "broker/support/embedded.hpp"
#include "tests/unit/api/api_fixture.hpp"

#include <set>

namespace westerly::testing {
namespace {

std::string lower(std::string_view text) {
    std::string out(text);
    for (auto& c : out)
        c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return out;
}

class openapi_test : public ::testing::Test {
protected:
    rapidjson::Document document = parse(std::string(embedded_file("schema/openapi.json").value_or("")));
};

TEST_F(openapi_test, holds_the_same_routes_as_the_table) {
    std::set<std::string> described, served;
    for (const auto& path : document["paths"].GetObject())
        for (const auto& method : path.value.GetObject())
            described.insert(std::string(method.name.GetString()) + " " + path.name.GetString());
    for (const auto& r : routes())
        served.insert(lower(to_string(r.method)) + " " + std::string(r.pattern));
    EXPECT_EQ(described, served);
}

TEST_F(openapi_test, holds_the_same_query_parameters_as_the_table) {
    for (const auto& r : routes()) {
        std::set<std::string> described, allowed;
        const auto& operation = document["paths"][std::string(r.pattern).c_str()][lower(to_string(r.method)).c_str()];
        if (operation.HasMember("parameters"))
            for (const auto& reference : operation["parameters"].GetArray()) {
                const std::string name = reference["$ref"].GetString();
                const auto& parameter = document["components"]["parameters"][name.substr(name.rfind('/') + 1).c_str()];
                if (std::string_view(parameter["in"].GetString()) == "query")
                    described.insert(parameter["name"].GetString());
            }
        for (std::size_t at = 0; at < r.parameters.size();) {
            const auto end = std::min(r.parameters.find(' ', at), r.parameters.size());
            allowed.insert(std::string(r.parameters.substr(at, end - at)));
            at = end + 1;
        }
        EXPECT_EQ(described, allowed) << r.pattern;
        EXPECT_EQ(operation.HasMember("requestBody"), r.body == body_kind::json || r.body == body_kind::tar)
            << r.pattern;
    }
}

TEST_F(openapi_test, carries_the_workload_schema_word_for_word) {
    const auto schema = parse(std::string(embedded_file("schema/workload.schema.json").value_or("")));
    EXPECT_TRUE(document["components"]["schemas"]["workload_request"] == schema)
        << "copy schema/workload.schema.json into components/schemas/workload_request of schema/openapi.json";
}

class live_contract_test : public api_fixture {};

/// Every route against a live server, each answer checked by tests/e2e/contract.py against the document.
TEST_F(live_contract_test, every_answer_is_as_described) {
    auto w = broker.add_workload(broker.east, "seen", workload_state::succeeded);
    auto run = broker.add_attempt(w, attempt_state::ended);
    const auto d = broker.add_decision(w);
    broker.add_usage(w, run);
    broker.add_event(w, "workload.queued");
    broker.write_log(run.id, "hello\n", true);
    broker.outputs = {{"deep/out.txt", "result"}};
    serve();
    const std::string command = "/usr/bin/python3 -B " WESTERLY_SOURCE_DIR "/tests/e2e/contract_tour.py --port " +
                                std::to_string(server->port()) + " --fingerprint " + fingerprint + " --operator " +
                                broker.operator_key + " --member " + broker.east_key + " --workload " +
                                to_string(w.id) + " --decision " + to_string(d.id);
    EXPECT_EQ(std::system(command.c_str()), 0);
}

}  // namespace
}  // namespace westerly::testing
