dofile(debug.getinfo(1, "S").source:match("@(.*/)") .. "threads.lua")
function request()
  return wrk.format("GET", string.format("/v1/kv/app/section-%d/?recurse", math.floor(any() / 10)))
end
