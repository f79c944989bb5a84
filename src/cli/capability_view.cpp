#include "cli/capability_view.hpp"

#include "cli/json.hpp"

namespace byway::cli {

void add_fields(Json& json, const CapabilityRecord& record) {
  json.text_or_null("model", record.model);
  for (const std::string_view name : capability_names()) json.flag(name, offers(record, name));
  json.number("context_length", record.context_length).number("dimensions", record.dimensions);
  json.raw("rate_headers", json_list(record.rate_headers, json_text));
  json.text_or_null("proposed_dialect", record.proposed_dialect);
  json.text_or_null("proposal_reason", record.proposal_reason);
  json.text_or_null("probed_at", record.probed_at);
  json.text_or_null("thorough_at", record.thorough_at);
}

std::string json_of(const CapabilityRecord& record) {
  Json json;
  json.flag("usable", record.is_usable).text_or_null("problem", record.problem);
  add_fields(json, record);
  return json.str();
}

std::string capability_text(const CapabilityRecord& record) {
  std::string works;
  std::string fails;
  for (const std::string_view name : capability_names()) {
    const std::optional<bool> known = offers(record, name);
    if (!known) continue;
    std::string& list = *known ? works : fails;
    list.append(list.empty() ? "" : ", ").append(name);
  }
  if (!fails.empty()) works += (works.empty() ? "not " : "; not ") + fails;
  return works;
}

std::string last_probe_text(const CapabilityRecord& record) {
  std::string text = record.probed_at;
  if (!record.model.empty()) text += " with " + record.model;
  text += record.is_usable ? ": usable" : ": not usable, " + record.problem;
  if (!record.thorough_at.empty() && record.thorough_at != record.probed_at) {
    text += "; thorough " + record.thorough_at;
  }
  return text;
}

std::string proposal_text(const CapabilityRecord& record) {
  if (record.proposed_dialect.empty()) return "";
  return record.proposed_dialect + " (" + record.proposal_reason + ")";
}

}  // namespace byway::cli
