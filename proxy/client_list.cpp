#include "proxy/client_list.h"

#include "proxy/front_thread.h"
#include "runtime/log.h"

namespace proxy {
namespace {

// How many of the idlest are asked whether something has come from them that we have not read yet.
constexpr int kAsked = 8;
constexpr std::chrono::seconds kQuiet{10};

}  // namespace

void ClientLine::add(Client& client) {
  client.previous_ = last_;
  client.next_ = nullptr;
  (last_ != nullptr ? last_->next_ : first_) = &client;
  last_ = &client;
}

void ClientLine::remove(Client& client) {
  (client.previous_ != nullptr ? client.previous_->next_ : first_) = client.next_;
  (client.next_ != nullptr ? client.next_->previous_ : last_) = client.previous_;
  client.next_ = client.previous_ = nullptr;
}

ClientList::~ClientList() {
  for (ClientLine* const line : {&busy_, &idle_}) {
    while (line->first() != nullptr) {
      const std::unique_ptr<Client> client(line->first());
      leave(*client);
      line->remove(*client);
    }
  }
}

void ClientList::leave(const Client& client) {
  if (client.is_counted_) thread_.site().addresses->leave(client.facts().peer);
}

void ClientList::add(Transport transport, const ClientFacts& facts, bool proxy_protocol) {
  auto client = std::make_unique<Client>(thread_, std::move(transport), facts, proxy_protocol);
  idle_.add(*client.release());
  ++size_;
  thread_.figures().connections.store(static_cast<std::uint32_t>(size_), std::memory_order_relaxed);
}

void ClientList::remove(Client& client) {
  line_of(client).remove(client);
  --size_;
  leave(client);
  thread_.figures().connections.store(static_cast<std::uint32_t>(size_), std::memory_order_relaxed);
  thread_.loop().bury(std::unique_ptr<Client>(&client));
  thread_.one_fewer();
}

/// Each client of either line; it may be closed by what it is told.
template <class Tell>
void ClientList::each(Tell tell) {
  for (const ClientLine* const line : {&busy_, &idle_}) {
    for (Client* client = line->first(); client != nullptr;) {
      Client* const next = ClientLine::after(*client);
      tell(*client);
      client = next;
    }
  }
}

void ClientList::drain() {
  each([](Client& client) { client.drain(); });
}

void ClientList::end_drain() {
  each([](Client& client) { client.end_drain(); });
}

void ClientList::close_websockets(upstream::WorkerId worker) {
  each([worker](Client& client) { client.close_websockets(worker); });
}

void ClientList::close_all() {
  while (busy_.first() != nullptr) busy_.first()->cut();
  while (idle_.first() != nullptr) idle_.first()->cut();
}

void ClientList::begin_idle(Client& client) {
  line_of(client).remove(client);
  client.is_idle_ = true;
  idle_.add(client);
}

void ClientList::end_idle(Client& client) {
  line_of(client).remove(client);
  client.is_idle_ = false;
  busy_.add(client);
}

void ClientList::close_idlest() {
  Client* const client = idlest();
  if (client == nullptr) return;
  ++untold_;
  tell();
  client->give_way();
}

/// Rather one of the next few than one whose request has come and is not read yet.
Client* ClientList::idlest() const {
  Client* client = idle_.first();
  for (int i = 0; i < kAsked && client != nullptr; ++i, client = ClientLine::after(*client)) {
    if (!client->has_unread()) return client;
  }
  return idle_.first();
}

/// Who opens connection after connection does not get to fill the log.
void ClientList::tell() {
  const runtime::Time now = thread_.loop().now();
  if (now < quiet_until_) return;
  quiet_until_ = now + kQuiet;
  runtime::log(
      runtime::Level::kWarning, "too little room: the idlest connections are closed",
      {{"connections", std::to_string(size_)}, {"closed", std::to_string(std::exchange(untold_, 0))}});
}

}  // namespace proxy
