#include "tools/westerly/cli.hpp"

#include "broker/support/ids.hpp"

#include <rapidjson/prettywriter.h>

#include <cstdio>

namespace westerly {

namespace {

constexpr std::size_t answer_bytes_max = 256 << 20;

}  // namespace

int complain(const error& why) {
    // A single fault often is the whole message already: its place and its remedy are all that is left to say.
    const bool told = why.faults.size() == 1 && why.detail.find(why.faults[0].message) != std::string::npos;
    const auto& where = told ? why.faults[0].pointer : std::string();
    const bool placed = where.empty() || why.detail.find(where) != std::string::npos;
    std::fprintf(stderr, "westerly: %s%s\n", why.detail.c_str(), placed ? "" : (" (" + where + ")").c_str());
    bool remedy_told = why.remedy.empty() || why.remedy == why.detail;
    for (const fault& f : why.faults) {
        if (!told)
            std::fprintf(stderr, "  %s: %s%s%s\n", f.pointer.empty() ? "(whole)" : f.pointer.c_str(), f.message.c_str(),
                         f.remedy.empty() ? "" : " - ", f.remedy.c_str());
        else if (why.remedy.empty() && !f.remedy.empty())
            std::fprintf(stderr, "  %s\n", f.remedy.c_str());
        remedy_told = remedy_told || (!told && f.remedy == why.remedy);
    }
    if (!remedy_told)
        std::fprintf(stderr, "  %s\n", why.remedy.c_str());
    switch (why.code) {
        case errc::invalid:
        case errc::unauthenticated:
        case errc::not_found:
        case errc::conflict:
        case errc::too_large:
            return refused;
        default:
            return ours;
    }
}

error missing_file(error why) {
    if (why.remedy.empty())
        why.remedy = "check the path, and that you may read the file";
    return why;
}

result<rapidjson::Document> call(cli& with, const http_request& request) {
    const auto answer = with.broker.send(request);
    if (!answer)
        return answer.error();
    if (answer->status >= 400)
        return problem_of(*answer);
    if (answer->body.empty())
        return rapidjson::Document(rapidjson::kObjectType);
    return parse_json(answer->body, answer_bytes_max);
}

result<rapidjson::Document> get(cli& with, const std::string& target) {
    http_request request;
    request.target = target;
    return call(with, request);
}

result<rapidjson::Document> post(cli& with, const std::string& target, std::string body,
                                 std::vector<std::pair<std::string, std::string>> headers) {
    http_request request;
    request.method = "POST";
    request.target = target;
    request.body = std::move(body);
    request.headers = std::move(headers);
    return call(with, request);
}

result<rapidjson::Document> get_all(cli& with, const std::string& target) {
    rapidjson::Document all(rapidjson::kArrayType);
    const std::string joint = target.find('?') == std::string::npos ? "?" : "&";
    std::string cursor;
    do {
        auto page = get(with, target + (cursor.empty() ? "" : joint + "cursor=" + url_encode(cursor)));
        if (!page)
            return page.error();
        if (const auto* items = value_at(*page, "items"); items != nullptr && items->IsArray())
            for (const auto& item : items->GetArray())
                all.PushBack(rapidjson::Value(item, all.GetAllocator()), all.GetAllocator());
        cursor = text_at(*page, "next_cursor");
    } while (!cursor.empty() && all.Size() < items_max);
    return all;
}

void print_json(const json_value& v) {
    rapidjson::StringBuffer buffer;
    rapidjson::PrettyWriter<rapidjson::StringBuffer> out(buffer);
    out.SetIndent(' ', 2);
    v.Accept(out);
    std::printf("%s\n", buffer.GetString());
}

void tell(const cli& with, std::initializer_list<std::pair<const char*, std::string>> facts,
          const std::string& sentence) {
    if (!with.json) {
        std::printf("%s\n", sentence.c_str());
        return;
    }
    rapidjson::Document all(rapidjson::kObjectType);
    for (const auto& [name, value] : facts)
        all.AddMember(rapidjson::StringRef(name), rapidjson::Value(value, all.GetAllocator()), all.GetAllocator());
    print_json(all);
}

std::string url_encode(std::string_view text) {
    std::string encoded;
    for (const unsigned char c : text) {
        if (std::isalnum(c) != 0 || c == '-' || c == '_' || c == '.' || c == '~') {
            encoded += static_cast<char>(c);
            continue;
        }
        char escape[4];
        std::snprintf(escape, sizeof escape, "%%%02X", c);
        encoded += escape;
    }
    return encoded;
}

std::string fresh_key() {
    random_source random(secure_seed());
    return format_uuid(make_uuid_v7(system_wall_clock().now(), random));
}

result<std::string> find_workload_id(cli& with, const std::string& name_or_id) {
    if (parse_uuid(name_or_id))
        return name_or_id;
    const auto found = get(with, "/v1/workloads?limit=1&name=" + url_encode(name_or_id));
    if (!found)
        return found.error();
    auto id = text_at(*found, "items.0.id");
    if (id.empty())
        return fail(errc::not_found, "no workload is called \"" + name_or_id + "\"", "see `westerly ls`");
    return id;
}

}  // namespace westerly
