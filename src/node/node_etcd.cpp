// The lease in etcd: the engine's questions, asked on a thread of their own.
#include "etcd/client.hpp"
#include "node/node.hpp"
#include "node/serial.hpp"

namespace syncline::node {

namespace {

namespace asks = coordination;

asks::Holder holder_of(const etcd::Value& value) {
  return {core::NodeId(value.text), value.create_revision, value.lease};
}

struct Ask {
  etcd::Client& client;
  const std::string& key;
  const std::string& self;

  core::Result<asks::Answer> operator()(const asks::Grant& question) const {
    SYNCLINE_ASSIGN(const etcd::Lease lease, client.grant(question.ttl_s));
    return asks::Answer(asks::Lease{lease.id, lease.ttl_s});
  }
  core::Result<asks::Answer> operator()(const asks::KeepAlive& question) const {
    SYNCLINE_ASSIGN(const etcd::Lease lease, client.keep_alive(question.lease));
    return asks::Answer(asks::Lease{lease.id, lease.ttl_s});
  }
  core::Result<asks::Answer> operator()(const asks::Campaign& question) const {
    SYNCLINE_ASSIGN(const etcd::Value value, client.put_if_absent(key, self, question.lease));
    return asks::Answer(holder_of(value));
  }
  core::Result<asks::Answer> operator()(const asks::Look&) const {
    SYNCLINE_ASSIGN(const etcd::Value value, client.get(key));
    return asks::Answer(holder_of(value));
  }
  core::Result<asks::Answer> operator()(const asks::Revoke& question) const {
    SYNCLINE_TRY(client.revoke(question.lease));
    return asks::Answer(asks::Lease{question.lease, 0});
  }
};

}  // namespace

struct Node::Etcd {
  Etcd(const core::EtcdConfig& config, std::string k) : client(config), key(std::move(k)) {}
  etcd::Client client;
  const std::string key;
  Serial thread{"sl-etcd"};
};

void Node::start_etcd() {
  if (config_.coordination != "etcd") return;
  etcd_ =
      std::make_shared<Etcd>(config_.etcd, config_.etcd.prefix + "/" + config_.fleet + "/leader");
}

void Node::ask_etcd(const engine::AskEtcd& action) {
  etcd_->thread.post([this, question = action.question] {
    const Ask ask{etcd_->client, etcd_->key, config_.node.id.text};
    post(engine::EtcdAnswered{std::visit(ask, question)});
  });
}

void Node::close_etcd() {
  if (etcd_) etcd_->thread.close();
}

}  // namespace syncline::node
