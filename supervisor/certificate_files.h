// Opens what is in the folder of `[tls] certificates`, for the front, which may not read keys. What is in the
// files is the front's to judge (proxy/tls_context.h).
#pragma once
#include <string>
#include <vector>

#include "runtime/fd.h"
#include "runtime/result.h"

namespace supervisor {

/// In the shape of upstream::Certificates: names, and of each the certificate and the key, in turn.
struct CertificateFiles {
  std::vector<std::string> names;
  std::vector<runtime::Fd> fds;
};

/// Anew each time: an open file has one offset for all who hold it. An empty `folder` gives none. What cannot
/// be read is left out, with a line in the log for each.
runtime::Result<CertificateFiles> open_certificates(const std::string& folder);

}  // namespace supervisor
