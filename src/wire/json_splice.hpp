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
/// outlive the Splice; it may be moved, but its views are taken anew then. Every byte outside the
/// edited places is the caller's.
class Splice {
 public:
  Splice() = default;
  explicit Splice(std::string_view body) { keep(body); }
  Splice(Splice&&) noexcept = default;
  Splice& operator=(Splice&&) noexcept = default;

  std::span<const std::string_view> pieces() const noexcept { return pieces_; }
  /// Bytes in all pieces together.
  std::size_t size() const noexcept { return size_; }
  /// The pieces joined.
  std::string text() const;

  /// Appends bytes of the body; neighbours become one piece.
  void keep(std::string_view bytes);
  /// Takes `text` over; add() then appends parts of it. Called once, before add().
  void own(std::string_view text);
  /// Appends [begin, end) of the owned text.
  void add(ByteSpan of_owned);

 private:
  std::vector<char> owned_;
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
  /// replaces. Must have passed validate_extra_body(); empty for none.
  std::string_view extra_body = {};
  /// Of the dialect, in this order: members to remove, to rename, and to add where they are missing
  /// (value as JSON text).
  std::span<const std::string> drop = {};
  std::span<const std::pair<std::string, std::string>> rename = {};
  std::span<const std::pair<std::string, std::string>> set_default = {};
};

/// `body` must be the bytes that `scan` was made of. A renamed member whose new name the caller
/// used as well is dropped, so that no name comes twice. Code: request_invalid_json when a name
/// that is edited stands in the body twice.
Result<Splice> edit_request(std::string_view body, const RequestScan& scan,
                            const RequestEdit& edit);

/// Whether `text` may be an endpoint's extra body: a JSON object without messages, model and
/// stream, no name twice at any level. Empty is fine. Code: registry_field_invalid.
Result<void> validate_extra_body(std::string_view text);

}  // namespace byway::wire
