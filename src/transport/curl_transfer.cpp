#include "transport/curl_transfer.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/protected_memory.hpp"

namespace byway::transport {
namespace {

/// Bodies up to this size go out in one piece with the head: one send less. Longer ones are read
/// from the caller's pieces.
constexpr std::size_t flat_bytes_max = std::size_t{64} << 10;
/// libcurl 7.88 asks for "100 Continue" above this and then waits a second for servers that never
/// answer it.
constexpr std::size_t expect_bytes_min = std::size_t{1} << 20;
/// libcurl takes a buffer for each transfer and gives it back at the end, when all of it is wiped:
/// a large one costs more than the rest of a short answer.
constexpr std::size_t read_bytes[] = {2047, 8191, 16384};

template <class T>
bool set(CURL* easy, CURLoption option, T value) {
  return curl_easy_setopt(easy, option, value) == CURLE_OK;
}

std::size_t size_of(std::span<const std::string_view> pieces) {
  std::size_t size = 0;
  for (const std::string_view piece : pieces) size += piece.size();
  return size;
}

}  // namespace

CurlTransfer::CurlTransfer(PreparedTarget& prepared, TransferOwner& owner, TransferId slot)
    : prepared_(prepared), owner_(owner), slot_(slot), easy_(curl_easy_init()) {
  is_usable_ = easy_ != nullptr && set_once();
}

CurlTransfer::~CurlTransfer() {
  release_secret();
  if (easy_ != nullptr) curl_easy_cleanup(easy_);
}

bool CurlTransfer::set_once() {
  const Target& target = *prepared_.target;
  const auto age = std::chrono::ceil<std::chrono::seconds>(target.pool_age).count();
  bool good = set(easy_, CURLOPT_PRIVATE, this);
  good = good && set(easy_, CURLOPT_CURLU, prepared_.url.get());
  // Otherwise three signal calls a request, and none of them is safe with threads.
  good = good && set(easy_, CURLOPT_NOSIGNAL, 1L);
  // A transfer that is given up must not wait for a name server that does not answer.
  good = good && set(easy_, CURLOPT_QUICK_EXIT, 1L);
  good = good && set(easy_, CURLOPT_PROTOCOLS_STR, prepared_.is_tls ? "https" : "http");
  good = good && set(easy_, CURLOPT_FOLLOWLOCATION, 0L);
  good = good && set(easy_, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  // Empty means none, whatever the environment says; a proxy would go around the address guard.
  good = good && set(easy_, CURLOPT_PROXY, target.proxy.c_str());
  good = good && (target.proxy.empty() || set(easy_, CURLOPT_NOPROXY, ""));
  good = good && (target.proxy.empty() || set(easy_, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L));
  good = good && set(easy_, CURLOPT_MAXAGE_CONN, std::max<long>(1, static_cast<long>(age)));
  good = good && set(easy_, CURLOPT_SHARE, prepared_.pool->share());
  // A compressed answer is decoded although none is asked for (wire.md I12).
  good = good && set(easy_, CURLOPT_ACCEPT_ENCODING, "gzip");
  good = good && set(easy_, CURLOPT_HEADERFUNCTION, &on_header_line);
  good = good && set(easy_, CURLOPT_HEADERDATA, this);
  good = good && set(easy_, CURLOPT_WRITEFUNCTION, &on_body_bytes);
  good = good && set(easy_, CURLOPT_WRITEDATA, this);
  good = good && set(easy_, CURLOPT_READFUNCTION, &on_read);
  good = good && set(easy_, CURLOPT_READDATA, this);
  good = good && set(easy_, CURLOPT_SEEKFUNCTION, &on_seek);
  good = good && set(easy_, CURLOPT_SEEKDATA, this);
  good = good && set(easy_, CURLOPT_PREREQFUNCTION, &on_request_begins);
  good = good && set(easy_, CURLOPT_PREREQDATA, this);
  good = good && set(easy_, CURLOPT_OPENSOCKETFUNCTION, &on_open_socket);
  good = good && set(easy_, CURLOPT_OPENSOCKETDATA, this);
  good = good && set(easy_, CURLOPT_CLOSESOCKETFUNCTION, &on_close_socket);
  good = good && set(easy_, CURLOPT_CLOSESOCKETDATA, prepared_.pool.get());
  return good && (!prepared_.is_tls || set_tls());
}

bool CurlTransfer::set_tls() {
  const Target& target = *prepared_.target;
  bool good = set(easy_, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  good = good && set(easy_, CURLOPT_SSL_VERIFYPEER, 1L) && set(easy_, CURLOPT_SSL_VERIFYHOST, 2L);
  // The authorities come from our TrustStore: libcurl would parse its own for every connection.
  const char* none = nullptr;
  good = good && set(easy_, CURLOPT_CAINFO, none) && set(easy_, CURLOPT_CAPATH, none);
  good = good && set(easy_, CURLOPT_SSL_CTX_FUNCTION, &on_tls_context);
  good = good && set(easy_, CURLOPT_SSL_CTX_DATA, this);
  if (!target.client_cert.empty()) {
    good = good && set(easy_, CURLOPT_SSLCERT, target.client_cert.c_str());
    good = good && set(easy_, CURLOPT_SSLKEY, target.client_key.c_str());
  }
  return good;
}

bool CurlTransfer::start(const TransferRequest& request, TransferSink& sink) {
  limits_ = request.limits;
  phase_ = Phase::connecting;
  own_fault_ = TransferFault::none;
  may_resend_ = request.may_resend;
  is_cancelled_ = is_paused_ = is_held_ = is_stale_ = false;
  wire_copies_ = 0;
  head_.clear();
  ++uses_;
  if (!set_read_size() || !set_request(request) || !prepared_.pool->add(*this)) {
    release_secret();
    return false;
  }
  sink_ = &sink;
  limit(limits_.connect);
  return true;
}

/// Begins once more on a connection of its own, since the pooled one was closed before anything
/// was written.
bool CurlTransfer::begin_afresh() {
  is_stale_ = false;
  phase_ = Phase::connecting;
  piece_ = piece_offset_ = 0;
  if (!set_fresh(true) || !prepared_.pool->add(*this)) return false;
  limit(limits_.connect);
  return true;
}

bool CurlTransfer::set_fresh(bool is_fresh) {
  if (is_fresh_ == is_fresh) return true;
  is_fresh_ = is_fresh;
  return set(easy_, CURLOPT_FRESH_CONNECT, is_fresh ? 1L : 0L);
}

/// The last answer tells what the next one may be like: one that came in pieces which nearly filled
/// the buffer gets the next larger. Not while a transfer runs: its buffer is as long as was set
/// before.
bool CurlTransfer::set_read_size() {
  std::size_t bytes = read_bytes[0];
  for (const std::size_t next : read_bytes) {
    bytes = next;
    if (bytes_at_once_max_ < next / 4 * 3) break;
  }
  bytes_at_once_ = bytes_at_once_max_ = 0;
  if (read_bytes_ == bytes) return true;
  read_bytes_ = bytes;
  return set(easy_, CURLOPT_BUFFERSIZE, static_cast<long>(bytes));
}

bool CurlTransfer::set_request(const TransferRequest& request) {
  if (!set_fresh(false)) return false;
  if (!link_headers(request)) return false;
  curl_slist* headers = header_nodes_.empty() ? nullptr : header_nodes_.data();
  bool good = set(easy_, CURLOPT_HTTPHEADER, headers);
  if (request.method == Method::get) return good && set(easy_, CURLOPT_HTTPGET, 1L);
  return good && set_body(request.body);
}

bool CurlTransfer::set_body(std::span<const std::string_view> pieces) {
  const std::size_t size = size_of(pieces);
  const auto length = static_cast<curl_off_t>(size);
  if (size > flat_bytes_max) {
    pieces_ = pieces;
    piece_ = piece_offset_ = 0;
    const char* none = nullptr;
    return set(easy_, CURLOPT_POSTFIELDS, none) && set(easy_, CURLOPT_POST, 1L) &&
           set(easy_, CURLOPT_POSTFIELDSIZE_LARGE, length);
  }
  std::string_view flat = pieces.empty() ? std::string_view("") : pieces.front();
  if (pieces.size() > 1) {
    flat_body_.clear();
    flat_body_.reserve(size);
    for (const std::string_view piece : pieces) flat_body_.append(piece);
    flat = flat_body_;
  }
  return set(easy_, CURLOPT_POSTFIELDSIZE_LARGE, length) &&
         set(easy_, CURLOPT_POSTFIELDS, flat.data());
}

/// False when there is no protected memory for the key: a request without it is not what was asked.
bool CurlTransfer::link_headers(const TransferRequest& request) {
  const Target& target = *prepared_.target;
  header_text_.clear();
  const auto add = [this](std::string_view a, std::string_view b, std::string_view c) {
    header_text_.append(a).append(b).append(c).push_back('\0');
  };
  // Names with nothing behind the colon stop libcurl from sending its own.
  add("Accept-Encoding:", "", "");
  if (size_of(request.body) >= expect_bytes_min) add("Expect:", "", "");
  for (const auto& [name, value] : target.headers) add(name, ": ", value);
  for (const std::string_view line : request.header_lines) add(line, "", "");

  header_nodes_.clear();
  if (request.secret_header != nullptr && !request.secret_header->is_empty()) {
    const std::string_view line = request.secret_header->expose_secret();
    secret_line_ = static_cast<char*>(base::protected_allocate(line.size() + 1));
    if (secret_line_ == nullptr) return false;
    std::memcpy(secret_line_, line.data(), line.size());
    secret_line_[line.size()] = '\0';
    header_nodes_.push_back(curl_slist{secret_line_, nullptr});
  }
  for (std::size_t at = 0; at < header_text_.size();) {
    char* line = header_text_.data() + at;
    header_nodes_.push_back(curl_slist{line, nullptr});
    at += std::strlen(line) + 1;
  }
  for (std::size_t i = 0; i + 1 < header_nodes_.size(); ++i) {
    header_nodes_[i].next = &header_nodes_[i + 1];
  }
  return true;
}

void CurlTransfer::release_secret() noexcept {
  if (secret_line_ == nullptr) return;
  base::protected_free(std::exchange(secret_line_, nullptr));
  // The handle still points to the list; the next start() sets another before libcurl reads it.
  header_nodes_.clear();
}

void CurlTransfer::resume() {
  if (!is_paused_) return;
  is_paused_ = false;
  last_byte_ = prepared_.pool->loop().turn_time();
  limit(limits_.stall);
  if (is_held_) {
    is_held_ = false;
    prepared_.pool->resume(*this);
  }
}

void CurlTransfer::cancel() {
  if (sink_ == nullptr) return;
  sink_ = nullptr;
  is_cancelled_ = true;
  TimerWheel::disarm(*this);
  prepared_.pool->remove(*this);
}

void CurlTransfer::on_removed() {
  release_secret();
  owner_.take_back(*this);
}

void CurlTransfer::on_finished(CURLcode code) {
  if (sink_ == nullptr) return on_removed();
  if (is_stale_ && begin_afresh()) return;
  const TransferFault fault = own_fault_ != TransferFault::none ? own_fault_ : fault_of(code);
  end(fault, fault == TransferFault::none ? "" : curl_easy_strerror(code));
}

void CurlTransfer::fail(TransferFault fault) {
  own_fault_ = fault;
  // Not through remove(): nobody but us may hear of the end, and libcurl is not on the stack of a
  // deadline.
  prepared_.pool->take_out(*this);
  end(fault, "");
}

void CurlTransfer::end(TransferFault fault, std::string_view detail) {
  TimerWheel::disarm(*this);
  TransferSink& sink = *std::exchange(sink_, nullptr);
  const TransferEnd how{fault, sent(), wire_copies_, detail};
  release_secret();
  owner_.take_back(*this);
  sink.on_end(how);
}

Sent CurlTransfer::sent() const noexcept {
  if (head_.status() != 0) return Sent::yes;
  return wire_copies_ == 0 ? Sent::no : Sent::maybe;
}

TransferFault CurlTransfer::fault_of(CURLcode code) const noexcept {
  const bool has_head = head_.is_complete();
  switch (code) {
    case CURLE_OK: return has_head ? TransferFault::none : TransferFault::closed_early;
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY: return TransferFault::dns_failed;
    case CURLE_COULDNT_CONNECT:
    case CURLE_PROXY: return TransferFault::connect_failed;
    case CURLE_OPERATION_TIMEDOUT: return TransferFault::connect_timeout;
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_INVALIDCERTSTATUS:
    case CURLE_USE_SSL_FAILED: return TransferFault::tls_failed;
    case CURLE_PARTIAL_FILE: return TransferFault::cut;
    case CURLE_GOT_NOTHING:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_SEND_FAIL_REWIND:
    case CURLE_ABORTED_BY_CALLBACK:
      return head_.status() != 0 ? TransferFault::cut : TransferFault::closed_early;
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_HTTP2:
    case CURLE_BAD_CONTENT_ENCODING: return TransferFault::protocol;
    case CURLE_OUT_OF_MEMORY: return TransferFault::out_of_memory;
    default: return TransferFault::internal;
  }
}

void CurlTransfer::limit(std::chrono::milliseconds limit) {
  EventLoop& loop = prepared_.pool->loop();
  if (limit.count() <= 0) {
    TimerWheel::disarm(*this);
  } else {
    loop.timers().arm(*this, loop.turn_time() + limit);
  }
}

void CurlTransfer::on_timer() noexcept {
  if (sink_ == nullptr) return;
  if (phase_ == Phase::connecting) return fail(TransferFault::connect_timeout);
  if (phase_ == Phase::waiting) return fail(TransferFault::first_byte_timeout);
  if (is_paused_) return;  // the caller holds the stream back; resume() arms the limit again
  // Bytes only move last_byte_, so the timer looks again where the limit would really be.
  EventLoop& loop = prepared_.pool->loop();
  if (last_byte_ + limits_.stall > loop.turn_time()) {
    loop.timers().arm(*this, last_byte_ + limits_.stall);
  } else {
    fail(TransferFault::stall_timeout);
  }
}

}  // namespace byway::transport
