dofile(debug.getinfo(1, "S").source:match("@(.*/)") .. "threads.lua")
function request()
  local i = any()
  return wrk.format("PUT", string.format("/v1/kv/app/section-%d/key-%d", math.floor(i / 10), i), nil, fresh())
end
