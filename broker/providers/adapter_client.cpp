#include "broker/providers/adapter_client.hpp"

namespace westerly {

mutation_reply mutation_of(const rpc_failure& failure) {
    mutation_reply reply;
    reply.outcome = proves_not_done(failure.kind) ? call_outcome::not_done : call_outcome::unknown;
    reply.why = failure.kind;
    reply.message = failure.message;
    reply.retry_after_s = failure.retry_after_s;
    return reply;
}

error read_error(const provider_id& provider, const rpc_failure& failure) {
    errc code = errc::provider_unavailable;
    switch (failure.kind) {
        case adapter_error::rate_limited:
            code = errc::provider_throttled;
            break;
        case adapter_error::no_capacity:
        case adapter_error::quota_exceeded:
        case adapter_error::unauthorised:
            code = errc::provider_rejected;
            break;
        case adapter_error::not_found:
            code = errc::not_found;
            break;
        case adapter_error::invalid:
            code = errc::invalid;
            break;
        case adapter_error::none:
        case adapter_error::unavailable:
        case adapter_error::internal:
            break;
    }
    return fail(code, "provider " + provider + ": " + failure.message);
}

}  // namespace westerly
