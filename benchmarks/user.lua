-- For wrk: the user's Authorization comes on standard input, since the list of processes shows a command line to everyone.
function init()
  wrk.headers["Authorization"] = io.read("*l")
end
