// What nghttp2 takes its memory from.
#pragma once
#include <nghttp2/nghttp2.h>

namespace proxy {

/// malloc(3) and its kin, but what is as large as nghttp2's buffer for outgoing frames (16 KiB for each connection, of which
/// most need the first hundreds of bytes) begins untouched: its pages are nobody's until something is written to them.
/// See nghttp2_mem(3).
nghttp2_mem* h2_memory();

}  // namespace proxy
