// Access: the part of a snapshot that says who may call what, and under which names.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include <byway/alias.hpp>
#include <byway/error.hpp>
#include <byway/org.hpp>
#include <byway/secret.hpp>

#include "registry/key_record.hpp"

namespace byway::registry {

/// What customer keys are hashed under; in protected memory.
struct Pepper {
  std::uint32_t version = 0;
  Secret bytes;
};

struct OrgRecord {
  Org org = {};
  /// Of calls without a customer key.
  std::shared_ptr<const policy::LimitList> limits = {};
  /// Its limits cannot be read, so no call of it can be let through.
  std::optional<Error> problem = {};
};

/// As it was read.
struct AccessRecords {
  /// Customer keys begin with it.
  std::string key_prefix = "bw";
  std::vector<std::shared_ptr<const Pepper>> peppers = {};
  std::vector<std::shared_ptr<const KeyRecord>> keys = {};
  std::vector<std::shared_ptr<const Alias>> aliases = {};
  std::vector<std::shared_ptr<const OrgRecord>> orgs = {};
};

/// Immutable once made. *Safe from any thread.*
class Access {
 public:
  Access() = default;
  explicit Access(AccessRecords records);
  /// Its maps hold views of its records, which stay where they are when it is moved.
  Access(Access&&) = default;
  Access& operator=(Access&&) = default;

  const std::string& key_prefix() const noexcept { return records_.key_prefix; }
  /// Null when there is none; like the others without allocation.
  const Pepper* pepper(std::uint32_t version) const noexcept;
  /// The one that new keys are hashed under. Null when there is none.
  const Pepper* newest_pepper() const noexcept;
  const std::shared_ptr<const KeyRecord>& find_key(std::string_view id) const noexcept;
  const std::shared_ptr<const Alias>& find_alias(std::string_view org,
                                                 std::string_view name) const noexcept;
  const std::shared_ptr<const OrgRecord>& find_org(std::string_view name) const noexcept;
  const AccessRecords& records() const noexcept { return records_; }

 private:
  AccessRecords records_;
  std::unordered_map<std::string_view, std::size_t> keys_;
  std::map<std::pair<std::string_view, std::string_view>, std::size_t> aliases_;
  std::unordered_map<std::string_view, std::size_t> orgs_;
};

}  // namespace byway::registry
