#include "broker/codec/views_json.hpp"
#include "broker/codec/writer.hpp"

namespace westerly {
namespace {

struct problem_kind {
    std::string_view name;   // the end of "type"
    std::string_view title;  // the same for every problem of the kind
};

constexpr problem_kind kind_of(errc code) noexcept {
    switch (code) {
        case errc::invalid:
            return {"invalid", "The request is not valid"};
        case errc::unauthenticated:
            return {"unauthenticated", "A valid API key is needed"};
        case errc::forbidden:
            return {"forbidden", "This key's role may not do this"};
        case errc::not_found:
            return {"not-found", "No such thing"};
        case errc::conflict:
            return {"conflict", "The state of the thing does not allow this"};
        case errc::key_reused:
            return {"idempotency-key-reused", "This idempotency key came with another body"};
        case errc::precondition_failed:
            return {"precondition-failed", "The thing has changed since it was read"};
        case errc::too_large:
            return {"too-large", "The request passes a size limit"};
        case errc::rate_limited:
            return {"rate-limited", "Too many requests"};
        case errc::unsupported:
            return {"unsupported", "Understood, but not supported yet"};
        case errc::no_feasible_offer:
            return {"no-feasible-offer", "No offer satisfies the constraints now"};
        case errc::overloaded:
            return {"overloaded", "The broker is busy"};
        case errc::shutting_down:
            return {"shutting-down", "The broker is shutting down"};
        case errc::provider_throttled:
            return {"provider-throttled", "The provider asks to wait"};
        case errc::provider_rejected:
            return {"provider-rejected", "The provider refuses this"};
        case errc::provider_unavailable:
            return {"provider-unavailable", "The provider does not answer"};
        case errc::timed_out:
            return {"timed-out", "No answer in time; the outcome is not known"};
        case errc::storage_failed:
            return {"storage-failed", "The broker's storage has failed"};
        case errc::internal:
            break;
    }
    return {"internal", "A defect in the broker"};
}

}  // namespace

std::string encode_problem(const error& e, int status) {
    const auto kind = kind_of(e.code);
    rapidjson::StringBuffer buffer;
    json_writer out(buffer);
    out.StartObject();
    put_text(out, "type", "urn:westerly:problem:" + std::string(kind.name));
    put_text(out, "title", kind.title);
    put_signed(out, "status", status);
    put_text(out, "detail", e.detail);
    put_text(out, "remedy", e.remedy);
    if (!e.faults.empty())
        put_objects(out, "errors", e.faults, [&](const fault& f) {
            put_key(out, "pointer");
            put_string(out, f.pointer);  // "" is the whole document
            put_text(out, "detail", f.message);
            put_text(out, "remedy", f.remedy);
        });
    out.EndObject();
    return {buffer.GetString(), buffer.GetSize()};
}

}  // namespace westerly
