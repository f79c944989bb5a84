// What probes have learned, as JSON and for people.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include <byway/capability_record.hpp>

namespace byway::cli {

class Json;

/// Every field of the record, null where it says nothing.
void add_fields(Json& json, const CapabilityRecord& record);
std::string json_of(const CapabilityRecord& record);

/// "chat, stream; not tools", from the yes-or-no fields.
std::string capability_text(const CapabilityRecord& record);

/// When, with which model and how it went: "2026-11-25T10:00:00Z with m1: usable".
std::string last_probe_text(const CapabilityRecord& record);

/// "vllm (owned_by vllm)"; empty for none.
std::string proposal_text(const CapabilityRecord& record);

}  // namespace byway::cli
