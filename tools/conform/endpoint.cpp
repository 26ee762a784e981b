#include "tools/conform/endpoint.hpp"

#include <algorithm>

namespace westerly {

result<endpoint_parts> split_endpoint(std::string_view text) {
    endpoint_parts out;
    if (const auto at = text.find("://"); at != std::string_view::npos) {
        out.scheme = text.substr(0, at + 3);
        text.remove_prefix(at + 3);
    }
    if (out.scheme == "https://" || out.scheme == "wss://")
        return fail(errc::invalid, "its endpoint is TLS, whose certificate names a host that a proxy is not");
    const auto authority = text.substr(0, text.find_first_of("/?#"));
    out.rest = text.substr(authority.size());
    const auto colon = authority.rfind(':');
    const bool bracketed = authority.ends_with(']');
    auto host = authority.substr(0, bracketed ? authority.size() : colon);
    if (colon != std::string_view::npos && !bracketed)
        out.port = authority.substr(colon + 1);
    else if (out.http())
        out.port = "80";
    if (host.starts_with('[') && host.ends_with(']'))
        host = host.substr(1, host.size() - 2);
    out.host = host;
    const bool port_is_number = !out.port.empty() && out.port.size() <= 5 &&
                                std::ranges::all_of(out.port, [](char c) { return c >= '0' && c <= '9'; });
    if (out.host.empty() || !port_is_number || out.host.find('@') != std::string::npos)
        return fail(errc::invalid, "its endpoint does not name a host and a port");
    return out;
}

}  // namespace westerly
