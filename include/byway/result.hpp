// Result<T>: a value or an Error.
#pragma once

#include <exception>
#include <type_traits>
#include <utility>
#include <variant>

#include <byway/error.hpp>

namespace byway {

/// Thrown by `*`, `->` and value() on a Result that holds an error; nothing else in Byway throws to
/// its caller.
class ResultError : public std::exception {
 public:
  explicit ResultError(Error error) : error_(std::move(error)) {}
  const Error& error() const noexcept { return error_; }
  const char* what() const noexcept override { return error_.message().c_str(); }

 private:
  Error error_;
};

/// A T, or the Error that explains its absence. Test it before use; using a failed one throws
/// ResultError.
template <class T>
class [[nodiscard]] Result {
  static_assert(!std::is_reference_v<T> && !std::is_same_v<std::remove_cv_t<T>, Error>);

 public:
  using value_type = T;

  Result(T value)
      : content_(std::in_place_index<0>, std::move(value)) {}  // NOLINT: implicit on purpose
  Result(Error error)
      : content_(std::in_place_index<1>, std::move(error)) {}  // NOLINT: implicit on purpose

  bool has_value() const noexcept { return content_.index() == 0; }
  explicit operator bool() const noexcept { return has_value(); }

  const T& value() const& { return checked(), *std::get_if<0>(&content_); }
  T& value() & { return checked(), *std::get_if<0>(&content_); }
  T&& value() && { return checked(), std::move(*std::get_if<0>(&content_)); }

  const T& operator*() const& { return value(); }
  T& operator*() & { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  const T* operator->() const& { return &value(); }
  T* operator->() & { return &value(); }
  /// Deleted so that `router.call(...).get()->text()` cannot dangle: name the result first.
  T* operator->() && = delete;
  const T* operator->() const&& = delete;

  template <class U>
  T value_or(U&& other) const& {
    return has_value() ? value() : static_cast<T>(std::forward<U>(other));
  }

  /// Precondition: !has_value(); throws std::bad_variant_access otherwise.
  const Error& error() const& { return std::get<1>(content_); }
  Error&& error() && { return std::get<1>(std::move(content_)); }

 private:
  void checked() const {
    if (!has_value()) throw ResultError(*std::get_if<1>(&content_));
  }

  std::variant<T, Error> content_;
};

/// Success without a value, or an Error.
template <>
class [[nodiscard]] Result<void> {
 public:
  Result() noexcept = default;
  Result(Error error) noexcept : error_(std::move(error)) {}  // NOLINT: implicit on purpose

  bool has_value() const noexcept { return !error_.has_value(); }
  explicit operator bool() const noexcept { return has_value(); }
  void value() const {
    if (error_) throw ResultError(*error_);
  }
  const Error& error() const& { return error_.value(); }

 private:
  std::optional<Error> error_;
};

}  // namespace byway
