// The certificate of `run --tls`: for localhost, signed by itself, made on first use and kept for the user.
// The only unit of this floor that meets OpenSSL. Who it convinces: whoever adds it to a trust store by hand.
#pragma once
#include <string>

#include "runtime/result.h"

namespace supervisor {

/// $XDG_DATA_HOME/portherd/local, else ~/.local/share/portherd/local.
runtime::Result<std::string> local_certificate_folder();

/// Makes `folder`/localhost.crt and .key (ECDSA P-256; localhost, 127.0.0.1, ::1) if they are not there, or
/// have less than a day left. Fit for `[tls] certificates`.
runtime::Result<void> ensure_local_certificate(const std::string& folder);

}  // namespace supervisor
