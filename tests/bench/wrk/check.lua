-- Every second update of a check changes its status.
dofile(debug.getinfo(1, "S").source:match("@(.*/)") .. "threads.lua")
local words = { "pass", "warn" }
function request()
  return wrk.format("PUT", "/v1/agent/check/" .. words[math.random(2)] .. "/service:service-" .. any())
end
