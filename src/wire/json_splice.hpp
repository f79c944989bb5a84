// Splice: edits of a JSON body as pieces, the caller's bytes and ours in turn, nothing copied.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <byway/result.hpp>

#include "wire/json_scan.hpp"

namespace byway::wire {

/// The pieces of an edited body, in order. Those of the caller's bytes view the body, which must
/// outlive the Splice; moving it leaves all views good. Every byte outside the edited places is the
/// caller's.
class Splice {
 public:
  /// A part of the result: a span of the body, or of our own text.
  struct Part {
    ByteSpan span = {};
    bool is_ours = false;
  };

  Splice() = default;
  Splice(std::string_view body, std::string_view ours, std::span<const Part> parts);
  Splice(Splice&&) noexcept = default;
  Splice& operator=(Splice&&) noexcept = default;

  std::span<const std::string_view> pieces() const noexcept { return pieces_; }
  /// Bytes in all pieces together.
  std::size_t size() const noexcept { return size_; }
  /// The pieces joined.
  std::string text() const;

 private:
  /// No string: a short one would keep its bytes inside itself, and moving would break the views.
  std::vector<char> ours_;
  std::vector<std::string_view> pieces_;
  std::size_t size_ = 0;
};

/// What becomes of stream_options.include_usage: left as it is, asked for, or removed with all of
/// stream_options (Databricks refuses the member itself).
enum class UsagePolicy : std::uint8_t { as_caller, request, strip };

/// What is done to a body on its way to an endpoint. Views are read during edit_request() only.
struct RequestEdit {
  /// The name to send as `model`; absent leaves the caller's.
  std::optional<std::string_view> model = {};
  /// Removes `model` (Azure's deployments have it in the path).
  bool omit_model = false;
  /// Sets `stream`; absent leaves the caller's.
  std::optional<bool> stream = {};
  UsagePolicy usage = UsagePolicy::as_caller;
  /// A JSON object merged in, this side winning: objects merge member by member, everything else
  /// replaces. Must have passed validate_extra_body(); empty
  /// for none.
  std::string_view extra_body = {};
  /// Of the dialect, in this order: members to remove, to rename, and to add where they are
  /// missing (value as JSON text). `model` and `stream` are not among them.
  std::span<const std::string> drop = {};
  std::span<const std::pair<std::string, std::string>> rename = {};
  std::span<const std::pair<std::string, std::string>> set_default = {};
};

/// `body` must be the bytes that `scan` was made of. A renamed member whose new name the caller
/// used as well is dropped, so that no name comes twice. Code: request_invalid_json when a name
/// that is edited stands in the body twice.
Result<Splice> edit_request(std::string_view body, const RequestScan& scan,
                            const RequestEdit& edit);

}  // namespace byway::wire
