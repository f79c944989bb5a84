#include "vault/binding.hpp"

#include "vault/big_endian.hpp"

namespace byway::vault {
namespace {

enum class FieldType : char {
  format_version = 1,
  org,
  slug,
  origin,
  field,
  record_id,
  generation,
  kek_version,
};

void append(std::string& out, FieldType type, std::string_view value) {
  out.push_back(static_cast<char>(type));
  append_big_endian(out, static_cast<std::uint32_t>(value.size()));
  out.append(value);
}

template <class Number>
void append_number(std::string& out, FieldType type, Number value) {
  out.push_back(static_cast<char>(type));
  append_big_endian(out, std::uint32_t{sizeof(value)});
  append_big_endian(out, value);
}

}  // namespace

void encode_binding(const Binding& binding, std::uint32_t kek_version, std::string& out) {
  out.clear();
  append_number(out, FieldType::format_version, std::uint8_t{1});
  append(out, FieldType::org, binding.org);
  append(out, FieldType::slug, binding.slug);
  append(out, FieldType::origin, binding.origin);
  append(out, FieldType::field, binding.field);
  append(out, FieldType::record_id, binding.record_id);
  append_number(out, FieldType::generation, binding.generation);
  append_number(out, FieldType::kek_version, kek_version);
}

}  // namespace byway::vault
