// The words for TransferFault, as the call record spells them.
#include <byway/transport.hpp>

namespace byway {

std::string_view name_of(TransferFault fault) noexcept {
  switch (fault) {
    case TransferFault::none: return "";
    case TransferFault::connect_failed: return "net_connect_failed";
    case TransferFault::dns_failed: return "net_dns_failed";
    case TransferFault::connect_timeout: return "net_connect_timeout";
    case TransferFault::tls_failed: return "net_tls_failed";
    case TransferFault::address_blocked: return "net_ssrf_blocked";
    case TransferFault::first_byte_timeout: return "timeout_first_byte";
    case TransferFault::stall_timeout: return "timeout_stall";
    case TransferFault::closed_early: return "net_closed_early";
    case TransferFault::cut: return "net_cut";
    case TransferFault::protocol: return "net_protocol_error";
    case TransferFault::headers_too_large: return "net_headers_too_large";
    case TransferFault::body_too_large: return "net_response_too_large";
    case TransferFault::out_of_memory: return "internal_out_of_memory";
    case TransferFault::internal: return "internal_error";
  }
  return "internal_error";
}

}  // namespace byway
