// FieldMembers: fields that are plain members of a settings struct.
#pragma once

#include <optional>
#include <string_view>
#include <type_traits>
#include <utility>

#include "registry/fields.hpp"

namespace byway::registry {

template <auto Member>
struct MemberOf;
template <class Settings, class Value, Value Settings::*Member>
struct MemberOf<Member> {
  using Owner = Settings;
  using Type = Value;
};
template <auto Member>
using OwnerOf = typename MemberOf<Member>::Owner;

template <auto Member>
FieldValue get_plain(const OwnerOf<Member>& settings) {
  return settings.*Member;
}
template <auto Member>
Result<void> set_plain(OwnerOf<Member>& settings, FieldValue&& value) {
  settings.*Member = std::get<typename MemberOf<Member>::Type>(std::move(value));
  return {};
}

template <auto Member>
FieldValue get_optional(const OwnerOf<Member>& settings) {
  const auto& member = settings.*Member;
  if (!member) return {};
  return *member;
}
template <auto Member>
Result<void> set_optional(OwnerOf<Member>& settings, FieldValue&& value) {
  auto& member = settings.*Member;
  using Type = typename std::remove_reference_t<decltype(member)>::value_type;
  if (std::holds_alternative<std::monostate>(value)) {
    member.reset();
  } else {
    member = std::get<Type>(std::move(value));
  }
  return {};
}

template <auto Member>
constexpr FieldOf<OwnerOf<Member>> text_field(std::string_view name) {
  return {name, FieldKind::text, false, get_plain<Member>, set_plain<Member>};
}
template <auto Member>
constexpr FieldOf<OwnerOf<Member>> flag_field(std::string_view name) {
  return {name, FieldKind::flag, false, get_plain<Member>, set_plain<Member>};
}
template <auto Member>
constexpr FieldOf<OwnerOf<Member>> list_field(std::string_view name) {
  return {name, FieldKind::list, false, get_plain<Member>, set_plain<Member>};
}
/// May be absent: absent is not the same as an empty list.
template <auto Member>
constexpr FieldOf<OwnerOf<Member>> optional_list_field(std::string_view name) {
  return {name, FieldKind::list, true, get_optional<Member>, set_optional<Member>};
}
template <auto Member>
constexpr FieldOf<OwnerOf<Member>> number_field(std::string_view name) {
  return {name, FieldKind::number, true, get_optional<Member>, set_optional<Member>};
}

}  // namespace byway::registry
