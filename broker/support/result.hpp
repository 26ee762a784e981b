#pragma once

#include <boost/system/result.hpp>

#include <cstdint>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace westerly {

/// What went wrong, ordered by who must act. Callers branch on this and on nothing else.
enum class errc : std::uint8_t {
    invalid = 1,           // client: the request breaks the schema or a rule (see faults)
    unauthenticated,       // client: no key, or an unknown one
    forbidden,             // client: the key's role may not do this
    not_found,             // client: no such thing, or not yours
    conflict,              // client: the state or revision does not allow it
    key_reused,            // client: this idempotency key came with another body
    precondition_failed,   // client: If-Match names an older revision
    too_large,             // client: a size or count limit
    rate_limited,          // client: slow down
    unsupported,           // client: understood, but this version does not do it yet
    no_feasible_offer,     // client: nothing satisfies the constraints now
    overloaded,            // broker: a queue is full; retry later
    shutting_down,         // broker: draining; retry elsewhere or later
    provider_throttled,    // provider: a definite no for now
    provider_rejected,     // provider: a definite no; place elsewhere
    provider_unavailable,  // provider: outcome UNKNOWN; observe before anything else
    timed_out,             // anyone: a deadline passed; outcome UNKNOWN
    storage_failed,        // broker: durability in doubt; stop taking writes
    internal,              // broker: a defect
};

/// One thing wrong with an input. `pointer` is an RFC 6901 JSON Pointer into it ("" is the whole).
struct fault {
    std::string pointer;
    std::string message;  // what is wrong, for people
    std::string remedy;   // what to do about it, for people; may be empty
    friend bool operator==(const fault&, const fault&) = default;
};

struct error {
    errc code = errc::internal;
    std::string detail;  // for people and logs; never parsed, never branched on
    std::string remedy;  // what to do about it, for people; may be empty
    std::vector<fault> faults = {};
};

[[noreturn]] inline void throw_exception_from_error(const error& e, const boost::source_location&) {
    throw std::runtime_error(e.detail);  // only reached by .value() on a failed result: a bug, or start-up
}

template <class T>
using result = boost::system::result<T, error>;

inline error fail(errc code, std::string detail = {}, std::string remedy = {}) {
    return {code, std::move(detail), std::move(remedy), {}};
}

}  // namespace westerly
