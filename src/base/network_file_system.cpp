#include "base/network_file_system.hpp"

#include <linux/magic.h>

#include <cstdint>

namespace byway::base {
namespace {

// Named here because older linux/magic.h lack them.
constexpr std::uint32_t cifs_magic = 0xFF534D42;
constexpr std::uint32_t smb2_magic = 0xFE534D42;

}  // namespace

bool is_network_file_system(long type) noexcept {
  switch (static_cast<std::uint32_t>(type)) {
    case NFS_SUPER_MAGIC:
    case SMB_SUPER_MAGIC:
    case FUSE_SUPER_MAGIC:
    case cifs_magic:
    case smb2_magic: return true;
    default: return false;
  }
}

}  // namespace byway::base
