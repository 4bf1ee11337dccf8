-- Asks for as many paths in turn as its argument says: the address's own, each with a number after it.
local requests = {}
local at = 0

function init(args)
  for number = 1, tonumber(args[1]) do
    requests[number] = wrk.format("GET", wrk.path .. (number - 1))
  end
end

function request()
  at = at % #requests + 1
  return requests[at]
end
