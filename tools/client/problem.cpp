#include "tools/client/problem.hpp"

#include "broker/codec/json.hpp"

namespace westerly {

namespace {

errc code_of(unsigned status) {
    switch (status) {
        case 401:
            return errc::unauthenticated;
        case 404:
            return errc::not_found;
        case 409:
            return errc::conflict;
        default:
            return status < 500 ? errc::invalid : errc::internal;
    }
}

std::string text_of(const json_value& in, const char* name) {
    const auto at = in.FindMember(name);
    const bool there = at != in.MemberEnd() && at->value.IsString();
    return there ? std::string(at->value.GetString(), at->value.GetStringLength()) : std::string();
}

}  // namespace

error problem_of(const http_response& answer) {
    const auto document = parse_json(answer.body, answer.body.size() + 1);
    if (!document || !document->IsObject())
        return fail(code_of(answer.status), "the broker answered HTTP " + std::to_string(answer.status),
                    "see that the address is that of westerlyd, and look at its log");
    error why = fail(code_of(answer.status), text_of(*document, "detail"), text_of(*document, "remedy"));
    if (why.detail.empty())
        why.detail = text_of(*document, "title");
    if (const auto errors = document->FindMember("errors"); errors != document->MemberEnd() && errors->value.IsArray())
        for (const auto& f : errors->value.GetArray())
            if (f.IsObject())
                why.faults.push_back({text_of(f, "pointer"), text_of(f, "detail"), text_of(f, "remedy")});
    if (why.code == errc::unauthenticated)
        why.remedy = "westerly login https://HOST:PORT --key KEY, or set WESTERLY_KEY";
    return why;
}

}  // namespace westerly
