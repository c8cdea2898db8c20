-- What every script here begins with: a number of its own for each of wrk's threads, so that no two write the same value.
local threads = 0
function setup(thread)
  threads = threads + 1
  thread:set("id", threads)
end

count = tonumber(os.getenv("COUNT"))
local serial = 0
function init()
  math.randomseed(id)
end
function any()
  return math.random(count) - 1
end
function fresh()
  serial = serial + 1
  return id .. "-" .. serial
end
