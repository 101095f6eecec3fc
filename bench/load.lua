-- The load of scripts/bench, for wrk. Settings come from the environment:
--   IDS       a file with one customer per line: the id and, where each has its own, a bearer token
--   TOKEN     the bearer token otherwise
--   DOCUMENT  a GraphQL document to post; without it {id} in the path is replaced and the request is a GET
--   VARIABLES the document's variables in JSON, with {id}; by default {"by":{"id":"{id}"}}
--   ORDER     "random" (with SEED); "once": each line once, then the run ends, and answers with errors are counted;
--             "mix": of 100 requests 5 write, and of the others four fifths are for the first twentieth of the lines
--   WRITES    a document with a mutation, for "mix"; it gets the same variables
--   PAUSE     how long a connection rests between two requests, in milliseconds on average
local customers, requests, place = {}, {}, 0
local once, mix = os.getenv("ORDER") == "once", os.getenv("ORDER") == "mix"
local pause = tonumber(os.getenv("PAUSE") or "0")
local written = {}
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
  local variables = os.getenv("VARIABLES") or ""
  if variables == "" then variables = '{"by":{"id":"{id}"}}' end
  local before, after = variables:match("^(.*){id}(.*)$")
  local function body(document)
    if document == "" then return "" end
    local file = assert(io.open(document))
    local text = '{"query":' .. quoted(file:read("*a")) .. ',"variables":' .. before
    file:close()
    return text
  end
  local read, write = body(document), body(os.getenv("WRITES") or "")
  local path, shared = wrk.path, os.getenv("TOKEN") or ""
  local function whole(id, token, writes)
    local headers = {}
    if token ~= "" then headers["authorization"] = "Bearer " .. token end
    if document == "" then return wrk.format("GET", (path:gsub("{id}", id)), headers) end
    headers["content-type"] = "application/json"
    return wrk.format("POST", path, headers, (writes and write or read) .. id .. after .. "}")
  end
  -- The load generator shares the machine with what it loads: a request's text is made once, and of those of very many
  -- customers, the part that all ids of a length have in common.
  local templates = {}
  build = function(customer, writes)
    local id, token = customer[1], customer[2]
    if token ~= "" then return whole(id, token, writes) end
    local name = (writes and "w" or "r") .. #id
    if not templates[name] then
      local mark = ("~"):rep(#id)
      local text = whole(mark, shared, writes)
      local from, to = text:find(mark, 1, true)
      templates[name] = { text:sub(1, from - 1), text:sub(to + 1) }
    end
    return templates[name][1] .. id .. templates[name][2]
  end
end

function request()
  local writes = false
  if once then
    place = place % #customers + 1
  elseif mix then
    writes = math.random(100) <= 5
    local few = math.random(100) <= 80
    place = math.random(few and math.ceil(#customers / 20) or #customers)
  else
    place = math.random(#customers)
  end
  if place > 100000 then return build(customers[place], writes) end
  local known = writes and written or requests
  known[place] = known[place] or build(customers[place], writes)
  return known[place]
end

if pause > 0 then
  function delay() return math.floor(-pause * math.log(1 - math.random()) + 0.5) end
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
