#include "broker/api/asked.hpp"
#include "broker/api/handlers.hpp"

namespace westerly {

response keep_bundle(const call& c) {
    if (c.http.body.empty())
        return problem(fail(errc::invalid, "the body is empty", "send a tar archive"));
    const auto kept = c.house.services.keep_bundle(c.who.tenant, std::string(c.http.body));
    if (!kept)
        return problem(kept.error());
    rapidjson::StringBuffer buffer;
    json_writer out(buffer);
    out.StartObject();
    put_text(out, "files", *kept);
    put_whole(out, "size_bytes", c.http.body.size());
    out.EndObject();
    return json_response(201, {buffer.GetString(), buffer.GetSize()});
}

}  // namespace westerly
