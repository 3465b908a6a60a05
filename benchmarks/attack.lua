-- For wrk: a wrong password with each request, hardly ever one again, so that no memory of passwords helps.
-- The name takes six bytes with its colon, and so a whole number of base64's groups; eight digits are two more.
math.randomseed(os.time())

function request()
  local digits = string.format("%08d", math.random(0, 99999999))
  wrk.headers["Authorization"] = "Basic " .. wrk.headers["Name"] .. digits
  return wrk.format()
end
