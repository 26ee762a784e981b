#pragma once

#include "tools/client/problem.hpp"
#include "tools/client/profile.hpp"
#include "tools/westerly/screen/output.hpp"

#include <optional>

namespace westerly {

/// What every command has: the broker, and how to print.
struct cli {
    profile who;
    http_client broker;
    bool json = false;
    bool colour = false;
};

/// Says what went wrong and what to do on standard error; gives the exit code: 126 for what was refused, else 125.
int complain(const error& why);

/// The same error with a remedy, where a file that the command line names cannot be read.
error missing_file(error why);

/// Sends and reads a JSON answer. A problem becomes an error whose code tells refused (4xx) from ours.
result<rapidjson::Document> call(cli& with, const http_request& request);
result<rapidjson::Document> get(cli& with, const std::string& target);
result<rapidjson::Document> post(cli& with, const std::string& target, std::string body = "{}",
                                 std::vector<std::pair<std::string, std::string>> headers = {});

/// Every item of a paged list, at most `items_max`, as one array document.
inline constexpr std::size_t items_max = 100'000;
result<rapidjson::Document> get_all(cli& with, const std::string& target);

/// Prints a document as indented JSON.
void print_json(const json_value& v);
/// Prints {"name": "value", ...}, or the sentence for people.
void tell(const cli& with, std::initializer_list<std::pair<const char*, std::string>> facts,
          const std::string& sentence);
/// Percent-encodes one value of a query or one path segment.
std::string url_encode(std::string_view text);
/// A UUID for Idempotency-Key.
std::string fresh_key();

/// An id, or a name that names exactly one workload: the newest of that name. Errors: not_found.
result<std::string> find_workload_id(cli& with, const std::string& name_or_id);

}  // namespace westerly
