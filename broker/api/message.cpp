#include "broker/api/message.hpp"

#include <charconv>
#include <chrono>

namespace westerly {
namespace {

struct phrase {
    int status;
    std::string_view text;
};
constexpr phrase phrases[] = {
    {200, "OK"},
    {201, "Created"},
    {202, "Accepted"},
    {204, "No Content"},
    {304, "Not Modified"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {406, "Not Acceptable"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {412, "Precondition Failed"},
    {413, "Content Too Large"},
    {415, "Unsupported Media Type"},
    {417, "Expectation Failed"},
    {422, "Unprocessable Content"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {502, "Bad Gateway"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
    {505, "HTTP Version Not Supported"},
};

std::string_view phrase_of(int status) {
    for (const auto& row : phrases)
        if (row.status == status)
            return row.text;
    return "Unknown";
}

void append_number(std::string& out, std::uint64_t value) {
    char digits[20];
    const auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
    out.append(digits, static_cast<std::size_t>(end - digits));
}

// No page of ours is meant for a frame, a sniffing browser or a shared cache.
constexpr std::string_view security_headers =
    "Strict-Transport-Security: max-age=31536000\r\n"
    "X-Content-Type-Options: nosniff\r\n"
    "Content-Security-Policy: default-src 'none'; frame-ancestors 'none'\r\n"
    "Referrer-Policy: no-referrer\r\n";

}  // namespace

std::string_view to_string(http_method method) {
    constexpr std::string_view names[] = {"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "?"};
    return names[static_cast<std::size_t>(method)];
}

std::string format_response(const response& answer, const response_frame& frame) {
    const bool bodiless = answer.status == 204 || answer.status == 304;
    const bool joined = !frame.head_only && !bodiless && !answer.stream && answer.body.size() <= body_joined_max;
    std::string out;
    out.reserve(640 + (joined ? answer.body.size() : 0));
    out.append(frame.http_1_0 ? "HTTP/1.0 " : "HTTP/1.1 ");
    append_number(out, static_cast<std::uint64_t>(answer.status));
    out.append(" ").append(phrase_of(answer.status));
    out.append("\r\nServer: westerly\r\nDate: ").append(frame.date).append("\r\n");
    if (!bodiless) {
        if (!answer.content_type.empty())
            out.append("Content-Type: ").append(answer.content_type).append("\r\n");
        if (!answer.stream) {
            out.append("Content-Length: ");
            append_number(out, answer.body.size());
            out.append("\r\n");
        } else if (!frame.http_1_0) {
            out.append("Transfer-Encoding: chunked\r\n");
        }
    }
    for (const auto& [name, value] : answer.headers)
        out.append(name).append(": ").append(value).append("\r\n");
    out.append(answer.cacheable ? "Cache-Control: private, no-cache\r\n" : "Cache-Control: no-store\r\n");
    out.append(security_headers);
    if (!frame.keep_alive)
        out.append("Connection: close\r\n");
    else if (frame.http_1_0)
        out.append("Connection: keep-alive\r\n");
    out.append("\r\n");
    if (joined)
        out.append(answer.body);
    return out;
}

std::string format_chunk(std::string_view bytes, bool chunked, bool end) {
    if (!chunked)
        return std::string(bytes);
    std::string out;
    out.reserve(bytes.size() + 32);
    if (!bytes.empty()) {
        char size[20];
        const auto last = std::to_chars(size, size + sizeof size, bytes.size(), 16).ptr;
        out.append(size, static_cast<std::size_t>(last - size)).append("\r\n").append(bytes).append("\r\n");
    }
    if (end)
        out.append("0\r\n\r\n");
    return out;
}

std::string format_http_date(instant at) {
    using namespace std::chrono;
    constexpr std::string_view days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    constexpr std::string_view months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                           "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    const auto day = floor<std::chrono::days>(at);
    const year_month_day date(day);
    const hh_mm_ss time(floor<seconds>(at - day));
    const auto two = [](std::string& out, unsigned value) {
        out += static_cast<char>('0' + value / 10 % 10);
        out += static_cast<char>('0' + value % 10);
    };
    std::string out(days[weekday(day).c_encoding()]);
    out += ", ";
    two(out, static_cast<unsigned>(date.day()));
    out.append(" ").append(months[static_cast<unsigned>(date.month()) - 1]).append(" ");
    append_number(out, static_cast<std::uint64_t>(static_cast<int>(date.year())));
    out += ' ';
    two(out, static_cast<unsigned>(time.hours().count()));
    out += ':';
    two(out, static_cast<unsigned>(time.minutes().count()));
    out += ':';
    two(out, static_cast<unsigned>(time.seconds().count()));
    return out += " GMT";
}

response json_response(int status, std::string body) {
    response answer;
    answer.status = status;
    answer.body = std::move(body);
    return answer;
}

response empty_response(int status) {
    response answer;
    answer.status = status;
    answer.content_type = {};
    return answer;
}

}  // namespace westerly
