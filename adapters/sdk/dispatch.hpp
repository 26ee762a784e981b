#pragma once

#include "adapters/sdk/adapter.hpp"

namespace westerly {

/// Runs one request of any verb but `initialize` and gives the line that answers it. Bad params and unknown verbs are
/// `invalid`, exceptions `internal`. Never throws.
std::string answer_line(adapter& provider, const rpc_message& request, const call_state& call);

/// The same for `initialize`; `ok` tells whether it succeeded.
std::string initialize_line(adapter& provider, const rpc_message& request, notifier& tell, bool& ok);

}  // namespace westerly
