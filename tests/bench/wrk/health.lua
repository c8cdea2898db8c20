dofile(debug.getinfo(1, "S").source:match("@(.*/)") .. "threads.lua")
function request()
  return wrk.format("GET", "/v1/health/service/service-" .. any())
end
