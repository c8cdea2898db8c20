#include "core/api/encode.h"

#include <gtest/gtest.h>

namespace devstack::api {
namespace {

template <class Value, class... More>
std::string written(void (*write)(JsonWriter&, const Value&, More...), const Value& value, More... more) {
  JsonWriter out;
  write(out, value, more...);
  return out.take();
}

registry::Service web() {
  registry::Service service;
  service.node = "n";
  service.id = "w1";
  service.name = "web";
  service.create_index = 4;
  service.modify_index = 5;
  return service;
}

TEST(NodeServiceJson, EmptyPortIsLeftOutAndMetaIsNull) {
  EXPECT_EQ(written(write_node_service, web(), EmptyList::as_list),
            R"({"ID":"w1","Service":"web","Tags":[],"Address":"","Meta":null,"Weights":{"Passing":1,"Warning":1},)"
            R"("EnableTagOverride":false,"Proxy":{"Mode":"","MeshGateway":{},"Expose":{}},"Connect":{},)"
            R"("CreateIndex":4,"ModifyIndex":5})");
}

TEST(NodeServiceJson, TagsAreNullWhereTheUiExpectsIt) {
  EXPECT_NE(written(write_node_service, web(), EmptyList::as_null).find(R"("Tags":null)"), std::string::npos);
}

TEST(AgentServiceJson, PortIsAlwaysThereAndMetaIsAnObject) {
  JsonWriter out;
  write_agent_service(out, web(), "dc1", "");
  EXPECT_EQ(
      out.text(),
      R"({"ID":"w1","Service":"web","Tags":[],"Meta":{},"Port":0,"Address":"","Weights":{"Passing":1,"Warning":1},)"
      R"("EnableTagOverride":false,"Datacenter":"dc1"})");
}

TEST(ServiceNodeJson, HasEveryServiceField) {
  registry::Instance instance;
  auto node = std::make_shared<registry::Node>();
  node->name = "n";
  node->address = "10.0.0.1";
  node->datacenter = "dc1";
  instance.node = node;
  instance.service = std::make_shared<registry::Service>(web());
  EXPECT_EQ(written(write_service_node, instance),
            R"({"ID":"","Node":"n","Address":"10.0.0.1","Datacenter":"dc1","TaggedAddresses":null,"NodeMeta":null,)"
            R"("ServiceKind":"","ServiceID":"w1","ServiceName":"web","ServiceTags":[],"ServiceAddress":"",)"
            R"("ServiceWeights":{"Passing":1,"Warning":1},"ServiceMeta":{},"ServicePort":0,"ServiceSocketPath":"",)"
            R"("ServiceEnableTagOverride":false,"ServiceProxy":{"Mode":"","MeshGateway":{},"Expose":{}},)"
            R"("ServiceConnect":{},"CreateIndex":4,"ModifyIndex":5})");
}

TEST(CheckJson, DefinitionShowsOnlyForCatalogChecks) {
  registry::Check check;
  check.node = "n";
  check.id = "c";
  check.definition.http = "http://x/";
  check.definition.interval = std::chrono::seconds(10);
  EXPECT_NE(
      written(write_check, check, EmptyList::as_list).find(R"("Definition":{"Interval":"10s","HTTP":"http://x/"})"),
      std::string::npos);
  check.agent_owned = true;
  EXPECT_NE(written(write_check, check, EmptyList::as_list).find(R"("Definition":{})"), std::string::npos);
}

TEST(KvJson, EmptyValueIsNullAndNoSessionIsLeftOut) {
  registry::KvEntry entry;
  entry.key = "a";
  entry.create_index = 2;
  entry.modify_index = 3;
  EXPECT_EQ(written(write_kv, entry),
            R"({"LockIndex":0,"Key":"a","Flags":0,"Value":null,"CreateIndex":2,"ModifyIndex":3})");
  entry.value = "hi";
  entry.session = "s";
  entry.flags = 0x2ddccbc058a50c18;
  EXPECT_EQ(
      written(write_kv, entry),
      R"({"LockIndex":0,"Key":"a","Flags":3304740253564472344,"Value":"aGk=","Session":"s","CreateIndex":2,"ModifyIndex":3})");
}

TEST(SessionJson, LockDelayIsNanosecondsAndServiceChecksNull) {
  registry::Session session;
  session.id = "s";
  session.node = "n";
  session.behavior = registry::Session::Behavior::remove;
  session.ttl = "15s";
  session.node_checks = {"serfHealth"};
  EXPECT_EQ(written(write_session, session),
            R"({"ID":"s","Name":"","Node":"n","LockDelay":15000000000,"Behavior":"delete","TTL":"15s",)"
            R"("NodeChecks":["serfHealth"],"ServiceChecks":null,"CreateIndex":0,"ModifyIndex":0})");
}

TEST(ContentHash, ChangesWithContentButNotWithIndexes) {
  auto service = web();
  const auto hash = content_hash(service);
  service.modify_index = 99;
  EXPECT_EQ(content_hash(service), hash);
  service.port = 80;
  EXPECT_NE(content_hash(service), hash);
}

}  // namespace
}  // namespace devstack::api
