#pragma once

#include "broker/codec/json.hpp"
#include "broker/domain/certificate.hpp"
#include "broker/support/result.hpp"

#include <vector>

namespace westerly {

/// A file in CONFIG/certificates (schema/certificates.schema.json). Errors: invalid, with line and column.
result<std::vector<certificate>> decode_certificates(std::string_view json);

/// One certificate with what is left of it, as GET /v1/certificates shows it.
void encode(json_writer& out, const certificate_status& s);

}  // namespace westerly
