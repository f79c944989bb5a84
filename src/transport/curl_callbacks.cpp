// CurlTransfer's callbacks: what libcurl tells while a request is under way.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <cstring>

#include "transport/curl_transfer.hpp"

namespace byway::transport {
namespace {

std::string address_text(const curl_sockaddr& address) {
  char text[INET6_ADDRSTRLEN] = {};
  if (address.family == AF_INET) {
    const auto* in = reinterpret_cast<const sockaddr_in*>(&address.addr);
    inet_ntop(AF_INET, &in->sin_addr, text, sizeof text);
  } else if (address.family == AF_INET6) {
    const auto* in = reinterpret_cast<const sockaddr_in6*>(&address.addr);
    inet_ntop(AF_INET6, &in->sin6_addr, text, sizeof text);
  }
  return text;
}

}  // namespace

/// Whether libcurl is done with all of flat_body_: it sends nothing again once an answer has begun.
bool CurlTransfer::has_sent_body() const noexcept {
  curl_off_t sent = 0;
  curl_easy_getinfo(easy_, CURLINFO_SIZE_UPLOAD_T, &sent);
  return static_cast<std::size_t>(sent) >= flat_body_.size();
}

bool CurlTransfer::deliver_head() {
  // An answer without a length may be a stream that lasts: it needs no memory of what was sent.
  if (!head_.has_length() && has_sent_body()) std::string().swap(flat_body_);
  sink_->on_head(head_.head());
  return !is_cancelled_;
}

std::size_t CurlTransfer::on_header_line(char* bytes, std::size_t size, std::size_t count,
                                         void* self) {
  auto& transfer = *static_cast<CurlTransfer*>(self);
  const std::size_t length = size * count;
  if (transfer.is_cancelled_) return 0;
  transfer.last_byte_ = transfer.prepared_.pool->loop().turn_time();
  if (transfer.phase_ != Phase::receiving) {
    transfer.phase_ = Phase::receiving;
    transfer.limit(transfer.limits_.stall);
  }
  switch (transfer.head_.feed({bytes, length})) {
    case ResponseHead::State::more:
    case ResponseHead::State::trailer: return length;
    case ResponseHead::State::complete: return transfer.deliver_head() ? length : 0;
    case ResponseHead::State::too_large:
      transfer.own_fault_ = TransferFault::headers_too_large;
      return 0;
    case ResponseHead::State::malformed: transfer.own_fault_ = TransferFault::protocol; return 0;
  }
  return 0;
}

std::size_t CurlTransfer::on_body_bytes(char* bytes, std::size_t size, std::size_t count,
                                        void* self) {
  auto& transfer = *static_cast<CurlTransfer*>(self);
  const std::size_t length = size * count;
  if (transfer.is_cancelled_) return 0;
  if (transfer.is_paused_) {
    // on_body took its bytes and said "pause": what comes after waits inside libcurl, and the
    // socket is not read.
    transfer.is_held_ = true;
    return CURL_WRITEFUNC_PAUSE;
  }
  const TimePoint now = transfer.prepared_.pool->loop().turn_time();
  transfer.bytes_at_once_ = length + (now == transfer.last_byte_ ? transfer.bytes_at_once_ : 0);
  transfer.bytes_at_once_max_ = std::max(transfer.bytes_at_once_max_, transfer.bytes_at_once_);
  transfer.last_byte_ = now;
  if (transfer.sink_->on_body({bytes, length}) == Flow::pause) transfer.is_paused_ = true;
  return transfer.is_cancelled_ ? 0 : length;
}

std::size_t CurlTransfer::on_read(char* into, std::size_t size, std::size_t count, void* self) {
  auto& transfer = *static_cast<CurlTransfer*>(self);
  std::size_t room = size * count;
  char* const begin = into;
  while (room > 0 && transfer.piece_ < transfer.pieces_.size()) {
    const std::string_view rest = transfer.pieces_[transfer.piece_].substr(transfer.piece_offset_);
    const std::size_t taken = std::min(room, rest.size());
    std::memcpy(into, rest.data(), taken);
    into += taken;
    room -= taken;
    transfer.piece_offset_ += taken;
    if (taken == rest.size()) {
      ++transfer.piece_;
      transfer.piece_offset_ = 0;
    }
  }
  return static_cast<std::size_t>(into - begin);
}

int CurlTransfer::on_seek(void* self, curl_off_t offset, int origin) {
  auto& transfer = *static_cast<CurlTransfer*>(self);
  if (offset != 0 || origin != SEEK_SET) return CURL_SEEKFUNC_FAIL;
  transfer.piece_ = transfer.piece_offset_ = 0;
  return CURL_SEEKFUNC_OK;
}

int CurlTransfer::on_request_begins(void* self, char*, char*, int, int local_port) {
  auto& transfer = *static_cast<CurlTransfer*>(self);
  // Also when another address of the same name was refused: then nothing of it is trusted.
  if (transfer.is_cancelled_ || transfer.own_fault_ != TransferFault::none) {
    return CURL_PREREQFUNC_ABORT;
  }
  // libcurl sends a request again by itself when a reused connection closes without a byte, and
  // says nothing. It comes here each time before it writes, which is where the copies are counted
  // and the second one is refused.
  if (transfer.wire_copies_ > 0 && !transfer.may_resend_) return CURL_PREREQFUNC_ABORT;
  // Under TLS the server's goodbye hides from libcurl's own look (7.88) that a pooled connection is
  // closed. Nothing was written yet: the transfer begins again on a new one.
  if (transfer.prepared_.is_tls && transfer.wire_copies_ == 0 && !transfer.is_fresh_ &&
      transfer.prepared_.pool->is_closed_by_peer(local_port)) {
    transfer.is_stale_ = true;
    return CURL_PREREQFUNC_ABORT;
  }
  ++transfer.wire_copies_;
  transfer.may_resend_ = transfer.may_resend_ && transfer.wire_copies_ < 2;
  transfer.phase_ = Phase::waiting;
  transfer.limit(transfer.limits_.first_byte);
  return CURL_PREREQFUNC_OK;
}

curl_socket_t CurlTransfer::on_open_socket(void* self, curlsocktype, curl_sockaddr* address) {
  auto& transfer = *static_cast<CurlTransfer*>(self);
  const auto& is_allowed = transfer.prepared_.target->address_allowed;
  // What is judged here is what is dialled: no name is looked up in between. A proxy is dialled as
  // it was configured.
  const bool is_blocked = transfer.own_fault_ == TransferFault::address_blocked ||
                          (is_allowed && transfer.prepared_.target->proxy.empty() &&
                           !is_allowed(address_text(*address)));
  if (is_blocked) {
    transfer.own_fault_ = TransferFault::address_blocked;
    return CURL_SOCKET_BAD;
  }
  return transfer.prepared_.pool->open_socket(*address);
}

int CurlTransfer::on_close_socket(void* pool, curl_socket_t fd) {
  return static_cast<CurlPool*>(pool)->close_socket(fd);
}

CURLcode CurlTransfer::on_tls_context(CURL*, void* tls_context, void* self) {
  auto& transfer = *static_cast<CurlTransfer*>(self);
  SSL_CTX_set1_cert_store(static_cast<SSL_CTX*>(tls_context), transfer.prepared_.trust->get());
  return CURLE_OK;
}

}  // namespace byway::transport
