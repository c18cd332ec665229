#include "proxy/client_list.h"

#include "proxy/front_thread.h"

namespace proxy {

ClientList::~ClientList() {
  while (first_ != nullptr) {
    std::unique_ptr<Client> client(first_);
    leave(*client);
    first_ = client->next_;
  }
}

void ClientList::leave(const Client& client) {
  if (client.is_counted_) thread_.site().addresses->leave(client.facts().peer);
}

void ClientList::add(Transport transport, const ClientFacts& facts, bool proxy_protocol) {
  auto client = std::make_unique<Client>(thread_, std::move(transport), facts, proxy_protocol);
  client->next_ = first_;
  if (first_ != nullptr) first_->previous_ = client.get();
  first_ = client.release();
  ++size_;
  thread_.figures().connections.store(static_cast<std::uint32_t>(size_), std::memory_order_relaxed);
}

void ClientList::remove(Client& client) {
  (client.previous_ != nullptr ? client.previous_->next_ : first_) = client.next_;
  if (client.next_ != nullptr) client.next_->previous_ = client.previous_;
  client.next_ = client.previous_ = nullptr;
  --size_;
  leave(client);
  thread_.figures().connections.store(static_cast<std::uint32_t>(size_), std::memory_order_relaxed);
  thread_.loop().bury(std::unique_ptr<Client>(&client));
  thread_.client_left();
}

void ClientList::drain() {
  for (Client* client = first_; client != nullptr;) {
    Client* const next = client->next_;  // a drain may close the client
    client->drain();
    client = next;
  }
}

void ClientList::close_all() {
  while (first_ != nullptr) first_->cut();
}

}  // namespace proxy
