#pragma once

#include "core/dns/answer.h"

/// How much of an answer goes into one reply. Pure; any thread. Private to core/dns.
namespace devstack::dns {

/// Leaves out what the transport does not carry: answers over the limit for their number (Consul's, without TC), and
/// answers from the end while the reply is too big, which sets TC. As many are left as Consul leaves. Once any answer
/// goes, so does every additional record but the address of each SRV target, and EDNS only where it does not fit.
void fit(Message& reply, const Query& query, const AnswerOptions& options);

}  // namespace devstack::dns
