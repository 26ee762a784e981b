#pragma once

#include "broker/api/message.hpp"

namespace westerly {

/// The one table of errors and statuses.
int status_of(errc code) noexcept;

/// application/problem+json (RFC 9457) with the status of the error's code.
response problem(const error& why);

/// The same under a status that HTTP knows and the rooms do not (405, 406, 415, …).
response problem(int status, const error& why);

/// An error about one query parameter or header: a fault at "?name" (headers: the header's name).
error parameter_error(std::string_view name, std::string message, std::string remedy);

/// An error about one field of a JSON body.
error field_error(std::string_view pointer, std::string message, std::string remedy);

}  // namespace westerly
