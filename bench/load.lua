-- The load of scripts/bench, for wrk. Settings come from the environment:
--   IDS       a file with one customer per line: the id and, where each has its own, a bearer token
--   TOKEN     the bearer token otherwise
--   DOCUMENT  a GraphQL document to post; without it {id} in the path is replaced and the request is a GET
--   VARIABLES the document's variables in JSON, with {id}; by default {"by":{"id":"{id}"}}
--   ORDER     "random" (with SEED), or "once": each line once, then the run ends; answers with errors are counted
local customers, requests, place = {}, {}, 0
local once = os.getenv("ORDER") == "once"
local document = os.getenv("DOCUMENT") or ""
bad, example = 0, ""

local function quoted(text)
  return '"' .. text:gsub('[%c"\\]', function(c) return string.format("\\u%04x", c:byte()) end) .. '"'
end

function init()
  math.randomseed(tonumber(os.getenv("SEED") or "1"))
  for line in io.lines(assert(os.getenv("IDS"))) do
    local id, token = line:match("^(%S+)%s*(%S*)")
    if id then customers[#customers + 1] = { id, token } end
  end
  local before, after = "", ""
  if document ~= "" then
    local file = assert(io.open(document))
    local variables = os.getenv("VARIABLES") or ""
    if variables == "" then variables = '{"by":{"id":"{id}"}}' end
    before, after = variables:match("^(.*){id}(.*)$")
    before, after = '{"query":' .. quoted(file:read("*a")) .. ',"variables":' .. before, after .. "}"
    file:close()
  end
  local path, shared = wrk.path, os.getenv("TOKEN") or ""
  build = function(customer)
    local token, headers = customer[2] ~= "" and customer[2] or shared, {}
    if token ~= "" then headers["authorization"] = "Bearer " .. token end
    if document == "" then return wrk.format("GET", (path:gsub("{id}", customer[1])), headers) end
    headers["content-type"] = "application/json"
    return wrk.format("POST", path, headers, before .. customer[1] .. after)
  end
end

function request()
  if once then
    place = place % #customers + 1
  else
    place = math.random(#customers)
  end
  local made = requests[place]
  if not made then -- the text of a request is made once: the load generator shares the machine with what it loads
    made = build(customers[place])
    requests[place] = made
  end
  return made
end

if once then
  local answered, ffi = 0, require("ffi")
  ffi.cdef("int getpid(void); int kill(int pid, int signal);")
  function response(status, _, body)
    answered = answered + 1
    if status ~= 200 or body:find('"errors"', 1, true) or not body:find('^{%s*"data"%s*:%s*{%s*"%w+"%s*:%s*{') then
      bad, example = bad + 1, status .. " " .. body:sub(1, 300)
    end
    if answered == #customers then ffi.C.kill(ffi.C.getpid(), 2) end -- wrk itself only ends with its time, or on Ctrl-C
  end
end

local threads = {}
function setup(thread) threads[#threads + 1] = thread end

function done(summary, latency)
  local e = summary.errors
  local wrong, text = e.connect + e.read + e.write + e.status + e.timeout, ""
  for _, thread in ipairs(threads) do
    if once then wrong, text = wrong + (thread:get("bad") or 0), thread:get("example") or "" end
  end
  io.write(string.format("RESULT %d %.0f %.2f %.2f %.2f %.0f %d %s\n", summary.requests,
    summary.requests / (summary.duration / 1e6), latency:percentile(50) / 1e3, latency:percentile(90) / 1e3,
    latency:percentile(99) / 1e3, summary.bytes / math.max(1, summary.requests), wrong, text))
end
