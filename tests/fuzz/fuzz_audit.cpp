// Any bytes are an audit record or are refused; a record is written again as it was read.
#include <string>

#include "base/audit_bytes.hpp"
#include "fuzz_target.hpp"

BYWAY_FUZZ(audit) {
  using namespace byway;
  using byway::fuzz::require;
  const auto fields = base::decode_audit(input);
  if (!fields) return;
  const std::string written = base::encode_audit(*fields);
  const auto again = base::decode_audit(written);
  require(again.has_value() && *again == *fields);
  require(to_json(base::to_record(*fields)).find('\n') == std::string::npos);
}
