// Whom a request is from and whether it came by https, as proxies that are trusted say; without one, as the connection says. Pure.
// What apps are told in fields is headers.h, and that stays as each hop has said it.
#pragma once
#include <span>

#include "conf/address.h"
#include "proxy/client_facts.h"
#include "upstream/message.h"

namespace proxy {

struct Origin {
  runtime::PeerAddress client;
  bool is_tls = false;
};

/// `trusted`: [front] trusted_proxies. The client is the last address of X-Forwarded-For that is none of theirs, else the first one that
/// can be read behind what cannot. The scheme is X-Forwarded-Proto's, where that is one word that is known (http, https, ws, wss).
/// Of the head as it came: prepare_request() joins ours.
Origin origin_of(const upstream::RequestHead& head, const ClientFacts& client, std::span<const conf::Network> trusted);

/// Whether this client is one of `trusted`. One that has come through a proxy which does not name it is never.
bool is_trusted(const ClientFacts& client, std::span<const conf::Network> trusted);

}  // namespace proxy
