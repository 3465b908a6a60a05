-- For wrk: a wrong password with each request, never the same one, so that no memory of passwords helps.
-- The name takes six bytes with its colon, and so a whole number of base64's groups; eight digits are two more.
local tried = 0

function request()
  tried = tried + 1
  return wrk.format("GET", nil, { Authorization = "Basic " .. wrk.headers["Name"] .. string.format("%08d", tried) })
end
