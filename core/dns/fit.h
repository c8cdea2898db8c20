#pragma once

#include "core/dns/answer.h"

/// How much of an answer goes into one reply. Pure; any thread. Private to core/dns.
namespace devstack::dns {

/// For each answer, how many additional records belong to it and those before; empty when none belong to any.
using ExtrasThrough = std::vector<std::size_t>;

/// Leaves out what the transport does not carry: answers over the limit for their number (Consul's, without TC), then,
/// while the reply is too big, metadata, authority, and answers from the end, which sets TC.
void fit(Message& reply, const ExtrasThrough& extras, const Query& query, const AnswerOptions& options);

}  // namespace devstack::dns
