#include "core/dns/worker.h"

#include <algorithm>
#include <boost/asio/post.hpp>

namespace devstack::dns {

Worker::Worker(const registry::RegistryView& view, const RecordBook& records, AnswerOptions answers,
               std::optional<UpstreamSettings> upstreams, std::string port_setting, Listener::Place place,
               Journal& journal)
    : responder_(io_.get_executor(), view, records, std::move(answers), std::move(upstreams), journal),
      port_setting_(std::move(port_setting)),
      place_(place) {
  if (place_ != Listener::Place::further) {
    responder_.forwarder().upstreams().own = [this](const Endpoint& endpoint) { return listens_on(endpoint); };
  }
  thread_ = std::thread([this] { io_.run(); });
}

void Worker::end() {
  if (!thread_.joinable()) return;
  io_.stop();
  thread_.join();
}

bool Worker::listens_on(const Endpoint& endpoint) const {
  return std::any_of(listeners_.begin(), listeners_.end(), [&](const auto& one) {
    const Endpoint own = one.listener->endpoint();
    if (own.port() != endpoint.port()) return false;
    return own.address() == endpoint.address() || (own.address().is_unspecified() && endpoint.address().is_loopback());
  });
}

asio::awaitable<Bound> Worker::listen(std::vector<Endpoint> endpoints) {
  for (auto at = listeners_.begin(); at != listeners_.end();) {
    if (std::find(endpoints.begin(), endpoints.end(), at->asked) != endpoints.end()) {
      ++at;
      continue;
    }
    auto gone = std::move(at->listener);
    at = listeners_.erase(at);
    co_await gone->stop();
  }
  Bound out;
  for (const auto& endpoint : endpoints) {
    const bool there_already =
        std::any_of(listeners_.begin(), listeners_.end(), [&](const auto& one) { return one.asked == endpoint; });
    if (there_already) continue;
    auto opened = Listener::open(io_.get_executor(), endpoint, responder_, batch_, port_setting_, place_);
    if (!opened) {
      out.errors.push_back(std::move(opened).error());
      continue;
    }
    if (handover_) {
      (*opened)->hand_over = [this](HandedOver question) {
        responder_.journal().counters.handed_over.raise();
        return handover_->ask(question);
      };
      (*opened)->before_batch = [this] {
        handover_->take_learned(
            [this](const Learned& one) { responder_.learn(one.request, one.reply, one.source, one.repeat, one.from); });
      };
    }
    (*opened)->start();
    listeners_.push_back({endpoint, std::move(*opened)});
  }
  for (const auto& one : listeners_) out.endpoints.push_back(one.listener->endpoint());
  co_return out;
}

asio::awaitable<bool> Worker::end_queries() {
  co_await responder_.stop();
  co_return true;
}

void Worker::connect(Worker& worker, Worker& owner) {
  auto handover = std::make_shared<Handover>();
  // The owner ends after its workers, and takes what is posted until then.
  handover->wake = [&owner, weak = std::weak_ptr(handover)] {
    asio::post(owner.io_, [&owner, handover = weak.lock()] {
      if (handover) owner.answer_for(*handover);
    });
  };
  worker.handover_ = std::move(handover);
}

void Worker::answer_for(Handover& handover) {
  responder_.refresh();
  handover.take_questions([&](const HandedOver& question) {
    const auto listens = [&](const Listening& one) { return one.listener->endpoint() == question.endpoint; };
    const auto at = std::find_if(listeners_.begin(), listeners_.end(), listens);
    if (at == listeners_.end()) return;
    at->listener->answer_for_other(question, [&](Bytes reply, Source source, const Repeat& repeat) {
      handover.teach({question.request, {reply.begin(), reply.end()}, source, repeat, responder_.indexes()});
    });
  });
}

}  // namespace devstack::dns
