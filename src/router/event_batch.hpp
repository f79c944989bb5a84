// EventBatch: copies of stream events in one block of memory, read back in order.
#pragma once

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include <byway/stream_event.hpp>

#if defined(__SANITIZE_ADDRESS__)
#define BYWAY_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define BYWAY_ASAN 1
#endif
#endif
#ifdef BYWAY_ASAN
#include <sanitizer/asan_interface.h>
#endif

namespace byway::router {

/// Written by one thread, then read by one. Events are views into the batch and are lost with the
/// next one.
class EventBatch {
 public:
  EventBatch() = default;
  EventBatch(EventBatch&&) = default;
  EventBatch& operator=(EventBatch&&) = default;
  ~EventBatch() { unpoison(); }

  void push(const StreamEvent& event) {
    const std::size_t size = event.text.size() + event.reasoning.size() + event.data.size();
    if (bytes_.capacity() < bytes_min) bytes_.reserve(std::max(bytes_min, size));
    Record record;
    record.kind = event.kind;
    record.choice = event.choice;
    record.begin = bytes_.size();
    record.text_size = event.text.size();
    record.reasoning_size = event.reasoning.size();
    record.data_size = event.data.size();
    bytes_.append(event.text).append(event.reasoning).append(event.data);
    record.tools_begin = tools_.size();
    record.tools_size = event.tools.size();
    for (const ToolPiece& piece : event.tools) {
      tools_.push_back({piece.slot, piece.id.size(), piece.name.size(), piece.arguments.size()});
      bytes_.append(piece.id).append(piece.name).append(piece.arguments);
    }
    record.end = bytes_.size();
    records_.push_back(record);
  }

  std::size_t bytes() const noexcept { return bytes_.size(); }
  bool is_empty() const noexcept { return next_ == records_.size(); }

  /// The next event, or null. Under address sanitizer the bytes of the one before are poisoned, so
  /// that a view that is kept too long is found.
  const StreamEvent* next() {
    if (next_ > 0) poison(records_[next_ - 1]);
    if (is_empty()) return nullptr;
    const Record& record = records_[next_++];
    std::string_view rest = std::string_view(bytes_).substr(record.begin);
    const auto take = [&rest](std::size_t size) {
      const std::string_view taken = rest.substr(0, size);
      rest.remove_prefix(size);
      return taken;
    };
    event_.kind = record.kind;
    event_.choice = record.choice;
    event_.text = take(record.text_size);
    event_.reasoning = take(record.reasoning_size);
    event_.data = take(record.data_size);
    pieces_.clear();
    for (std::size_t i = 0; i < record.tools_size; ++i) {
      const Tool& tool = tools_[record.tools_begin + i];
      ToolPiece piece{tool.slot, take(tool.id_size), {}, {}};
      piece.name = take(tool.name_size);
      piece.arguments = take(tool.arguments_size);
      pieces_.push_back(piece);
    }
    event_.tools = pieces_;
    return &event_;
  }

  void clear() {
    unpoison();
    bytes_.clear();
#ifdef BYWAY_ASAN
    std::string().swap(bytes_);  // a view kept too long then points to freed memory
#endif
    records_.clear();
    tools_.clear();
    next_ = 0;
  }

 private:
  /// More than a std::string keeps inside itself, so that a swap of batches moves no bytes.
  static constexpr std::size_t bytes_min = 64;

  struct Record {
    StreamEventKind kind;
    int choice;
    std::size_t begin, end, text_size, reasoning_size, data_size, tools_begin, tools_size;
  };
  struct Tool {
    int slot;
    std::size_t id_size, name_size, arguments_size;
  };

  void poison([[maybe_unused]] const Record& record) {
#ifdef BYWAY_ASAN
    __asan_poison_memory_region(bytes_.data() + record.begin, record.end - record.begin);
#endif
  }
  void unpoison() {
#ifdef BYWAY_ASAN
    __asan_unpoison_memory_region(bytes_.data(), bytes_.capacity());
#endif
  }

  std::string bytes_;
  std::vector<Record> records_;
  std::vector<Tool> tools_;
  std::vector<ToolPiece> pieces_;
  std::size_t next_ = 0;
  StreamEvent event_;
};

}  // namespace byway::router
