// Which file systems are on the network, where locks and shared mappings do not hold.
#pragma once

namespace byway::base {

/// `type` is what statfs says of a file system; NFS, SMB, CIFS and FUSE are on the network.
bool is_network_file_system(long type) noexcept;

}  // namespace byway::base
