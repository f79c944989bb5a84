// CapabilityFields: a capability record as text for the store, and back.
#pragma once

#include <string>
#include <string_view>

#include <byway/capability_record.hpp>
#include <byway/result.hpp>

namespace byway::registry {

/// One JSON object; what is absent is left out.
std::string capabilities_to_json(const CapabilityRecord& record);

/// Reads it back. Fields that a newer Byway wrote are passed over: a record is advice, and must not
/// take an endpoint out of service. Code: registry_field_invalid, for what is no such object.
Result<CapabilityRecord> capabilities_from_json(std::string_view json);

}  // namespace byway::registry
