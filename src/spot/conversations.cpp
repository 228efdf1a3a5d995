#include "spot/conversations.hpp"

#include "spot/metadata.hpp"

namespace syncline::spot {

namespace {

constexpr int kUnauthorized = 401;

class Aws final : public Conversation {
 public:
  const char* provider() const override { return "aws"; }

  std::optional<Found> detect(const Ask& ask) override {
    const auto answer = get(ask, "/latest/meta-data/instance-life-cycle");
    if (!answer.ok()) return std::nullopt;
    const auto is_spot = aws_is_spot(*answer);
    if (!is_spot) return std::nullopt;
    return Found{provider(), *is_spot, "instance-life-cycle in AWS's metadata"};
  }

  core::Result<Signals> poll(const Ask& ask, core::WallMs now) override {
    SYNCLINE_ASSIGN(const Answer action, get(ask, "/latest/meta-data/spot/instance-action"));
    SYNCLINE_ASSIGN(Signals signals, aws_instance_action(action, now));
    if (signals.notice || !signals.advice.empty()) return signals;
    SYNCLINE_ASSIGN(const Answer rebalance,
                    get(ask, "/latest/meta-data/events/recommendations/rebalance"));
    SYNCLINE_ASSIGN(signals.advice, aws_rebalance(rebalance));
    return signals;
  }

 private:
  // With the token; a token that is not valid any more is replaced once.
  core::Result<Answer> get(const Ask& ask, const char* path) {
    for (int round = 0;; ++round) {
      if (token_.empty()) {
        SYNCLINE_ASSIGN(
            const Answer answer,
            ask({"PUT", "/latest/api/token", {{"X-aws-ec2-metadata-token-ttl-seconds", "21600"}}}));
        SYNCLINE_ASSIGN(token_, aws_token(answer));
      }
      SYNCLINE_ASSIGN(Answer answer, ask({"GET", path, {{"X-aws-ec2-metadata-token", token_}}}));
      if (answer.status != kUnauthorized || round > 0) return answer;
      token_.clear();
    }
  }

  std::string token_;
};

class Gcp final : public Conversation {
 public:
  const char* provider() const override { return "gcp"; }

  std::optional<Found> detect(const Ask& ask) override {
    const auto answer = get(ask, "scheduling/preemptible");
    if (!answer.ok()) return std::nullopt;
    const auto is_spot = gcp_is_spot(*answer);
    if (!is_spot) return std::nullopt;
    return Found{provider(), *is_spot, "scheduling/preemptible in GCP's metadata"};
  }

  core::Result<Signals> poll(const Ask& ask, core::WallMs) override {
    SYNCLINE_ASSIGN(const Answer answer, get(ask, "preempted"));
    return gcp_preempted(answer);
  }

 private:
  static core::Result<Answer> get(const Ask& ask, const char* key) {
    return ask({"GET",
                std::string("/computeMetadata/v1/instance/") + key,
                {{"Metadata-Flavor", "Google"}}});
  }
};

class Azure final : public Conversation {
 public:
  const char* provider() const override { return "azure"; }

  std::optional<Found> detect(const Ask& ask) override {
    const auto answer = get(ask, "/metadata/instance/compute?api-version=2020-09-01&format=json");
    if (!answer.ok()) return std::nullopt;
    const auto compute = azure_compute(*answer);
    if (!compute) return std::nullopt;
    name_ = compute->name;
    return Found{provider(), compute->is_spot, "compute/priority in Azure's metadata"};
  }

  core::Result<Signals> poll(const Ask& ask, core::WallMs now) override {
    SYNCLINE_ASSIGN(const Answer answer,
                    get(ask, "/metadata/scheduledevents?api-version=2020-07-01"));
    return azure_events(answer, name_, now);
  }

 private:
  static core::Result<Answer> get(const Ask& ask, const char* path) {
    return ask({"GET", path, {{"Metadata", "true"}}});
  }

  std::string name_;
};

}  // namespace

std::unique_ptr<Conversation> make_aws() {
  return std::make_unique<Aws>();
}
std::unique_ptr<Conversation> make_gcp() {
  return std::make_unique<Gcp>();
}
std::unique_ptr<Conversation> make_azure() {
  return std::make_unique<Azure>();
}

}  // namespace syncline::spot
