-- A registration that changes the instance: its tag is new each time.
dofile(debug.getinfo(1, "S").source:match("@(.*/)") .. "threads.lua")
function request()
  local i = any()
  local body = string.format('{"Name":"service-%d","Address":"10.0.0.1","Port":80,"Tags":["%s"],"Check":{"TTL":"1h","Status":"passing"}}', i, fresh())
  return wrk.format("PUT", "/v1/agent/service/register", nil, body)
end
